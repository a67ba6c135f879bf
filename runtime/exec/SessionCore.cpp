#include "runtime/exec/SessionCore.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/CacheDir.h"
#include "runtime/base/ThreadLimit.h"
#include "runtime/device/BackendRegistry.h"

#include <algorithm>
#include <string_view>

namespace hexin {

using fmt::sizeOf;

namespace {

constexpr size_t maxPlanSegments = 256;
constexpr uint64_t maxPlanBytes = uint64_t(512) << 20;

/// The limit must be a name that either side knows: a slip of the pen would
/// otherwise lift it.
Status checkMaxIsa(const std::string &maxIsa, const Device &device,
                   const fmt::Program &program) {
  if (maxIsa.empty())
    return Status::success();
  const hexin_device_info &info = device.info();
  std::string known = std::string(info.image_archs);
  for (uint32_t i = 0; i < sizeOf(program.images()); ++i)
    known += ";" + program.images()->Get(i)->arch()->str();
  if ((";" + known + ";").find(";" + maxIsa + ";") != std::string::npos)
    return Status::success();
  return invalidArgument("SessionOptions::maxIsa is '" + maxIsa +
                         "'; device and model know: " + known);
}

} // namespace

Result<std::shared_ptr<SessionCore>> SessionCore::create(const Model &model,
                                                         const SessionOptions &options) {
  HEXIN_RETURN_IF_ERROR(checkThreads(options.threads));
  DeviceOptions deviceOptions;
  deviceOptions.threads = options.threads;
  deviceOptions.pinThreads = options.pinThreads;
  deviceOptions.profile = options.profile;
  deviceOptions.cacheDir = resolveCacheDir(options.cacheDir);
  warnUnlessUsable(deviceOptions.cacheDir);
  deviceOptions.maxIsa = options.maxIsa;
  HEXIN_ASSIGN_OR_RETURN(auto device,
                         BackendRegistry::instance().open(options.device, deviceOptions));
  HEXIN_ASSIGN_OR_RETURN(auto program, DeviceProgram::load(model.impl(), device));
  HEXIN_RETURN_IF_ERROR(checkMaxIsa(options.maxIsa, *device, program->info().program));
  std::shared_ptr<SessionCore> core(new SessionCore(model, options, std::move(program)));
  HEXIN_RETURN_IF_ERROR(core->findDumped());
  HEXIN_RETURN_IF_ERROR(core->faults_.reset());
  return core;
}

SessionCore::SessionCore(const Model &model, const SessionOptions &options,
                         std::shared_ptr<const DeviceProgram> program)
    : model_(model), options_(options), program_(std::move(program)),
      context_{*program_, SlotNumbers(*program_), {}, {}, options.profile},
      memory_(*program_), states_(*model.impl(), memory_, options.seed),
      faults_(program_->info().program, memory_), inputs_(*model.impl()),
      plans_(maxPlanSegments, maxPlanBytes) {
  const ProgramInfo &info = program_->info();
  targets_.resize(sizeOf(info.program.outputs()));
  hostTensors_.resize(info.storage.size());
  hostOwned_.resize(info.storage.size());
  hostInputs_.resize(sizeOf(info.program.inputs()));
  for (uint32_t v = 0; v < info.storage.size(); ++v)
    if (info.program.values()->Get(v)->holds() != static_cast<uint8_t>(ValueKind::tensor))
      hostValues_.resize(info.storage.size());
}

Status SessionCore::findDumped() {
  const ProgramInfo &info = program_->info();
  for (const std::string &name : options_.dump) {
    bool isFound = false;
    for (uint32_t v = 0; v < info.storage.size() && !isFound; ++v) {
      const flatbuffers::String *valueName = info.program.values()->Get(v)->name();
      if (sizeOf(valueName) == 0 || valueName->string_view() != name)
        continue;
      context_.dumped.push_back(v);
      dumpNames_.push_back(name);
      isFound = true;
    }
    if (!isFound)
      return notFound("SessionOptions::dump names '" + name +
                      "', which is no value of the program for '" +
                      info.program.target()->str() +
                      "': it may have been fused away; compile with it as an output");
  }
  context_.endingAt = info.valuesEndingAt(context_.dumped);
  return Status::success();
}

Result<NamedValues> SessionCore::run(const NamedValues &inputs,
                                     const RunOptions &options) {
  std::lock_guard lock(mutex_);
  finishPending();
  for (OutputTarget &target : targets_)
    target = OutputTarget();
  HEXIN_RETURN_IF_ERROR(keepOnDevice(options));
  Status status = start(inputs);
  if (status.ok())
    status = finish();
  NamedValues outputs;
  if (status.ok())
    status = giveOutputs(outputs);
  clearRun();
  HEXIN_RETURN_IF_ERROR(status);
  return outputs;
}

Status SessionCore::run(const NamedValues &inputs, NamedValues &outputs) {
  std::lock_guard lock(mutex_);
  finishPending();
  for (OutputTarget &target : targets_) {
    target = OutputTarget();
    target.isWanted = false;
  }
  const Model::Impl &model = *model_.impl();
  for (NamedValue &output : outputs) {
    auto port =
        std::find_if(model.outputs.begin(), model.outputs.end(),
                     [&](const PortInfo &info) { return info.name == output.name; });
    if (port == model.outputs.end())
      return invalidArgument("the model has no output '" + output.name + "'");
    OutputTarget &target = targets_[model.outputPorts[port - model.outputs.begin()]];
    if (target.given || target.givenValue)
      return invalidArgument("output '" + output.name + "' is given twice");
    target.isWanted = true;
    if (port->kind != ValueKind::tensor) { // it is replaced, whatever it is
      target.givenValue = &output.value;
      continue;
    }
    Tensor *tensor = output.value.tensor();
    if (!tensor || tensor->dtype() != port->dtype)
      return invalidArgument(
          "output '" + output.name + "': expected a tensor of " +
          std::string(toString(port->dtype)) + ", got " +
          (tensor ? std::string(toString(tensor->dtype())) : "another kind of value"));
    target.given = tensor;
  }
  Status status = start(inputs);
  if (status.ok())
    status = finish();
  clearRun();
  return status;
}

Result<std::shared_ptr<RunTicket>> SessionCore::submit(const NamedValues &inputs) {
  std::lock_guard lock(mutex_);
  finishPending();
  for (OutputTarget &target : targets_)
    target = OutputTarget();
  auto ticket = std::make_shared<RunTicket>();
  // The NamedValues may be gone by the time of wait(); what they own may not.
  for (const NamedValue &input : inputs)
    if (const Tensor *tensor = input.value.tensor(); tensor && tensor->owner())
      ticket->inputOwners.push_back(tensor->owner());
  Status status = start(inputs);
  if (!status) {
    clearRun();
    return status;
  }
  pending_ = ticket;
  return ticket;
}

Result<NamedValues> SessionCore::wait(RunTicket &ticket) {
  std::lock_guard lock(mutex_);
  if (pending_.get() == &ticket)
    finishPending();
  if (!ticket.result)
    return failedPrecondition("wait() was called before on this run");
  Result<NamedValues> result = *std::move(ticket.result);
  ticket.result.reset();
  return result;
}

void SessionCore::drain() {
  std::lock_guard lock(mutex_);
  finishPending();
}

void SessionCore::finishPending() {
  if (!pending_)
    return;
  NamedValues outputs;
  Status status = finish();
  if (status.ok())
    status = giveOutputs(outputs);
  if (status.ok())
    pending_->result.emplace(std::move(outputs));
  else
    pending_->result.emplace(std::move(status));
  pending_->inputOwners.clear();
  pending_.reset();
  clearRun();
}

Status SessionCore::giveOutputs(NamedValues &outputs) {
  const Model::Impl &model = *model_.impl();
  outputs.reserve(model.outputs.size());
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    OutputTarget &target = targets_[model.outputPorts[i]];
    bool isTensor = model.outputs[i].kind == ValueKind::tensor;
    outputs.push_back({model.outputs[i].name, isTensor ? Value(std::move(target.made))
                                                       : std::move(target.madeValue)});
  }
  return Status::success();
}

Status SessionCore::prepare(std::span<const std::vector<int64_t>> dims) {
  std::lock_guard lock(mutex_);
  finishPending();
  HEXIN_RETURN_IF_ERROR(inputs_.bindDims(dims));
  for (uint32_t s = 0; s < states_.size(); ++s)
    HEXIN_RETURN_IF_ERROR(states_.isSet(s)
                              ? inputs_.bindState(s, states_.dims(s))
                              : inputs_.bindState(s, inputs_.initialStateDims(s)));
  ++run_;
  HEXIN_ASSIGN_OR_RETURN(Segment * segment, findSegment(nullptr));
  return memory_.growSlabs(segment->slabBytes);
}

Result<Tensor> SessionCore::getState(const std::string &name) {
  std::lock_guard lock(mutex_);
  finishPending();
  return states_.get(name);
}

Status SessionCore::setState(const std::string &name, const Tensor &value) {
  std::lock_guard lock(mutex_);
  finishPending();
  return states_.set(name, value);
}

Status SessionCore::resetState() {
  std::lock_guard lock(mutex_);
  finishPending();
  states_.reset();
  return Status::success();
}

Result<std::vector<std::byte>> SessionCore::exportState() {
  std::lock_guard lock(mutex_);
  finishPending();
  return states_.exportAll();
}

Status SessionCore::importState(std::span<const std::byte> blob) {
  std::lock_guard lock(mutex_);
  finishPending();
  return states_.importAll(blob);
}

SessionStats SessionCore::stats() {
  std::lock_guard lock(mutex_);
  SessionStats stats = stats_;
  stats.arenaBytes = memory_.arenaBytes();
  stats.kernelsCompiled = program_->device().counter("kernels_compiled");
  stats.weightsReordered = program_->device().counter("weights_reordered");
  return stats;
}

Result<NamedValues> SessionCore::dumped() {
  std::lock_guard lock(mutex_);
  finishPending();
  if (stats_.runs == 0 && !options_.dump.empty())
    return failedPrecondition("nothing is dumped before the first run");
  return dumped_;
}

Result<std::string> SessionCore::trace() {
  std::lock_guard lock(mutex_);
  finishPending();
  if (!options_.profile)
    return failedPrecondition("create the session with SessionOptions::profile to trace");
  return formatTrace(program_->info().program, device(), trace_);
}

} // namespace hexin
