#include "tests/runtime/FakeDevice.h"

#include "runtime/device/BackendRegistry.h"
#include "runtime/device/KernelAbi.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

using hexin::StatusCode;

// ---- Kernels ------------------------------------------------------------------
namespace {

void addF32(void *const *b, const int64_t *, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    static_cast<float *>(b[2])[i] =
        static_cast<const float *>(b[0])[i] + static_cast<const float *>(b[1])[i];
}

/// params: items, factor
void scaleF32(void *const *b, const int64_t *params, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    static_cast<float *>(b[1])[i] =
        static_cast<const float *>(b[0])[i] * static_cast<float>(params[1]);
}

/// Like scale, but through a scratch buffer as large as the data.
void scaleByScratch(void *const *b, const int64_t *params, int64_t begin, int64_t end) {
  void *toScratch[] = {b[0], b[2]};
  scaleF32(toScratch, params, begin, end);
  std::memcpy(static_cast<float *>(b[1]) + begin, static_cast<float *>(b[2]) + begin,
              static_cast<size_t>(end - begin) * 4);
}

void incrementF32(void *const *b, const int64_t *, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i)
    static_cast<float *>(b[0])[i] += 1;
}

/// src, count: how many of params[0] elements are above zero
void countPositive(void *const *b, const int64_t *params, int64_t, int64_t) {
  int64_t count = 0;
  for (int64_t i = 0; i < params[0]; ++i)
    count += static_cast<const float *>(b[0])[i] > 0;
  *static_cast<int64_t *>(b[1]) = count;
}

/// src, dst: those of params[0] elements that are above zero
void compactPositive(void *const *b, const int64_t *params, int64_t, int64_t) {
  auto *dst = static_cast<float *>(b[1]);
  for (int64_t i = 0; i < params[0]; ++i)
    if (float value = static_cast<const float *>(b[0])[i]; value > 0)
      *dst++ = value;
}

/// src, dst, faults: copies, and reports each of the items that is below zero as an
/// index into params[1] elements
void copyNotNegative(void *const *b, const int64_t *params, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    float value = static_cast<const float *>(b[0])[i];
    static_cast<float *>(b[1])[i] = value;
    if (value < 0) {
      static_cast<int64_t *>(b[2])[0] = params[1] + 1;
      static_cast<int64_t *>(b[2])[1] = static_cast<int64_t>(value);
    }
  }
}

/// What a launch says of itself, for its kernel to find out whether it would leave its
/// memory: footprints and items that lie would make real code run wild.
struct LaunchView {
  void *const *bindings;
  const uint64_t *lengths;
  uint32_t bindingCount;
  const int64_t *params;
  uint32_t paramCount;
  int64_t items;

  bool has(uint32_t binding, int64_t elements, uint64_t width) const {
    return elements <= 0 || static_cast<uint64_t>(elements) <= lengths[binding] / width;
  }
};

struct Kernel {
  hexin::CpuKernelFn fn;
  uint32_t bindings, params;
  bool (*staysInside)(const LaunchView &);
};

bool itemsFit(const LaunchView &launch) {
  for (uint32_t i = 0; i < launch.bindingCount; ++i)
    if (!launch.has(i, launch.items, 4))
      return false;
  return true;
}

bool countFits(const LaunchView &launch) {
  return launch.has(0, launch.params[0], 4) && launch.has(1, 1, 8);
}

bool compactFits(const LaunchView &launch) {
  if (!launch.has(0, launch.params[0], 4))
    return false;
  int64_t positive = 0;
  for (int64_t i = 0; i < launch.params[0]; ++i)
    positive += static_cast<const float *>(launch.bindings[0])[i] > 0;
  return launch.has(1, positive, 4);
}

bool copyFits(const LaunchView &launch) {
  return launch.has(0, launch.items, 4) && launch.has(1, launch.items, 4) &&
         launch.has(2, 2, 8);
}

const std::map<std::string_view, Kernel> kernels = {
    {"add", {addF32, 3, 0, itemsFit}},
    {"scale", {scaleF32, 2, 2, itemsFit}},
    {"scale_by_scratch", {scaleByScratch, 3, 2, itemsFit}},
    {"increment", {incrementF32, 1, 0, itemsFit}},
    {"count_positive", {countPositive, 2, 1, countFits}},
    {"compact_positive", {compactPositive, 2, 1, compactFits}},
    {"copy_not_negative", {copyNotNegative, 3, 2, copyFits}},
};

std::atomic<uint64_t> buffersAlive, commandsAlive, devicesAlive, allocations, wraps,
    copies, failing, streamWaits;

uint64_t nowNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

uint32_t fail(hexin_error *error, StatusCode code, const std::string &message) {
  std::snprintf(error->message, sizeof error->message, "%s", message.c_str());
  return error->code = static_cast<uint32_t>(code);
}

} // namespace

// ---- Objects --------------------------------------------------------------------
struct hexin_buffer_t {
  std::byte *data;
  uint64_t bytes;
  bool isOwned;
};

struct hexin_module_t {
  std::string text;
};

struct hexin_command_t {
  const Kernel *kernel;
  std::vector<hexin_binding> bindings;
  std::vector<int64_t> params;
  int64_t items;
};

struct hexin_event_t {
  uint64_t sequence;
};

struct hexin_device_t {
  struct Work {
    uint64_t sequence;
    std::vector<hexin_command *> commands;
    std::vector<hexin_slot> slots;
    uint64_t *times;
  };
  std::mutex mutex;
  std::deque<Work> queue;
  uint64_t lastSequence = 0;
  std::map<uint64_t, std::string> failures;
};

namespace {

std::string runCommand(const hexin_command &command,
                       const std::vector<hexin_slot> &slots) {
  std::vector<void *> pointers;
  std::array<uint64_t, 8> lengths; // no kernel has more bindings
  if (command.bindings.size() > lengths.size())
    return "a launch has too many bindings";
  for (const hexin_binding &binding : command.bindings) {
    if (binding.slot >= slots.size() || !slots[binding.slot].buffer)
      return "slot " + std::to_string(binding.slot) + " is empty";
    const hexin_slot &slot = slots[binding.slot];
    uint64_t offset = slot.offset + binding.offset;
    if (offset > slot.buffer->bytes || binding.length > slot.buffer->bytes - offset)
      return "a binding lies outside its buffer";
    pointers.push_back(slot.buffer->data + offset);
    lengths[pointers.size() - 1] = binding.length;
  }
  LaunchView view{pointers.data(),
                  lengths.data(),
                  static_cast<uint32_t>(pointers.size()),
                  command.params.data(),
                  static_cast<uint32_t>(command.params.size()),
                  command.items};
  const Kernel &kernel = *command.kernel;
  if (view.bindingCount < kernel.bindings || view.paramCount < kernel.params ||
      !kernel.staysInside(view))
    return "a kernel would leave its memory";
  int64_t half = command.items / 2; // as two threads would
  kernel.fn(pointers.data(), command.params.data(), half, command.items);
  kernel.fn(pointers.data(), command.params.data(), 0, half);
  return {};
}

/// Runs what was put off; device->mutex held.
void runQueue(hexin_device *device, uint64_t upTo = UINT64_MAX) {
  while (!device->queue.empty() && device->queue.front().sequence <= upTo) {
    hexin_device_t::Work &work = device->queue.front();
    std::string failure;
    if (failing.load() > 0) {
      --failing;
      failure = "the fake device was told to fail";
    }
    for (size_t i = 0; i < work.commands.size() && failure.empty(); ++i) {
      if (work.times)
        work.times[2 * i] = nowNs();
      failure = runCommand(*work.commands[i], work.slots);
      if (work.times)
        work.times[2 * i + 1] = nowNs();
    }
    if (!failure.empty())
      device->failures[work.sequence] = failure;
    device->queue.pop_front();
  }
}

uint32_t enumerateOne(uint32_t *count, hexin_device_info *infos, uint32_t flags) {
  if (infos && *count > 0) {
    uint32_t size = infos->struct_size;
    *infos = {};
    infos->struct_size = size;
    std::snprintf(infos->name, sizeof infos->name, "fake");
    std::snprintf(infos->driver, sizeof infos->driver, "fake 1");
    std::snprintf(infos->image_archs, sizeof infos->image_archs, "fake-v2;fake-v1");
    infos->memory_bytes = 1 << 30;
    infos->max_buffer_bytes = 1 << 20;
    infos->base_alignment = 64;
    infos->compute_units = 2;
    infos->flags = flags;
  }
  *count = 1;
  return 0;
}

uint32_t enumerateNear(uint32_t *count, hexin_device_info *infos, hexin_error *) {
  return enumerateOne(count, infos, HEXIN_DEVICE_HOST_MEMORY);
}

uint32_t enumerateFar(uint32_t *count, hexin_device_info *infos, hexin_error *) {
  return enumerateOne(count, infos, 0);
}

uint32_t openDevice(uint32_t, const hexin_device_options *, hexin_device **out,
                    hexin_error *) {
  *out = new hexin_device_t;
  ++devicesAlive;
  return 0;
}

void closeDevice(hexin_device *device) {
  delete device;
  --devicesAlive;
}

uint32_t allocate(hexin_device *, uint64_t bytes, hexin_buffer **out,
                  hexin_error *error) {
  if (bytes > (1 << 20))
    return fail(error, StatusCode::resourceExhausted, "larger than a buffer may be");
  auto *data = static_cast<std::byte *>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  std::memset(data, 0xCD, bytes);
  *out = new hexin_buffer_t{data, bytes, true};
  ++buffersAlive;
  ++allocations;
  return 0;
}

void releaseBuffer(hexin_device *, hexin_buffer *buffer) {
  if (buffer->isOwned)
    std::free(buffer->data);
  delete buffer;
  --buffersAlive;
}

uint32_t copyBytes(hexin_device *device, const hexin_copy *copy, hexin_error *error) {
  std::lock_guard lock(device->mutex);
  runQueue(device);
  ++copies;
  for (const hexin_buffer *buffer : {copy->src, copy->dst}) {
    uint64_t offset = buffer == copy->src ? copy->src_offset : copy->dst_offset;
    if (buffer && offset + copy->length > buffer->bytes)
      return fail(error, StatusCode::internal, "a copy outside its buffer");
  }
  const void *src = copy->src ? copy->src->data + copy->src_offset : copy->src_pointer;
  void *dst = copy->dst ? copy->dst->data + copy->dst_offset : copy->dst_pointer;
  std::memmove(dst, src, copy->length);
  return 0;
}

uint32_t loadImage(hexin_device *, const hexin_image *image, hexin_module **out,
                   hexin_error *) {
  *out = new hexin_module_t{
      std::string(static_cast<const char *>(image->data), image->size)};
  return 0;
}

void unloadModule(hexin_device *, hexin_module *module) { delete module; }

uint32_t prepareCommand(hexin_device *, const hexin_command_desc *desc,
                        hexin_command **out, hexin_error *error) {
  if (desc->kind == HEXIN_COMMAND_LIBRARY)
    return fail(error, StatusCode::unsupported, "there is no library here");
  auto kernel = kernels.find(desc->name);
  if (kernel == kernels.end() || !desc->module)
    return fail(error, StatusCode::notFound, std::string("no kernel ") + desc->name);
  *out = new hexin_command_t{&kernel->second,
                             {desc->bindings, desc->bindings + desc->binding_count},
                             {desc->params, desc->params + desc->param_count},
                             desc->items};
  ++commandsAlive;
  return 0;
}

void discardCommand(hexin_device *, hexin_command *command) {
  delete command;
  --commandsAlive;
}

uint32_t submitWork(hexin_device *device, const hexin_submission *submission,
                    hexin_event **out, hexin_error *) {
  std::lock_guard lock(device->mutex);
  uint64_t sequence = ++device->lastSequence;
  device->queue.push_back(
      {sequence,
       {submission->commands, submission->commands + submission->command_count},
       {submission->slots, submission->slots + submission->slot_count},
       submission->command_ns});
  *out = new hexin_event_t{sequence};
  return 0;
}

uint32_t waitEvent(hexin_device *device, hexin_event *event, hexin_error *error) {
  uint64_t sequence = event->sequence;
  delete event;
  std::lock_guard lock(device->mutex);
  runQueue(device, sequence);
  auto failure = device->failures.find(sequence);
  if (failure == device->failures.end())
    return 0;
  std::string message = failure->second;
  device->failures.erase(failure);
  return fail(error, StatusCode::deviceLost, message);
}

void *hostPointer(hexin_device *, hexin_buffer *buffer) { return buffer->data; }

uint32_t wrapHost(hexin_device *, void *pointer, uint64_t bytes, hexin_buffer **out,
                  hexin_error *) {
  *out = new hexin_buffer_t{static_cast<std::byte *>(pointer), bytes, false};
  ++buffersAlive;
  ++wraps;
  return 0;
}

/// Addresses of the far device: the host's, moved so that nobody can use them there.
constexpr uint64_t farBase = uint64_t(1) << 62;

uint32_t wrapDevice(hexin_device *, uint64_t address, uint64_t bytes, hexin_buffer **out,
                    hexin_error *error) {
  if (address < farBase)
    return fail(error, StatusCode::invalidArgument, "no memory of this device");
  *out =
      new hexin_buffer_t{reinterpret_cast<std::byte *>(address - farBase), bytes, false};
  ++buffersAlive;
  ++wraps;
  return 0;
}

uint64_t deviceAddress(hexin_device *, hexin_buffer *buffer) {
  return reinterpret_cast<uint64_t>(buffer->data) + farBase;
}

uint32_t waitStream(hexin_device *, uint64_t stream, hexin_error *error) {
  if (stream == 0)
    return fail(error, StatusCode::invalidArgument, "no live stream");
  ++streamWaits;
  return 0;
}

hexin_device_api makeApi(const char *backend) {
  hexin_device_api api{};
  api.struct_size = sizeof api;
  api.abi_major = HEXIN_DEVICE_ABI_MAJOR;
  api.abi_minor = HEXIN_DEVICE_ABI_MINOR;
  api.backend = backend;
  api.enumerate = std::string_view(backend) == "near" ? enumerateNear : enumerateFar;
  api.open = openDevice;
  api.close = closeDevice;
  api.allocate = allocate;
  api.release = releaseBuffer;
  api.copy = copyBytes;
  api.load = loadImage;
  api.unload = unloadModule;
  api.prepare = prepareCommand;
  api.discard = discardCommand;
  api.submit = submitWork;
  api.wait = waitEvent;
  if (api.enumerate == enumerateNear) {
    api.host_pointer = hostPointer;
    api.wrap_host = wrapHost;
  } else {
    api.wrap_device = wrapDevice;
    api.device_address = deviceAddress;
    api.wait_stream = waitStream;
  }
  return api;
}

} // namespace

namespace hexin::test {

const hexin_device_api *nearApi() {
  static const hexin_device_api api = makeApi("near");
  return &api;
}

void registerFakeDevices() {
  static const hexin_device_api farApi = makeApi("far");
  static bool isDone = [] {
    return BackendRegistry::instance().add("near", nearApi()).ok() &&
           BackendRegistry::instance().add("far", &farApi).ok();
  }();
  static_cast<void>(isDone);
}

FakeCounters fakeCounters() {
  return {buffersAlive, commandsAlive, devicesAlive, allocations,
          wraps,        copies,        streamWaits};
}

void failSubmissions(uint64_t count) { failing = count; }

} // namespace hexin::test
