#include "runtime/tools/InputValues.h"

#include "runtime/tools/Arguments.h"
#include "runtime/tools/Log.h"
#include "runtime/tools/Npy.h"
#include "runtime/tools/RandomTensor.h"
#include "runtime/tools/Scalars.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>

namespace hexin::cli {
namespace {

using Assignments = std::map<std::string, std::string>;
using Symbols = std::map<std::string, int64_t>;

std::string describe(const PortInfo &port) {
  return "'" + port.name + "' (" + std::string(toString(port.dtype)) + " " +
         formatDims(port.dims, port.symbols) + ")";
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
void bindSymbols(const PortInfo &port, std::span<const int64_t> dims, Symbols &symbols) {
  for (size_t i = 0; i < dims.size() && i < port.symbols.size(); ++i)
    if (!port.symbols[i].empty() && dims[i] >= 0)
      symbols.emplace(port.symbols[i], dims[i]);
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

/// The declared sizes with --shape and known symbols put in.
Result<std::vector<int64_t>> concreteDims(const PortInfo &port, const ShapeMap &shapes,
                                          const Symbols &symbols) {
  std::vector<int64_t> dims = port.dims;
  auto given = shapes.find(port.name);
  if (given != shapes.end()) {
    if (given->second.size() != dims.size())
      return invalidArgument("--shape " + port.name + " has " +
                             std::to_string(given->second.size()) +
                             " sizes; the input is " + describe(port));
    for (size_t i = 0; i < dims.size(); ++i)
      if (given->second[i] >= 0)
        dims[i] = given->second[i];
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] >= 0)
      continue;
    auto symbol = i < port.symbols.size() ? symbols.find(port.symbols[i]) : symbols.end();
    if (symbol == symbols.end())
      return invalidArgument("input " + describe(port) +
                             " has a dynamic size; give it with --shape '" + port.name +
                             "=…'");
    dims[i] = symbol->second;
  }
  return dims;
}

Result<Tensor> filledTensor(const PortInfo &port, std::span<const int64_t> dims,
                            const std::string &text) {
  char *end = nullptr;
  double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0')
    return invalidArgument("--fill " + port.name + ": '" + text + "' is no number");
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(port.dtype, dims));
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    if (!storeElement(tensor, i, number))
      return invalidArgument("--fill " + port.name + ": " + text + " does not fit " +
                             std::string(toString(port.dtype)));
  return tensor;
}

} // namespace

void addInputOptions(CLI::App &command, InputOptions &options) {
  command.add_option("--input", options.files, "Input NAME from FILE.npy")
      ->type_name("NAME=FILE.npy")
      ->allow_extra_args(false);
  command.add_option("--fill", options.fills, "Input NAME with NUMBER in every element")
      ->type_name("NAME=NUMBER")
      ->allow_extra_args(false);
  command.add_flag("--random-inputs", options.randomInputs,
                   "Random values for every input that has none: floats in [0, 1), "
                   "integers 0 or 1");
  command.add_option("--seed", options.seed, "Seed of the random values")
      ->capture_default_str();
  command
      .add_option("--shape", options.shapes,
                  "Sizes of a filled or random input, as in x=1x3x224x224")
      ->type_name("NAME=SIZES")
      ->allow_extra_args(false);
}

Result<NamedValues> makeInputs(const Model &model, const InputOptions &options) {
  HEXIN_ASSIGN_OR_RETURN(Assignments files, parseAssignments("--input", options.files));
  HEXIN_ASSIGN_OR_RETURN(Assignments fills, parseAssignments("--fill", options.fills));
  HEXIN_ASSIGN_OR_RETURN(ShapeMap shapes, parseShapes(options.shapes));
  HEXIN_RETURN_IF_ERROR(checkNames(model, "--input", files));
  HEXIN_RETURN_IF_ERROR(checkNames(model, "--fill", fills));
  HEXIN_RETURN_IF_ERROR(checkNames(model, "--shape", shapes));

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

  NamedValues inputs;
  for (const PortInfo &port : model.inputs()) {
    auto fill = fills.find(port.name);
    if (auto file = loaded.find(port.name); file != loaded.end()) {
      inputs.push_back({port.name, std::move(file->second)});
    } else if (port.kind == ValueKind::optional) {
      inputs.push_back({port.name, Optional{}});
    } else if (fill == fills.end() && !options.randomInputs) {
      return invalidArgument("input " + describe(port) + " has no value; pass --input '" +
                             port.name + "=FILE.npy', --fill '" + port.name +
                             "=NUMBER' or --random-inputs");
    } else if (port.kind != ValueKind::tensor) {
      return unsupported("input '" + port.name +
                         "' is not a tensor of numbers and cannot be filled; use "
                         "--input, the C++ or the Python API");
    } else {
      HEXIN_ASSIGN_OR_RETURN(auto dims, concreteDims(port, shapes, symbols));
      HEXIN_ASSIGN_OR_RETURN(
          Tensor tensor, fill != fills.end()
                             ? filledTensor(port, dims, fill->second)
                             : randomTensor(port.dtype, dims, port.name, options.seed));
      inputs.push_back({port.name, std::move(tensor)});
    }
  }
  return inputs;
}

} // namespace hexin::cli
