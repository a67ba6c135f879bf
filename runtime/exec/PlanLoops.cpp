// PlanBuilder: loops. An iteration is planned when it is known that it runs; a segment
// ends where that hangs on what the iteration before makes.
#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/Format.h"
#include "runtime/exec/InputCheck.h"

#include <algorithm>
#include <utility>

namespace hexin {

using fmt::sizeOf;

namespace {

/// Of one run, all loops together; a model that asks for more has lost its way.
constexpr uint64_t maxIterations = 1 << 15;

} // namespace

/// Takes the memory of a loop's value away from it.
Status PlanBuilder::take(uint32_t value, Root &root) {
  Root &source = state_->roots[value];
  if (holds(value) != ValueKind::tensor) {
    if (source.hostKind != HostPlace::tensor)
      return corrupt("a loop hands on value " + std::to_string(value) +
                     ", which nothing made on the host");
    source.handedOver = handedOver_++;
    Step &step = addStep(Step::handOver);
    step.value = value;
    step.count = source.handedOver;
    root = std::exchange(source, Root());
    return Status::success();
  }
  if (source.place.slot == noSlot || !source.onDevice)
    return corrupt("a loop hands on value " + std::to_string(value) +
                   ", which nothing made on the device");
  if (source.hostKind == HostPlace::tensor)
    addStep(Step::release).value = value;
  root = std::exchange(source, Root());
  root.hostKind = HostPlace::none;
  return Status::success();
}

void PlanBuilder::give(uint32_t value, Root root) {
  forgetValue(value);
  if (holds(value) != ValueKind::tensor) { // its sizes are read when they are needed
    Step &step = addStep(Step::receive);
    step.value = value;
    step.count = root.handedOver;
  } else {
    setSizes(value, root.dims);
  }
  state_->roots[value] = std::move(root);
}

void PlanBuilder::forgetValue(uint32_t value) {
  Root &root = state_->roots[value];
  if (root.place.slot != noSlot)
    state_->layout.release(root.arena);
  if (root.hostKind == HostPlace::tensor)
    addStep(Step::release).value = value;
  root = Root();
}

/// Makes the sizes known that expressions ask of a value that a loop made.
void PlanBuilder::setSizes(uint32_t value, const Dims &dims) {
  for (int32_t leaf : info_.runtimeLeaves) {
    const fmt::ExprNode &node = state_->exprs.node(leaf);
    if (node.op() == fmt::ExprOp::result_dim && static_cast<uint32_t>(node.a()) == value)
      state_->exprs.set(leaf, static_cast<size_t>(node.b()) < dims.size()
                                  ? ExprResult::of(dims[node.b()])
                                  : ExprResult{ExprState::outOfRange, 0});
  }
}

Status PlanBuilder::addLoopBegin(uint32_t index) {
  const fmt::Loop &loop = *program_.loops()->Get(index);
  int64_t tripCount = INT64_MAX, condition = 1;
  if (loop.trip_count() >= 0)
    HEXIN_RETURN_IF_ERROR(need(loop.trip_count(), "the trip count", tripCount));
  if (loop.condition() >= 0)
    HEXIN_RETURN_IF_ERROR(need(loop.condition(), "the condition of a loop", condition));
  PlanState::Loop &state = state_->loops.emplace_back();
  state.loop = index;
  state.tripCount = tripCount;
  state.slices.resize(sizeOf(loop.slices()));
  handedOver_ = 0;
  std::vector<Root> carried(sizeOf(loop.entries()));
  for (uint32_t i = 0; i < carried.size(); ++i)
    HEXIN_RETURN_IF_ERROR(take(loop.entries()->Get(i), carried[i]));
  bool runs = tripCount > 0 && condition != 0;
  const auto *receivers = runs ? loop.carried() : loop.results(); // null: carries none
  if (runs)
    state_->exprs.forget(info_.loops[index].varying);
  for (uint32_t i = 0; i < carried.size(); ++i)
    give(receivers->Get(i), std::move(carried[i]));
  if (runs)
    return startIteration();
  releaseEnding(); // at the beginning; then goes on behind the end
  state_->position = info_.loops[index].end;
  return endLoop(index);
}

/// What the body makes has been forgotten, and what is carried is there.
Status PlanBuilder::startIteration() {
  if (++state_->iterations > maxIterations)
    return resourceExhausted("loops run more than " + std::to_string(maxIterations) +
                             " iterations");
  return evaluate();
}

Status PlanBuilder::addLoopEnd(uint32_t index) {
  const fmt::Loop &loop = *program_.loops()->Get(index);
  int64_t again = 1;
  if (loop.again() >= 0)
    HEXIN_RETURN_IF_ERROR(need(loop.again(), "the condition of a loop", again));
  PlanState::Loop &state = state_->loops.back();
  for (uint32_t k = 0; k < state.slices.size(); ++k) {
    Root slice;
    HEXIN_RETURN_IF_ERROR(take(loop.slices()->Get(k), slice));
    state.slices[k].push_back(std::move(slice));
  }
  handedOver_ = 0;
  std::vector<Root> next(sizeOf(loop.nexts()));
  for (uint32_t i = 0; i < next.size(); ++i)
    HEXIN_RETURN_IF_ERROR(take(loop.nexts()->Get(i), next[i]));
  ++state.iteration;
  bool goesOn = again != 0 && state.iteration < state.tripCount;
  for (uint32_t value : info_.loops[index].made)
    forgetValue(value);
  if (goesOn)
    state_->exprs.forget(info_.loops[index].varying);
  const auto &receivers = goesOn ? *loop.carried() : *loop.results();
  for (uint32_t i = 0; i < next.size(); ++i)
    give(receivers.Get(i), std::move(next[i]));
  if (!goesOn)
    return endLoop(index);
  state_->position = info_.loops[index].begin; // the next is the first of the body
  jumped_ = true;
  return startIteration();
}

/// Results are there; stacks are filled.
Status PlanBuilder::endLoop(uint32_t index) {
  const fmt::Loop &loop = *program_.loops()->Get(index);
  PlanState::Loop &state = state_->loops.back();
  for (uint32_t k = 0; k < state.slices.size(); ++k) {
    uint32_t stack = loop.stacks()->Get(k);
    Dims dims(sizeOf(program_.values()->Get(stack)->dims()), 0);
    dims[0] = state.iteration;
    if (!state.slices[k].empty())
      std::ranges::copy(state.slices[k][0].dims, dims.begin() + 1);
    forgetValue(stack);
    setSizes(stack, dims);
  }
  HEXIN_RETURN_IF_ERROR(evaluate());
  for (uint32_t k = 0; k < state.slices.size(); ++k)
    HEXIN_RETURN_IF_ERROR(fillStack(index, k));
  state_->loops.pop_back();
  return Status::success();
}

Status PlanBuilder::fillStack(uint32_t index, uint32_t k) {
  const fmt::Loop &loop = *program_.loops()->Get(index);
  uint32_t slice = loop.slices()->Get(k), stack = loop.stacks()->Get(k);
  std::vector<Root> slices = std::move(state_->loops.back().slices[k]);
  HEXIN_RETURN_IF_ERROR(place(stack));
  uint32_t loopEnd = instruction_;
  if (slices.empty()) {
    state_->roots[stack].onDevice = true;
    return Status::success();
  }
  instruction_ = info_.order[info_.loops[index].end] + 1 + k;
  stackAtHand_ = stack;
  stackOffset_ = 0;
  Status status;
  const Dims dims = slices[0].dims;
  for (Root &root : slices) {
    if (root.dims != dims)
      status = invalidArgument("the slices of a stacked result differ in size: " +
                               formatDims(dims) + " and " + formatDims(root.dims))
                   .withContext(describeInstruction());
    state_->roots[slice] = std::move(root);
    if (status.ok())
      status = addRun(*program_.instructions()->Get(instruction_));
    if (!status.ok())
      break;
    stackOffset_ += static_cast<int64_t>(state_->roots[slice].place.bytes);
    forgetValue(slice);
  }
  stackAtHand_ = ~0u;
  instruction_ = loopEnd;
  return status;
}

} // namespace hexin
