// SessionCore: what the host does in a run, and what it reads to plan on.
#include "runtime/exec/SessionCore.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/exec/HostElements.h"
#include "runtime/exec/HostOps.h"

#include <algorithm>

namespace hexin {

using fmt::sizeOf;

/// Reads what the next segment depends on into learned_ and key_.
Status SessionCore::learn(const Segment &segment) {
  const fmt::Program &program = program_->info().program;
  learned_.clear();
  key_.clear();
  for (const Learned &item : segment.learned) {
    const fmt::ExprNode *node = program.exprs()->Get(item.leaf);
    ExprResult result;
    if (item.place.holds != ValueKind::tensor) { // only sizes of strings are asked for
      HEXIN_ASSIGN_OR_RETURN(const Value *value, hostValue(item.place));
      const StringTensor *strings = value->strings();
      bool exists = strings && static_cast<size_t>(node->b()) < strings->dims.size();
      learned_.push_back(exists ? ExprResult::of(strings->dims[node->b()])
                                : ExprResult{ExprState::outOfRange, 0});
      key_.push_back(learned_.back().value);
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(item.place));
    if (node->op() == fmt::ExprOp::element) {
      result = readElement(item.place.dtype, {view.data, view.bytes}, node->b());
    } else {
      bool exists =
          view.tensor && static_cast<size_t>(node->b()) < view.tensor->dims().size();
      result = exists ? ExprResult::of(view.tensor->dims()[node->b()])
                      : ExprResult{ExprState::outOfRange, 0};
    }
    learned_.push_back(result);
    key_.push_back(result.value);
  }
  // What could not be read is part of the key, behind the values.
  for (size_t i = 0; i < learned_.size(); ++i)
    if (!learned_[i].isKnown()) {
      key_.push_back(static_cast<int64_t>(i));
      key_.push_back(static_cast<int64_t>(learned_[i].state));
    }
  return Status::success();
}

Result<SessionCore::HostView> SessionCore::viewHost(const HostPlace &place) {
  HostView view;
  switch (place.kind) {
  case HostPlace::userInput: {
    HEXIN_ASSIGN_OR_RETURN(view.tensor, hostInput(place.index));
    break;
  }
  case HostPlace::tensor:
    view.tensor = hostTensors_[place.index];
    break;
  case HostPlace::weight: {
    auto bytes = program_->weightBytes(place.index);
    view.data = bytes.data();
    view.bytes = bytes.size();
    break;
  }
  case HostPlace::deviceMemory:
    view.data = memory_.hostAddress(place.device.slot) + place.device.offset;
    view.bytes = place.device.bytes;
    break;
  case HostPlace::none:
    break;
  }
  if (view.tensor) {
    view.data = static_cast<const std::byte *>(view.tensor->data());
    view.bytes = view.tensor->byteLength();
  }
  if (!view.data)
    return internalError("a value is read on the host where it is not");
  if (!place.hasDims)
    return view;
  int64_t width = byteWidth(place.dtype);
  auto bytes = static_cast<uint64_t>(checkedNumElements(place.dims).value_or(0) * width);
  if (!rangeFits(place.offset, bytes, view.bytes))
    return corruptData("a view of " + std::to_string(bytes) + " bytes at " +
                       std::to_string(place.offset) + " does not fit the " +
                       std::to_string(view.bytes) + " bytes of its value");
  if (view.tensor && !std::ranges::equal(view.tensor->dims(), place.dims))
    view.tensor = nullptr;
  view.data += place.offset;
  view.bytes = bytes;
  return view;
}

Status SessionCore::callHost(const Step &step) {
  const HostCall &call = *step.call;
  auto isValue = [](ValueKind kind) { return kind != ValueKind::tensor; };
  if (isHostOp(call.op) ||
      std::ranges::any_of(
          call.operands,
          [&](const auto &operand) { return isValue(operand.place.holds); }) ||
      std::ranges::any_of(call.results,
                          [&](const auto &result) { return isValue(result.holds); }))
    return callHostKernel(step);
  operands_.clear();
  operandViews_.clear();
  operandViews_.reserve(call.operands.size()); // operands_ points into it
  for (const HostCall::Operand &operand : call.operands) {
    if (!operand.isPresent) {
      operands_.push_back(nullptr);
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(operand.place));
    if (view.tensor && view.tensor->dtype() == operand.place.dtype) {
      operands_.push_back(view.tensor);
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(Tensor tensor,
                           Tensor::wrap(operand.place.dtype, operand.place.dims,
                                        const_cast<std::byte *>(view.data), view.bytes));
    operandViews_.push_back(std::move(tensor));
    operands_.push_back(&operandViews_.back());
  }
  resultTypes_.clear();
  for (const HostCall::Result &result : call.results)
    resultTypes_.push_back(result.dtype);

  const fmt::Instruction *instruction =
      program_->info().program.instructions()->Get(step.instruction);
  auto where = [&] {
    return "'" +
           (sizeOf(instruction->node()) > 0 ? instruction->node()->str() : call.op) +
           "' on the host";
  };
  auto results = runHostOp(call.op, call.attributes, operands_, resultTypes_);
  if (!results)
    return results.status().withContext(where());
  if (results->size() < call.results.size())
    return internalError(where() + " gave " + std::to_string(results->size()) +
                         " results instead of " + std::to_string(call.results.size()));
  for (size_t i = 0; i < call.results.size(); ++i) {
    const HostCall::Result &expected = call.results[i];
    Tensor &result = (*results)[i];
    if (result.dtype() != expected.dtype ||
        (expected.hasDims && !std::ranges::equal(result.dims(), expected.dims)))
      return corruptData(where() + " gave " + std::string(toString(result.dtype())) +
                         " " + formatDims(result.dims()) + " where the program says " +
                         std::string(toString(expected.dtype)) + " " +
                         formatDims(expected.dims));
    hostOwned_[expected.value] = std::move(result);
    hostTensors_[expected.value] = &hostOwned_[expected.value];
  }
  return Status::success();
}

} // namespace hexin
