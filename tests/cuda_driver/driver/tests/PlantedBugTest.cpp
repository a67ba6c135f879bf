//===- PlantedBugTest.cpp - mistakes of a host program that must show ------------------===//
//
// Each test makes one mistake, and the same without it beside.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

class PlantedBugTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    start();
    memory = allocate(64);
  }
  CUdeviceptr memory = 0;

  /// A producer and a consumer in two streams; what the consumer got.
  uint32_t produceAndConsume(bool waits) {
    CUstream producer = stream(), consumer = stream();
    CUevent ready = event();
    EXPECT_EQ(cuMemsetD32_v2(memory, 0, 16), CUDA_SUCCESS);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
    EXPECT_EQ(store(memory, 5, producer), CUDA_SUCCESS);
    EXPECT_EQ(cuEventRecord(ready, producer), CUDA_SUCCESS);
    if (waits)
      EXPECT_EQ(cuStreamWaitEvent(consumer, ready, 0), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, consumer), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(consumer), CUDA_SUCCESS);
    return load(memory + 4);
  }
};

TEST_F(PlantedBugTest, missingEventWait) {
  for (int seed = 0; seed < 10; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    EXPECT_EQ(produceAndConsume(true), 5u);
    EXPECT_EQ(produceAndConsume(false), 0u);
  }
}

TEST_F(PlantedBugTest, ignoredEventWait) {
  set("IGNORE_WAIT", "all");
  EXPECT_EQ(produceAndConsume(true), 0u);
}

TEST_F(PlantedBugTest, ignoredWaitOfTheHost) {
  for (bool isIgnored : {false, true}) {
    start();
    set("IGNORE_WAIT", isIgnored ? "all" : nullptr);
    memory = allocate(64);
    CUstream work = stream();
    CUevent done = event();
    uint32_t *read = nullptr;
    ASSERT_EQ(cuMemHostAlloc(reinterpret_cast<void **>(&read), 4, 0), CUDA_SUCCESS);
    *read = 7;
    EXPECT_EQ(store(memory, 5, work), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyDtoHAsync_v2(read, memory, 4, work), CUDA_SUCCESS);
    EXPECT_EQ(cuEventRecord(done, work), CUDA_SUCCESS);
    EXPECT_EQ(cuEventSynchronize(done), CUDA_SUCCESS);
    EXPECT_EQ(*read, isIgnored ? 7u : 5u);
    EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
    EXPECT_EQ(cuMemFreeHost(read), CUDA_SUCCESS);
  }
}

/// Even where the host waits for everything, some seed has the wrong order.
TEST_F(PlantedBugTest, missingEventWaitBeforeContextSynchronize) {
  int wrong = 0;
  for (int seed = 1; seed <= 8; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    start();
    memory = allocate(64);
    CUstream producer = stream(), consumer = stream();
    EXPECT_EQ(store(memory, 5, producer), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, consumer), CUDA_SUCCESS);
    wrong += load(memory + 4) != 5;
  }
  EXPECT_GT(wrong, 1);
  EXPECT_LT(wrong, 8);
}

TEST_F(PlantedBugTest, missingForkWaitInACapture) {
  int wrong = 0;
  for (int seed = 1; seed <= 8; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    start();
    set("IGNORE_WAIT", "1");
    memory = allocate(64);
    CUstream work = stream(), side = stream();
    CUevent fork = event(), join = event();
    ASSERT_EQ(cuStreamBeginCapture_v2(work, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
    EXPECT_EQ(store(memory, 5, work), CUDA_SUCCESS);
    EXPECT_EQ(cuEventRecord(fork, work), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamWaitEvent(side, fork, 0), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, side), CUDA_SUCCESS);
    EXPECT_EQ(cuEventRecord(join, side), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamWaitEvent(work, join, 0), CUDA_SUCCESS);
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    ASSERT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
    ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
    EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS);
    wrong += load(memory + 4) != 5;
  }
  EXPECT_GT(wrong, 1);
}

TEST_F(PlantedBugTest, hostReadBeforeSynchronisation) {
  CUstream work = stream();
  uint32_t *host = pinned();
  EXPECT_EQ(store(memory, 5, work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(host, memory, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(*host, poison);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
  EXPECT_EQ(*host, 5u);
}

TEST_F(PlantedBugTest, hostWriteBeforeTheCopyRan) {
  CUstream work = stream();
  uint32_t *host = pinned();
  *host = 1;
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(memory, host, 4, work), CUDA_SUCCESS);
  *host = 2;
  EXPECT_EQ(load(memory), 2u);
}

TEST_F(PlantedBugTest, waitForTheWrongStream) {
  CUstream work = stream(), other = stream();
  uint32_t *host = pinned();
  EXPECT_EQ(store(memory, 5, work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(host, memory, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(other), CUDA_SUCCESS);
  EXPECT_EQ(*host, poison);
}

TEST_F(PlantedBugTest, useAfterFree) {
  CUstream work = stream();
  EXPECT_EQ(cuMemFree_v2(memory), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 5, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(PlantedBugTest, useAfterStreamOrderedFree) {
  CUstream freeing = stream(), using_ = stream();
  EXPECT_EQ(cuMemFreeAsync(memory, freeing), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(freeing), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 5, using_), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(using_), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(PlantedBugTest, useBeforeStreamOrderedAllocation) {
  CUstream allocating = stream(), using_ = stream();
  CUdeviceptr early = 0;
  EXPECT_EQ(cuMemAllocAsync(&early, 4, allocating), CUDA_SUCCESS);
  EXPECT_EQ(store(early, 5, using_), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(using_), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(allocating), CUDA_SUCCESS);
  EXPECT_EQ(load(early), poison);
}

TEST_F(PlantedBugTest, aHostPointerInAKernel) {
  uint32_t onHost = 1;
  EXPECT_EQ(store(reinterpret_cast<CUdeviceptr>(&onHost), 5, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(onHost, 1u);
}

TEST_F(PlantedBugTest, anotherDevicesPointerInAKernel) {
  set("DEVICES", "sm_80,sm_80");
  start();
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(other), CUDA_SUCCESS);
  CUdeviceptr there = allocate(4);
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  EXPECT_EQ(store(there, 5, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(PlantedBugTest, lostLaunch) {
  set("LOSE_LAUNCH", "2");
  EXPECT_EQ(store(memory, 1, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 2, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), 1u);
}

/// A process that leaks says so at its end, and may fail by it.
TEST_F(PlantedBugTest, leak) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        standinSet("LEAKS", "fail");
        std::exit(0);
      },
      testing::ExitedWithCode(86), "leak: allocation 1 of device 0, 64 bytes");
}

} // namespace
