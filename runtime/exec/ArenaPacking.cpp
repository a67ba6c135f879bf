#include "runtime/exec/ArenaPacking.h"

#include <algorithm>
#include <numeric>

namespace hexin {
namespace {

/// How often one order is tried, mended after each time: a packing takes time by the
/// square of the values, and all together should stay at a few milliseconds.
int roundsFor(size_t numValues) {
  constexpr size_t mostPairs = size_t(1) << 20;
  size_t pairs = std::max<size_t>(numValues * numValues, 1);
  return static_cast<int>(std::clamp<size_t>(mostPairs / pairs, 1, 8));
}

bool areAliveTogether(const ArenaLifetime &a, const ArenaLifetime &b) {
  return a.begin < b.end && b.begin < a.end;
}

/// Each in turn at the lowest offset where nothing lies that lives at the same time.
ArenaPacking packInOrder(std::span<const ArenaLifetime> lifetimes,
                         std::span<const uint32_t> order) {
  ArenaPacking packing;
  packing.offsets.resize(lifetimes.size());
  std::vector<uint32_t> placed; // by offset
  placed.reserve(lifetimes.size());
  for (uint32_t index : order) {
    const ArenaLifetime &value = lifetimes[index];
    uint64_t offset = 0;
    for (uint32_t other : placed) {
      uint64_t start = packing.offsets[other];
      if (start >= offset + value.bytes)
        break;
      if (areAliveTogether(value, lifetimes[other]))
        offset = std::max(offset, start + lifetimes[other].bytes);
    }
    packing.offsets[index] = offset;
    packing.bytes = std::max(packing.bytes, offset + value.bytes);
    auto byOffset = [&](uint64_t at, uint32_t other) {
      return at < packing.offsets[other];
    };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, byOffset),
                  index);
  }
  return packing;
}

} // namespace

ArenaPacking packLifetimes(std::span<const ArenaLifetime> lifetimes, uint64_t enough) {
  auto bySize = [&](uint32_t a, uint32_t b) {
    return lifetimes[a].bytes > lifetimes[b].bytes;
  };
  auto bySizeAndTime = [&](uint32_t a, uint32_t b) {
    auto area = [](const ArenaLifetime &value) {
      return static_cast<double>(value.bytes) * (value.end - value.begin);
    };
    return area(lifetimes[a]) > area(lifetimes[b]);
  };
  auto byTime = [&](uint32_t a, uint32_t b) {
    return lifetimes[a].end - lifetimes[a].begin > lifetimes[b].end - lifetimes[b].begin;
  };
  std::vector<uint32_t> order(lifetimes.size());
  ArenaPacking best;
  const int mostRounds = roundsFor(lifetimes.size());
  auto isDone = [&] { return !best.offsets.empty() && best.bytes <= enough; };
  auto attempt = [&](auto isBefore) {
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), isBefore);
    for (int round = 0; round < mostRounds && !isDone() && !order.empty(); ++round) {
      ArenaPacking packing = packInOrder(lifetimes, order);
      auto end = [&](uint32_t index) {
        return packing.offsets[index] + lifetimes[index].bytes;
      };
      // What reaches highest had the worst place: it comes first the next time.
      auto highest = std::ranges::max_element(order, {}, end);
      std::rotate(order.begin(), highest, highest + 1);
      if (best.offsets.empty() || packing.bytes < best.bytes)
        best = std::move(packing);
    }
  };
  attempt(bySize);
  attempt(bySizeAndTime);
  attempt(byTime);
  return best;
}

} // namespace hexin
