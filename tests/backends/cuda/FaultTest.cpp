// What goes wrong in a driver: a clear status, nothing left behind, the rest goes on.
#include "tests/backends/cuda/CudaTesting.h"

#include <numeric>

namespace hexin::test {
namespace {

using testing::HasSubstr;

class CudaFault : public StandinTest {
protected:
  /// 7 + 5, in fresh memory.
  void expectItWorks() {
    hexin_buffer *buffer = allocate(4);
    ASSERT_TRUE(buffer) << error.message;
    ASSERT_EQ(upload(buffer, {7}), 0u) << error.message;
    hexin_command *command = prepare({"add_to", {0, 0}, {5}, 1, 4});
    ASSERT_TRUE(command) << error.message;
    ASSERT_EQ(run({command}, {{buffer, 0}}), 0u) << error.message;
    EXPECT_EQ(download(buffer, 1), (std::vector<int32_t>{12}));
  }
  /// Every call says that the device is lost, and since when.
  void expectLost(const char *since) {
    EXPECT_FALSE(allocate(4));
    EXPECT_EQ(code(), StatusCode::deviceLost);
    EXPECT_THAT(error.message, HasSubstr("is lost since"));
    EXPECT_THAT(error.message, HasSubstr(since));
    EXPECT_FALSE(load(kernelText()));
    EXPECT_EQ(code(), StatusCode::deviceLost);
  }
};

TEST_F(CudaFault, OutOfMemoryAtAnyAllocation) {
  for (const char *nth : {"1", "2", "3"}) {
    set("FAIL_ALLOCATION", nth);
    int failed = 0;
    for (int i = 0; i < 4; ++i)
      if (!allocate(256)) {
        ++failed;
        EXPECT_EQ(code(), StatusCode::resourceExhausted);
        EXPECT_THAT(error.message, HasSubstr("allocating 256 bytes"));
      }
    EXPECT_EQ(failed, 1) << nth;
    expectItWorks();
  }
}

TEST_F(CudaFault, WithoutPinnedMemoryCopiesGoStraight) {
  hexin_buffer *buffer = allocate(8);
  set("FAIL_ALLOCATION", "all");
  EXPECT_EQ(upload(buffer, {1, 2}), 0u) << error.message;
  EXPECT_EQ(download(buffer, 2), (std::vector<int32_t>{1, 2}));
}

TEST_F(CudaFault, WithLittlePinnedMemoryNothingIsMixedUp) {
  size_t count = (uint64_t(19) << 20) / 4; // five pieces, of which one can be pinned
  std::vector<int32_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  hexin_buffer *buffer = allocate(count * 4);
  ASSERT_TRUE(buffer) << error.message;
  set("FAIL_ALLOCATION", "2+");
  EXPECT_EQ(upload(buffer, values), 0u) << error.message;
  for (int round = 0; round < 4; ++round) // beginning with every piece of the ring
    EXPECT_TRUE(download(buffer, count) == values) << round;
}

TEST_F(CudaFault, ARefusedModule) {
  set("FAIL_MODULE", "1");
  EXPECT_FALSE(load(kernelText()));
  EXPECT_EQ(code(), StatusCode::corruptData);
  expectItWorks();
}

TEST_F(CudaFault, ARefusedLaunch) {
  hexin_buffer *buffer = allocate(4);
  hexin_command *command = prepare({"add_to", {0, 0}, {5}, 1, 4});
  auto expectRefusal = [&] {
    set("REFUSE_LAUNCH", "2");
    EXPECT_NE(run({command, command}, {{buffer, 0}}), 0u);
    EXPECT_EQ(code(), StatusCode::unsupported);
    EXPECT_THAT(error.message, HasSubstr("kernel 'add_to'"));
    EXPECT_THAT(error.message, HasSubstr("LAUNCH_OUT_OF_RESOURCES"));
  };
  expectRefusal();
  // Refused in a capture: launched one by one, then and ever after.
  set("REFUSE_LAUNCH", "2");
  EXPECT_EQ(run({command, command}, {{buffer, 0}}), 0u) << error.message;
  expectRefusal();
  set("REFUSE_LAUNCH", nullptr);
  expectItWorks();
}

TEST_F(CudaFault, AKernelThatDies) {
  hexin_buffer *buffer = allocate(4);
  hexin_command *add = prepare({"add_to", {0, 0}, {5}, 1, 4});
  hexin_command *crash = prepare({"crash", {0}, {}, 1, 4});
  ASSERT_TRUE(add && crash) << error.message;
  EXPECT_NE(run({add, crash}, {{buffer, 0}}), 0u);
  EXPECT_EQ(code(), StatusCode::deviceLost);
  EXPECT_THAT(error.message, HasSubstr("kernels 'add_to' to 'crash'"));
  EXPECT_THAT(error.message, HasSubstr("CUDA_ERROR_ILLEGAL_ADDRESS (700)"));
  expectLost("'crash'");
  close();
  open();
  expectItWorks();
}

TEST_F(CudaFault, OtherDevicesGoOn) {
  hexin_device *other = nullptr;
  ASSERT_EQ(api->open(1, nullptr, &other, &error), 0u) << error.message;
  hexin_buffer *buffer = allocate(4);
  hexin_command *crash = prepare({"crash", {0}, {}, 1, 4});
  EXPECT_NE(run({crash}, {{buffer, 0}}), 0u);
  EXPECT_EQ(code(), StatusCode::deviceLost);
  hexin_buffer *fine = nullptr;
  EXPECT_EQ(api->allocate(other, 4, &fine, &error), 0u) << error.message;
  int32_t in = 3, out = 0;
  hexin_copy copy{};
  copy.struct_size = sizeof copy;
  copy.dst = fine;
  copy.src_pointer = &in;
  copy.length = 4;
  EXPECT_EQ(api->copy(other, &copy, &error), 0u) << error.message;
  copy = {};
  copy.struct_size = sizeof copy;
  copy.src = fine;
  copy.dst_pointer = &out;
  copy.length = 4;
  EXPECT_EQ(api->copy(other, &copy, &error), 0u) << error.message;
  EXPECT_EQ(out, 3);
  api->release(other, fine);
  api->close(other);
}

} // namespace
} // namespace hexin::test
