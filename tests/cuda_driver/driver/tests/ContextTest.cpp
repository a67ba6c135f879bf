//===- ContextTest.cpp - primary contexts, current contexts, leaks ---------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <thread>

using namespace standin;

namespace {

using ContextTest = DriverTest;

TEST_F(ContextTest, retainAndRelease) {
  ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxRetain(&context, 3), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDevicePrimaryCtxRetain(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_ERROR_INVALID_CONTEXT);
  unsigned flags = 9;
  int active = 9;
  EXPECT_EQ(cuDevicePrimaryCtxSetFlags_v2(0, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxSetFlags_v2(0, 0x1000), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuDevicePrimaryCtxGetState(0, &flags, &active), CUDA_SUCCESS);
  EXPECT_EQ(flags, 4u);
  EXPECT_EQ(active, 0);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
  CUcontext again = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&again, 0), CUDA_SUCCESS);
  EXPECT_EQ(context, again);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxGetState(0, &flags, &active), CUDA_SUCCESS);
  EXPECT_EQ(active, 1);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSetCurrent(context), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(counters().leaks, 0u) << report();
}

TEST_F(ContextTest, currentOfEachThread) {
  start();
  CUcontext current = nullptr;
  EXPECT_EQ(cuCtxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, context);
  CUdevice device = 9;
  EXPECT_EQ(cuCtxGetDevice(&device), CUDA_SUCCESS);
  EXPECT_EQ(device, 0);
  std::thread([] {
    CUcontext current = rubbish<CUcontext>();
    EXPECT_EQ(cuCtxGetCurrent(&current), CUDA_SUCCESS);
    EXPECT_EQ(current, nullptr);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
  }).join();
  EXPECT_EQ(cuCtxPushCurrent_v2(context), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPushCurrent_v2(rubbish<CUcontext>()), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxPopCurrent_v2(&current), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPopCurrent_v2(&current), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPopCurrent_v2(&current), CUDA_ERROR_INVALID_CONTEXT);
  int least = 1, greatest = 1;
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxGetStreamPriorityRange(&least, &greatest), CUDA_SUCCESS);
  EXPECT_LT(greatest, least);
}

TEST_F(ContextTest, accessToPeers) {
  set("DEVICES", "sm_80,sm_90");
  for (bool isAllowed : {false, true}) {
    set("PEER_ACCESS", isAllowed ? "1" : "0");
    start();
    CUcontext other = nullptr;
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
    int can = 9;
    EXPECT_EQ(cuDeviceCanAccessPeer(&can, 0, 1), CUDA_SUCCESS);
    EXPECT_EQ(can, isAllowed);
    EXPECT_EQ(cuDeviceCanAccessPeer(&can, 0, 0), CUDA_SUCCESS);
    EXPECT_EQ(can, 0);
    EXPECT_EQ(cuCtxEnablePeerAccess(other, 1), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuCtxEnablePeerAccess(context, 0), CUDA_ERROR_INVALID_DEVICE);
    EXPECT_EQ(cuCtxEnablePeerAccess(rubbish<CUcontext>(), 0), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_EQ(cuCtxEnablePeerAccess(other, 0),
              isAllowed ? CUDA_SUCCESS : CUDA_ERROR_PEER_ACCESS_UNSUPPORTED);
    EXPECT_EQ(cuCtxEnablePeerAccess(other, 0),
              isAllowed ? CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED
                        : CUDA_ERROR_PEER_ACCESS_UNSUPPORTED);
    EXPECT_EQ(counters().peerAccesses, isAllowed ? 1u : 0u);
  }
}

TEST_F(ContextTest, allHandlesDieWithTheContext) {
  start();
  CUdeviceptr memory = allocate(16);
  CUstream work = stream();
  CUevent mark = event();
  ASSERT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(memory), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamDestroy_v2(work), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventDestroy_v2(mark), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  std::string text = report();
  for (const char *what :
       {"1 allocations were live", "1 modules", "1 streams", "1 events"})
    EXPECT_NE(text.find(what), text.npos) << what << "\n" << text;
}

TEST_F(ContextTest, leaksAreListed) {
  start();
  EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  allocate(4321);
  pinned(10);
  std::string text = report();
  EXPECT_NE(text.find("leak: allocation 1 of device 0, 4321 bytes"), text.npos) << text;
  EXPECT_NE(text.find("leak: 40 bytes of page-locked host memory"), text.npos) << text;
  EXPECT_NE(text.find("leak: the context of device 0, retained 1 times"), text.npos);
  EXPECT_EQ(counters().leaks, 3u);
}

TEST_F(ContextTest, reset) {
  start();
  ASSERT_EQ(cuDevicePrimaryCtxReset_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  EXPECT_EQ(cuDevicePrimaryCtxReset_v2(5), CUDA_ERROR_INVALID_DEVICE);
}

} // namespace
