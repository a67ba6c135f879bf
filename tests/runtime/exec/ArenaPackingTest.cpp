#include "runtime/exec/ArenaPacking.h"
#include "runtime/exec/ArenaLayout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace hexin {
namespace {

uint64_t mostAlive(const std::vector<ArenaLifetime> &lifetimes) {
  uint64_t most = 0;
  for (const ArenaLifetime &at : lifetimes) { // the most is reached where one begins
    uint64_t alive = 0;
    for (const ArenaLifetime &value : lifetimes)
      if (value.begin <= at.begin && at.begin < value.end)
        alive += value.bytes;
    most = std::max(most, alive);
  }
  return most;
}

void expectApart(const std::vector<ArenaLifetime> &lifetimes,
                 const ArenaPacking &packing) {
  ASSERT_EQ(packing.offsets.size(), lifetimes.size());
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    const ArenaLifetime &a = lifetimes[i];
    EXPECT_LE(packing.offsets[i] + a.bytes, packing.bytes);
    for (size_t k = 0; k < i; ++k) {
      const ArenaLifetime &b = lifetimes[k];
      bool together = a.begin < b.end && b.begin < a.end;
      EXPECT_TRUE(!together || packing.offsets[i] + a.bytes <= packing.offsets[k] ||
                  packing.offsets[k] + b.bytes <= packing.offsets[i])
          << i << " and " << k;
    }
  }
}

TEST(ArenaPacking, TheLargestComesFirst) {
  std::vector<ArenaLifetime> lifetimes{{256, 0, 2}, {128, 1, 4}, {384, 3, 5}};
  ArenaPacking packing = packLifetimes(lifetimes, 0);
  expectApart(lifetimes, packing);
  EXPECT_EQ(packing.bytes, 512u);
}

TEST(ArenaPacking, NothingNeedsNothing) { EXPECT_EQ(packLifetimes({}, 0).bytes, 0u); }

/// Values of a network: each layer's is read by the next, some much later.
TEST(ArenaPacking, StaysNearTheBound) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    uint32_t layers = 5 + random() % 120;
    std::vector<uint32_t> lastUse(layers);
    for (uint32_t i = 0; i < layers; ++i)
      lastUse[i] = i + 1 + (random() % 4 == 0 ? random() % 8 : 0);
    ArenaLayout layout(64, uint64_t(1) << 32);
    std::vector<ArenaPlace> places;
    for (uint32_t i = 0; i < layers; ++i) {
      places.push_back(*layout.allocate(64 << random() % 12));
      for (uint32_t k = 0; k <= i; ++k)
        if (lastUse[k] == i)
          layout.release(places[k]);
    }
    const std::vector<ArenaLifetime> &lifetimes = layout.lifetimes();
    ASSERT_EQ(mostAlive(lifetimes), layout.mostTaken());
    ArenaPacking packing = packLifetimes(lifetimes, layout.mostTaken());
    expectApart(lifetimes, packing);
    EXPECT_LE(packing.bytes, layout.mostTaken() * 11 / 10) << "round " << round;
  }
}

TEST(ArenaPacking, FrozenLayoutsKeepNoLifetimes) {
  ArenaLayout layout(64, 1 << 20);
  auto place = layout.allocate(100);
  layout.freeze();
  EXPECT_TRUE(layout.lifetimes().empty());
  layout.release(*place);
  ASSERT_TRUE(layout.allocate(100));
  EXPECT_TRUE(layout.lifetimes().empty());
}

} // namespace
} // namespace hexin
