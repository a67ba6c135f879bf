//===- ThreadTest.cpp - many threads, one driver ----------------------------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <atomic>
#include <thread>

using namespace standin;

namespace {

using ThreadTest = DriverTest;

TEST_F(ThreadTest, streamsOfManyThreads) {
  start();
  CUfunction storing = kernel("store");
  std::atomic<int> wrong = 0;
  auto work = [&](uint32_t id) {
    cuCtxSetCurrent(context);
    CUstream mine = nullptr;
    CUdeviceptr memory = 0;
    void *host = nullptr;
    cuStreamCreate(&mine, CU_STREAM_NON_BLOCKING);
    cuMemAlloc_v2(&memory, 4);
    cuMemHostAlloc(&host, 4, 0);
    for (uint32_t i = 0; i < 100; ++i) {
      uint32_t value = id * 1000 + i;
      void *params[] = {&memory, &value};
      cuLaunchKernel(storing, 1, 1, 1, 1, 1, 1, 0, mine, params, nullptr);
      cuLaunchHostFunc(mine, [](void *) { std::this_thread::yield(); }, nullptr);
      cuMemcpyDtoHAsync_v2(host, memory, 4, mine);
      wrong += cuStreamSynchronize(mine) != CUDA_SUCCESS;
      wrong += *static_cast<uint32_t *>(host) != value;
    }
    cuMemFreeHost(host);
    cuMemFree_v2(memory);
    cuStreamDestroy_v2(mine);
  };
  std::vector<std::thread> threads;
  for (uint32_t id = 0; id < 4; ++id)
    threads.emplace_back(work, id);
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(counters().launches, 400u);
  EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(counters().leaks, 0u) << report();
}

} // namespace
