#include "runtime/exec/ArenaLayout.h"

#include <gtest/gtest.h>

#include <random>

namespace hexin {
namespace {

constexpr uint64_t slabLimit = 1 << 20;

TEST(ArenaLayout, ReusesWhatWasReleased) {
  ArenaLayout layout(64, slabLimit);
  auto a = layout.allocate(1000);
  auto b = layout.allocate(500);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->bytes, 1024u);
  layout.release(*a);
  auto c = layout.allocate(900);
  EXPECT_EQ(c->offset, a->offset);
  EXPECT_EQ(layout.slabBytes(), std::vector<uint64_t>{1024 + 512});
}

TEST(ArenaLayout, TakesTheSmallestGapAndJoinsNeighbours) {
  ArenaLayout layout(64, slabLimit);
  auto big = layout.allocate(640);
  auto keep1 = layout.allocate(64);
  auto small = layout.allocate(128);
  auto keep2 = layout.allocate(64);
  ASSERT_TRUE(keep1 && keep2);
  layout.release(*big);
  layout.release(*small);
  EXPECT_EQ(layout.allocate(100)->offset, small->offset);
  layout.release(*keep1);
  EXPECT_EQ(layout.allocate(700)->offset, big->offset);
}

TEST(ArenaLayout, GrowsTheGapAtTheEnd) {
  ArenaLayout layout(64, slabLimit);
  auto a = layout.allocate(640);
  layout.release(*a);
  auto b = layout.allocate(1280);
  EXPECT_EQ(b->offset, 0u);
  EXPECT_EQ(layout.slabBytes(), std::vector<uint64_t>{1280});
}

TEST(ArenaLayout, SplitsIntoSlabsTheDeviceAllows) {
  ArenaLayout layout(64, 4096);
  EXPECT_EQ(layout.allocate(3000)->slab, 0u);
  EXPECT_EQ(layout.allocate(3000)->slab, 1u);
  EXPECT_EQ(layout.allocate(1000)->slab, 0u);
  EXPECT_EQ(layout.allocate(5000).status().code(), StatusCode::resourceExhausted);
  EXPECT_EQ(layout.allocate(INT64_MAX).status().code(), StatusCode::resourceExhausted);
}

TEST(ArenaLayout, FrozenSlabsKeepTheirSizeAndLendTheirGaps) {
  ArenaLayout layout(64, slabLimit);
  auto a = layout.allocate(1024);
  auto b = layout.allocate(1024);
  ASSERT_TRUE(b);
  layout.release(*a);
  layout.freeze();
  EXPECT_EQ(layout.allocate(512)->slab, 0u);
  EXPECT_EQ(layout.allocate(1024)->slab, 1u);
  EXPECT_EQ(layout.slabBytes(), (std::vector<uint64_t>{2048, 1024}));
}

TEST(ArenaLayout, LiveValuesNeverOverlap) {
  std::mt19937 random(7);
  ArenaLayout layout(64, 1 << 16);
  std::vector<ArenaPlace> live;
  for (int i = 0; i < 5000; ++i) {
    if (!live.empty() && random() % 2) {
      size_t victim = random() % live.size();
      layout.release(live[victim]);
      live.erase(live.begin() + static_cast<ptrdiff_t>(victim));
      continue;
    }
    auto place = layout.allocate(random() % 5000);
    ASSERT_TRUE(place);
    EXPECT_LE(place->offset + place->bytes, layout.slabBytes()[place->slab]);
    for (const ArenaPlace &other : live)
      EXPECT_TRUE(other.slab != place->slab ||
                  other.offset + other.bytes <= place->offset ||
                  place->offset + place->bytes <= other.offset);
    live.push_back(*place);
  }
}

} // namespace
} // namespace hexin
