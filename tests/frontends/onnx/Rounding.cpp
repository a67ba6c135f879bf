#include "tests/frontends/onnx/Rounding.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hexin::onnx::testing {
namespace {

constexpr double unit = 0x1p-24;
/// The standard deviation of one rounding, relative to the value.
constexpr double roundingDeviation = unit / 1.7320508075688772;
/// Roundings that a function other than + - * / sqrt is off by.
constexpr double functionUlps = 4;

bool isOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool isExact(const OpCall &call) {
  std::string_view fn = call.attributes.getString("fn");
  if (call.name == "unary")
    return isOneOf(fn, {"abs", "neg", "sign", "floor", "ceil", "trunc", "round_even"});
  if (call.name == "binary")
    return isOneOf(fn, {"min", "max", "mod", "fmod"});
  if (call.name == "reduce")
    return isOneOf(fn, {"min", "max"});
  if (call.name == "activation")
    return call.attributes.getString("kind") == "relu";
  if (call.name == "pool")
    return fn == "max";
  return isOneOf(call.name, {"shape_of",     "iota",
                             "select",       "bitcast",
                             "reshape",      "transpose",
                             "broadcast_to", "slice",
                             "concat",       "pad",
                             "gather",       "gather_elements",
                             "gather_nd",    "scatter_elements",
                             "scatter_nd",   "sort",
                             "top_k",        "compact",
                             "arg_reduce",   "compare",
                             "pack_panels",  "unpack_panels"});
}

/// Roundings of an elementwise function; 0 for what is none.
double ulpsOf(const OpCall &call) {
  std::string_view fn = call.attributes.getString("fn");
  if (call.name == "cast")
    return 1;
  if (call.name == "dequantize")
    return 2;
  if (call.name == "unary")
    return fn == "sqrt" ? 1 : functionUlps;
  if (call.name == "binary")
    return fn == "pow" ? functionUlps : 1;
  if (call.name == "activation")
    return functionUlps;
  return 0;
}

/// The number of terms of each element of a sum; 0 for what is none.
double termsOf(const OpCall &call, const Tensor &result) {
  auto ratio = [](int64_t whole, int64_t part) {
    return part > 0 ? static_cast<double>(whole) / static_cast<double>(part) : 0.0;
  };
  const Tensor &first = *call.operands[0];
  if (call.name == "reduce" && call.attributes.getString("fn") == "sum")
    return ratio(first.numElements(), result.numElements());
  if (call.name == "pool") {
    double taps = 1;
    for (int64_t size : call.attributes.getInts("window"))
      taps *= static_cast<double>(std::max<int64_t>(size, 1));
    return taps;
  }
  if (call.name == "matmul") {
    std::span<const int64_t> dims = first.dims();
    bool isTransposed = call.attributes.getInt("transposeLhs") != 0 && dims.size() > 1;
    return dims.empty() ? 0.0
                        : static_cast<double>(dims[dims.size() - (isTransposed ? 2 : 1)]);
  }
  // Weights are [outChannels, inChannels / groups, taps ...]; an upsampling
  // convolution's [inChannels, outChannels / groups, taps ...], of which a pixel
  // gets at most all taps.
  const Tensor *weights = call.operands.size() > 1 ? call.operands[1] : nullptr;
  if (weights && !weights->dims().empty()) {
    if (call.name == "conv")
      return ratio(weights->numElements(), weights->dims()[0]);
    if (call.name == "conv_transpose" && weights->dims().size() > 1)
      return ratio(weights->numElements(), weights->dims()[1]);
  }
  return 0;
}

Result<Tensor> copyOf(const Tensor &tensor) {
  HEXIN_ASSIGN_OR_RETURN(Tensor copy, Tensor::allocate(tensor.dtype(), tensor.dims()));
  std::copy_n(tensor.as<std::byte>(), tensor.byteLength(), copy.as<std::byte>());
  return copy;
}

/// Whether f32 has this number.
bool isSingle(double value) {
  return static_cast<double>(static_cast<float>(value)) == value;
}

} // namespace

double Rounding::draw() {
  // SplitMix64.
  uint64_t x = state += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  x ^= x >> 31;
  double uniform = static_cast<double>(x >> 11) * 0x1p-53;
  return (2 * uniform - 1) * 1.7320508075688772;
}

Tensor Rounding::perturbed(const Tensor &tensor, double relative, bool sparesExact) {
  Result<Tensor> copy = copyOf(tensor);
  if (!copy.ok())
    return tensor;
  auto *values = copy->as<double>();
  for (int64_t i = 0; i < copy->numElements(); ++i)
    if (!sparesExact || !isSingle(values[i]))
      values[i] *= 1 + relative * draw();
  return *std::move(copy);
}

/// Adds errors of variance u^2 / 3 * (K (S^2 / 3 + Q / 6) + S^2).
Status Rounding::addSumErrors(const OpCall &call, Tensor &result) {
  double terms = termsOf(call, result);
  std::array<Tensor, 2> squares;
  std::vector<const Tensor *> operands;
  for (size_t i = 0; i < 2 && i < call.operands.size(); ++i) {
    if (!call.singleOperands[i]) { // such as axes
      operands.push_back(call.operands[i]);
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(squares[i], copyOf(*call.operands[i]));
    auto *values = squares[i].as<double>();
    for (int64_t k = 0; k < squares[i].numElements(); ++k)
      values[k] *= values[k];
    operands.push_back(&squares[i]);
  }
  // Behind the products comes a bias, which is one term more; what else there is
  // (an output's size) stays.
  for (size_t i = 2; i < call.operands.size(); ++i)
    operands.push_back(i == 2 ? nullptr : call.operands[i]);
  DType type = DType::f64;
  HEXIN_ASSIGN_OR_RETURN(auto squared, reference::run(call.name, call.attributes,
                                                      operands, std::span(&type, 1)));
  // An average's terms are divided by their number, so squares are so twice.
  bool isAverage = call.name == "pool" && call.attributes.getString("fn") != "sum";
  double scale = isAverage ? 1 / terms : 1;
  auto *values = result.as<double>();
  const auto *energy = squared[0].as<double>();
  for (int64_t i = 0; i < result.numElements(); ++i) {
    if (isSingle(values[i]))
      continue;
    double sum2 = values[i] * values[i];
    double running = terms * (sum2 / 3 + scale * energy[i] / 6) + sum2;
    values[i] += roundingDeviation * std::sqrt(running) * draw();
  }
  return Status::success();
}

Result<std::vector<Tensor>> Rounding::runOnPerturbed(const OpCall &call) {
  double relative = functionUlps * roundingDeviation;
  if (call.name == "lstm" && call.operands[1]->dims().size() > 2)
    relative *=
        std::sqrt(std::max(1.0, static_cast<double>(call.operands[1]->dims()[2]) / 6));
  std::vector<Tensor> held(call.operands.size());
  std::vector<const Tensor *> operands(call.operands.begin(), call.operands.end());
  for (size_t i = 0; i < operands.size(); ++i)
    if (call.singleOperands[i]) {
      held[i] = perturbed(*operands[i], relative);
      operands[i] = &held[i];
    }
  return reference::run(call.name, call.attributes, operands, call.resultTypes);
}

Result<std::vector<Tensor>> Rounding::run(const OpCall &call) {
  const std::vector<bool> &areSingle = call.singleResults;
  bool anySingle = std::find(areSingle.begin(), areSingle.end(), true) != areSingle.end();
  // Quantising decides on f32 values that it computes, though its result is whole.
  bool decides = isOneOf(call.name, {"quantize", "dynamic_quantize"});
  if ((!anySingle && !decides) || isExact(call))
    return call.run();
  double ulps = ulpsOf(call);
  if (ulps == 0) {
    HEXIN_ASSIGN_OR_RETURN(std::vector<Tensor> results, call.run());
    if (results.size() == 1 && areSingle[0] && termsOf(call, results[0]) > 0) {
      HEXIN_RETURN_IF_ERROR(addSumErrors(call, results[0]));
      return results;
    }
    HEXIN_ASSIGN_OR_RETURN(results, runOnPerturbed(call));
    for (size_t i = 0; i < results.size(); ++i)
      if (areSingle[i])
        results[i] = perturbed(results[i], roundingDeviation);
    return results;
  }
  HEXIN_ASSIGN_OR_RETURN(std::vector<Tensor> results, call.run());
  for (size_t i = 0; i < results.size(); ++i)
    if (areSingle[i])
      results[i] = perturbed(results[i], ulps * roundingDeviation, ulps <= 1);
  return results;
}

} // namespace hexin::onnx::testing
