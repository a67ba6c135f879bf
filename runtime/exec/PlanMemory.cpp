// PlanBuilder: where values lie.
#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/exec/InputCheck.h"

namespace hexin {
namespace {

DType dtypeOf(const fmt::ValueDef &value) { return static_cast<DType>(value.dtype()); }

} // namespace

/// Follows views and phis down to the value that has memory.
Result<PlanBuilder::Resolved> PlanBuilder::resolve(uint32_t value) {
  Resolved resolved{value, 0};
  while (info_.isView(resolved.root)) {
    const fmt::ValueDef *def = program_.values()->Get(resolved.root);
    if (def->kind() == fmt::ValueKind::phi) {
      int64_t condition;
      HEXIN_RETURN_IF_ERROR(need(def->phi_condition(), "a condition", condition));
      resolved.root =
          static_cast<uint32_t>(condition != 0 ? def->phi_then() : def->phi_else());
      continue;
    }
    if (def->alias_offset() >= 0) {
      int64_t offset;
      HEXIN_RETURN_IF_ERROR(need(def->alias_offset(), "the offset of a view", offset));
      auto sum = checkedAdd(static_cast<int64_t>(resolved.offset), offset);
      if (offset < 0 || !sum)
        return corrupt("value " + std::to_string(resolved.root) +
                       " is a view at offset " + std::to_string(offset));
      resolved.offset = static_cast<uint64_t>(*sum);
    }
    resolved.root = static_cast<uint32_t>(def->alias_of());
  }
  return resolved;
}

Status PlanBuilder::placeTemp(uint32_t root, int64_t bytes) {
  Root &entry = state_->roots[root];
  auto place = state_->layout.allocate(bytes);
  if (!place)
    return place.status().withContext(where());
  entry.arena = *place;
  entry.place = {slotFor(info_.tempSlot[root], entry.arena), 0,
                 static_cast<uint64_t>(bytes)};
  return Status::success();
}

/// The slot that stands for `place`: `preferred`, unless that stands for another one
/// already. Only in loops it may: what runs or lives there must not see it change.
uint32_t PlanBuilder::slotFor(uint32_t preferred, const ArenaPlace &place) {
  TempSlot wanted{place.slab, place.offset};
  TempSlot &slot = state_->tempSlots[preferred];
  slotOfLifetime_.push_back(preferred);
  if (slot.slab == TempSlot::noSlab)
    slot = wanted;
  if (slot == wanted)
    return context_.slots.temp(preferred);
  auto more = static_cast<uint32_t>(state_->tempSlots.size());
  auto [entry, isNew] = state_->moreTempSlots.emplace(wanted, more);
  if (isNew)
    state_->tempSlots.push_back(wanted);
  return context_.slots.temp(entry->second);
}

/// Places all temporaries of a plan anew, with all their lifetimes known: where each slot
/// has stood for one place from the first to the last instruction, and it saves memory.
void PlanBuilder::packTemps() {
  const ArenaLayout &layout = state_->layout;
  const std::vector<ArenaLifetime> &lifetimes = layout.lifetimes();
  std::vector<uint64_t> slabs = layout.slabBytes();
  // Beyond so many values the time for it, which grows with their square, is felt.
  constexpr size_t mostValues = 2048;
  if (!segment_->isLast || state_->iterations != 0 || lifetimes.size() > mostValues ||
      slotOfLifetime_.size() != lifetimes.size() || slabs.size() != 1 ||
      slabs[0] <= layout.mostTaken())
    return;
  ArenaPacking packing = packLifetimes(lifetimes, layout.mostTaken());
  if (packing.bytes >= slabs[0])
    return;
  for (size_t i = 0; i < lifetimes.size(); ++i)
    segment_->tempSlots[slotOfLifetime_[i]] = {0, packing.offsets[i]};
  segment_->slabBytes = {packing.bytes};
}

/// Gives the memory of `root` a place on the device, once.
Status PlanBuilder::place(uint32_t root) {
  Root &entry = state_->roots[root];
  if (entry.place.slot != noSlot)
    return Status::success();
  const fmt::ValueDef *def = program_.values()->Get(root);
  uint32_t index = info_.storageIndex[root];
  if (info_.storage[root] == Storage::weight) {
    const DeviceProgram::WeightPlace &weight = context_.program.weightPlace(index);
    if (!weight.isOnDevice)
      return corrupt("weight " + std::to_string(index) + " is not on the device");
    entry.place = {context_.slots.weightChunk(weight.chunk), weight.offset,
                   context_.program.weightLength(index)};
    entry.onDevice = true;
    return Status::success();
  }
  if (def->residency() == fmt::Residency::host && info_.storage[root] != Storage::input &&
      info_.storage[root] != Storage::state)
    return corrupt("the device is given value " + std::to_string(root) +
                   ", which lives on the host only");

  Dims dims;
  if (info_.storage[root] == Storage::input)
    dims = inputDims_[index];
  else
    HEXIN_RETURN_IF_ERROR(needDims(root, dims));
  auto elements = checkedNumElements(dims);
  auto bytes = elements ? checkedMul(*elements, byteWidth(dtypeOf(*def))) : std::nullopt;
  if (!bytes)
    return invalidArgument("the sizes of " + describeValue(root) + ", " +
                           formatDims(dims) + ", overflow 64 bits for these inputs")
        .withContext(where());
  auto length = static_cast<uint64_t>(*bytes);
  switch (info_.storage[root]) {
  case Storage::temp:
    HEXIN_RETURN_IF_ERROR(placeTemp(root, *bytes));
    break;
  case Storage::input:
    entry.place = {context_.slots.input(index), 0, length};
    entry.onDevice = true;
    break;
  case Storage::output:
    entry.place = {context_.slots.output(index), 0, length};
    segment_->outputs.push_back({index, dims});
    break;
  case Storage::faults: // the verifier knows its sizes
    entry.place = {context_.slots.faults, 0, length};
    entry.onDevice = true;
    break;
  case Storage::nextState:
    entry.place = {context_.slots.nextState(index), 0, length};
    segment_->states.push_back({index, length});
    break;
  default:
    return corrupt("value " + std::to_string(root) + " has no memory");
  }
  entry.dims = std::move(dims);
  return Status::success();
}

/// Bytes of what `place` points into, as far as they are known now.
uint64_t PlanBuilder::hostBytes(const HostPlace &place) const {
  switch (place.kind) {
  case HostPlace::userInput: {
    auto elements = checkedNumElements(inputDims_[place.index]);
    auto bytes = elements ? checkedMul(*elements, byteWidth(place.dtype)) : std::nullopt;
    return bytes ? static_cast<uint64_t>(*bytes) : 0;
  }
  case HostPlace::weight:
    return context_.program.weightBytes(place.index).size();
  case HostPlace::deviceMemory:
    return place.device.bytes;
  default:
    return UINT64_MAX; // checked against the tensor when it is read
  }
}

/// Where the host reads `value`; corruptData when nothing put it there.
Result<HostPlace> PlanBuilder::hostPlace(uint32_t value) {
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  const Root &root = state_->roots[resolved.root];
  HostPlace place;
  place.holds = holds(value);
  place.dtype = dtypeOf(*program_.values()->Get(value));
  place.offset = resolved.offset;
  place.index = info_.storageIndex[resolved.root];
  switch (info_.storage[resolved.root]) {
  case Storage::input:
    place.kind = HostPlace::userInput;
    break;
  case Storage::weight:
    if (isDerived(*info_.header.weights()->Get(place.index)))
      return corrupt("value " + std::to_string(value) +
                     " is read on the host, but is a weight that only kernels read");
    place.kind = HostPlace::weight;
    break;
  default:
    place.kind = root.hostKind;
    if (place.kind == HostPlace::none)
      return corrupt("value " + std::to_string(value) +
                     " is read on the host, where nothing put it");
    place.device = root.place;
    if (place.kind == HostPlace::tensor)
      place.index = resolved.root;
  }
  if (place.holds != ValueKind::tensor)
    return place; // all of it, as it is
  bool isWhole = value == resolved.root;
  if (place.kind == HostPlace::tensor && isWhole && !tryDims(value, place.dims))
    return place; // its sizes are those of the tensor
  if (place.kind == HostPlace::userInput && isWhole)
    place.dims = inputDims_[place.index];
  else
    HEXIN_RETURN_IF_ERROR(needDims(value, place.dims));
  place.hasDims = true;
  auto elements = checkedNumElements(place.dims);
  auto bytes = elements ? checkedMul(*elements, byteWidth(place.dtype)) : std::nullopt;
  if (!bytes || !rangeFits(place.offset, static_cast<uint64_t>(*bytes), hostBytes(place)))
    return corrupt("value " + std::to_string(value) + " does not fit its memory");
  return place;
}

/// After the instruction at the current position: what it used last is free.
void PlanBuilder::releaseEnding() {
  for (uint32_t value : context_.endingAt[state_->position]) {
    Root &root = state_->roots[value];
    if (root.place.slot != noSlot)
      state_->layout.release(root.arena);
    if (root.hostKind == HostPlace::tensor)
      addStep(Step::release).value = value;
    root = Root();
  }
}

} // namespace hexin
