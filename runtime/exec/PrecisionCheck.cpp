#include "runtime/exec/PrecisionCheck.h"

#include "hexin/session.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <sstream>

namespace hexin {
namespace {

/// How much of an output's largest value a precision may cost, where nobody says. bf16:
/// 16 times what one rounding to it costs. int8-dynamic: how far one row's largest number
/// is from the others decides, which made inputs do not show; the error is stated, and a
/// model that loses all is refused.
double usualMaxError(const std::string &precision) {
  return precision == "bf16" ? 1.0 / 16 : 1;
}

struct PrecisionError {
  double error = 0;   ///< the largest of all outputs, of each one's largest value
  std::string output; ///< whose it is
};

Result<Tensor> madeTensor(const PortInfo &port, int64_t unknownSize) {
  if (port.kind != ValueKind::tensor)
    return unsupported("input '" + port.name + "' is no tensor of numbers");
  std::vector<int64_t> dims = port.dims;
  for (size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis] < 0)
      dims[axis] = axis == 0 && dims.size() > 1 ? 1 : unknownSize;
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(port.dtype, dims));
  std::mt19937 random; // its numbers are those of the standard
  int64_t width = byteWidth(port.dtype), count = tensor.numElements();
  bool isInteger = hexin::isInteger(port.dtype) || port.dtype == DType::boolean;
  if (!isInteger && port.dtype != DType::f32 && port.dtype != DType::f64)
    return unsupported("input '" + port.name + "' is of " +
                       std::string(toString(port.dtype)));
  std::memset(tensor.data(), 0, tensor.byteLength());
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = random();
    double fraction = std::ldexp(bits >> 8, -22) - 2;
    if (isInteger)
      tensor.as<uint8_t>()[i * width] = bits >> 31;
    else if (port.dtype == DType::f32)
      tensor.as<float>()[i] = static_cast<float>(fraction);
    else
      tensor.as<double>()[i] = fraction;
  }
  return tensor;
}

Result<NamedValues> madeInputs(const Model &model, int64_t unknownSize) {
  NamedValues values;
  for (const PortInfo &port : model.inputs()) {
    HEXIN_ASSIGN_OR_RETURN(Tensor tensor, madeTensor(port, unknownSize));
    values.push_back({port.name, std::move(tensor)});
  }
  return values;
}

template <typename T> double errorOf(const Tensor &exact, const Tensor &other) {
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < exact.numElements(); ++i) {
    double x = exact.as<T>()[i], y = other.as<T>()[i];
    if (std::isfinite(x) != std::isfinite(y))
      return std::numeric_limits<double>::infinity();
    if (!std::isfinite(x))
      continue;
    largest = std::max(largest, std::abs(x));
    difference = std::max(difference, std::abs(x - y));
  }
  return difference == 0 ? 0 : difference / largest;
}

/// Integers that follow from rounded numbers have no error that could be bounded.
double errorOf(const Value &exactValue, const Value &otherValue) {
  const Tensor *exact = exactValue.tensor(), *other = otherValue.tensor();
  if (!exact || !other || !std::ranges::equal(exact->dims(), other->dims()))
    return 0;
  if (exact->dtype() == DType::f32)
    return errorOf<float>(*exact, *other);
  return exact->dtype() == DType::f64 ? errorOf<double>(*exact, *other) : 0;
}

PrecisionError largestError(const NamedValues &exact, const NamedValues &other) {
  PrecisionError result;
  for (size_t i = 0; i < exact.size(); ++i)
    if (double error = errorOf(exact[i].value, other[i].value); error > result.error)
      result = {error, exact[i].name};
  return result;
}

Result<Session> sessionOf(const std::string &path) {
  HEXIN_ASSIGN_OR_RETURN(Model model, Model::open(path));
  return Session::create(model);
}

Result<PrecisionError> precisionError(const std::string &exactPath,
                                      const std::string &path) {
  HEXIN_ASSIGN_OR_RETURN(Session exact, sessionOf(exactPath));
  HEXIN_ASSIGN_OR_RETURN(Session other, sessionOf(path));
  Status failure;
  for (int64_t unknownSize : {64, 512, 256, 16, 1}) {
    HEXIN_ASSIGN_OR_RETURN(NamedValues inputs, madeInputs(exact.model(), unknownSize));
    Result<NamedValues> results = exact.run(inputs);
    if (!results.ok()) {
      failure = failure.ok() ? results.status() : failure;
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(NamedValues others, other.run(inputs));
    return largestError(*results, others);
  }
  return failure;
}

struct RemovedFile {
  std::string path;
  ~RemovedFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

std::string inShort(double value) {
  std::ostringstream text;
  text.precision(3);
  text << value;
  return text.str();
}

Status checkBound(const std::string &name, const CompileOptions &options,
                  const Result<PrecisionError> &measured) {
  std::string what = "in " + options.precision + " the model" +
                     (name.empty() ? std::string() : " '" + name + "'");
  if (!measured.ok())
    return failedPrecondition("no run on made inputs says how far off " + what + " is (" +
                              measured.status().message() +
                              "); compile it in f32, or with a maxError (--max-error) of "
                              "infinity, which measures nothing");
  if (measured->error <= options.maxError)
    return Status::success();
  return failedPrecondition(what + " is off by " + inShort(measured->error) +
                            " of the largest value of output '" + measured->output +
                            "', more than " + inShort(options.maxError) +
                            "; compile it in f32, or with a maxError (--max-error) of "
                            "your own");
}

/// Spectra are often followed by logarithms, in which small errors of small numbers are
/// large: where all that bf16 can have is too much, the transforms of signals stay f32.
std::vector<CompileOptions> attemptsAt(const CompileOptions &options) {
  constexpr const char *signals = "bf16-signals";
  std::vector<CompileOptions> attempts{options};
  if (options.precision == "bf16" && !std::ranges::count(options.disable, signals)) {
    attempts.push_back(options);
    attempts.back().disable.emplace_back(signals);
  }
  return attempts;
}

Result<CompileReport> compileBeside(const std::string &name, const std::string &outPath,
                                    const CompileOptions &options,
                                    const CompileTo &compileTo) {
  RemovedFile exact{outPath + ".f32"}, rounded{outPath + "." + options.precision};
  CompileOptions asF32 = options;
  asF32.targets = {"cpu"};
  asF32.precision.clear();
  asF32.explain = false;
  asF32.progress = nullptr;
  Status refusal;
  for (const CompileOptions &attempt : attemptsAt(options)) {
    HEXIN_ASSIGN_OR_RETURN(CompileReport report, compileTo(rounded.path, attempt));
    if (refusal.ok())
      HEXIN_RETURN_IF_ERROR(compileTo(exact.path, asF32).status());
    Result<PrecisionError> measured = precisionError(exact.path, rounded.path);
    Status bound = checkBound(name, options, measured);
    if (!bound.ok()) {
      refusal = refusal.ok() ? bound : refusal;
      continue;
    }
    std::error_code failed;
    std::filesystem::rename(rounded.path, outPath, failed);
    if (failed)
      return ioError("'" + outPath + "' cannot be written: " + failed.message());
    report.error = measured->error;
    return report;
  }
  return refusal;
}

} // namespace

Result<CompileReport> compileMeasured(const std::string &name, const std::string &outPath,
                                      const CompileOptions &options,
                                      CompileTo compileTo) {
  if (!(options.maxError >= 0))
    return invalidArgument("maxError is " + inShort(options.maxError) +
                           ": expected 0 or more");
  bool isF32 = options.precision.empty() || options.precision == "f32";
  if (isF32)
    return compileTo(outPath, options);
  CompileOptions bounded = options;
  if (bounded.maxError == 0)
    bounded.maxError = usualMaxError(options.precision);
  bool isMeasured = !outPath.empty() && options.emit.empty() &&
                    std::isfinite(bounded.maxError) &&
                    std::ranges::count(options.targets, "cpu") == 1;
  return isMeasured ? compileBeside(name, outPath, bounded, compileTo)
                    : compileTo(outPath, bounded);
}

} // namespace hexin
