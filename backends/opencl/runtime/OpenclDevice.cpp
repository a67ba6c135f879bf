#include "backends/opencl/runtime/OpenclDevice.h"
#include "backends/opencl/abi/OpenclText.h"
#include "backends/opencl/runtime/ClError.h"
#include "runtime/base/CacheDir.h"

#include <chrono>
#include <string_view>

using namespace hexin;
using namespace hexin::opencl;

static uint64_t steadyNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

// -- Open -------------------------------------------------------------------------

hexin_device_t::hexin_device_t(const ClApi &api, const ClDevice &device, FileCache cache)
    : api_(api), device_(device),
      what_("opencl:" + std::to_string(device.info.index) + " (" + device.name + ")"),
      cache_(std::move(cache)) {}

Result<std::unique_ptr<hexin_device_t>>
hexin_device_t::open(uint32_t index, const hexin_device_options &options) {
  const DeviceList &list = DeviceList::get();
  if (index >= list.devices.size())
    return notFound("no device opencl:" + std::to_string(index) + "; there are " +
                    std::to_string(list.devices.size()) +
                    (list.reason.empty() ? "" : ": " + list.reason));
  const ClDevice &device = list.devices[index];
  std::filesystem::path folder;
  if (options.cache_dir && *options.cache_dir)
    folder = std::filesystem::path(options.cache_dir) / cache_folder::opencl;
  std::unique_ptr<hexin_device_t> opened(
      new hexin_device_t(*ClApi::get(), device, FileCache(std::move(folder))));
  if (!device.unusable.empty())
    return unavailable(opened->what_ + " cannot run kernels: " + device.unusable);

  const ClApi &api = opened->api_;
  cl_context_properties properties[] = {
      CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(device.platform), 0};
  cl_int code = CL_SUCCESS;
  opened->context_ = ClContext(
      api, api.clCreateContext(properties, 1, &device.id, nullptr, nullptr, &code));
  if (code != CL_SUCCESS)
    return clStatus(code, opened->what_ + ": creating a context");
  opened->builder_.emplace(Program::Origin{api, device, opened->context_.get(),
                                           opened->cache_, opened->what_});
  opened->profiles_ = options.profile != 0;
  opened->queue_ = ClQueue(
      api,
      api.clCreateCommandQueue(opened->context_.get(), device.id,
                               opened->profiles_ ? CL_QUEUE_PROFILING_ENABLE : 0, &code));
  if (code != CL_SUCCESS)
    return clStatus(code, opened->what_ + ": creating a queue");
  return opened;
}

hexin_device_t::~hexin_device_t() {
  if (queue_)
    api_.clFinish(queue_.get());
}

uint64_t hexin_device_t::counter(const char *name) const {
  std::string_view asked = name ? name : "";
  if (asked == "kernels_compiled")
    return builder_->counts().built;
  if (asked == "kernels_cached")
    return builder_->counts().cached;
  return 0;
}

// -- Kernels ----------------------------------------------------------------------

Result<std::unique_ptr<hexin_module_t>> hexin_device_t::load(const hexin_image &image) {
  std::string arch = image.arch ? image.arch : "";
  if (arch != openclImageArch)
    return unsupported(what_ + " cannot load an image for '" + arch + "'; it takes " +
                       std::string(openclImageArch));
  if (!image.data || image.size == 0)
    return corruptData(what_ + ": the image is empty");
  std::string_view source(static_cast<const char *>(image.data), image.size);
  return std::make_unique<hexin_module_t>(*builder_, std::string(source));
}

Result<std::unique_ptr<hexin_command_t>>
hexin_device_t::prepare(const hexin_command_desc &desc) {
  HEXIN_ASSIGN_OR_RETURN(auto command,
                         hexin_command_t::prepare(api_, device_, desc, what_));
  if (command->isEmpty())
    return command;
  HEXIN_ASSIGN_OR_RETURN(auto program, desc.module->program());
  if (program->claimWarmUp(command->launchForm()))
    warmUp(*program, *command);
  return command;
}

/// A failure here is not one: the launch itself will report it.
void hexin_device_t::warmUp(Program &program, hexin_command_t &command) {
  constexpr uint64_t compiledNs = 5'000'000; // a plain launch takes far less
  uint64_t begin = steadyNs();
  cl_event done = nullptr;
  if (!command.enqueueEmpty(queue_.get(), &done).ok() || !done)
    return;
  ClEvent owned(api_, done);
  api_.clWaitForEvents(1, &done);
  if (steadyNs() - begin > compiledNs)
    program.noteCompiled();
}

Status hexin_device_t::enqueueCommands(const hexin_submission &submission,
                                       hexin_event_t &event) {
  for (uint32_t i = 0; i < submission.slot_count; ++i)
    HEXIN_RETURN_IF_ERROR(unmapForDevice(submission.slots[i].buffer));
  uint32_t lastBusy = submission.command_count;
  for (uint32_t i = 0; i < submission.command_count; ++i)
    if (!submission.commands[i]->isEmpty())
      lastBusy = i;
  for (uint32_t i = 0; i < submission.command_count; ++i) {
    hexin_command_t &command = *submission.commands[i];
    cl_event done = nullptr;
    if (!command.isEmpty()) {
      HEXIN_RETURN_IF_ERROR(command.bind(submission));
      bool needsEvent = profiles_ || (i == lastBusy && unmapped_.empty());
      HEXIN_RETURN_IF_ERROR(command.enqueue(queue_.get(), needsEvent ? &done : nullptr));
      if (event.firstKernel.empty())
        event.firstKernel = command.name();
    }
    if (i == lastBusy)
      event.lastKernel = command.name();
    if (profiles_)
      event.perCommand.emplace_back(api_, done);
    else if (done)
      event.last = ClEvent(api_, done);
  }
  return Status::success();
}

Result<std::unique_ptr<hexin_event_t>>
hexin_device_t::submit(const hexin_submission &submission) {
  auto event = std::make_unique<hexin_event_t>();
  event->commandNs = profiles_ ? submission.command_ns : nullptr;
  std::lock_guard lock(queueMutex_);
  event->submittedNs = steadyNs();
  Status status = enqueueCommands(submission, *event);
  cl_event remapped = nullptr;
  Status mapped = remap(&remapped);
  if (remapped)
    event->last = ClEvent(api_, remapped);
  if (status.ok())
    status = mapped;
  if (!status.ok()) {
    api_.clFinish(queue_.get()); // nothing of it may run on behind the caller's back
    return status;
  }
  cl_int code = api_.clFlush(queue_.get());
  if (code != CL_SUCCESS)
    return clStatus(code, what_ + ": handing work to the device");
  return event;
}

/// Begin and end of each command on the steady clock. A command without items
/// ends where the one before it ended.
static void readTimes(const ClApi &api, hexin_event_t &event) {
  auto timeOf = [&](const ClEvent &of, cl_profiling_info what) {
    cl_ulong ns = 0;
    api.clGetEventProfilingInfo(of.get(), what, sizeof ns, &ns, nullptr);
    return uint64_t(ns);
  };
  uint64_t end = event.submittedNs, shift = 0;
  bool isFirst = true;
  for (size_t i = 0; i < event.perCommand.size(); ++i) {
    const ClEvent &done = event.perCommand[i];
    uint64_t begin = end;
    if (done) {
      if (isFirst) // the device has a clock of its own
        shift = event.submittedNs - timeOf(done, CL_PROFILING_COMMAND_QUEUED);
      isFirst = false;
      begin = timeOf(done, CL_PROFILING_COMMAND_START) + shift;
      end = timeOf(done, CL_PROFILING_COMMAND_END) + shift;
    }
    event.commandNs[2 * i] = begin;
    event.commandNs[2 * i + 1] = end;
  }
}

Status hexin_device_t::wait(hexin_event_t &event) {
  cl_event last = event.last.get();
  if (!last)
    for (const ClEvent &done : event.perCommand)
      last = done ? done.get() : last;
  if (last) {
    cl_int code = api_.clWaitForEvents(1, &last);
    cl_int state = CL_COMPLETE;
    if (code == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST &&
        api_.clGetEventInfo(last, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state,
                            nullptr) == CL_SUCCESS &&
        state < 0)
      code = state;
    if (code != CL_SUCCESS)
      return clStatus(code, what_ + ": running kernels '" + event.firstKernel + "' to '" +
                                event.lastKernel + "'");
  }
  if (event.commandNs)
    readTimes(api_, event);
  return Status::success();
}
