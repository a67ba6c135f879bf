//===- Report.cpp - counters, live objects and the trace -----------------------------===//
#include "tests/cuda_driver/driver/Driver.h"

#include <cstring>

using namespace standin;

namespace {

size_t copyText(const std::string &text, char *out, size_t capacity) {
  if (out && capacity) {
    size_t bytes = std::min(text.size(), capacity - 1);
    std::memcpy(out, text.data(), bytes);
    out[bytes] = 0;
  }
  return text.size();
}

} // namespace

void Driver::setError(std::string text) { lastError = std::move(text); }

void Driver::trace(const std::string &line) {
  if (config.traceFile.empty())
    return;
  if (config.traceFile == "-") {
    std::fprintf(stderr, "cuda stand-in: %s\n", line.c_str());
  } else if (std::FILE *file = std::fopen(config.traceFile.c_str(), "a")) {
    std::fprintf(file, "%s\n", line.c_str());
    std::fclose(file);
  }
}

std::vector<std::string> Driver::leaks() const {
  std::vector<std::string> found = lostObjects;
  auto count = [&](size_t live, const char *what) {
    if (live)
      found.push_back(std::to_string(live) + " " + what + " not given back");
  };
  for (const std::unique_ptr<Device> &device : devices) {
    std::string where = " of device " + std::to_string(device->ordinal);
    if (!device->primary)
      continue;
    found.push_back("the context" + where + ", retained " +
                    std::to_string(device->retains) + " times");
    for (const auto &[address, allocation] : device->primary->allocations)
      found.push_back("allocation " + std::to_string(allocation.serial) + where + ", " +
                      std::to_string(allocation.bytes) + " bytes");
  }
  for (const auto &[address, range] : pinned)
    found.push_back(std::to_string(range.bytes) + " bytes of " +
                    (range.owned ? "page-locked" : "registered") + " host memory");
  count(streams.size(), "streams");
  count(events.size(), "events");
  count(modules.size(), "modules");
  count(graphs.size(), "graphs");
  count(graphExecs.size(), "executable graphs");
  return found;
}

StandinCounters Driver::counters() const {
  StandinCounters sum = counted;
  sum.leaks = uint32_t(leaks().size());
  sum.launches = executed.launches;
  sum.warpInstructions = executed.warpInstructions;
  sum.threadInstructions = executed.threadInstructions;
  sum.globalSectors = executed.globalSectors;
  sum.idealGlobalSectors = executed.idealGlobalSectors;
  sum.sharedWavefronts = executed.sharedWavefronts;
  sum.idealSharedWavefronts = executed.idealSharedWavefronts;
  sum.fma = executed.fma;
  sum.mma = executed.mma;
  for (const std::unique_ptr<Device> &device : devices)
    sum.peakDeviceBytes = std::max(sum.peakDeviceBytes, device->peakBytes);
  return sum;
}

std::string Driver::report() const {
  StandinCounters sum = counters();
  std::string text;
  auto line = [&](const char *what, uint64_t value) {
    text += std::string(what) + " " + std::to_string(value) + "\n";
  };
  line("launches", sum.launches);
  line("graph launches", sum.graphLaunches);
  line("synchronisations", sum.synchronisations);
  line("allocations", sum.allocations);
  line("peak device bytes", sum.peakDeviceBytes);
  line("host to device bytes", sum.hostToDeviceBytes);
  line("device to host bytes", sum.deviceToHostBytes);
  line("device to device bytes", sum.deviceToDeviceBytes);
  line("warp instructions", sum.warpInstructions);
  line("thread instructions", sum.threadInstructions);
  line("global sectors", sum.globalSectors);
  line("ideal global sectors", sum.idealGlobalSectors);
  line("shared wavefronts", sum.sharedWavefronts);
  line("ideal shared wavefronts", sum.idealSharedWavefronts);
  line("fma", sum.fma);
  line("mma", sum.mma);
  line("faults", sum.faults);
  line("peer accesses", sum.peerAccesses);
  for (const auto &[name, kernel] : kernels)
    text += "kernel " + name + ": " + std::to_string(kernel.launches) + " launches, " +
            std::to_string(kernel.warpInstructions) + " warp instructions\n";
  for (const std::string &leak : leaks())
    text += "leak: " + leak + "\n";
  return text;
}

extern "C" void standinCounters(StandinCounters *out) {
  if (!out)
    return;
  Driver &current = driver();
  Lock lock(current.mutex);
  StandinCounters sum = current.counters();
  uint32_t size = std::min<uint32_t>(out->structSize, sizeof sum);
  sum.structSize = out->structSize;
  std::memcpy(out, &sum, size);
}

extern "C" size_t standinReport(char *text, size_t capacity) {
  Driver &current = driver();
  Lock lock(current.mutex);
  return copyText(current.report(), text, capacity);
}

extern "C" size_t standinLastError(char *text, size_t capacity) {
  Driver &current = driver();
  Lock lock(current.mutex);
  return copyText(current.lastError, text, capacity);
}
