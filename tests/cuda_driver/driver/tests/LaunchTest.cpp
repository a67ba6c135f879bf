//===- LaunchTest.cpp - the limits of launches, and their parameters -------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <array>

using namespace standin;

namespace {

class LaunchTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    start();
    memory = allocate(64);
  }
  CUresult launch(const char *name, std::array<unsigned, 3> grid,
                  std::array<unsigned, 3> block, unsigned shared = 0) {
    uint32_t value = 9;
    void *params[] = {&memory, &value};
    return cuLaunchKernel(kernel(name), grid[0], grid[1], grid[2], block[0], block[1],
                          block[2], shared, nullptr, params, nullptr);
  }
  CUdeviceptr memory = 0;
};

TEST_F(LaunchTest, shapes) {
  EXPECT_EQ(launch("store", {1, 1, 1}, {1024, 1, 1}), CUDA_SUCCESS);
  EXPECT_EQ(launch("store", {2147483647, 65535, 65535}, {1, 1, 64}), CUDA_SUCCESS);
  for (std::array<unsigned, 3> grid : {std::array<unsigned, 3>{0, 1, 1},
                                       {1, 0, 1},
                                       {2147483648u, 1, 1},
                                       {1, 65536, 1},
                                       {1, 1, 65536}})
    EXPECT_EQ(launch("store", grid, {1, 1, 1}), CUDA_ERROR_INVALID_VALUE);
  for (std::array<unsigned, 3> block : {std::array<unsigned, 3>{0, 1, 1},
                                        {1025, 1, 1},
                                        {1, 1025, 1},
                                        {1, 1, 65},
                                        {32, 33, 1}})
    EXPECT_EQ(launch("store", {1, 1, 1}, block), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, whatTheKernelSaysItself) {
  EXPECT_EQ(launch("store_limited", {1, 1, 1}, {64, 1, 1}), CUDA_SUCCESS);
  EXPECT_EQ(launch("store_limited", {1, 1, 1}, {65, 1, 1}), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch("store_exact", {1, 1, 1}, {32, 1, 1}), CUDA_SUCCESS);
  EXPECT_EQ(launch("store_exact", {1, 1, 1}, {16, 2, 1}), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, sharedMemory) {
  EXPECT_EQ(launch("store_shared", {1, 1, 1}, {32, 1, 1}, 47 << 10), CUDA_SUCCESS);
  EXPECT_EQ(launch("store_shared", {1, 1, 1}, {32, 1, 1}, (47 << 10) + 1),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(kernel("store_shared"),
                               CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                               100 << 10),
            CUDA_SUCCESS);
  EXPECT_EQ(launch("store_shared", {1, 1, 1}, {32, 1, 1}, 100 << 10), CUDA_SUCCESS);
}

TEST_F(LaunchTest, parameters) {
  uint32_t value = 21;
  void *params[] = {&memory, &value}, *missing[] = {&memory, nullptr};
  CUfunction function = kernel("store");
  auto run = [&](void **params, void **extra) {
    return cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, params, extra);
  };
  EXPECT_EQ(run(nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(missing, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(run(params, nullptr), CUDA_SUCCESS);
  value = 22; // was taken already
  EXPECT_EQ(load(memory), 21u);

  struct {
    CUdeviceptr dst;
    uint32_t value;
  } block{memory, 23};
  size_t bytes = 12;
  auto key = [](uintptr_t number) { return reinterpret_cast<void *>(number); };
  void *extra[] = {key(1), &block, key(2), &bytes, key(0)};
  EXPECT_EQ(run(nullptr, extra), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), 23u);
  EXPECT_EQ(run(params, extra), CUDA_ERROR_INVALID_VALUE);
  bytes = 16;
  EXPECT_EQ(run(nullptr, extra), CUDA_ERROR_INVALID_VALUE);
  void *unknown[] = {key(7), &block, key(0)};
  EXPECT_EQ(run(nullptr, unknown), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, otherLaunches) {
  uint32_t value = 31;
  void *params[] = {&memory, &value};
  CUlaunchAttribute attribute{};
  CUlaunchConfig config{1, 1, 1, 32, 1, 1, 0, nullptr, &attribute, 1};
  EXPECT_EQ(cuLaunchKernelEx(&config, kernel("store"), params, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), 31u);
  EXPECT_EQ(cuLaunchKernelEx(nullptr, kernel("store"), params, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {2, 1, 1};
  EXPECT_EQ(cuLaunchKernelEx(&config, kernel("store"), params, nullptr),
            CUDA_ERROR_INVALID_CLUSTER_SIZE);
  attribute.id = CUlaunchAttributeID(1);
  EXPECT_EQ(cuLaunchKernelEx(&config, kernel("store"), params, nullptr),
            CUDA_ERROR_NOT_SUPPORTED);

  auto together = [&](unsigned blocks) {
    return cuLaunchCooperativeKernel(kernel("store"), blocks, 1, 1, 1024, 1, 1, 0,
                                     nullptr, params);
  };
  EXPECT_EQ(together(2 * 108), CUDA_SUCCESS); // sm_80: two such blocks a multiprocessor
  EXPECT_EQ(together(2 * 108 + 1), CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
}

TEST_F(LaunchTest, occupancy) {
  int blocks = 0, grid = 0;
  CUfunction function = kernel("store");
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 256, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(blocks, 8);
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 256, 48 << 10),
            CUDA_SUCCESS);
  EXPECT_EQ(blocks, 3);
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 256, 64 << 10),
            CUDA_SUCCESS);
  EXPECT_EQ(blocks, 0);
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 0, 0),
            CUDA_ERROR_INVALID_VALUE);
  int threads = 0;
  EXPECT_EQ(cuOccupancyMaxPotentialBlockSize(&grid, &threads, function, nullptr, 0, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(threads, 1024);
  EXPECT_EQ(grid, 2 * 108);
  EXPECT_EQ(cuOccupancyMaxPotentialBlockSize(&grid, nullptr, function, nullptr, 0, 0),
            CUDA_ERROR_INVALID_VALUE);
}

} // namespace
