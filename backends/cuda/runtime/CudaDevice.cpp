#include "backends/cuda/runtime/CudaDevice.h"
#include "backends/cuda/abi/LibraryOps.h"
#include "backends/cuda/runtime/CudaError.h"

#include <chrono>
#include <cstdlib>
#include <string_view>

using namespace hexin;
using namespace hexin::cuda;

static uint64_t steadyNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

static bool isVariable(const char *name, std::string_view value) {
  const char *set = std::getenv(name);
  return set && set == value;
}

// -- Open -------------------------------------------------------------------------

hexin_device_t::hexin_device_t(const CudaApi &api, const GpuInfo &gpu)
    : api_(api), gpu_(gpu),
      what_("cuda:" + std::to_string(gpu.info.index) + " (" + gpu.info.name + ")") {}

Result<std::unique_ptr<hexin_device_t>>
hexin_device_t::open(uint32_t index, const hexin_device_options &options) {
  const DeviceList &list = DeviceList::get();
  if (index >= list.devices.size())
    return notFound("no device cuda:" + std::to_string(index) + "; there are " +
                    std::to_string(list.devices.size()) +
                    (list.reason.empty() ? "" : ": " + list.reason));
  const GpuInfo &gpu = list.devices[index];
  std::unique_ptr<hexin_device_t> opened(new hexin_device_t(*CudaApi::get(), gpu));
  if (!gpu.unusable.empty())
    return unavailable(opened->what_ + " cannot run kernels: " + gpu.unusable);
  HEXIN_RETURN_IF_ERROR(opened->create(options.profile != 0).withContext(opened->what_));
  return opened;
}

Status hexin_device_t::create(bool profiles) {
  profiles_ = profiles;
  checks_ = isVariable("HEXIN_CUDA_CHECK", "1");
  if (CUresult code = api_.cuDevicePrimaryCtxRetain(&context_, gpu_.id)) {
    context_ = nullptr;
    return cudaStatus(code, "making a context");
  }
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  events_.emplace(api_, profiles);
  staging_.emplace(api_, *events_);
  for (CUstream *stream : {&stream_, &captureStream_})
    if (CUresult code = api_.cuStreamCreate(stream, streamNonBlocking)) {
      *stream = nullptr;
      return cudaStatus(code, "making a stream");
    }
  if (api_.hasGraphs() && !profiles_ && !checks_ && !isVariable("HEXIN_CUDA_GRAPHS", "0"))
    graphs_.emplace(api_, captureStream_);
  return Status::success();
}

hexin_device_t::~hexin_device_t() {
  if (!context_)
    return;
  {
    CurrentContext current(api_, context_);
    if (stream_)
      api_.cuStreamSynchronize(stream_);
    graphs_.reset();
    lt_.reset();
    staging_.reset();
    events_.reset();
    for (CUstream stream : {stream_, captureStream_})
      if (stream)
        api_.cuStreamDestroy_v2(stream);
  }
  api_.cuDevicePrimaryCtxRelease_v2(gpu_.id);
}

Status hexin_device_t::usable(const CurrentContext &current) const {
  {
    std::lock_guard lock(lostMutex_);
    if (!lost_.ok())
      return lost_.withContext(what_ + " is lost since");
  }
  return current.code() == cudaSuccess
             ? Status::success()
             : note(cudaStatus(current.code(), what_ + ": making its context current"));
}

Status hexin_device_t::note(Status status) const {
  if (status.code() == StatusCode::deviceLost) {
    std::lock_guard lock(lostMutex_);
    if (lost_.ok())
      lost_ = status;
  }
  return status;
}

uint64_t hexin_device_t::counter(const char *name) const {
  std::string_view asked = name ? name : "";
  if (asked == "kernels_compiled")
    return compiled_;
  if (!graphs_)
    return 0;
  const GraphCache::Counts &counts = graphs_->counts();
  return asked == "graphs_captured"   ? counts.captured.load()
         : asked == "graphs_updated"  ? counts.updated.load()
         : asked == "graphs_replayed" ? counts.replayed.load()
                                      : 0;
}

// -- Kernels ----------------------------------------------------------------------

Result<std::unique_ptr<hexin_module_t>> hexin_device_t::load(const hexin_image &image) {
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  auto module = hexin_module_t::load(api_, gpu_, image, what_);
  if (!module)
    return note(module.status());
  ++compiled_;
  return module;
}

void hexin_device_t::unload(std::unique_ptr<hexin_module_t> module) {
  CurrentContext current(api_, context_);
  module.reset();
}

Result<std::unique_ptr<hexin_command_t>>
hexin_device_t::prepare(const hexin_command_desc &desc) {
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  auto command = desc.kind == HEXIN_COMMAND_LIBRARY
                     ? prepareLibrary(desc)
                     : hexin_command_t::prepare(api_, gpu_, desc, what_, nextId_++);
  if (!command)
    return note(command.status());
  return command;
}

Result<std::unique_ptr<hexin_command_t>>
hexin_device_t::prepareLibrary(const hexin_command_desc &desc) {
  std::string_view name = desc.name ? desc.name : "";
  if (name != library::matmul)
    return unsupported(what_ + ": the cuda backend has no library op '" +
                       std::string(name) + "'");
  LtContext *context = nullptr;
  {
    std::lock_guard lock(ltMutex_);
    if (!lt_) {
      HEXIN_ASSIGN_OR_RETURN(lt_, LtContext::create(api_));
    }
    context = lt_.get();
  }
  return hexin_command_t::prepareLibrary(api_, *context, desc, what_, nextId_++);
}

void hexin_device_t::discard(std::unique_ptr<hexin_command_t> command) {
  if (!command || !graphs_)
    return;
  CurrentContext current(api_, context_);
  std::lock_guard lock(submitMutex_);
  graphs_->forgetCommand(command->id());
}

Status hexin_device_t::mark(hexin_event_t *timed) {
  if (!timed)
    return Status::success();
  HEXIN_ASSIGN_OR_RETURN(CUevent event, events_->take());
  timed->marks.push_back(event);
  return cudaStatus(api_.cuEventRecord(event, stream_), what_ + ": taking the time");
}

Status hexin_device_t::bindAndLaunch(const hexin_submission &submission, CUstream stream,
                                     hexin_event_t *timed, uint32_t &failed) {
  HEXIN_RETURN_IF_ERROR(mark(timed));
  for (uint32_t i = 0; i < submission.command_count; ++i) {
    hexin_command_t &command = *submission.commands[i];
    failed = i + 1;
    if (!command.isEmpty()) {
      HEXIN_RETURN_IF_ERROR(command.bind(submission));
      HEXIN_RETURN_IF_ERROR(command.launch(stream));
    }
    if (checks_ && !command.isEmpty())
      HEXIN_RETURN_IF_ERROR(
          cudaStatus(api_.cuStreamSynchronize(stream),
                     what_ + ": running kernel '" + command.name() + "'"));
    HEXIN_RETURN_IF_ERROR(mark(timed));
  }
  failed = 0;
  return Status::success();
}

Status hexin_device_t::enqueue(const hexin_submission &submission, hexin_event_t &event,
                               uint32_t &failed) {
  bool isReplayed = false;
  if (graphs_) {
    auto replayed = graphs_->replay(submission, stream_, [&](CUstream stream) {
      return bindAndLaunch(submission, stream, nullptr, failed);
    });
    if (!replayed)
      return replayed.status();
    isReplayed = *replayed;
  }
  if (!isReplayed)
    HEXIN_RETURN_IF_ERROR(
        bindAndLaunch(submission, stream_, profiles_ ? &event : nullptr, failed));
  HEXIN_ASSIGN_OR_RETURN(event.done, events_->take());
  return cudaStatus(api_.cuEventRecord(event.done, stream_),
                    what_ + ": handing work to the device");
}

void hexin_device_t::giveBack(hexin_event_t &event) {
  events_->give(event.done);
  for (CUevent mark : event.marks)
    events_->give(mark);
  event.done = nullptr;
  event.marks.clear();
}

Result<std::unique_ptr<hexin_event_t>>
hexin_device_t::submit(const hexin_submission &submission, uint32_t &failed) {
  CurrentContext current(api_, context_);
  HEXIN_RETURN_IF_ERROR(usable(current));
  auto event = std::make_unique<hexin_event_t>();
  event->commandNs = profiles_ ? submission.command_ns : nullptr;
  event->submittedNs = steadyNs();
  for (uint32_t i = 0; i < submission.command_count; ++i)
    if (const hexin_command_t &command = *submission.commands[i]; !command.isEmpty()) {
      if (event->firstKernel.empty())
        event->firstKernel = command.name();
      event->onlyCommand = event->lastKernel.empty() ? i + 1 : 0;
      event->lastKernel = command.name();
    }
  std::lock_guard lock(submitMutex_);
  Status status = enqueue(submission, *event, failed);
  if (status.ok())
    return event;
  api_.cuStreamSynchronize(stream_); // nothing of it may run on behind the caller's back
  giveBack(*event);
  return note(status);
}

/// Begin and end of each command on the steady clock; the device's work is taken to
/// begin when it was submitted.
Status hexin_device_t::readTimes(const hexin_event_t &event) const {
  uint64_t last = event.submittedNs;
  for (size_t i = 0; i + 1 < event.marks.size(); ++i) {
    float milliseconds = 0;
    if (CUresult code = api_.cuEventElapsedTime(&milliseconds, event.marks.front(),
                                                event.marks[i + 1]))
      return cudaStatus(code, what_ + ": reading times");
    event.commandNs[2 * i] = last;
    last = std::max(last, event.submittedNs +
                              static_cast<uint64_t>(std::max(milliseconds, 0.f) * 1e6));
    event.commandNs[2 * i + 1] = last;
  }
  return Status::success();
}

static std::string kernelsOf(const hexin_event_t &event) {
  if (event.firstKernel == event.lastKernel)
    return "kernel '" + event.firstKernel + "'";
  return "kernels '" + event.firstKernel + "' to '" + event.lastKernel +
         "' (HEXIN_CUDA_CHECK=1 finds which)";
}

Status hexin_device_t::wait(hexin_event_t &event) {
  CurrentContext current(api_, context_);
  Status status = usable(current);
  if (status.ok())
    if (CUresult code = api_.cuEventSynchronize(event.done))
      status = note(cudaStatus(code, what_ + ": running " + kernelsOf(event)));
  if (status.ok() && event.commandNs)
    status = note(readTimes(event));
  giveBack(event);
  return status;
}
