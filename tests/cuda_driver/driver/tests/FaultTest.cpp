//===- FaultTest.cpp - kernels that die, devices that go, and what is left -------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

class FaultTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    set("DEVICES", "sm_80,sm_90");
    start();
    memory = allocate(64);
    work = stream();
  }
  CUdeviceptr memory = 0;
  CUstream work = nullptr;
};

TEST_F(FaultTest, aDeadKernelSticks) {
  uint32_t value = 0;
  CUevent mark = event();
  EXPECT_EQ(crash(work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_NE(lastError().find("kernel 'crash'"), std::string::npos);
  // Whatever comes next has the same answer, whether it has to do with the kernel or not.
  EXPECT_EQ(cuStreamQuery(work), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuMemAlloc_v2(&memory, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuMemcpyDtoH_v2(&value, memory, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuEventRecord(mark, work), CUDA_ERROR_ILLEGAL_ADDRESS);
  // The device counts no launch behind the fault.
  EXPECT_EQ(counters().launches, 1u);
  EXPECT_EQ(counters().faults, 1u);
}

TEST_F(FaultTest, aBrokenContextIsGivenBackWithoutLeaks) {
  void *host = pinned();
  CUevent mark = event();
  CUdeviceptr ordered = allocate(8);
  EXPECT_EQ(crash(work), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  auto dead = CUDA_ERROR_ILLEGAL_ADDRESS;
  EXPECT_EQ(cuMemFree_v2(memory), dead);
  EXPECT_EQ(cuMemFreeAsync(ordered, work), dead);
  EXPECT_EQ(cuMemFreeHost(host), dead);
  EXPECT_EQ(cuEventDestroy_v2(mark), dead);
  EXPECT_EQ(cuStreamDestroy_v2(work), dead);
  EXPECT_EQ(cuModuleUnload(module), dead);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(counters().leaks, 0u) << report();

  // A new context of the device works.
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleLoadData(&module, kernelText), CUDA_SUCCESS);
  memory = allocate(4);
  EXPECT_EQ(store(memory, 6, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), 6u);
}

TEST_F(FaultTest, otherDevicesGoOn) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  EXPECT_EQ(crash(work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_ILLEGAL_ADDRESS);
  ASSERT_EQ(cuCtxSetCurrent(other), CUDA_SUCCESS);
  CUdeviceptr there = allocate(4);
  EXPECT_EQ(cuMemsetD32_v2(there, 8, 1), CUDA_SUCCESS);
  EXPECT_EQ(load(there), 8u);
  EXPECT_EQ(cuMemcpyAsync(there, there, 4, work), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(FaultTest, aLaunchIsRefused) {
  set("REFUSE_LAUNCH", "2");
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 2, work), CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  EXPECT_EQ(store(memory, 3, work), CUDA_SUCCESS); // nothing sticks
  EXPECT_EQ(load(memory), 3u);
}

TEST_F(FaultTest, aLaunchDies) {
  set("FAULT_LAUNCH", "2");
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 2, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(FaultTest, aDeviceIsLost) {
  set("LOSE_DEVICE", "0:2");
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 2, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_DEVICE_UNAVAILABLE);
  EXPECT_EQ(cuMemFree_v2(memory), CUDA_ERROR_DEVICE_UNAVAILABLE);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_ERROR_DEVICE_UNAVAILABLE);
  EXPECT_EQ(cuDevicePrimaryCtxRetain(&context, 1), CUDA_SUCCESS);
}

TEST_F(FaultTest, contextsDoNotMix) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  CUevent mine = event();
  ASSERT_EQ(cuCtxSetCurrent(other), CUDA_SUCCESS);
  CUstream theirs = stream();
  EXPECT_EQ(cuEventRecord(mine, theirs), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(store(memory, 1, theirs),
            CUDA_ERROR_INVALID_HANDLE); // the kernel is device 0's
  EXPECT_EQ(store(memory, 1, work), CUDA_ERROR_INVALID_HANDLE); // the stream, too
  EXPECT_EQ(cuStreamWaitEvent(theirs, mine, 0), CUDA_SUCCESS);
}

} // namespace
