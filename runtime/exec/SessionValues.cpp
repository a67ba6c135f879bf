// SessionCore: values that are no tensors of numbers, which live on the host.
#include "runtime/exec/SessionCore.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/ValueCheck.h"
#include "runtime/exec/HostOps.h"

#include <algorithm>

namespace hexin {

using fmt::sizeOf;

namespace {

/// Calls `visit` for each tensor of numbers in `value`.
template <typename Visit> void forEachTensor(const Value &value, const Visit &visit) {
  if (const Tensor *tensor = value.tensor())
    visit(*tensor);
  else if (const Sequence *sequence = value.sequence())
    for (const Value &element : sequence->elements)
      forEachTensor(element, visit);
  else if (const Optional *optional = value.optional(); optional && optional->value)
    forEachTensor(*optional->value, visit);
  else if (const Map *map = value.map())
    for (const auto &[key, element] : map->entries)
      forEachTensor(element, visit);
}

std::span<const int64_t> sizesOf(const Value &value) {
  if (const Tensor *tensor = value.tensor())
    return tensor->dims();
  return value.strings() ? std::span<const int64_t>(value.strings()->dims)
                         : std::span<const int64_t>();
}

} // namespace

Result<const Value *> SessionCore::hostValue(const HostPlace &place) const {
  const Value *value = nullptr;
  if (place.kind == HostPlace::userInput)
    value = inputs_.values()[place.index];
  else if (place.kind == HostPlace::tensor)
    value = &hostValues_[place.index];
  if (value && kindOf(*value) == place.holds)
    return value;
  return internalError("a value is read on the host where it is not");
}

/// A tensor as a kernel is given it. Those that a kernel made are shared; the memory of
/// others is used again, so that they are borrowed.
Result<Value> SessionCore::tensorOperand(const HostPlace &place) {
  HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(place));
  bool isMade = place.kind == HostPlace::tensor && view.tensor &&
                view.tensor == &hostOwned_[place.index] &&
                view.tensor->dtype() == place.dtype;
  if (isMade)
    return Value(*view.tensor);
  std::span<const int64_t> dims = place.dims;
  if (!place.hasDims && view.tensor)
    dims = view.tensor->dims();
  HEXIN_ASSIGN_OR_RETURN(
      Tensor tensor,
      Tensor::wrap(place.dtype, dims, const_cast<std::byte *>(view.data), view.bytes));
  return Value(std::move(tensor));
}

Status SessionCore::callHostKernel(const Step &step) {
  const HostCall &call = *step.call;
  std::vector<Value> tensors(call.operands.size());
  std::vector<const Value *> operands(call.operands.size(), nullptr);
  std::vector<Value *> spent(call.operands.size(), nullptr);
  for (size_t i = 0; i < operands.size(); ++i) {
    const HostPlace &place = call.operands[i].place;
    if (!call.operands[i].isPresent)
      continue;
    if (place.holds == ValueKind::tensor) {
      HEXIN_ASSIGN_OR_RETURN(tensors[i], tensorOperand(place));
      operands[i] = &tensors[i];
    } else {
      HEXIN_ASSIGN_OR_RETURN(operands[i], hostValue(place));
      if (call.operands[i].isSpent)
        spent[i] = &hostValues_[place.index];
    }
  }
  std::vector<HostResultType> types;
  for (const HostCall::Result &result : call.results)
    types.push_back({result.holds, result.dtype});

  const fmt::Instruction *instruction =
      program_->info().program.instructions()->Get(step.instruction);
  std::string where =
      "'" + (sizeOf(instruction->node()) > 0 ? instruction->node()->str() : call.op) +
      "' on the host";
  auto results = runHostOp(call.op, call.attributes, operands, types, spent);
  if (!results)
    return results.status().withContext(where);
  if (results->size() < call.results.size())
    return internalError(where + " gave " + std::to_string(results->size()) +
                         " results instead of " + std::to_string(call.results.size()));
  for (size_t i = 0; i < call.results.size(); ++i) {
    const HostCall::Result &expected = call.results[i];
    Value &result = (*results)[i];
    std::span<const int64_t> dims = sizesOf(result);
    bool isRight = kindOf(result) == expected.holds && dims.size() == expected.rank &&
                   (!result.tensor() || result.tensor()->dtype() == expected.dtype) &&
                   (!expected.hasDims || std::ranges::equal(dims, expected.dims));
    if (!isRight)
      return invalidArgument(where + " gave " + describe(result) +
                             ", where the model was "
                             "compiled for a " +
                             std::string(toString(expected.holds)) + " of rank " +
                             std::to_string(expected.rank) +
                             ": its declared types do not say what its values are");
    if (expected.holds == ValueKind::tensor) {
      hostOwned_[expected.value] = std::move(*result.tensor());
      hostTensors_[expected.value] = &hostOwned_[expected.value];
    } else {
      hostValues_[expected.value] = std::move(result);
    }
  }
  return Status::success();
}

/// Outputs never share memory with the caller's inputs.
void SessionCore::rememberInputMemory() {
  inputMemory_.clear();
  for (const Value *value : inputs_.values())
    if (value)
      forEachTensor(*value,
                    [&](const Tensor &tensor) { inputMemory_.push_back(tensor.data()); });
  std::ranges::sort(inputMemory_);
}

bool SessionCore::isInputMemory(const Tensor &tensor) const {
  return std::ranges::binary_search(inputMemory_, tensor.data());
}

/// `value` for the caller to keep: without memory that is his, or used again.
Result<Value> SessionCore::handedOut(const Value &value) const {
  if (const Tensor *tensor = value.tensor()) {
    if (tensor->owner() && !isInputMemory(*tensor))
      return value;
    HEXIN_ASSIGN_OR_RETURN(Tensor copy,
                           Tensor::allocate(tensor->dtype(), tensor->dims()));
    std::copy_n(tensor->as<std::byte>(), tensor->byteLength(), copy.as<std::byte>());
    return Value(std::move(copy));
  }
  if (const Sequence *sequence = value.sequence()) {
    Sequence copy;
    for (const Value &element : sequence->elements) {
      HEXIN_ASSIGN_OR_RETURN(Value own, handedOut(element));
      copy.elements.push_back(std::move(own));
    }
    return Value(std::move(copy));
  }
  if (const Optional *optional = value.optional(); optional && optional->value) {
    HEXIN_ASSIGN_OR_RETURN(Value own, handedOut(*optional->value));
    return Value(Optional{std::make_shared<const Value>(std::move(own))});
  }
  if (const Map *map = value.map()) {
    Map copy;
    for (const auto &[key, element] : map->entries) {
      HEXIN_ASSIGN_OR_RETURN(Value own, handedOut(element));
      copy.entries.emplace(key, std::move(own));
    }
    return Value(std::move(copy));
  }
  return value;
}

Status SessionCore::deliverValue(const FinalValue &final) {
  OutputTarget &entry = targets_[final.index];
  HEXIN_ASSIGN_OR_RETURN(const Value *value, hostValue(final.host));
  Value &target = entry.givenValue ? *entry.givenValue : entry.madeValue;
  HEXIN_ASSIGN_OR_RETURN(target, handedOut(*value));
  return Status::success();
}

} // namespace hexin
