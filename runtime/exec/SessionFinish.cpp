// SessionCore: the end of a run: results, states, traces.
#include "runtime/exec/SessionCore.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <cstring>

namespace hexin {

Status SessionCore::finish() {
  copiesOut_ = false;
  HEXIN_RETURN_IF_ERROR(waitForDevice());
  HEXIN_RETURN_IF_ERROR(faults_.take());
  const Segment &last = *path_.back();
  uint64_t transfersBefore = memory_.transfers();
  for (const FinalValue &final : last.finalOutputs)
    HEXIN_RETURN_IF_ERROR(deliver(final));
  if (!dumped_.empty())
    dumped_.clear();
  for (const FinalValue &final : last.finalDumps)
    HEXIN_RETURN_IF_ERROR(deliverDump(final));
  // States may be made of each other: all are copied before any is advanced.
  for (const FinalValue &final : last.finalStates)
    HEXIN_RETURN_IF_ERROR(deliverState(final));
  for (const FinalValue &final : last.finalStates)
    states_.advance(final.index, final.dims, final.kind == FinalValue::inPlace);
  if (copiesOut_)
    HEXIN_RETURN_IF_ERROR(program_->device().synchronise());
  if (options_.profile)
    recordTimes();
  stats_.transfers += memory_.transfers() - transfersBefore;
  ++stats_.runs;
  return Status::success();
}

/// Copies a value out.
Status SessionCore::fetch(const FinalValue &final, const Tensor &target) {
  uint64_t bytes = target.byteLength();
  if (final.kind == FinalValue::fromDevice)
    return copyOut(final.place.slot, final.place.offset, target);
  HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(final.host));
  if (view.bytes != bytes)
    return internalError("an output has " + std::to_string(view.bytes) +
                         " bytes instead of " + std::to_string(bytes));
  if (!target.isOnHost())
    return uploadTo(target, view.data);
  if (bytes > 0)
    std::memmove(const_cast<void *>(target.data()), view.data, bytes);
  return Status::success();
}

Status SessionCore::deliver(const FinalValue &final) {
  OutputTarget &entry = targets_[final.index];
  if (entry.isWanted && final.host.holds != ValueKind::tensor)
    return deliverValue(final);
  if (!entry.isWanted || (final.kind == FinalValue::written && entry.isWritten))
    return Status::success();
  Tensor *target;
  if (final.kind == FinalValue::written) {
    HEXIN_RETURN_IF_ERROR(prepareTarget(final.index, final.dims, target));
    return copyOut(memory_.slots().output(final.index), 0, *target);
  }
  std::span<const int64_t> dims = final.dims;
  if (final.kind == FinalValue::fromHost) {
    HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(final.host));
    if (!final.hasDims)
      dims = view.tensor->dims();
    // A result of the host becomes the output as it is, unless it is one already.
    bool isOurs = final.host.kind == HostPlace::tensor && view.tensor &&
                  view.tensor == &hostOwned_[final.host.index] &&
                  view.tensor->owner().use_count() == 1 && !isInputMemory(*view.tensor);
    if (isOurs && !entry.given && !entry.staysOnDevice) {
      entry.made = *view.tensor;
      return Status::success();
    }
  }
  HEXIN_RETURN_IF_ERROR(prepareTarget(final.index, dims, target));
  if (!target->isOnHost())
    HEXIN_RETURN_IF_ERROR(checkOnDevice(*target, "an output"));
  return fetch(final, *target);
}

Status SessionCore::deliverDump(const FinalValue &final) {
  if (final.host.holds != ValueKind::tensor) {
    HEXIN_ASSIGN_OR_RETURN(const Value *value, hostValue(final.host));
    HEXIN_ASSIGN_OR_RETURN(Value copy, handedOut(*value));
    dumped_.push_back({dumpNames_[final.index], std::move(copy)});
    return Status::success();
  }
  std::span<const int64_t> dims = final.dims;
  if (!final.hasDims) {
    HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(final.host));
    dims = view.tensor->dims();
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(final.dtype, dims));
  HEXIN_RETURN_IF_ERROR(fetch(final, tensor));
  dumped_.push_back({dumpNames_[final.index], std::move(tensor)});
  return Status::success();
}

/// Brings a state that is not in its memory yet into its next half.
Status SessionCore::deliverState(const FinalValue &final) {
  if (final.kind == FinalValue::written || final.kind == FinalValue::inPlace)
    return Status::success();
  uint32_t next = memory_.slots().nextState(final.index);
  if (final.kind == FinalValue::fromDevice) {
    HEXIN_RETURN_IF_ERROR(memory_.reserve(next, final.place.bytes));
    return memory_.copy(final.place.slot, final.place.offset, next, final.place.bytes);
  }
  HEXIN_ASSIGN_OR_RETURN(HostView view, viewHost(final.host));
  HEXIN_RETURN_IF_ERROR(memory_.reserve(next, view.bytes));
  return memory_.upload(next, 0, view.data, view.bytes);
}

void SessionCore::recordTimes() {
  for (const Segment *segment : path_)
    for (size_t i = 0; i < segment->commands.size(); ++i)
      trace_.push_back({segment->launches[i].instruction, true,
                        segment->commandTimes[2 * i], segment->commandTimes[2 * i + 1],
                        segment->launches[i].variant, segment->launches[i].passedOver,
                        segment->launches[i].cost});
}

/// Whatever became of the run: nothing of it stays in flight or referred to.
void SessionCore::clearRun() {
  // A failure has been reported already; what follows from it is no news.
  static_cast<void>(waitForDevice().ok());
  path_.clear();
  for (size_t v = 0; v < hostTensors_.size(); ++v) {
    if (!hostTensors_[v])
      continue;
    hostTensors_[v] = nullptr;
    hostOwned_[v] = Tensor();
  }
  for (Value &value : hostValues_)
    if (!value.tensor())
      value = Value();
  handedOver_.clear();
  for (Tensor &copy : hostInputs_)
    copy = Tensor();
  for (OutputTarget &target : targets_)
    target = OutputTarget();
}

} // namespace hexin
