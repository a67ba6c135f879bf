//===- Perform.cpp - carries out one action ------------------------------------------===//
#include "tests/cuda_driver/driver/Driver.h"

#include <cstring>

using namespace standin;

namespace {

/// Lets the lock go for a while.
struct Unlocked {
  explicit Unlocked(Lock &lock) : lock(lock) { lock.unlock(); }
  ~Unlocked() { lock.lock(); }
  Lock &lock;
};

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
  return text;
}

std::byte *resolve(const Place &place, uint64_t bytes) {
  return place.device ? place.device->memory.at(place.address, bytes)
                      : reinterpret_cast<std::byte *>(place.address);
}

Fault goneFault(const char *what, const Place &place, uint64_t bytes) {
  return {CUDA_ERROR_ILLEGAL_ADDRESS, std::string(what) + " of " + std::to_string(bytes) +
                                          " bytes at " + hex(place.address) +
                                          ": no allocation holds them (any more)"};
}

std::string dims(const std::array<uint32_t, 3> &d) {
  return std::to_string(d[0]) + "x" + std::to_string(d[1]) + "x" + std::to_string(d[2]);
}

void add(Counters &sum, const Counters &more) {
  sum.launches += more.launches;
  sum.warpInstructions += more.warpInstructions;
  sum.threadInstructions += more.threadInstructions;
  sum.globalSectors += more.globalSectors;
  sum.idealGlobalSectors += more.idealGlobalSectors;
  sum.sharedWavefronts += more.sharedWavefronts;
  sum.idealSharedWavefronts += more.idealSharedWavefronts;
  sum.fma += more.fma;
  sum.mma += more.mma;
}

} // namespace

std::optional<Fault> Driver::launch(Lock &lock, Context &context,
                                    const KernelAction &action) {
  const Function &function = *action.function;
  const std::string &name = function.entry->name;
  Device &device = *context.device;
  trace("launch " + name + " grid " + dims(action.grid) + " block " + dims(action.block) +
        " shared " + std::to_string(action.sharedBytes) + " device " +
        std::to_string(device.ordinal));
  bool isLosingDevice =
      unsigned(device.ordinal) == config.loseDeviceOrdinal && config.loseDevice.strikes();
  if (isLosingDevice) {
    device.isLost = true;
    return Fault{CUDA_ERROR_DEVICE_UNAVAILABLE,
                 "the device was lost (LOSE_DEVICE) at kernel '" + name + "'"};
  }
  if (config.faultLaunch.strikes())
    return Fault{CUDA_ERROR_ILLEGAL_ADDRESS, "kernel '" + name + "' died (FAULT_LAUNCH)"};
  if (config.loseLaunch.strikes())
    return std::nullopt;

  Launch launch;
  launch.module = function.module->module.get();
  launch.entry = function.entry;
  launch.globals = &function.module->globals;
  launch.grid = action.grid;
  launch.block = action.block;
  launch.dynamicSharedBytes = action.sharedBytes;
  launch.params = action.params;
  launch.target = device.profile.capability;
  launch.multiprocessors = uint32_t(device.profile.multiprocessors);
  launch.seed = config.seed ? random_() | 1 : 0;
  launch.sabotage = config.sabotage;

  Counters counters;
  std::optional<Fault> fault;
  {
    Unlocked unlocked(lock);
    fault = run(launch, device.memory, counters);
  }
  counters.launches = 1;
  add(executed, counters);
  KernelCount &count = kernels[name];
  ++count.launches;
  count.warpInstructions += counters.warpInstructions;
  return fault;
}

std::optional<Fault> Driver::copy(Lock &lock, const CopyAction &action) {
  if (action.src.device && action.dst.device)
    counted.deviceToDeviceBytes += action.bytes;
  else if (action.dst.device)
    counted.hostToDeviceBytes += action.bytes;
  else if (action.src.device)
    counted.deviceToHostBytes += action.bytes;
  trace(std::string("copy ") + (action.src.device ? "device" : "host") + " to " +
        (action.dst.device ? "device" : "host") + ", " + std::to_string(action.bytes) +
        " bytes");
  Unlocked unlocked(lock);
  const std::byte *src =
      action.staged ? action.staged->data() : resolve(action.src, action.bytes);
  std::byte *dst = resolve(action.dst, action.bytes);
  if (!src || !dst)
    return goneFault("copy", src ? action.dst : action.src, action.bytes);
  std::memmove(dst, src, action.bytes);
  return std::nullopt;
}

std::optional<Fault> Driver::fill(Lock &lock, const FillAction &action) {
  Unlocked unlocked(lock);
  uint64_t bytes = action.count * action.elementBytes;
  std::byte *dst = resolve(action.dst, bytes);
  if (!dst)
    return goneFault("memset", action.dst, bytes);
  if (action.elementBytes == 1)
    std::memset(dst, int(action.value & 0xFF), bytes);
  else
    for (uint64_t i = 0; i < action.count; ++i)
      std::memcpy(dst + i * action.elementBytes, &action.value, action.elementBytes);
  return std::nullopt;
}

std::optional<Fault> Driver::replay(Lock &lock, Context &context,
                                    const std::vector<GraphNode> &nodes) {
  std::vector<bool> isDone(nodes.size());
  std::vector<size_t> ready;
  for (size_t left = nodes.size(); left > 0; --left) {
    ready.clear();
    for (size_t i = 0; i < nodes.size(); ++i) {
      auto done = [&](size_t other) { return isDone[other]; };
      if (!isDone[i] && std::ranges::all_of(nodes[i].dependsOn, done))
        ready.push_back(i);
      if (config.seed == 0 && !ready.empty())
        break;
    }
    size_t next = ready[config.seed ? random_() % ready.size() : 0];
    isDone[next] = true;
    if (std::optional<Fault> fault = perform(lock, context, nodes[next].action))
      return fault;
  }
  return std::nullopt;
}

std::optional<Fault> Driver::perform(Lock &lock, Context &context, const Action &action) {
  if (const auto *kernel = std::get_if<KernelAction>(&action))
    return launch(lock, context, *kernel);
  if (const auto *copying = std::get_if<CopyAction>(&action))
    return copy(lock, *copying);
  if (const auto *filling = std::get_if<FillAction>(&action))
    return fill(lock, *filling);
  if (const auto *host = std::get_if<HostAction>(&action)) {
    trace("host function");
    Unlocked unlocked(lock);
    isInHostFunction = true;
    host->function(host->userData);
    isInHostFunction = false;
  } else if (const auto *poison = std::get_if<PoisonAction>(&action)) {
    if (std::byte *begin = resolve(poison->place, poison->bytes))
      std::memset(begin, DeviceMemory::poison, poison->bytes);
  } else if (const auto *release = std::get_if<ReleaseAction>(&action)) {
    release->place.device->memory.release(release->place.address);
  } else if (const auto *graph = std::get_if<GraphAction>(&action)) {
    trace("graph of " + std::to_string(graph->nodes->size()) + " nodes");
    return replay(lock, context, *graph->nodes);
  }
  return std::nullopt;
}
