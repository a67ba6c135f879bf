// Submissions that come again are replayed.
#include "tests/backends/cuda/CudaTesting.h"

namespace hexin::test {
namespace {

class CudaGraph : public CudaTest {
protected:
  explicit CudaGraph(bool profile = false) : CudaTest(0, profile) {}
  void SetUp() override {
    CudaTest::SetUp();
    if (!device)
      return;
    a = allocate(4), b = allocate(4), c = allocate(4);
    first = prepare({"add_to", {0, 1}, {10}, 1, 4});
    second = prepare({"add_to", {1, 2}, {100}, 1, 4});
    ASSERT_TRUE(first && second) << error.message;
  }
  /// c = value + 110 by way of b, all in memory that `slots` names.
  void expectSum(int32_t value, const std::vector<hexin_slot> &slots) {
    ASSERT_EQ(upload(slots[0].buffer, {value}), 0u) << error.message;
    ASSERT_EQ(run({first, second}, slots), 0u) << error.message;
    EXPECT_EQ(download(slots[2].buffer, 1), (std::vector<int32_t>{value + 110}));
  }
  uint64_t counted(const char *name) { return api->counter(device, name); }

  hexin_buffer *a = nullptr, *b = nullptr, *c = nullptr;
  hexin_command *first = nullptr, *second = nullptr;
};

TEST_F(CudaGraph, IsCapturedOnceAndReplayed) {
  for (int32_t i = 0; i < 6; ++i)
    expectSum(i, {{a, 0}, {b, 0}, {c, 0}});
  EXPECT_EQ(counted("graphs_captured"), 1u);
  EXPECT_EQ(counted("graphs_replayed"), 5u);
  EXPECT_EQ(counters().graphLaunches > 0, isStandin());
}

TEST_F(CudaGraph, OtherMemoryIsAnotherGraph) {
  hexin_buffer *d = allocate(4);
  for (int32_t i = 0; i < 6; ++i)
    expectSum(i, {{i % 2 ? a : d, 0}, {b, 0}, {c, 0}});
  EXPECT_EQ(counted("graphs_captured"), 2u);
  EXPECT_EQ(counted("graphs_replayed"), 4u);
}

TEST_F(CudaGraph, ManyPlacesUpdateTheOldest) {
  std::vector<hexin_buffer *> sources;
  for (int i = 0; i < 7; ++i)
    sources.push_back(allocate(4));
  for (int32_t i = 0; i < 7; ++i)
    for (int32_t times = 0; times < 2; ++times)
      expectSum(i + times, {{sources[i], 0}, {b, 0}, {c, 0}});
  EXPECT_EQ(counted("graphs_captured"), 4u);
  EXPECT_EQ(counted("graphs_updated"), 3u);
}

TEST_F(CudaGraph, GoesWithItsBuffer) {
  hexin_buffer *mine = nullptr;
  for (int32_t round = 0; round < 3; ++round) {
    ASSERT_EQ(api->allocate(device, 4, &mine, &error), 0u);
    for (int32_t i = 0; i < 3; ++i)
      expectSum(i, {{mine, 0}, {b, 0}, {c, 0}});
    api->release(device, mine);
  }
  EXPECT_EQ(counted("graphs_captured"), 3u);
}

TEST_F(CudaGraph, OneKernelIsLaunched) {
  for (int32_t i = 0; i < 3; ++i)
    ASSERT_EQ(run({first}, {{a, 0}, {b, 0}}), 0u);
  EXPECT_EQ(counted("graphs_captured"), 0u);
}

class CudaProfile : public CudaGraph {
protected:
  CudaProfile() : CudaGraph(true) {}
};

TEST_F(CudaProfile, HasTimesAndNoGraphs) {
  for (int32_t i = 0; i < 3; ++i) {
    uint64_t times[4] = {};
    hexin_event *event = submit({first, second}, {{a, 0}, {b, 0}, {c, 0}}, times);
    ASSERT_TRUE(event) << error.message;
    ASSERT_EQ(wait(event), 0u) << error.message;
    EXPECT_GT(times[0], 0u);
    EXPECT_LE(times[0], times[1]);
    EXPECT_LE(times[1], times[2]);
    EXPECT_LE(times[2], times[3]);
  }
  EXPECT_EQ(counted("graphs_captured"), 0u);
}

} // namespace
} // namespace hexin::test
