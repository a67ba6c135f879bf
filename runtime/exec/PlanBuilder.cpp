#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace hexin {

using fmt::sizeOf;

namespace {

constexpr uint64_t arenaAlignment = 64;

ArenaLayout emptyLayout(const Device &device) {
  uint64_t alignment = arenaAlignment;
  while (alignment < device.info().base_alignment && alignment < 4096)
    alignment *= 2;
  return ArenaLayout(alignment, device.maxBufferBytes());
}

/// A guess for the cache's budget: what a library keeps per primitive is not
/// known.
uint64_t estimateBytes(const Segment &segment) {
  constexpr uint64_t perLaunch =
      sizeof(Launch) + sizeof(CommandRef) + sizeof(hexin_command *);
  uint64_t bytes = sizeof(Segment) + segment.commands.size() * perLaunch +
                   segment.tempSlots.size() * sizeof(TempSlot) +
                   segment.steps.size() * sizeof(Step);
  // A command counts in each plan that holds it, once: while one does, it is there.
  std::unordered_set<hexin_command *> counted;
  for (const CommandRef &command : segment.heldCommands)
    if (counted.insert(command.get()).second)
      bytes += command.bytes();
  for (const Step &step : segment.steps)
    bytes += step.staging.byteLength();
  if (segment.state)
    bytes += segment.state->roots.size() * sizeof(PlanState::Root) +
             segment.state->exprs.size() * sizeof(ExprResult) +
             segment.state->tempSlots.size() * sizeof(TempSlot);
  return bytes;
}

} // namespace

PlanBuilder::PlanBuilder(const PlanContext &context, std::span<const Dims> inputDims)
    : context_(context), info_(context.program.info()), program_(info_.program),
      device_(context.program.device()), inputDims_(inputDims) {}

Result<std::unique_ptr<Segment>> PlanBuilder::buildFirst() {
  state_ = std::make_unique<PlanState>(program_.exprs(), emptyLayout(device_));
  state_->roots.resize(info_.storage.size());
  state_->tempSlots.resize(info_.tempSlots);
  // The session has put states in their memory, and on the host where the host
  // reads them.
  for (uint32_t v = 0; v < info_.storage.size(); ++v) {
    if (info_.storage[v] != Storage::state)
      continue;
    uint32_t state = info_.storageIndex[v];
    uint32_t input = info_.header.states()->Get(state)->input();
    Root &root = state_->roots[v];
    auto elements = checkedNumElements(inputDims_[input]);
    const fmt::ValueDef *def = program_.values()->Get(v);
    auto bytes = elements
                     ? checkedMul(*elements, byteWidth(static_cast<DType>(def->dtype())))
                     : std::nullopt;
    if (!bytes)
      return invalidArgument("the sizes of state " + std::to_string(state) + " overflow");
    root.place = {context_.slots.state(state), 0, static_cast<uint64_t>(*bytes)};
    root.dims = inputDims_[input];
    root.onDevice = true;
    if (device_.hasHostMemory())
      root.hostKind = HostPlace::deviceMemory;
    else if (def->residency() != fmt::Residency::device)
      root.hostKind = HostPlace::tensor;
  }
  segment_ = std::make_unique<Segment>();
  HEXIN_RETURN_IF_ERROR(evaluate());
  // Contents of inputs that decide sizes come first: all is planned with them.
  if (collectReadableLeaves())
    return endHere();
  return walk();
}

Result<std::unique_ptr<Segment>>
PlanBuilder::buildNext(const Segment &segment, std::span<const ExprResult> learned) {
  state_ = std::make_unique<PlanState>(*segment.state);
  for (size_t i = 0; i < segment.learned.size(); ++i)
    state_->exprs.set(segment.learned[i].leaf, learned[i]);
  segment_ = std::make_unique<Segment>();
  HEXIN_RETURN_IF_ERROR(evaluate());
  return walk();
}

Result<std::unique_ptr<Segment>> PlanBuilder::walk() {
  auto stopBlocked = [&]() -> Result<std::unique_ptr<Segment>> {
    blocked_ = false;
    if (!collectReadableLeaves())
      return corrupt("it needs expression " + std::to_string(blockedOn_) +
                     ", which nothing before it makes known");
    return endHere();
  };
  for (; state_->position < info_.order.size(); ++state_->position) {
    instruction_ = info_.order[state_->position];
    Status added = addInstruction();
    if (blocked_)
      return stopBlocked();
    HEXIN_RETURN_IF_ERROR(added);
    if (!std::exchange(jumped_, false))
      releaseEnding();
  }
  if (hasPendingConstraint() && collectReadableLeaves())
    return endHere();
  Status finished = finish();
  if (blocked_)
    return stopBlocked();
  HEXIN_RETURN_IF_ERROR(finished);
  segment_->isLast = true;
  return endHere();
}

/// Fills segment_->learned with what the run can read now; false for nothing.
bool PlanBuilder::collectReadableLeaves() {
  segment_->learned.clear();
  for (int32_t leaf : info_.runtimeLeaves) {
    if (!state_->exprs[leaf].isPending())
      continue;
    const fmt::ExprNode &node = state_->exprs.node(leaf);
    auto value = static_cast<uint32_t>(node.a());
    bool isSize = node.op() == fmt::ExprOp::result_dim;
    if (isSize && state_->roots[value].hostKind != HostPlace::tensor)
      continue;
    // A value whose own place is not known yet, or never, is no use now.
    auto place = hostPlace(value);
    blocked_ = false;
    if (place)
      segment_->learned.push_back({leaf, *std::move(place)});
  }
  return !segment_->learned.empty();
}

Result<std::unique_ptr<Segment>> PlanBuilder::endHere() {
  HEXIN_RETURN_IF_ERROR(context_.program.placeLate(lateWeights_));
  segment_->placedWeights = !lateWeights_.empty();
  segment_->slabBytes = state_->layout.slabBytes();
  segment_->mostTaken = state_->layout.mostTaken();
  segment_->tempSlots = state_->tempSlots;
  packTemps();
  if (context_.profile)
    segment_->commandTimes.resize(2 * segment_->commands.size());
  if (!segment_->isLast) {
    segment_->finalOutputs.clear();
    segment_->finalStates.clear();
    segment_->finalDumps.clear();
    state_->layout.freeze();
    segment_->state = std::move(state_);
  }
  segment_->bytes = estimateBytes(*segment_);
  return std::move(segment_);
}

/// How `value` is copied out at the end.
Result<FinalValue> PlanBuilder::finalValue(uint32_t value) {
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  const Root &root = state_->roots[resolved.root];
  FinalValue final;
  final.dtype = static_cast<DType>(program_.values()->Get(value)->dtype());
  bool onHost = info_.storage[resolved.root] == Storage::input ||
                info_.storage[resolved.root] == Storage::weight ||
                root.hostKind != HostPlace::none;
  if (onHost) {
    HEXIN_ASSIGN_OR_RETURN(final.host, hostPlace(value));
    final.kind = FinalValue::fromHost;
    final.hasDims = final.host.hasDims;
    final.dims = final.host.dims;
    return final;
  }
  if (!root.onDevice)
    return corrupt("value " + std::to_string(value) +
                   " is given out, but nothing made it");
  HEXIN_RETURN_IF_ERROR(needDims(value, final.dims));
  auto elements = checkedNumElements(final.dims);
  auto bytes = elements ? checkedMul(*elements, byteWidth(final.dtype)) : std::nullopt;
  if (!bytes ||
      !rangeFits(resolved.offset, static_cast<uint64_t>(*bytes), root.place.bytes))
    return corrupt("value " + std::to_string(value) + " does not fit its memory");
  final.kind = FinalValue::fromDevice;
  final.hasDims = true;
  final.place = {root.place.slot, root.place.offset + resolved.offset,
                 static_cast<uint64_t>(*bytes)};
  return final;
}

Status PlanBuilder::finishOutput(uint32_t output) {
  uint32_t value = program_.outputs()->Get(output);
  uint32_t state = ~0u;
  for (uint32_t s = 0; s < sizeOf(info_.header.states()); ++s)
    if (info_.header.states()->Get(s)->output() == output)
      state = s;
  bool isState = state != ~0u;
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  const Root &root = state_->roots[resolved.root];
  Storage storage = info_.storage[resolved.root];
  uint32_t index = info_.storageIndex[resolved.root];

  FinalValue final;
  bool isOwnMemory = value == resolved.root && root.onDevice;
  if (isOwnMemory && ((!isState && storage == Storage::output && index == output) ||
                      (isState && storage == Storage::nextState && index == state))) {
    final.kind = FinalValue::written;
    final.hasDims = true;
    final.dims = root.dims;
    final.dtype = static_cast<DType>(program_.values()->Get(value)->dtype());
  } else if (isState && storage == Storage::state && index == state &&
             resolved.offset == 0) {
    HEXIN_RETURN_IF_ERROR(needDims(value, final.dims));
    auto elements = checkedNumElements(final.dims);
    auto bytes = elements
                     ? checkedMul(*elements, byteWidth(static_cast<DType>(
                                                 program_.values()->Get(value)->dtype())))
                     : std::nullopt;
    if (!bytes || static_cast<uint64_t>(*bytes) > root.place.bytes)
      return corrupt("a state is larger than its memory");
    final.kind = FinalValue::inPlace;
    final.hasDims = true;
  } else {
    HEXIN_ASSIGN_OR_RETURN(final, finalValue(value));
  }
  final.index = isState ? state : output;
  (isState ? segment_->finalStates : segment_->finalOutputs).push_back(std::move(final));
  return Status::success();
}

Status PlanBuilder::finish() {
  for (uint32_t output = 0; output < sizeOf(program_.outputs()); ++output)
    HEXIN_RETURN_IF_ERROR(finishOutput(output));
  for (uint32_t i = 0; i < context_.dumped.size(); ++i) {
    // A value of a branch that was not taken has no contents.
    auto final = finalValue(context_.dumped[i]);
    blocked_ = false;
    if (!final)
      continue;
    final->index = i;
    segment_->finalDumps.push_back(*std::move(final));
  }
  return Status::success();
}

} // namespace hexin
