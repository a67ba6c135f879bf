// SessionCore: a run, from its inputs to what is in flight.
#include "runtime/exec/SessionCore.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/Log.h"
#include "runtime/exec/DeviceTensor.h"

#include <algorithm>
#include <utility>

namespace hexin {

using fmt::sizeOf;

Status SessionCore::start(const NamedValues &inputs) {
  freshStates_.clear();
  Status status = startSegments(inputs);
  return status.ok() ? status : forgetFreshStates(std::move(status));
}

/// A state that began with a run which failed has not begun: the next run may be
/// of other sizes. Says what to do where its sizes may be what is wrong.
Status SessionCore::forgetFreshStates(Status failure) {
  std::string guessed;
  for (uint32_t s : freshStates_) {
    const fmt::State *state = model_.impl()->header().states()->Get(s);
    for (uint32_t axis = 0; axis < sizeOf(state->first_dims()); ++axis)
      if (state->dims()->Get(axis) < 0 && state->first_dims()->Get(axis) > 0) {
        guessed += (guessed.empty() ? "'" : ", '") + state->name()->str() +
                   "' began as " + formatDims(states_.dims(s));
        break;
      }
    states_.reset(s);
  }
  if (failure.code() != StatusCode::invalidArgument || guessed.empty())
    return failure;
  return Status(failure.code(),
                failure.message() + ". State " + guessed +
                    ": if another size is wanted, give it with setState() before the "
                    "run, or fix or name it when compiling (shapes)");
}

Status SessionCore::startSegments(const NamedValues &inputs) {
  ++run_;
  path_.clear(); // of a run that an exception ended
  uint64_t transfersBefore = memory_.transfers();
  stats_.transfers = 0;
  if (options_.profile)
    trace_.clear();
  HEXIN_RETURN_IF_ERROR(inputs_.bind(inputs));
  HEXIN_RETURN_IF_ERROR(bindStates());
  HEXIN_RETURN_IF_ERROR(bindInputs());
  rememberInputMemory();
  Segment *segment = nullptr;
  do {
    HEXIN_ASSIGN_OR_RETURN(segment, findSegment(segment));
    path_.push_back(segment);
    HEXIN_RETURN_IF_ERROR(execute(*segment));
    if (!segment->isLast)
      HEXIN_RETURN_IF_ERROR(learn(*segment));
  } while (!segment->isLast);
  stats_.transfers = memory_.transfers() - transfersBefore;
  return Status::success();
}

Status SessionCore::bindStates() {
  const ProgramInfo &info = program_->info();
  for (uint32_t s = 0; s < states_.size(); ++s) {
    if (states_.isSet(s)) {
      HEXIN_RETURN_IF_ERROR(inputs_.bindState(s, states_.dims(s)));
      continue;
    }
    std::vector<int64_t> dims = inputs_.initialStateDims(s);
    HEXIN_RETURN_IF_ERROR(inputs_.bindState(s, dims));
    HEXIN_RETURN_IF_ERROR(states_.initialise(s, dims));
    freshStates_.push_back(s);
  }
  if (program_->device().hasHostMemory() || states_.size() == 0)
    return Status::success();
  // Host instructions and shape logic read states that are not device-only.
  for (uint32_t v = 0; v < info.storage.size(); ++v) {
    const fmt::ValueDef *def = info.program.values()->Get(v);
    if (info.storage[v] != Storage::state || def->residency() == fmt::Residency::device)
      continue;
    uint32_t state = info.storageIndex[v];
    HEXIN_ASSIGN_OR_RETURN(
        hostOwned_[v],
        Tensor::allocate(static_cast<DType>(def->dtype()), states_.dims(state)));
    HEXIN_RETURN_IF_ERROR(memory_.download(memory_.slots().state(state), 0,
                                           hostOwned_[v].data(),
                                           hostOwned_[v].byteLength()));
    hostTensors_[v] = &hostOwned_[v];
  }
  return Status::success();
}

Status SessionCore::bindInputs() {
  const ProgramInfo &info = program_->info();
  for (uint32_t i = 0; i < sizeOf(info.program.inputs()); ++i) {
    const Tensor *tensor = inputs_.tensors()[i];
    uint32_t slot = memory_.slots().input(i);
    if (tensor && !tensor->isOnHost()) {
      HEXIN_RETURN_IF_ERROR(bindDeviceInput(i, *tensor));
      continue;
    }
    if (!tensor || !info.usedOnDevice[info.program.inputs()->Get(i)])
      continue;
    // Commands only read from inputs: the verifier saw to that.
    if (memory_.tryWrap(slot, const_cast<void *>(tensor->data()), tensor->byteLength()))
      continue;
    HEXIN_RETURN_IF_ERROR(memory_.reserve(slot, tensor->byteLength()));
    HEXIN_RETURN_IF_ERROR(memory_.upload(slot, 0, tensor->data(), tensor->byteLength()));
  }
  return Status::success();
}

std::string SessionCore::describePlan(const Segment &segment) const {
  std::string sizes;
  for (uint32_t i = 0; i < inputs_.dims().size(); ++i)
    sizes += (i ? ", " : "") + model_.impl()->header().inputs()->Get(i)->name()->str() +
             " " + formatDims(inputs_.dims()[i]);
  uint64_t bytes = 0;
  for (uint64_t slab : segment.slabBytes)
    bytes += slab;
  return "planned '" + model_.path() + "' on '" + device() + "' for " + sizes + ": " +
         std::to_string(segment.commands.size()) + " commands (" +
         std::to_string(segment.commandsPrepared) + " prepared, the rest found), " +
         std::to_string(bytes) + " bytes of arena (" + std::to_string(segment.mostTaken) +
         " in use at once)" +
         (segment.isLast ? "" : ", until sizes are known that the run makes");
}

/// The segment after `parent` for what was learned at its end, or (null) the
/// first one for the inputs' sizes; made when there is none yet.
Result<Segment *> SessionCore::findSegment(Segment *parent) {
  if (!parent) {
    key_.clear();
    for (const std::vector<int64_t> &dims : inputs_.dims())
      key_.insert(key_.end(), dims.begin(), dims.end());
  }
  if (Segment *found = plans_.find(parent, key_, run_))
    return found;
  LogTimer timer;
  uint64_t builtBefore = program_->device().counter("kernels_compiled");
  PlanBuilder builder(context_, inputs_.dims());
  HEXIN_ASSIGN_OR_RETURN(std::unique_ptr<Segment> made,
                         parent ? builder.buildNext(*parent, learned_)
                                : builder.buildFirst());
  if (made->placedWeights)
    memory_.bindWeights();
  stats_.plans += made->isLast;
  stats_.commandsPrepared += made->commandsPrepared;
  stats_.commandsReused += made->commands.size() - made->commandsPrepared;
  uint64_t built = program_->device().counter("kernels_compiled") - builtBefore;
  if (built > 0 && isLogged(LogLevel::info))
    log(LogLevel::info, "built the code of '" + model_.path() + "' on '" + device() +
                            "' from source, " + timer.elapsed());
  if (isLogged(LogLevel::debug))
    log(LogLevel::debug, describePlan(*made) + ", " + timer.elapsed());
  return &plans_.insert(parent, key_, std::move(made), run_);
}

Status SessionCore::execute(Segment &segment) {
  HEXIN_RETURN_IF_ERROR(memory_.growSlabs(segment.slabBytes));
  memory_.placeTemps(segment.tempSlots);
  for (const StateBinding &state : segment.states)
    HEXIN_RETURN_IF_ERROR(
        memory_.reserve(memory_.slots().nextState(state.state), state.bytes));
  for (const OutputBinding &output : segment.outputs)
    HEXIN_RETURN_IF_ERROR(bindOutput(output));
  for (Step &step : segment.steps) {
    bool isTimed =
        options_.profile && (step.kind == Step::host || step.kind == Step::toHost ||
                             step.kind == Step::toDevice);
    uint64_t begin = isTimed ? nowNs() : 0;
    HEXIN_RETURN_IF_ERROR(runStep(segment, step));
    if (isTimed)
      trace_.push_back({step.instruction, false, begin, nowNs(), 0, {}, {}});
  }
  return Status::success();
}

bool SessionCore::overlapsOther(uint32_t output, const Tensor &target) const {
  auto overlaps = [&](const Tensor *other) {
    return other && other != &target && overlap(target, *other);
  };
  for (const Tensor *input : inputs_.tensors())
    if (overlaps(input))
      return true;
  for (uint32_t i = 0; i < targets_.size(); ++i)
    if (i != output && overlaps(targets_[i].given))
      return true;
  return false;
}

/// The tensor that output `output`, of sizes `dims`, goes to.
Status SessionCore::prepareTarget(uint32_t output, std::span<const int64_t> dims,
                                  Tensor *&target) {
  OutputTarget &entry = targets_[output];
  const fmt::Port *port = model_.impl()->header().outputs()->Get(output);
  if (entry.given) {
    if (!std::ranges::equal(entry.given->dims(), dims))
      return invalidArgument("output '" + port->name()->str() + "': expected sizes " +
                             formatDims(dims) + ", got a tensor of " +
                             formatDims(entry.given->dims()));
    target = entry.given;
    return Status::success();
  }
  if (!entry.made.owner()) {
    auto dtype = static_cast<DType>(port->dtype());
    HEXIN_ASSIGN_OR_RETURN(entry.made,
                           entry.staysOnDevice
                               ? allocateOn(program_->sharedDevice(), dtype, dims)
                               : Tensor::allocate(dtype, dims));
  }
  target = &entry.made;
  return Status::success();
}

Status SessionCore::bindOutput(const OutputBinding &binding) {
  OutputTarget &entry = targets_[binding.output];
  uint32_t slot = memory_.slots().output(binding.output);
  const fmt::Port *port = model_.impl()->header().outputs()->Get(binding.output);
  int64_t width = byteWidth(static_cast<DType>(port->dtype()));
  auto bytes =
      static_cast<uint64_t>(checkedNumElements(binding.dims).value_or(0) * width);
  if (!entry.isWanted)
    return memory_.reserve(slot, bytes);
  Tensor *target;
  HEXIN_RETURN_IF_ERROR(prepareTarget(binding.output, binding.dims, target));
  bool mayBeDirect = !entry.given || !overlapsOther(binding.output, *target);
  if (target->isOnHost()) {
    entry.isWritten =
        mayBeDirect && memory_.tryWrap(slot, target->data(), target->byteLength());
  } else {
    HEXIN_ASSIGN_OR_RETURN(bool isDirect, bindDeviceOutput(binding.output, *target));
    entry.isWritten = mayBeDirect && isDirect;
  }
  return entry.isWritten ? Status::success() : memory_.reserve(slot, bytes);
}

Status SessionCore::runStep(Segment &segment, Step &step) {
  switch (step.kind) {
  case Step::submit:
    return submitCommands(segment, step);
  case Step::wait:
    return waitForDevice();
  case Step::host:
    return callHost(step);
  case Step::toHost:
    hostTensors_[step.value] = &step.staging;
    return memory_.download(step.place.slot, step.place.offset, step.staging.data(),
                            step.place.bytes);
  case Step::toDevice: {
    const Tensor *tensor = hostTensors_[step.value];
    if (!tensor || tensor->byteLength() != step.place.bytes)
      return internalError("a host op gave value " + std::to_string(step.value) + " " +
                           std::to_string(tensor ? tensor->byteLength() : 0) +
                           " bytes instead of " + std::to_string(step.place.bytes));
    return memory_.upload(step.place.slot, step.place.offset, tensor->data(),
                          step.place.bytes);
  }
  case Step::release:
    hostTensors_[step.value] = nullptr;
    hostOwned_[step.value] = Tensor();
    if (!hostValues_.empty())
      hostValues_[step.value] = Value();
    return Status::success();
  case Step::handOver:
    handedOver_.resize(std::max<size_t>(handedOver_.size(), step.count + size_t(1)));
    handedOver_[step.count] = std::exchange(hostValues_[step.value], Value());
    return Status::success();
  case Step::receive:
    hostValues_[step.value] = std::exchange(handedOver_[step.count], Value());
    return Status::success();
  }
  return internalError("a plan has a step of no kind");
}

Status SessionCore::submitCommands(Segment &segment, const Step &step) {
  hexin_submission submission{};
  submission.struct_size = sizeof submission;
  submission.commands = segment.commands.data() + step.first;
  submission.command_count = step.count;
  submission.slots = memory_.table().data();
  submission.slot_count = static_cast<uint32_t>(memory_.table().size());
  if (!segment.commandTimes.empty())
    submission.command_ns = segment.commandTimes.data() + 2 * size_t(step.first);
  Submitted submitted{Event(), &segment, step.first, step.count};
  uint32_t failed = 0;
  auto event = program_->device().submit(submission, &failed);
  if (!event)
    return withNodes(event.status(), submitted, failed);
  submitted.event = *std::move(event);
  inFlight_.push_back(std::move(submitted));
  return Status::success();
}

/// The device knows commands, the plan knows whose they are. Where the device cannot
/// tell which command it was, all nodes of the submission come into question.
Status SessionCore::withNodes(Status failure, const Submitted &submitted,
                              uint32_t command) const {
  constexpr size_t maxNamed = 4;
  bool isKnown = command > 0 && command <= submitted.count;
  uint32_t first = submitted.first + (isKnown ? command - 1 : 0);
  uint32_t end = isKnown ? first + 1 : first + submitted.count;
  std::vector<std::string> nodes;
  for (uint32_t i = first; i < end; ++i) {
    const fmt::Instruction *instruction = program_->info().program.instructions()->Get(
        submitted.segment->launches[i].instruction);
    std::string node = sizeOf(instruction->node()) > 0 ? instruction->node()->str()
                       : instruction->op()             ? instruction->op()->str()
                                                       : std::string();
    if (!node.empty() && (nodes.empty() || nodes.back() != node))
      nodes.push_back(std::move(node));
  }
  if (nodes.empty())
    return failure;
  if (nodes.size() == 1)
    return failure.withContext("node '" + nodes[0] + "'");
  std::string text = "one of the nodes ";
  for (size_t i = 0; i < std::min(nodes.size(), maxNamed); ++i)
    text += (i ? ", '" : "'") + nodes[i] + "'";
  if (nodes.size() > maxNamed)
    text += ", ... '" + nodes.back() + "' (" + std::to_string(nodes.size()) + ")";
  return failure.withContext(text);
}

Status SessionCore::waitForDevice() {
  Status first;
  for (Submitted &submitted : inFlight_) {
    uint32_t failed = 0;
    Status status = submitted.event.wait(&failed);
    if (first.ok() && !status)
      first = withNodes(std::move(status), submitted, failed);
  }
  inFlight_.clear();
  return first;
}

} // namespace hexin
