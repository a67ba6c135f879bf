//===- Launch.cpp - runs a grid ------------------------------------------------------===//
#include "tests/cuda_driver/simt/Launch.h"

#include "tests/cuda_driver/simt/Warp.h"

#include <algorithm>
#include <new>
#include <numeric>

using namespace standin;

namespace {

/// Calls `visit` with each number below `count`, in the order of `random` when it is
/// given: a walk with a stride that shares no divisor with the count.
template <class Visit>
void inOrder(uint64_t count, std::mt19937_64 *random, Visit visit) {
  uint64_t begin = 0, stride = 1;
  if (random && count > 1) {
    begin = (*random)() % count;
    do
      stride = 1 + (*random)() % (count - 1);
    while (std::gcd(stride, count) != 1);
  }
  uint64_t at = begin;
  for (uint64_t i = 0; i < count; ++i) {
    visit(at);
    at = uint64_t((static_cast<unsigned __int128>(at) + stride) % count);
  }
}

} // namespace

std::optional<Fault> standin::run(const Launch &launch, DeviceMemory &memory,
                                  Counters &counters) {
  const Entry &entry = *launch.entry;
  uint64_t threads = uint64_t(launch.block[0]) * launch.block[1] * launch.block[2];
  if (threads == 0 || threads > 1024 || launch.params.size() < entry.paramBytes)
    return Fault{result::launchFailed, "kernel '" + entry.name + "': no block of " +
                                           std::to_string(threads) +
                                           " threads can run, or parameters are missing"};
  ++counters.launches;
  try {
    Grid grid{launch, *entry.code, memory, counters, {}, std::mt19937_64(launch.seed)};
    grid.lastRange.resize(entry.code->instructions.size());
    Block block(grid);
    const auto &extent = launch.grid;
    inOrder(uint64_t(extent[0]) * extent[1] * extent[2],
            launch.seed ? &grid.random : nullptr, [&](uint64_t number) {
              block.run({uint32_t(number % extent[0]),
                         uint32_t(number / extent[0] % extent[1]),
                         uint32_t(number / extent[0] / extent[1])});
            });
  } catch (Fault &fault) {
    return std::move(fault);
  } catch (std::bad_alloc &) {
    return Fault{result::launchFailed,
                 "kernel '" + entry.name + "': the host has no memory for a block"};
  }
  return std::nullopt;
}
