//===- CopyTest.cpp - copies and memsets, checked and at their time --------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

class CopyTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    set("DEVICES", "sm_80,sm_80");
    start();
    a = allocate(64);
    b = allocate(64);
  }
  CUdeviceptr a = 0, b = 0;
};

TEST_F(CopyTest, everyPlainCopy) {
  uint32_t value = 11, got = 0;
  EXPECT_EQ(cuMemcpyHtoD_v2(a, &value, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoD_v2(b + 4, a, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoH_v2(&got, b + 4, 4), CUDA_SUCCESS);
  EXPECT_EQ(got, 11u);
  value = 12;
  EXPECT_EQ(cuMemcpy(b, reinterpret_cast<CUdeviceptr>(&value), 4), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpy(reinterpret_cast<CUdeviceptr>(&got), b, 4), CUDA_SUCCESS);
  EXPECT_EQ(got, 12u);
  EXPECT_EQ(cuMemcpyHtoD_v2(a, &value, 0), CUDA_SUCCESS);
  StandinCounters sum = counters();
  EXPECT_EQ(sum.hostToDeviceBytes, 8u);
  EXPECT_EQ(sum.deviceToHostBytes, 8u);
  EXPECT_EQ(sum.deviceToDeviceBytes, 4u);
}

TEST_F(CopyTest, boundsAndSides) {
  uint32_t value = 0;
  EXPECT_EQ(cuMemcpyHtoD_v2(a + 61, &value, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(&value, a + 64, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoD_v2(a, b, 65), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(a, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(reinterpret_cast<CUdeviceptr>(&value), &value, 4),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD_v2(a, reinterpret_cast<void *>(b), 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH_v2(reinterpret_cast<void *>(b), a, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(a, &value, SIZE_MAX, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(CopyTest, pageLockedMemoryIsReadAndWrittenLate) {
  CUstream work = stream();
  uint32_t *in = pinned(), *out = pinned();
  *in = 1;
  *out = 0;
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(a, in, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(out, a, 4, work), CUDA_SUCCESS);
  *in = 2;
  EXPECT_EQ(*out, 0u);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
  EXPECT_EQ(*out, 2u);
}

TEST_F(CopyTest, pageableMemoryIsReadAndWrittenAtOnce) {
  CUstream work = stream();
  uint32_t in = 1, out = 0;
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(a, &in, 4, work), CUDA_SUCCESS);
  in = 2;
  EXPECT_EQ(cuMemcpyAsync(b, a, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoHAsync_v2(&out, b, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(out, 1u);
}

TEST_F(CopyTest, plainCopiesOnTheDeviceDoNotWait) {
  uint32_t *seen = pinned();
  *seen = 0;
  CUdeviceptr mapped = 0;
  ASSERT_EQ(cuMemHostGetDevicePointer_v2(&mapped, seen, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32_v2(a, 3, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoD_v2(mapped, a, 4), CUDA_SUCCESS);
  EXPECT_EQ(*seen, 0u);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(*seen, 3u);
}

TEST_F(CopyTest, memsets) {
  CUstream work = stream();
  EXPECT_EQ(cuMemsetD8_v2(a, 0x11, 64), CUDA_SUCCESS);
  EXPECT_EQ(load(a), 0x11111111u);
  EXPECT_EQ(cuMemsetD16_v2(a, 0x2233, 2), CUDA_SUCCESS);
  EXPECT_EQ(load(a), 0x22332233u);
  EXPECT_EQ(cuMemsetD8Async(a, 0x44, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(load(a), 0x22332244u);
  EXPECT_EQ(cuMemsetD16Async(a + 2, 0x5566, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(load(a), 0x55662244u);
  EXPECT_EQ(cuMemsetD32Async(a, 0x778899AA, 16, work), CUDA_SUCCESS);
  EXPECT_EQ(load(a + 60), 0x778899AAu);
  EXPECT_EQ(cuMemsetD32_v2(a, 1, 17), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(a + 2, 1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD16_v2(a + 1, 1, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32_v2(a, 1, SIZE_MAX), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD8_v2(0x1234, 1, 1), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(CopyTest, betweenDevices) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(other), CUDA_SUCCESS);
  CUdeviceptr there = allocate(64);
  EXPECT_EQ(cuMemsetD32_v2(there, 77, 16), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  CUstream work = stream();
  EXPECT_EQ(cuMemcpyPeerAsync(a, context, there, other, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(load(a), 77u);
  EXPECT_EQ(cuMemcpyPeerAsync(a, other, there, other, 4, work), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyPeerAsync(a, rubbish<CUcontext>(), there, other, 4, work),
            CUDA_ERROR_INVALID_CONTEXT);
}

} // namespace
