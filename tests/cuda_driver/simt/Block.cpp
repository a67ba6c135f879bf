//===- Block.cpp - warps that share memory and barriers -----------------------------===//
#include "tests/cuda_driver/simt/Warp.h"

#include <algorithm>
#include <numeric>

using namespace standin;

namespace {
/// A block that takes longer hangs (it spins on what no other lane will write).
constexpr uint64_t maxInstructions = uint64_t(1) << 31;
/// How long a warp runs before another one gets its turn, for those that spin.
constexpr uint64_t longestQuantum = 1 << 16;
} // namespace

Block::Block(Grid &grid) : grid(grid) {
  const Launch &launch = grid.launch;
  uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  shared.resize(launch.dynamicSharedBytes
                    ? size_t(grid.code.dynamicSharedOffset) + launch.dynamicSharedBytes
                    : launch.entry->staticSharedBytes);
  warps.reserve((threads + numLanes - 1) / numLanes);
  for (uint32_t first = 0; first < threads; first += numLanes)
    warps.emplace_back(*this, first / numLanes, std::min(threads - first, numLanes));
}

void Block::run(std::array<uint32_t, 3> at) {
  index = at;
  std::fill(shared.begin(), shared.end(), std::byte(0xFF));
  barriers.fill({});
  const auto &extents = grid.launch.block;
  liveThreads = extents[0] * extents[1] * extents[2];
  instructionsLeft = maxInstructions;
  for (Warp &warp : warps)
    warp.start();
  runWarps();
}

void Block::runWarps() {
  std::vector<size_t> order(warps.size());
  std::iota(order.begin(), order.end(), 0);
  while (liveThreads) {
    bool ran = false;
    if (grid.launch.seed)
      std::shuffle(order.begin(), order.end(), grid.random);
    for (size_t warp : order) {
      // With a seed, warps also change places in the midst of their work.
      uint64_t quantum = longestQuantum;
      if (grid.launch.seed && warps.size() > 1)
        quantum = 64 << grid.random() % 8;
      ran |= warps[warp].run(quantum);
    }
    ran |= releaseBarriers();
    if (!ran)
      reportDeadlock();
  }
}

bool Block::releaseBarriers() {
  bool released = false;
  for (unsigned number = 0; number < barriers.size(); ++number) {
    Barrier &barrier = barriers[number];
    if (!barrier.arrived ||
        barrier.arrived < (barrier.expected ? barrier.expected : liveThreads))
      continue;
    barrier = {};
    released = true;
    for (Warp &warp : warps)
      for (Fragment &fragment : warp.fragments())
        if (fragment.state == Fragment::State::AtBarrier && fragment.barrier == number) {
          fragment.state = Fragment::State::Ready;
          ++fragment.pc;
        }
  }
  return released;
}

void Block::reportDeadlock() {
  std::string text = "kernel '" + grid.launch.entry->name + "', block (" +
                     std::to_string(index[0]) + ", " + std::to_string(index[1]) + ", " +
                     std::to_string(index[2]) + "): deadlock, no thread can go on";
  constexpr size_t shown = 8;
  size_t listed = 0;
  for (const Warp &warp : warps) {
    std::string waiting = warp.describeWaiting();
    if (waiting.empty())
      continue;
    if (++listed > shown) {
      text += "\n  and more";
      break;
    }
    text += waiting;
  }
  throw Fault{result::launchTimeout, text};
}
