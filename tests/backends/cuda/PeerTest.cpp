// Copies between the stand-in's two devices.
#include "tests/backends/cuda/CudaTesting.h"

#include <utility>

namespace hexin::test {
namespace {

using Values = std::vector<int32_t>;

class CudaPeer : public CudaTest {
protected:
  void SetUp() override {
    CudaTest::SetUp();
    if (IsSkipped())
      return;
    uint32_t count = 0;
    ASSERT_EQ(api->enumerate(&count, nullptr, &error), 0u) << error.message;
    if (count < 2)
      GTEST_SKIP() << "one device only";
    hexin_device_options options{};
    options.struct_size = sizeof options;
    ASSERT_EQ(api->open(1, &options, &other, &error), 0u) << error.message;
    ASSERT_EQ(api->allocate(other, 16, &far, &error), 0u) << error.message;
  }
  void TearDown() override {
    if (far)
      api->release(other, far);
    if (other)
      api->close(other);
    CudaTest::TearDown();
  }
  uint32_t toPeer(hexin_buffer *src, uint64_t from, uint64_t to, uint64_t bytes) {
    return api->copy_peer(other, far, to, device, src, from, bytes, &error);
  }
  Values onPeer() {
    Values values(4);
    hexin_copy copy{};
    copy.struct_size = sizeof copy;
    copy.src = far;
    copy.dst_pointer = values.data();
    copy.length = 16;
    EXPECT_EQ(api->copy(other, &copy, &error), 0u) << error.message;
    return values;
  }

  hexin_device *other = nullptr;
  hexin_buffer *far = nullptr;
};

/// Behind what both have queued and nobody has waited for; nothing by way of the host.
TEST_F(CudaPeer, ComesBehindTheWorkOfBoth) {
  hexin_buffer *a = allocate(16), *b = allocate(16);
  hexin_command *add = prepare({"add_to", {0, 1}, {5}, 4, 16});
  ASSERT_TRUE(a && b && add) << error.message;
  ASSERT_EQ(upload(a, {1, 2, 3, 4}), 0u);
  for (int round = 0; round < 4; ++round) {
    hexin_event *first = submit({add}, {{a, 0}, {b, 0}}); // b = a + 5
    hexin_event *second = submit({add}, {{b, 0}, {a, 0}});
    ASSERT_TRUE(first && second) << error.message;
    StandinCounters before = counters();
    ASSERT_EQ(toPeer(a, 0, 0, 16), 0u) << error.message;
    StandinCounters after = counters();
    EXPECT_EQ(after.deviceToDeviceBytes - before.deviceToDeviceBytes,
              isStandin() ? 16u : 0u);
    EXPECT_EQ(after.deviceToHostBytes, before.deviceToHostBytes);
    int32_t added = 10 * (round + 1);
    EXPECT_EQ(onPeer(), (Values{1 + added, 2 + added, 3 + added, 4 + added}));
    EXPECT_EQ(wait(first) + wait(second), 0u);
  }
}

/// Where the driver lets devices into each other's memory they are, each once; the copy
/// is the same where it does not, and where somebody else has asked already.
TEST_F(CudaPeer, IsLetIntoThePeersMemoryOnce) {
  if (!isStandin())
    GTEST_SKIP() << "not the stand-in";
  hexin_buffer *a = allocate(16);
  ASSERT_TRUE(a) << error.message;
  for (const char *isAllowed : {"0", "1"}) {
    set("PEER_ACCESS", isAllowed);
    // Both anew: what a device has asked is not asked again while it is open.
    api->release(other, std::exchange(far, nullptr));
    api->close(std::exchange(other, nullptr));
    hexin_device_options options{};
    options.struct_size = sizeof options;
    ASSERT_EQ(api->open(1, &options, &other, &error), 0u) << error.message;
    ASSERT_EQ(api->allocate(other, 16, &far, &error), 0u) << error.message;
    uint64_t before = counters().peerAccesses;
    for (int32_t round = 0; round < 3; ++round) {
      ASSERT_EQ(upload(a, {round, 2, 3, 4}), 0u);
      ASSERT_EQ(toPeer(a, 0, 0, 16), 0u) << error.message;
      EXPECT_EQ(onPeer(), (Values{round, 2, 3, 4}));
    }
    ASSERT_EQ(api->copy_peer(device, a, 0, other, far, 0, 16, &error), 0u)
        << error.message; // back
    EXPECT_EQ(counters().peerAccesses - before, *isAllowed == '1' ? 2u : 0u);
  }
}

TEST_F(CudaPeer, PartsOfBuffers) {
  hexin_buffer *a = allocate(16);
  ASSERT_TRUE(a) << error.message;
  ASSERT_EQ(upload(a, {1, 2, 3, 4}), 0u);
  ASSERT_EQ(toPeer(a, 0, 0, 16), 0u) << error.message;
  ASSERT_EQ(toPeer(a, 4, 8, 8), 0u) << error.message;
  EXPECT_EQ(onPeer(), (Values{1, 2, 2, 3}));
  for (auto [from, to] : {std::pair<uint64_t, uint64_t>{8, 0}, {0, 8}}) {
    EXPECT_NE(toPeer(a, from, to, 12), 0u);
    EXPECT_EQ(code(), StatusCode::outOfRange) << error.message;
  }
  EXPECT_EQ(onPeer(), (Values{1, 2, 2, 3}));
}

/// The source's kernel dies: an error that says so, and the other device works on.
TEST_F(CudaPeer, OfALostDevice) {
  if (!isStandin())
    GTEST_SKIP() << "would take a real device's context from the tests that follow";
  hexin_buffer *a = allocate(16);
  hexin_command *crash = prepare({"crash", {0}, {}, 1, 16});
  ASSERT_TRUE(a && crash) << error.message;
  EXPECT_NE(run({crash}, {{a, 0}}), 0u);
  EXPECT_NE(toPeer(a, 0, 0, 16), 0u);
  EXPECT_EQ(code(), StatusCode::deviceLost) << error.message;
  EXPECT_THAT(error.message, testing::HasSubstr("cuda:0"));
  hexin_copy copy{};
  Values values = {7, 8, 9, 10};
  copy.struct_size = sizeof copy;
  copy.dst = far;
  copy.src_pointer = values.data();
  copy.length = 16;
  EXPECT_EQ(api->copy(other, &copy, &error), 0u) << error.message;
  EXPECT_EQ(onPeer(), values);
}

} // namespace
} // namespace hexin::test
