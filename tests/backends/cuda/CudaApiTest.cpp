//===- CudaApiTest.cpp - the backend's prototypes against the toolkit's ----------------===//
//
// Compiled where cuda.h is found. The backend declares what it uses of the driver itself,
// with plain integers for enums: those must be of their size. All checks are made by the
// compiler.
//
//===----------------------------------------------------------------------===//
#include <cuda.h>

#include "backends/cuda/runtime/CudaApi.h"
#include "backends/cuda/runtime/CudaError.h"
#include "tests/backends/cuda/SameType.h"

#include <gtest/gtest.h>

namespace {

#define HEXIN_SAME(name, parameters)                                                     \
  static_assert(hexin::test::IsAlikeFunction<decltype(hexin::cuda::CudaApi::name),       \
                                             decltype(&::name)>::value,                  \
                #name);
HEXIN_CUDA_FUNCTIONS(HEXIN_SAME)
HEXIN_CUDA_OPTIONAL_FUNCTIONS(HEXIN_SAME)

#define HEXIN_EQUAL(ours, theirs)                                                        \
  static_assert(static_cast<int>(hexin::cuda::ours) == static_cast<int>(::theirs), #ours)
HEXIN_EQUAL(attributeMaxThreadsPerBlock, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
HEXIN_EQUAL(attributeMaxGridX, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X);
HEXIN_EQUAL(attributeMultiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
HEXIN_EQUAL(attributeCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
HEXIN_EQUAL(attributeCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
HEXIN_EQUAL(attributeSharedBytesOptIn,
            CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
HEXIN_EQUAL(attributeMemoryPools, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED);
HEXIN_EQUAL(functionMaxThreads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
HEXIN_EQUAL(functionStaticSharedBytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
HEXIN_EQUAL(functionMaxDynamicSharedBytes,
            CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
HEXIN_EQUAL(pointerMemoryType, CU_POINTER_ATTRIBUTE_MEMORY_TYPE);
HEXIN_EQUAL(pointerDeviceOrdinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
HEXIN_EQUAL(pointerRangeStart, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR);
HEXIN_EQUAL(pointerRangeBytes, CU_POINTER_ATTRIBUTE_RANGE_SIZE);
HEXIN_EQUAL(memoryTypeHost, CU_MEMORYTYPE_HOST);
HEXIN_EQUAL(jitErrorLog, CU_JIT_ERROR_LOG_BUFFER);
HEXIN_EQUAL(jitErrorLogBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
HEXIN_EQUAL(streamNonBlocking, CU_STREAM_NON_BLOCKING);
HEXIN_EQUAL(eventDisableTiming, CU_EVENT_DISABLE_TIMING);
HEXIN_EQUAL(captureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
HEXIN_EQUAL(cudaUnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
HEXIN_EQUAL(cudaInvalidHandle, CUDA_ERROR_INVALID_HANDLE);

TEST(CudaApi, IsTheToolkits) {
  EXPECT_EQ(hexin::cuda::launchParamEnd, CU_LAUNCH_PARAM_END);
  EXPECT_EQ(hexin::cuda::launchParamBuffer, CU_LAUNCH_PARAM_BUFFER_POINTER);
  EXPECT_EQ(hexin::cuda::launchParamBytes, CU_LAUNCH_PARAM_BUFFER_SIZE);
}

} // namespace
