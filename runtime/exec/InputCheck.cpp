#include "runtime/exec/InputCheck.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/ValueCheck.h"

#include <algorithm>
#include <map>

namespace hexin {

using fmt::sizeOf;

InputCheck::InputCheck(const Model::Impl &model) : model_(model) {
  const auto *inputs = model.header().inputs();
  std::map<std::string, int32_t> symbolIndex;
  for (uint32_t i = 0; i < sizeOf(inputs); ++i) {
    const fmt::Port *port = inputs->Get(i);
    std::vector<Axis> axes(sizeOf(port->dims()));
    for (uint32_t axis = 0; axis < axes.size(); ++axis) {
      axes[axis].size = port->dims()->Get(axis);
      std::string name = sizeOf(port->symbols()) > 0 && axes[axis].size < 0
                             ? port->symbols()->Get(axis)->str()
                             : std::string();
      if (name.empty())
        continue;
      auto [entry, isNew] =
          symbolIndex.emplace(name, static_cast<int32_t>(symbols_.size()));
      if (isNew)
        symbols_.push_back({name, -1, 0, 0});
      axes[axis].symbol = entry->second;
    }
    ports_.push_back(std::move(axes));
  }
  tensors_.resize(ports_.size());
  values_.resize(ports_.size());
  dims_.resize(ports_.size());
}

void InputCheck::start() {
  std::fill(tensors_.begin(), tensors_.end(), nullptr);
  std::fill(values_.begin(), values_.end(), nullptr);
  for (Symbol &symbol : symbols_)
    symbol.size = -1;
}

std::string InputCheck::describe(uint32_t port) const {
  const fmt::Header &header = model_.header();
  for (uint32_t s = 0; s < sizeOf(header.states()); ++s)
    if (header.states()->Get(s)->input() == port)
      return "state '" + header.states()->Get(s)->name()->str() + "'";
  return "input '" + header.inputs()->Get(port)->name()->str() + "'";
}

Status InputCheck::bindPort(uint32_t port, std::span<const int64_t> dims) {
  const std::vector<Axis> &axes = ports_[port];
  if (dims.size() != axes.size())
    return invalidArgument(describe(port) + ": expected rank " +
                           std::to_string(axes.size()) + ", got sizes " +
                           formatDims(dims));
  for (uint32_t axis = 0; axis < axes.size(); ++axis) {
    int64_t size = dims[axis];
    auto where = [&] { return describe(port) + ", axis " + std::to_string(axis) + ": "; };
    if (size < 0 || (axes[axis].size >= 0 && size != axes[axis].size))
      return invalidArgument(where() + "expected size " +
                             (axes[axis].size >= 0 ? std::to_string(axes[axis].size)
                                                   : std::string("0 or more")) +
                             ", got " + std::to_string(size) + " in " + formatDims(dims));
    if (axes[axis].symbol < 0)
      continue;
    Symbol &symbol = symbols_[axes[axis].symbol];
    if (symbol.size < 0) {
      symbol.size = size;
      symbol.port = port;
      symbol.axis = axis;
    } else if (symbol.size != size) {
      return invalidArgument(
          where() + "size '" + symbol.name + "' is " + std::to_string(size) +
          " here, but " + std::to_string(symbol.size) + " in " + describe(symbol.port) +
          ", axis " + std::to_string(symbol.axis));
    }
  }
  dims_[port].assign(dims.begin(), dims.end());
  return Status::success();
}

Status InputCheck::bind(const NamedValues &inputs) {
  start();
  for (const NamedValue &input : inputs) {
    auto found =
        std::find_if(model_.inputs.begin(), model_.inputs.end(),
                     [&](const PortInfo &port) { return port.name == input.name; });
    if (found == model_.inputs.end()) {
      std::string names;
      for (const PortInfo &port : model_.inputs)
        names += (names.empty() ? "'" : ", '") + port.name + "'";
      return invalidArgument("the model has no input '" + input.name +
                             "'; its inputs are " + (names.empty() ? "none" : names));
    }
    uint32_t port = model_.inputPorts[found - model_.inputs.begin()];
    if (tensors_[port] || values_[port])
      return invalidArgument("input '" + input.name + "' is given twice");
    if (found->kind != ValueKind::tensor) {
      HEXIN_RETURN_IF_ERROR(
          checkValue(input.value, found->type, "input '" + input.name + "'"));
      const StringTensor *strings = input.value.strings();
      HEXIN_RETURN_IF_ERROR(bindPort(port, strings
                                               ? std::span<const int64_t>(strings->dims)
                                               : std::span<const int64_t>()));
      values_[port] = &input.value;
      continue;
    }
    const Tensor *tensor = input.value.tensor();
    if (!tensor)
      return invalidArgument("input '" + input.name + "': expected a tensor of " +
                             std::string(toString(found->dtype)) +
                             ", got another kind of value");
    if (tensor->dtype() != found->dtype)
      return invalidArgument("input '" + input.name + "': expected " +
                             std::string(toString(found->dtype)) + ", got " +
                             std::string(toString(tensor->dtype())));
    HEXIN_RETURN_IF_ERROR(bindPort(port, tensor->dims()));
    tensors_[port] = tensor;
  }
  for (size_t i = 0; i < model_.inputs.size(); ++i)
    if (!tensors_[model_.inputPorts[i]] && !values_[model_.inputPorts[i]])
      return invalidArgument("input '" + model_.inputs[i].name + "' is missing");
  return Status::success();
}

Status InputCheck::bindDims(std::span<const std::vector<int64_t>> dims) {
  start();
  if (dims.size() != model_.inputs.size())
    return invalidArgument("the model has " + std::to_string(model_.inputs.size()) +
                           " inputs, got sizes for " + std::to_string(dims.size()));
  for (size_t i = 0; i < dims.size(); ++i)
    HEXIN_RETURN_IF_ERROR(bindPort(model_.inputPorts[i], dims[i]));
  return Status::success();
}

Status InputCheck::bindState(uint32_t state, std::span<const int64_t> dims) {
  Status bound = bindPort(model_.header().states()->Get(state)->input(), dims);
  if (bound)
    return bound;
  return Status(bound.code(), bound.message() +
                                  "; the session keeps its state between runs: call "
                                  "resetState() before a run at other sizes");
}

std::vector<int64_t> InputCheck::initialStateDims(uint32_t state) const {
  const fmt::State *info = model_.header().states()->Get(state);
  const std::vector<Axis> &axes = ports_[info->input()];
  std::vector<int64_t> dims;
  for (uint32_t i = 0; i < axes.size(); ++i) {
    int64_t size = axes[i].size;
    if (size < 0 && sizeOf(info->first_dims()) > 0)
      size = info->first_dims()->Get(i);
    if (size < 0)
      size =
          axes[i].symbol >= 0 ? std::max<int64_t>(symbols_[axes[i].symbol].size, 0) : 0;
    dims.push_back(size);
  }
  return dims;
}

} // namespace hexin
