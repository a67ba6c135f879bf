// Launches: grids, teams, shared memory, what is checked before.
#include "tests/backends/cuda/CudaTesting.h"

#include <numeric>

namespace hexin::test {
namespace {

using testing::HasSubstr;

class CudaKernel : public CudaTest {
protected:
  /// add_to over `count` elements from slot 0 to slot 1.
  hexin_command *addTo(int64_t value, size_t count) {
    return prepare({"add_to", {0, 1}, {value}, int64_t(count), count * 4});
  }
};

TEST_F(CudaKernel, RunsEveryItemOnce) {
  // One item, part of a warp, more blocks than a small grid, more than are resident.
  for (size_t count : {1u, 31u, 1000u, 100'000u}) {
    std::vector<int32_t> values(count);
    std::iota(values.begin(), values.end(), 0);
    hexin_buffer *src = allocate(count * 4), *dst = allocate(count * 4);
    ASSERT_TRUE(src && dst) << error.message;
    ASSERT_EQ(upload(src, values), 0u) << error.message;
    hexin_command *command = addTo(5, count);
    ASSERT_TRUE(command) << error.message;
    ASSERT_EQ(run({command}, {{src, 0}, {dst, 0}}), 0u) << error.message;
    for (int32_t &value : values)
      value += 5;
    EXPECT_EQ(download(dst, count), values) << count;
  }
}

TEST_F(CudaKernel, NoItemsLaunchNothing) {
  hexin_buffer *buffer = allocate(4);
  hexin_command *command = addTo(1, 0);
  ASSERT_TRUE(command) << error.message;
  uint64_t before = counters().launches;
  EXPECT_EQ(run({command}, {{buffer, 0}, {buffer, 0}}), 0u) << error.message;
  EXPECT_EQ(counters().launches, before);
}

TEST_F(CudaKernel, TeamsShareMemory) {
  std::vector<int32_t> values(64 * 5);
  std::iota(values.begin(), values.end(), 1);
  hexin_buffer *src = allocate(values.size() * 4), *dst = allocate(5 * 4);
  ASSERT_EQ(upload(src, values), 0u);
  hexin_command *command = prepare({"team_sum", {0, 1}, {}, 5, 20, 64, 256});
  ASSERT_TRUE(command) << error.message;
  ASSERT_EQ(run({command}, {{src, 0}, {dst, 0}}), 0u) << error.message;
  std::vector<int32_t> sums;
  for (int i = 0; i < 5; ++i)
    sums.push_back(64 * (64 * i) + 64 * 65 / 2);
  EXPECT_EQ(download(dst, 5), sums);
}

TEST_F(CudaKernel, AsksForMuchSharedMemory) {
  hexin_buffer *dst = allocate(12);
  hexin_command *command = prepare({"far_end", {0}, {}, 3, 12, 32, 65536});
  ASSERT_TRUE(command) << error.message;
  ASSERT_EQ(run({command}, {{dst, 0}}), 0u) << error.message;
  EXPECT_EQ(download(dst, 3), (std::vector<int32_t>{0, 1, 2}));
}

TEST_F(CudaKernel, RefusesMoreSharedMemoryThanThereIs) {
  EXPECT_FALSE(prepare({"far_end", {0}, {}, 3, 12, 32, 1 << 20}));
  EXPECT_EQ(code(), StatusCode::unsupported);
  EXPECT_THAT(error.message, HasSubstr("1048576 bytes of shared memory"));
}

TEST_F(CudaKernel, RefusesTeamsThatAreTooLarge) {
  EXPECT_FALSE(prepare({"team_sum", {0, 1}, {}, 5, 20, 128, 256}));
  EXPECT_EQ(code(), StatusCode::unsupported);
  EXPECT_THAT(error.message, HasSubstr("teams of 128"));
}

TEST_F(CudaKernel, RefusesWhatTheImageDoesNotHave) {
  EXPECT_FALSE(prepare({"nobody", {0}, {}, 1, 4}));
  EXPECT_EQ(code(), StatusCode::notFound);
  EXPECT_THAT(error.message, HasSubstr("'nobody'"));
  EXPECT_FALSE(prepare({"add_to", {0, 1}, {}, 1, 4}));
  EXPECT_EQ(code(), StatusCode::corruptData);
  EXPECT_THAT(error.message, HasSubstr("takes 4 arguments; its launch has 3"));
}

TEST_F(CudaKernel, ChecksRangesBeforeTheLaunch) {
  hexin_buffer *small = allocate(64);
  hexin_command *command = addTo(1, 100);
  ASSERT_TRUE(command);
  EXPECT_FALSE(submit({command}, {{small, 0}, {small, 0}}));
  EXPECT_EQ(code(), StatusCode::outOfRange);
  EXPECT_THAT(error.message, HasSubstr("binding 0"));
  EXPECT_FALSE(submit({command}, {{small, 0}}));
  EXPECT_EQ(code(), StatusCode::outOfRange);
}

TEST_F(CudaKernel, ChecksWhatTheKernelCountsOn) {
  hexin_buffer *memory = allocate(256);
  hexin_command *command = prepare({.name = "add_to",
                                    .slots = {0, 1},
                                    .params = {1},
                                    .items = 4,
                                    .length = 16,
                                    .alignments = {16, 4}});
  ASSERT_TRUE(command);
  EXPECT_FALSE(submit({command}, {{memory, 8}, {memory, 64}}));
  EXPECT_EQ(code(), StatusCode::invalidArgument);
  EXPECT_THAT(error.message, HasSubstr("no multiple of 16"));
  EXPECT_EQ(run({command}, {{memory, 16}, {memory, 68}}), 0u);
}

TEST_F(CudaKernel, RefusesOtherImages) {
  EXPECT_FALSE(load("__kernel void f() {}", "opencl-c-1.2"));
  EXPECT_EQ(code(), StatusCode::unsupported);
  for (const char *arch : {"ptx-sm_999", isStandin() ? "ptx-sm_90" : "ptx-sm_70"}) {
    EXPECT_FALSE(load(kernelText(), arch)) << arch; // the stand-in's device 0 is sm_80
    EXPECT_EQ(code(), StatusCode::unsupported);
  }
  EXPECT_FALSE(load(""));
  EXPECT_EQ(code(), StatusCode::corruptData);
  EXPECT_FALSE(load(std::string("a\0b", 3)));
  EXPECT_EQ(code(), StatusCode::corruptData);
}

TEST_F(CudaKernel, TheDriversLogIsInTheMessage) {
  EXPECT_FALSE(load(".version 8.0\n.target sm_80\n.address_size 64\n"
                    ".entry f() { frobnicate.u32 %r1; }\n"));
  EXPECT_EQ(code(), StatusCode::unsupported);
  EXPECT_THAT(error.message, HasSubstr("CUDA_ERROR_INVALID_PTX"));
  EXPECT_THAT(error.message, HasSubstr("frobnicate"));
}

TEST_F(CudaKernel, TextThatIsNewerThanTheDriver) {
  EXPECT_FALSE(load(kernelText(".version 9.9\n.target sm_80\n.address_size 64\n")));
  EXPECT_EQ(code(), StatusCode::versionMismatch);
  EXPECT_THAT(error.message, HasSubstr("PTX 9.9, by the driver of CUDA "));
}

} // namespace
} // namespace hexin::test
