// Memory of threads' own: sizes, alignment, and who has which set.

#include "backends/cpu/runtime/Workspaces.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace hexin::cpu {
namespace {

TEST(Workspaces, AreThereOnceReserved) {
  Workspaces workspaces(3);
  auto none = workspaces.lease();
  ASSERT_TRUE(none.status().ok());
  EXPECT_EQ(none->of(0), nullptr);
  ASSERT_TRUE(workspaces.reserve(1000).ok());
  auto lease = workspaces.lease();
  ASSERT_TRUE(lease.status().ok());
  std::set<void *> all;
  for (unsigned thread = 0; thread < 3; ++thread) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(lease->of(thread)) % 64, 0u);
    std::memset(lease->of(thread), 1, 1000);
    all.insert(lease->of(thread));
  }
  EXPECT_EQ(all.size(), 3u);
}

TEST(Workspaces, AreKeptAndGrow) {
  Workspaces workspaces(2);
  ASSERT_TRUE(workspaces.reserve(100).ok());
  void *first = workspaces.lease()->of(0);
  EXPECT_EQ(workspaces.lease()->of(0), first); // given back in between
  auto one = workspaces.lease(), other = workspaces.lease();
  EXPECT_NE(one->of(0), other->of(0));
  ASSERT_TRUE(workspaces.reserve(size_t(3) << 20).ok()); // while two are out
  auto large = workspaces.lease();
  std::memset(large->of(1), 1, size_t(3) << 20);
  *one = Workspaces::Lease(); // given back: too small by now
  *other = Workspaces::Lease();
  auto another = workspaces.lease();
  std::memset(another->of(1), 1, size_t(3) << 20);
}

TEST(Workspaces, RefusesMoreThanTheMachineHas) {
  Workspaces workspaces(2);
  EXPECT_EQ(workspaces.reserve(UINT64_MAX).code(), StatusCode::resourceExhausted);
  EXPECT_EQ(workspaces.reserve(uint64_t(1) << 50).code(), StatusCode::resourceExhausted);
  EXPECT_EQ(workspaces.lease()->of(0), nullptr);
}

} // namespace
} // namespace hexin::cpu
