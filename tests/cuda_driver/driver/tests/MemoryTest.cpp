//===- MemoryTest.cpp - allocations, pools, page-locked memory -------------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

class MemoryTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    set("MEMORY", "1M");
    start();
  }
};

TEST_F(MemoryTest, allocateAndFree) {
  CUdeviceptr address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(&address, 2 << 20), CUDA_ERROR_OUT_OF_MEMORY);
  size_t before = 0, after = 0, total = 0;
  EXPECT_EQ(cuMemGetInfo_v2(&before, &total), CUDA_SUCCESS);
  EXPECT_EQ(total, 1u << 20);
  EXPECT_EQ(cuMemAlloc_v2(&address, 1000), CUDA_SUCCESS);
  EXPECT_EQ(address % 256, 0u);
  EXPECT_EQ(cuMemGetInfo_v2(&after, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(before - after, 1000u);
  EXPECT_EQ(load(address), poison);
  EXPECT_EQ(cuMemFree_v2(address + 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree_v2(address), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE);
  EXPECT_NE(lastError().find("freed twice"), std::string::npos);
  EXPECT_EQ(cuMemFree_v2(0), CUDA_SUCCESS);
  EXPECT_EQ(counters().peakDeviceBytes, 1000u + 8);
}

TEST_F(MemoryTest, streamOrdered) {
  CUstream a = stream();
  CUdeviceptr address = 0;
  ASSERT_EQ(cuMemAllocAsync(&address, 64, a), CUDA_SUCCESS);
  EXPECT_EQ(store(address, 7, a), CUDA_SUCCESS);
  EXPECT_EQ(load(address), 7u);
  EXPECT_EQ(cuMemFreeAsync(address, a), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeAsync(address, a), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocAsync(&address, 0, a), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAllocAsync(&address, 4, rubbish<CUstream>()), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(MemoryTest, queuedFreesMakeRoom) {
  CUstream a = stream();
  for (int i = 0; i < 10; ++i) {
    CUdeviceptr address = 0;
    ASSERT_EQ(cuMemAllocAsync(&address, 600 << 10, a), CUDA_SUCCESS);
    ASSERT_EQ(cuMemFreeAsync(address, a), CUDA_SUCCESS);
  }
}

TEST_F(MemoryTest, pool) {
  CUmemoryPool pool = nullptr;
  ASSERT_EQ(cuDeviceGetDefaultMemPool(&pool, 0), CUDA_SUCCESS);
  uint64_t threshold = 12345, got = 0;
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold),
            CUDA_SUCCESS);
  EXPECT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &got),
            CUDA_SUCCESS);
  EXPECT_EQ(got, threshold);
  EXPECT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &got),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolSetAttribute(rubbish<CUmemoryPool>(),
                                  CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &got),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuMemPoolTrimTo(pool, 0), CUDA_SUCCESS);
}

TEST_F(MemoryTest, pinned) {
  void *host = nullptr;
  EXPECT_EQ(cuMemHostAlloc(&host, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostAlloc(&host, 4, 64), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostAlloc(&host, SIZE_MAX, 0), CUDA_ERROR_OUT_OF_MEMORY);
  ASSERT_EQ(cuMemHostAlloc(&host, 64, 2), CUDA_SUCCESS);
  auto *words = static_cast<uint32_t *>(host);
  EXPECT_EQ(words[0], poison);
  CUdeviceptr mapped = 0;
  ASSERT_EQ(cuMemHostGetDevicePointer_v2(&mapped, words + 1, 0), CUDA_SUCCESS);
  CUstream a = stream();
  EXPECT_EQ(store(mapped, 5, a), CUDA_SUCCESS);
  EXPECT_EQ(words[1], poison);
  EXPECT_EQ(cuStreamSynchronize(a), CUDA_SUCCESS);
  EXPECT_EQ(words[1], 5u);
  int onStack = 0;
  EXPECT_EQ(cuMemHostGetDevicePointer_v2(&mapped, &onStack, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostUnregister(host), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  EXPECT_EQ(cuMemFreeHost(words + 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFreeHost(host), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFreeHost(host), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, registered) {
  std::vector<uint32_t> words(100);
  EXPECT_EQ(cuMemHostRegister_v2(words.data(), 400, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostRegister_v2(words.data() + 50, 400, 0),
            CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  EXPECT_EQ(cuMemHostRegister_v2(words.data() - 50, 400, 0),
            CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  EXPECT_EQ(cuMemHostRegister_v2(nullptr, 400, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFreeHost(words.data()), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemHostUnregister(words.data() + 1), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  EXPECT_EQ(cuMemHostUnregister(words.data()), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostUnregister(words.data()), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

TEST_F(MemoryTest, pointerAttributes) {
  CUdeviceptr address = allocate(64);
  unsigned type = 0;
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address + 4),
            CUDA_SUCCESS);
  EXPECT_EQ(type, CU_MEMORYTYPE_DEVICE);
  CUdeviceptr begin = 0;
  EXPECT_EQ(
      cuPointerGetAttribute(&begin, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, address + 4),
      CUDA_SUCCESS);
  EXPECT_EQ(begin, address);
  size_t bytes = 0;
  EXPECT_EQ(cuPointerGetAttribute(&bytes, CU_POINTER_ATTRIBUTE_RANGE_SIZE, address),
            CUDA_SUCCESS);
  EXPECT_EQ(bytes, 64u);
  int ordinal = 9;
  EXPECT_EQ(cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, address),
            CUDA_SUCCESS);
  EXPECT_EQ(ordinal, 0);
  CUcontext owner = nullptr;
  EXPECT_EQ(cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, address),
            CUDA_SUCCESS);
  EXPECT_EQ(owner, context);
  auto host = reinterpret_cast<CUdeviceptr>(pinned());
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, host),
            CUDA_SUCCESS);
  EXPECT_EQ(type, CU_MEMORYTYPE_HOST);
  EXPECT_EQ(cuPointerGetAttribute(&begin, CU_POINTER_ATTRIBUTE_HOST_POINTER, address),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address + 64),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuPointerGetAttribute(&type, CUpointer_attribute(99), address),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, theNthAllocationFails) {
  set("FAIL_ALLOCATION", "2");
  allocate(4);
  CUdeviceptr address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_OUT_OF_MEMORY);
  allocate(4);
  set("FAIL_ALLOCATION", "1+");
  void *host = nullptr;
  EXPECT_EQ(cuMemAllocAsync(&address, 4, nullptr), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemHostAlloc(&host, 4, 0), CUDA_ERROR_OUT_OF_MEMORY);
}

} // namespace
