#include "runtime/tools/InputValues.h"

#include "hexin/log.h"
#include "runtime/tools/Arguments.h"
#include "runtime/tools/Npy.h"
#include "runtime/tools/RandomTensor.h"
#include "runtime/tools/Scalars.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace hexin::cli {
namespace {

using Assignments = std::map<std::string, std::string>;
using Symbols = std::map<std::string, int64_t>;

/// Of an axis that nothing is said of.
constexpr int64_t defaultSize = 1;

std::string describe(const PortInfo &port) {
  return "'" + port.name + "' (" + std::string(toString(port.dtype)) + " " +
         formatDims(port.dims, port.symbols) + ")";
}

/// How this command can be given a value of `port`.
std::string waysToGive(const PortInfo &port) {
  if (port.kind == ValueKind::tensor)
    return "pass --input '" + port.name +
           "=FILE.npy' (or a number for every element) or --random-inputs";
  if (port.kind == ValueKind::strings)
    return "strings come from a file: pass --input '" + port.name + "=FILE.npy'";
  return "a sequence or map is in no file that this command reads: use the C++ or the "
         "Python API";
}

Status checkNames(const Model &model, std::string_view option, const auto &named) {
  for (const auto &[name, unused] : named) {
    const auto &ports = model.inputs();
    if (std::any_of(ports.begin(), ports.end(),
                    [&](const PortInfo &port) { return port.name == name; }))
      continue;
    std::string known;
    for (const PortInfo &port : ports)
      known += (known.empty() ? "" : ", ") + describe(port);
    return invalidArgument(std::string(option) + ": the model has no input '" + name +
                           "'; its inputs are " + known);
  }
  return Status::success();
}

/// Records the sizes of `dims` under the symbols of `port`; a contradiction is
/// left to the session, whose message knows more.
void bindSymbols(const PortInfo &port, const auto &dims, Symbols &symbols) {
  for (size_t i = 0; i < dims.size() && i < port.symbols.size(); ++i)
    if (DimSpec dim = dims[i]; !port.symbols[i].empty() && dim.size >= 0)
      symbols.emplace(port.symbols[i], dim.size);
}

Result<Value> loadInput(const PortInfo &port, const std::string &path) {
  if (port.kind != ValueKind::tensor && port.kind != ValueKind::strings)
    return unsupported("input '" + port.name +
                       "' is a sequence, optional or map, which no .npy file holds; use "
                       "the C++ or the Python API");
  HEXIN_ASSIGN_OR_RETURN(NpyFile file, readNpy(path, port.dtype));
  if (file.wasTransposed)
    log(LogLevel::info, "'" + path + "' is in Fortran order and was transposed");
  const Tensor *tensor = file.value.tensor();
  DType dtype = tensor ? tensor->dtype() : DType::string;
  std::vector<int64_t> dims;
  if (tensor)
    dims.assign(tensor->dims().begin(), tensor->dims().end());
  else
    dims = file.value.strings()->dims;
  DType wanted = port.kind == ValueKind::strings ? DType::string : port.dtype;
  if (dtype != wanted || dims.size() != port.dims.size())
    return invalidArgument("input " + describe(port) + " does not take '" + path +
                           "', which holds " + std::string(toString(dtype)) + " " +
                           formatDims(dims));
  return std::move(file.value);
}

/// The declared sizes with --shape and known symbols put in. What is known of a
/// symbol afterwards holds for the inputs that follow.
Result<std::vector<int64_t>> concreteDims(const PortInfo &port, const ShapeMap &shapes,
                                          Symbols &symbols) {
  std::vector<int64_t> dims = port.dims;
  if (auto given = shapes.find(port.name); given != shapes.end()) {
    if (given->second.size() != dims.size())
      return invalidArgument("--shape " + port.name + " has " +
                             std::to_string(given->second.size()) +
                             " sizes; the input is " + describe(port));
    for (size_t i = 0; i < dims.size(); ++i)
      if (given->second[i].size >= 0)
        dims[i] = given->second[i].size;
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] >= 0)
      continue;
    bool isNamed = i < port.symbols.size() && !port.symbols[i].empty();
    dims[i] = isNamed ? symbols.emplace(port.symbols[i], defaultSize).first->second
                      : defaultSize;
  }
  return dims;
}

bool isNumber(const std::string &text) {
  char *end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

/// Moves what --input gives as a number over to the fills.
Status splitNumbers(Assignments &values, Assignments &fills) {
  for (auto value = values.begin(); value != values.end();) {
    if (fills.contains(value->first))
      return invalidArgument("'" + value->first +
                             "' is given by --input and by --fill: one is enough");
    if (!isNumber(value->second) || std::filesystem::exists(value->second)) {
      ++value;
      continue;
    }
    fills.insert(*value);
    value = values.erase(value);
  }
  return Status::success();
}

Result<Tensor> filledTensor(const PortInfo &port, std::span<const int64_t> dims,
                            const std::string &text) {
  if (!isNumber(text))
    return invalidArgument("--fill " + port.name + ": '" + text + "' is no number");
  double number = std::strtod(text.c_str(), nullptr);
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(port.dtype, dims));
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    if (!storeElement(tensor, i, number))
      return invalidArgument("input '" + port.name + "': " + text + " does not fit " +
                             std::string(toString(port.dtype)));
  return tensor;
}

} // namespace

void addInputOptions(CLI::App &command, InputOptions &options) {
  command
      .add_option("--input", options.values,
                  "Input NAME from FILE.npy, or a number for every element")
      ->type_name("NAME=FILE.npy|NUMBER")
      ->allow_extra_args(false);
  command.add_option("--fill", options.fills, "Input NAME with NUMBER in every element")
      ->type_name("NAME=NUMBER")
      ->allow_extra_args(false);
  command.add_flag("--random-inputs", options.randomInputs,
                   "Random values for every input that has none: floats in [0, 1), "
                   "integers 0 or 1");
  command
      .add_option("--seed", options.seed,
                  "Seed of the random values, and of the model's random operators")
      ->capture_default_str();
  command
      .add_option("--shape", options.shapes,
                  "Sizes of a filled or random input, as in x=1x3x224x224; a dynamic "
                  "size that nothing gives is 1")
      ->type_name("NAME=SIZES")
      ->allow_extra_args(false);
}

Result<MadeInputs> makeInputs(const Model &model, const InputOptions &options) {
  HEXIN_ASSIGN_OR_RETURN(Assignments files, parseAssignments("--input", options.values));
  HEXIN_ASSIGN_OR_RETURN(Assignments fills, parseAssignments("--fill", options.fills));
  HEXIN_ASSIGN_OR_RETURN(ShapeMap shapes, parseShapes(options.shapes));
  HEXIN_RETURN_IF_ERROR(checkNames(model, "--input", files));
  HEXIN_RETURN_IF_ERROR(checkNames(model, "--fill", fills));
  HEXIN_RETURN_IF_ERROR(checkNames(model, "--shape", shapes));
  HEXIN_RETURN_IF_ERROR(splitNumbers(files, fills));

  Symbols symbols;
  std::map<std::string, Value> loaded;
  for (const PortInfo &port : model.inputs()) {
    if (auto file = files.find(port.name); file != files.end()) {
      HEXIN_ASSIGN_OR_RETURN(loaded[port.name], loadInput(port, file->second));
      if (const Tensor *tensor = loaded[port.name].tensor())
        bindSymbols(port, tensor->dims(), symbols);
    } else if (auto shape = shapes.find(port.name); shape != shapes.end()) {
      bindSymbols(port, shape->second, symbols);
    }
  }

  MadeInputs made;
  for (const PortInfo &port : model.inputs()) {
    auto fill = fills.find(port.name);
    if (auto file = loaded.find(port.name); file != loaded.end()) {
      made.values.push_back({port.name, std::move(file->second)});
    } else if (port.kind == ValueKind::optional) {
      made.values.push_back({port.name, Optional{}});
    } else if (fill == fills.end() && !options.randomInputs) {
      return invalidArgument("input " + describe(port) + " has no value; " +
                             waysToGive(port));
    } else if (port.kind != ValueKind::tensor) {
      return unsupported("input '" + port.name +
                         "' is no tensor of numbers and cannot be filled; " +
                         waysToGive(port));
    } else {
      HEXIN_ASSIGN_OR_RETURN(auto dims, concreteDims(port, shapes, symbols));
      bool isFilled = fill != fills.end();
      HEXIN_ASSIGN_OR_RETURN(
          Tensor tensor, isFilled
                             ? filledTensor(port, dims, fill->second)
                             : randomTensor(port.dtype, dims, port.name, options.seed));
      made.values.push_back({port.name, std::move(tensor)});
      if (!isFilled)
        made.random.push_back(port.name);
    }
  }
  log(LogLevel::info, "inputs: " + made.describe());
  return made;
}

Status MadeInputs::explain(Status failure) const {
  bool mayBeOurs = failure.code() == StatusCode::invalidArgument ||
                   failure.code() == StatusCode::outOfRange;
  if (!mayBeOurs || random.empty())
    return failure;
  std::string names;
  for (const std::string &name : random)
    names += (names.empty() ? "'" : ", '") + name + "'";
  return Status(failure.code(),
                failure.message() + "\nThe inputs were " + describe() + ", where " +
                    names +
                    " had made-up contents: give what the model wants with "
                    "--input NAME=FILE.npy, --input NAME=NUMBER and --shape "
                    "NAME=SIZES");
}

std::string MadeInputs::describe() const {
  std::string text;
  for (const NamedValue &input : values)
    if (const Tensor *tensor = input.value.tensor()) {
      std::vector<int64_t> dims(tensor->dims().begin(), tensor->dims().end());
      text += (text.empty() ? "" : ", ") + input.name + " " +
              std::string(toString(tensor->dtype())) + " " + formatDims(dims);
    }
  return text;
}

} // namespace hexin::cli
