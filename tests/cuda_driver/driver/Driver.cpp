//===- Driver.cpp - devices and their primary contexts -------------------------------===//
#include "tests/cuda_driver/driver/Driver.h"

#include "tests/cuda_driver/driver/Call.h"

#include <cstdio>
#include <cstdlib>

using namespace standin;

namespace {

std::atomic<uint64_t> nextGeneration{1};

/// Never destroyed by the language: threads may call until the very end.
std::atomic<Driver *> instance{nullptr};
std::mutex instanceMutex;

/// Runs behind all destructors of the process, so that what those give back is no leak.
__attribute__((destructor)) void reportAtExit() {
  Driver *driver = instance.load();
  if (!driver || !driver->isInitialised)
    return;
  const Config &config = driver->config;
  std::vector<std::string> leaks = driver->leaks();
  if (!config.reportFile.empty()) {
    std::FILE *file =
        config.reportFile == "-" ? stderr : std::fopen(config.reportFile.c_str(), "a");
    if (file) {
      std::fputs(driver->report().c_str(), file);
      if (file != stderr)
        std::fclose(file);
    }
  }
  if (config.leaks == Leaks::ignore || leaks.empty())
    return;
  for (const std::string &leak : leaks)
    std::fprintf(stderr, "cuda stand-in: leak: %s\n", leak.c_str());
  if (config.leaks == Leaks::fail)
    std::_Exit(86);
}

} // namespace

Driver &standin::driver() {
  if (Driver *driver = instance.load())
    return *driver;
  std::lock_guard lock(instanceMutex);
  if (!instance.load())
    instance.store(new Driver(configFromEnvironment()));
  return *instance.load();
}

extern "C" void standinReset(void) {
  Driver &old = driver();
  Config config = old.config;
  for (Nth *nth :
       {&config.failAllocation, &config.failModule, &config.refuseLaunch,
        &config.faultLaunch, &config.loseDevice, &config.loseLaunch, &config.ignoreWait})
    nth->seen = 0;
  std::lock_guard lock(instanceMutex);
  instance.store(new Driver(std::move(config)));
  delete &old;
}

extern "C" int standinSet(const char *name, const char *value) {
  if (!name)
    return 0;
  Driver &current = driver();
  Lock lock(current.mutex);
  return setSwitch(current.config, name, value ? value : "");
}

Driver::Driver(Config config)
    : generation(nextGeneration++), config(std::move(config)),
      random_(this->config.seed) {
  for (const Profile *profile : this->config.devices) {
    auto device =
        std::make_unique<Device>(int(devices.size()), *profile, this->config.memoryBytes);
    // The table must not own the device.
    device->pool = pools.add(std::shared_ptr<Device>(device.get(), [](Device *) {}));
    devices.push_back(std::move(device));
  }
}

Driver::~Driver() {
  // A long chain of waits would otherwise be freed recursively.
  for (const std::shared_ptr<Work> &work : pending_)
    work->waitsFor.clear();
}

Device *Driver::device(int ordinal) {
  bool isThere = ordinal >= 0 && size_t(ordinal) < devices.size();
  return isThere ? devices[size_t(ordinal)].get() : nullptr;
}

Device *Driver::deviceOf(uint64_t address) {
  for (const std::unique_ptr<Device> &device : devices)
    if (device->memory.find(address))
      return device.get();
  return nullptr;
}

std::map<uint64_t, PinnedRange>::iterator Driver::pinnedAt(uint64_t address,
                                                           uint64_t bytes) {
  auto after = pinned.upper_bound(address);
  if (after == pinned.begin())
    return pinned.end();
  auto range = std::prev(after);
  uint64_t offset = address - range->first;
  bool isInside = offset < range->second.bytes && bytes <= range->second.bytes - offset;
  return isInside ? range : pinned.end();
}

void Driver::destroyContext(Lock &lock, Device &device) {
  std::shared_ptr<Context> context = device.primary;
  while (completeAll(lock, *context))
    ; // the lock was let go: others may have queued more
  auto isOurs = [&](const auto &object) { return object.context == context.get(); };

  std::vector<std::shared_ptr<Capture>> open = captures;
  for (const std::shared_ptr<Capture> &capture : open)
    if (isOurs(*capture->origin))
      endCapture(*capture);

  size_t allocations = context->allocations.size();
  for (const auto &[address, allocation] : context->allocations)
    device.memory.release(address);
  size_t functionsGone = functions.removeIf(
      [&](const Function &function) { return function.context() == context.get(); });
  (void)functionsGone; // they go with their modules
  size_t modulesGone = modules.removeIf([&](const LoadedModule &module) {
    if (!isOurs(module))
      return false;
    for (const auto &[name, address] : module.globals)
      device.memory.release(address);
    return true;
  });
  for (auto [what, count] : {std::pair<const char *, size_t>{"allocations", allocations},
                             {"modules", modulesGone},
                             {"streams", streams.removeIf(isOurs)},
                             {"events", events.removeIf(isOurs)},
                             {"executable graphs", graphExecs.removeIf(isOurs)}})
    if (count)
      lostObjects.push_back(std::to_string(count) + " " + what +
                            " were live when the context of device " +
                            std::to_string(device.ordinal) + " was destroyed");
  contexts.remove(context->handle);
  device.primary = nullptr;
  device.retains = 0;
}

extern "C" void *standinHostAddress(uint64_t address, size_t bytes) {
  Driver &current = driver();
  Lock lock(current.mutex);
  for (const std::unique_ptr<Device> &device : current.devices)
    if (std::byte *host = device->memory.at(address, bytes))
      return host;
  return nullptr;
}
