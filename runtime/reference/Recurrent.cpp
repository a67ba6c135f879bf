// lstm and recurrence: the whole of it in f64, one time step after the other.

#include "runtime/base/DType.h"
#include "runtime/reference/Activation.h"
#include "runtime/reference/Kernel.h"
#include "runtime/reference/Panels.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace hexin::reference {
namespace {

/// One activation function with its parameters.
struct GateActivation {
  ScalarActivation fn;
  double alpha, beta;
  double operator()(double x) const { return fn(x, alpha, beta); }
};

struct ActivationRow {
  std::string_view name; ///< ONNX's, lower case
  ScalarActivation fn;
  bool takesAlpha, takesBeta;
  double alpha, beta; ///< ONNX's defaults
};

const ActivationRow *findGateActivation(std::string_view name) {
  static const ActivationRow rows[] = {
      {"sigmoid", [](double x, double, double) { return 1 / (1 + std::exp(-x)); }, false,
       false, 0, 0},
      {"tanh", [](double x, double, double) { return std::tanh(x); }, false, false, 0, 0},
      {"relu", findActivation("relu"), false, false, 0, 0},
      {"softsign", findActivation("softsign"), false, false, 0, 0},
      {"softplus", findActivation("softplus"), false, false, 0, 0},
      {"affine", findActivation("affine"), true, true, 1, 0},
      {"leakyrelu", findActivation("leaky_relu"), true, false, 0.01, 0},
      {"thresholdedrelu", findActivation("thresholded_relu"), true, false, 1, 0},
      {"scaledtanh", findActivation("scaled_tanh"), true, true, 1, 1},
      {"hardsigmoid", findActivation("hard_sigmoid"), true, true, 0.2, 0.5},
      {"elu", findActivation("elu"), true, false, 1, 0},
  };
  std::string key; // "HardSigmoid", "hard_sigmoid" and "hardsigmoid" are one
  for (char c : name)
    if (c != '_')
      key += char(std::tolower(static_cast<unsigned char>(c)));
  for (const ActivationRow &row : rows)
    if (row.name == key)
      return &row;
  return nullptr;
}

/// As many per direction as `defaults` has. Parameters are consumed in order by the
/// functions that take them.
Result<std::vector<GateActivation>> readActivations(const Call &call, size_t directions,
                                                    std::vector<std::string> defaults) {
  std::vector<std::string> names;
  for (const auto &[name, value] : call.attributes)
    if (name == "activations")
      if (const auto *strings = std::get_if<std::vector<std::string>>(&value))
        names = *strings;
  if (names.empty())
    for (size_t d = 0; d < directions; ++d)
      names.insert(names.end(), defaults.begin(), defaults.end());
  if (names.size() != defaults.size() * directions)
    return invalidArgument("activations needs " +
                           std::to_string(defaults.size() * directions) + " names, got " +
                           std::to_string(names.size()));
  std::vector<double> alphas = call.attributes.getFloats("activationAlpha");
  std::vector<double> betas = call.attributes.getFloats("activationBeta");
  size_t nextAlpha = 0, nextBeta = 0;
  std::vector<GateActivation> activations;
  for (const std::string &name : names) {
    const ActivationRow *row = findGateActivation(name);
    if (!row)
      return unknownKeyword("activations", name);
    GateActivation activation{row->fn, row->alpha, row->beta};
    if (row->takesAlpha && nextAlpha < alphas.size())
      activation.alpha = alphas[nextAlpha++];
    if (row->takesBeta && nextBeta < betas.size())
      activation.beta = betas[nextBeta++];
    activations.push_back(activation);
  }
  return activations;
}

/// Sizes, and everything one direction reads. Gate order is i o f c.
struct Lstm {
  int64_t steps, batch, inputSize, hidden;
  double clip;
  bool inputForget;
  const double *weights;             ///< [4H, I]; nullptr: the input is projected
  const double *recurrence;          ///< [4H, H]
  const double *bias;                ///< [8H] or nullptr
  const double *peepholes;           ///< [3H], i o f, or nullptr
  const GateActivation *activations; ///< 3
  const int64_t *lengths;            ///< [B]

  double clipped(double x) const { return clip > 0 ? std::clamp(x, -clip, clip) : x; }
};

/// dst[b][4H] = matrix [4H, depth] x rows[b][depth], added to what dst holds.
void addProjection(const double *matrix, int64_t gates, int64_t depth, const double *rows,
                   int64_t numRows, double *dst) {
  std::vector<double> panel(size_t(depth * panelWidth)),
      block(size_t(gates * panelWidth));
  for (int64_t b = 0; b < numRows; b += panelWidth) {
    int64_t width = std::min(panelWidth, numRows - b);
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t j = 0; j < panelWidth; ++j)
        panel[size_t(k * panelWidth + j)] = j < width ? rows[(b + j) * depth + k] : 0;
    multiplyPanel(matrix, depth, 1, gates, depth, panel.data(), block.data());
    for (int64_t j = 0; j < width; ++j)
      for (int64_t g = 0; g < gates; ++g)
        dst[(b + j) * gates + g] += block[size_t(g * panelWidth + j)];
  }
}

/// One cell: `gates` [4H] holds the sums; h and c [H] become the new state.
void updateCell(const Lstm &l, const double *gates, double *h, double *c) {
  const GateActivation &f = l.activations[0], &g = l.activations[1],
                       &o = l.activations[2];
  int64_t H = l.hidden;
  for (int64_t k = 0; k < H; ++k) {
    double peepI = l.peepholes ? l.peepholes[k] : 0;
    double peepO = l.peepholes ? l.peepholes[H + k] : 0;
    double peepF = l.peepholes ? l.peepholes[2 * H + k] : 0;
    double in = f(l.clipped(gates[k] + peepI * c[k]));
    double forget =
        l.inputForget ? 1 - in : f(l.clipped(gates[2 * H + k] + peepF * c[k]));
    double cell = g(l.clipped(gates[3 * H + k]));
    c[k] = forget * c[k] + in * cell;
    double out = f(l.clipped(gates[H + k] + peepO * c[k])); // sees the new cell
    h[k] = out * o(c[k]);
  }
}

/// Runs one direction over x [T, B, I], or what of [T, B, D * 4H] is this direction's
/// with `rowStride` elements from row to row; h, c [B, H] go from initial to last;
/// y(t, b) is where the output [H] of a step goes.
template <typename OutputAt>
void runDirection(const Lstm &l, bool isReverse, const double *x, int64_t rowStride,
                  double *h, double *c, OutputAt y) {
  int64_t H = l.hidden, gates = 4 * H;
  std::vector<double> projected(size_t(l.steps * l.batch * gates), 0);
  if (l.weights)
    addProjection(l.weights, gates, l.inputSize, x, l.steps * l.batch, projected.data());
  else
    for (int64_t row = 0; row < l.steps * l.batch; ++row)
      std::copy_n(x + row * rowStride, gates, projected.data() + row * gates);
  std::vector<double> sums(size_t(l.batch * gates));
  for (int64_t step = 0; step < l.steps; ++step) {
    // Reverse starts at each row's own last valid step.
    auto timeOf = [&](int64_t b) { return isReverse ? l.lengths[b] - 1 - step : step; };
    std::fill(sums.begin(), sums.end(), 0);
    addProjection(l.recurrence, gates, H, h, l.batch, sums.data());
    for (int64_t b = 0; b < l.batch; ++b) {
      if (step >= l.lengths[b])
        continue;
      double *row = sums.data() + b * gates;
      const double *fromInput = projected.data() + (timeOf(b) * l.batch + b) * gates;
      for (int64_t g = 0; g < gates; ++g)
        row[g] += fromInput[g] + (l.bias ? l.bias[g] + l.bias[gates + g] : 0);
      updateCell(l, row, h + b * H, c + b * H);
      std::copy_n(h + b * H, H, y(timeOf(b), b));
    }
  }
}

Status checkSizes(const Tensor *tensor, std::string_view name, const Dims &dims) {
  if (!tensor || std::ranges::equal(tensor->dims(), dims))
    return Status::success();
  return invalidArgument("'" + std::string(name) + "' must have sizes " +
                         formatDims(dims) + ", got " + formatDims(tensor->dims()));
}

std::vector<double> loadOptional(const Tensor *tensor) {
  std::vector<double> values(tensor ? size_t(tensor->numElements()) : 0);
  if (tensor)
    loadElements(tensor->dtype(), tensor->data(), 0, 1, tensor->numElements(),
                 values.data());
  return values;
}

/// `inputSize`: of a projected input, that of all gates.
struct LayerSizes {
  int64_t directions, steps, batch, inputSize, hidden;
  Dims outputDims() const { return {steps, directions, batch, hidden}; }
  Dims stateDims() const { return {directions, batch, hidden}; }
};

/// All floats, but for the lengths, operand number `lengths`.
Status checkTypes(const Call &call, size_t lengths) {
  for (size_t i = 0; i < call.operands.size(); ++i)
    if (call.operands[i] && domainOf(call.operands[i]->dtype()) !=
                                (i == lengths ? Domain::integer : Domain::floating))
      return invalidArgument("operand " + std::to_string(i) + " cannot have type " +
                             std::string(toString(call.operands[i]->dtype())));
  return Status::success();
}

Result<LayerSizes> readInputSizes(const Call &call) {
  std::string_view direction = call.attributes.getString("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    return unknownKeyword("direction", direction);
  auto input = call.operand(0).dims();
  int64_t D = direction == "bidirectional" ? 2 : 1;
  int64_t H = call.attributes.getInt("hiddenSize");
  if (input.size() != 3 || H < 1 || H > int64_t(1) << 32)
    return invalidArgument("expected an input [T, B, I] and hiddenSize > 0, got " +
                           formatDims(input) + " and " + std::to_string(H));
  return LayerSizes{D, input[0], input[1], input[2], H};
}

Result<LayerSizes> readSizes(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(LayerSizes sizes, readInputSizes(call));
  auto [D, T, B, I, H] = sizes;
  if (!call.optional(2))
    return invalidArgument("operand 2, the recurrence, is required but absent");
  if (const Tensor *weights = call.optional(1)) {
    HEXIN_RETURN_IF_ERROR(checkSizes(weights, "weights", {D, 4 * H, I}));
    HEXIN_RETURN_IF_ERROR(checkSizes(&call.operand(2), "recurrence", {D, 4 * H, H}));
  } else {
    HEXIN_RETURN_IF_ERROR(checkSizes(&call.operand(0), "input", {T, B, D * 4 * H}));
    HEXIN_RETURN_IF_ERROR(checkSizes(&call.operand(2), "recurrence", {D * 4, H, H}));
  }
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(3), "bias", {D, 8 * H}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(4), "lengths", {B}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(5), "initialH", {D, B, H}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(6), "initialC", {D, B, H}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(7), "peepholes", {D, 3 * H}));
  HEXIN_RETURN_IF_ERROR(checkTypes(call, 4));
  return sizes;
}

/// Valid steps per row of the batch.
Result<Dims> readLengths(const Tensor *lengths, const LayerSizes &sizes) {
  Dims values(static_cast<size_t>(sizes.batch), sizes.steps);
  if (lengths)
    loadElements(lengths->dtype(), lengths->data(), 0, 1, sizes.batch, values.data());
  for (int64_t length : values)
    if (length < 0 || length > sizes.steps)
      return outOfRange("a sequence length of " + std::to_string(length) +
                        " is outside of 0 to " + std::to_string(sizes.steps));
  return values;
}

} // namespace

Results runLstm(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(LayerSizes sizes, readSizes(call));
  auto [D, T, B, I, H] = sizes;
  HEXIN_ASSIGN_OR_RETURN(auto activations,
                         readActivations(call, size_t(D), {"Sigmoid", "Tanh", "Tanh"}));
  HEXIN_ASSIGN_OR_RETURN(size_t outputElements, workSize(sizes.outputDims(), call));
  HEXIN_ASSIGN_OR_RETURN(size_t stateElements, workSize(sizes.stateDims(), call));
  HEXIN_ASSIGN_OR_RETURN(Dims lengths, readLengths(call.optional(4), sizes));

  Wide<double> x(call.operand(0)), recurrence(call.operand(2));
  std::vector<double> weights = loadOptional(call.optional(1));
  auto bias = loadOptional(call.optional(3)), peepholes = loadOptional(call.optional(7));
  auto h = loadOptional(call.optional(5)), c = loadOptional(call.optional(6));
  h.resize(stateElements, 0);
  c.resize(stateElements, 0);
  std::vector<double> y(outputElements, 0);
  for (int64_t d = 0; d < D; ++d) {
    Lstm l;
    l.steps = T, l.batch = B, l.inputSize = I, l.hidden = H;
    l.clip = call.attributes.getFloat("clip");
    l.inputForget = call.attributes.getInt("inputForget") != 0;
    bool isProjected = !call.optional(1);
    l.weights = isProjected ? nullptr : weights.data() + d * 4 * H * I;
    l.recurrence = recurrence.data() + d * 4 * H * H;
    l.bias = call.optional(3) ? bias.data() + d * 8 * H : nullptr;
    l.peepholes = call.optional(7) ? peepholes.data() + d * 3 * H : nullptr;
    l.activations = activations.data() + d * 3;
    l.lengths = lengths.data();
    double *lastH = h.data() + d * B * H, *lastC = c.data() + d * B * H;
    double *output = y.data() + d * B * H;
    int64_t stepStride = D * B * H, hidden = H;
    bool isReverse = call.attributes.getString("direction") == "reverse" || d == 1;
    runDirection(
        l, isReverse, x.data() + (isProjected ? d * 4 * H : 0), I, lastH, lastC,
        [=](int64_t t, int64_t b) { return output + t * stepStride + b * hidden; });
    // A row of length 0 has no last state, not even the initial one.
    for (int64_t b = 0; b < B && call.optional(4); ++b)
      if (lengths[size_t(b)] == 0) {
        std::fill_n(lastH + b * H, H, 0);
        std::fill_n(lastC + b * H, H, 0);
      }
  }
  std::vector<Tensor> results;
  for (size_t i = 0; i < call.resultTypes.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Tensor result,
                           storeResult(call, i,
                                       i == 0 ? sizes.outputDims() : sizes.stateDims(),
                                       i == 0   ? y.data()
                                       : i == 1 ? h.data()
                                                : c.data()));
    results.push_back(std::move(result));
  }
  return results;
}

namespace {

/// Sums of one gate: its projected input and the state's part, [H] each.
struct GateSums {
  const double *input, *state;
};

/// The new h [H] of one row: `gates` are 1 of an rnn, and u r h of a gru.
void updateState(const std::vector<GateSums> &gates, const double *resetBias, double clip,
                 const GateActivation *functions, int64_t hidden, double *h) {
  auto clipped = [&](double x) { return clip > 0 ? std::clamp(x, -clip, clip) : x; };
  auto gate = [&](size_t number, int64_t cell) {
    return functions[0](clipped(gates[number].input[cell] + gates[number].state[cell]));
  };
  for (int64_t k = 0; k < hidden; ++k) {
    if (gates.size() == 1) {
      h[k] = gate(0, k);
      continue;
    }
    double update = gate(0, k), reset = gate(1, k);
    double memory = gates[2].state[k] + (resetBias ? resetBias[k] : 0);
    double candidate = functions[1](clipped(gates[2].input[k] + reset * memory));
    h[k] = (1 - update) * candidate + update * h[k];
  }
}

} // namespace

Results runRecurrence(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(LayerSizes sizes, readInputSizes(call));
  auto [D, T, B, I, H] = sizes;
  std::string_view cell = call.attributes.getString("cell");
  if (cell != "rnn" && cell != "gru")
    return unknownKeyword("cell", cell);
  bool isGru = cell == "gru";
  int64_t G = isGru ? 3 : 1;
  HEXIN_RETURN_IF_ERROR(checkSizes(&call.operand(0), "input", {T, B, D * G * H}));
  HEXIN_RETURN_IF_ERROR(checkSizes(&call.operand(1), "recurrence", {D * G, H, H}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(2), "resetBias", {D, H}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(3), "lengths", {B}));
  HEXIN_RETURN_IF_ERROR(checkSizes(call.optional(4), "initialH", {D, B, H}));
  HEXIN_RETURN_IF_ERROR(checkTypes(call, 3));
  std::vector<std::string> names{"Tanh"};
  if (isGru)
    names = {"Sigmoid", "Tanh"};
  HEXIN_ASSIGN_OR_RETURN(auto functions, readActivations(call, size_t(D), names));
  HEXIN_ASSIGN_OR_RETURN(size_t outputElements, workSize(sizes.outputDims(), call));
  HEXIN_ASSIGN_OR_RETURN(size_t stateElements, workSize(sizes.stateDims(), call));
  HEXIN_ASSIGN_OR_RETURN(Dims lengths, readLengths(call.optional(3), sizes));

  Wide<double> input(call.operand(0)), recurrence(call.operand(1));
  auto resetBias = loadOptional(call.optional(2)), h = loadOptional(call.optional(4));
  h.resize(stateElements, 0);
  std::vector<double> y(outputElements, 0), sums(static_cast<size_t>(G * H));
  for (int64_t d = 0; d < D; ++d)
    for (int64_t b = 0; b < B; ++b) {
      bool isReverse = call.attributes.getString("direction") == "reverse" || d == 1;
      double *state = h.data() + (d * B + b) * H;
      int64_t length = lengths[size_t(b)];
      if (length == 0) // no last state, not even the initial one
        std::fill_n(state, H, 0);
      for (int64_t step = 0; step < length; ++step) {
        int64_t time = isReverse ? length - 1 - step : step;
        std::fill(sums.begin(), sums.end(), 0);
        addProjection(recurrence.data() + d * G * H * H, G * H, H, state, 1, sums.data());
        std::vector<GateSums> gates;
        for (int64_t g = 0; g < G; ++g)
          gates.push_back(
              {input.data() + (time * B + b) * I + (d * G + g) * H, sums.data() + g * H});
        updateState(gates, call.optional(2) ? resetBias.data() + d * H : nullptr,
                    call.attributes.getFloat("clip"),
                    functions.data() + d * int64_t(names.size()), H, state);
        std::copy_n(state, H, y.data() + ((time * D + d) * B + b) * H);
      }
    }
  std::vector<Tensor> results;
  for (size_t i = 0; i < call.resultTypes.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Tensor result,
                           storeResult(call, i,
                                       i == 0 ? sizes.outputDims() : sizes.stateDims(),
                                       i == 0 ? y.data() : h.data()));
    results.push_back(std::move(result));
  }
  return results;
}

} // namespace hexin::reference
