//===- CudaAbiTest.cpp - our declarations against the toolkit's ------------------------===//
//
// Compiled where cuda.h is found: one author wrote both the stand-in and the backend,
// this is the third opinion. All checks are made by the compiler.
//
//===----------------------------------------------------------------------===//
#include <cuda.h>

#define STANDIN_TYPES_ONLY
#include "tests/cuda_driver/driver/CudaAbi.h"

#include <gtest/gtest.h>

#include <type_traits>

// Prototypes: declared again with cuda.h's own types, each must be the same function
// type.
namespace prototypes {
#define STANDIN_FUNCTION(name, since, parameters) CUresult name parameters;
#define STANDIN_LEGACY(name, since, parameters)
#include "tests/cuda_driver/driver/Functions.def"
#undef STANDIN_FUNCTION
} // namespace prototypes

#define STANDIN_FUNCTION(name, since, parameters)                                        \
  static_assert(std::is_same_v<decltype(prototypes::name), decltype(::name)>, #name);
#define STANDIN_LEGACY(name, since, parameters)
#include "tests/cuda_driver/driver/Functions.def"
#undef STANDIN_FUNCTION

#define STANDIN_ERROR(name, value, text) static_assert(int(::name) == value, #name);
#include "tests/cuda_driver/driver/Errors.def"
#undef STANDIN_ERROR

#define STANDIN_ATTRIBUTE(name, value, result)                                           \
  static_assert(int(::CU_DEVICE_ATTRIBUTE_##name) == value, #name);
#include "tests/cuda_driver/driver/Attributes.def"
#undef STANDIN_ATTRIBUTE

#define SAME(name) static_assert(uint64_t(::name) == uint64_t(standin::name), #name)
SAME(CU_CTX_SCHED_MASK);
SAME(CU_CTX_FLAGS_MASK);
SAME(CU_STREAM_DEFAULT);
SAME(CU_STREAM_NON_BLOCKING);
SAME(CU_EVENT_DEFAULT);
SAME(CU_EVENT_BLOCKING_SYNC);
SAME(CU_EVENT_DISABLE_TIMING);
SAME(CU_EVENT_INTERPROCESS);
SAME(CU_MEMORYTYPE_HOST);
SAME(CU_MEMORYTYPE_DEVICE);
SAME(CU_MEMORYTYPE_ARRAY);
SAME(CU_MEMORYTYPE_UNIFIED);
SAME(CU_POINTER_ATTRIBUTE_CONTEXT);
SAME(CU_POINTER_ATTRIBUTE_MEMORY_TYPE);
SAME(CU_POINTER_ATTRIBUTE_DEVICE_POINTER);
SAME(CU_POINTER_ATTRIBUTE_HOST_POINTER);
SAME(CU_POINTER_ATTRIBUTE_BUFFER_ID);
SAME(CU_POINTER_ATTRIBUTE_IS_MANAGED);
SAME(CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
SAME(CU_POINTER_ATTRIBUTE_RANGE_START_ADDR);
SAME(CU_POINTER_ATTRIBUTE_RANGE_SIZE);
SAME(CU_POINTER_ATTRIBUTE_MAPPED);
SAME(CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES);
SAME(CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC);
SAME(CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES);
SAME(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD);
SAME(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT);
SAME(CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH);
SAME(CU_MEMPOOL_ATTR_USED_MEM_CURRENT);
SAME(CU_MEMPOOL_ATTR_USED_MEM_HIGH);
SAME(CU_FUNC_CACHE_PREFER_NONE);
SAME(CU_FUNC_CACHE_PREFER_SHARED);
SAME(CU_FUNC_CACHE_PREFER_L1);
SAME(CU_FUNC_CACHE_PREFER_EQUAL);
SAME(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
SAME(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
SAME(CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES);
SAME(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
SAME(CU_FUNC_ATTRIBUTE_NUM_REGS);
SAME(CU_FUNC_ATTRIBUTE_PTX_VERSION);
SAME(CU_FUNC_ATTRIBUTE_BINARY_VERSION);
SAME(CU_FUNC_ATTRIBUTE_CACHE_MODE_CA);
SAME(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
SAME(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT);
SAME(CU_JIT_INFO_LOG_BUFFER);
SAME(CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
SAME(CU_JIT_ERROR_LOG_BUFFER);
SAME(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
SAME(CU_LAUNCH_ATTRIBUTE_IGNORE);
SAME(CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
SAME(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
SAME(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
SAME(CU_LAUNCH_ATTRIBUTE_PRIORITY);
SAME(CU_STREAM_CAPTURE_MODE_GLOBAL);
SAME(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME(CU_STREAM_CAPTURE_MODE_RELAXED);
SAME(CU_STREAM_CAPTURE_STATUS_NONE);
SAME(CU_STREAM_CAPTURE_STATUS_ACTIVE);
SAME(CU_STREAM_CAPTURE_STATUS_INVALIDATED);
SAME(CU_GRAPH_NODE_TYPE_KERNEL);
SAME(CU_GRAPH_NODE_TYPE_MEMCPY);
SAME(CU_GRAPH_NODE_TYPE_MEMSET);
SAME(CU_GRAPH_NODE_TYPE_HOST);
SAME(CU_GRAPH_NODE_TYPE_GRAPH);
SAME(CU_GRAPH_NODE_TYPE_EMPTY);
SAME(CU_GRAPH_EXEC_UPDATE_SUCCESS);
SAME(CU_GRAPH_EXEC_UPDATE_ERROR);
SAME(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
SAME(CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED);
SAME(CU_GET_PROC_ADDRESS_SUCCESS);
SAME(CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
SAME(CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
static_assert(CU_LAUNCH_PARAM_END_AS_INT == standin::CU_LAUNCH_PARAM_END_KEY);
static_assert(CU_LAUNCH_PARAM_BUFFER_POINTER_AS_INT ==
              standin::CU_LAUNCH_PARAM_BUFFER_POINTER_KEY);
static_assert(CU_LAUNCH_PARAM_BUFFER_SIZE_AS_INT ==
              standin::CU_LAUNCH_PARAM_BUFFER_SIZE_KEY);

#define SAME_SIZE(type)                                                                  \
  static_assert(sizeof(::type) == sizeof(standin::type) &&                               \
                    alignof(::type) == alignof(standin::type),                           \
                #type)
#define SAME_PLACE(type, field)                                                          \
  static_assert(offsetof(::type, field) == offsetof(standin::type, field) &&             \
                    sizeof(::type::field) == sizeof(standin::type::field),               \
                #type "::" #field)
SAME_SIZE(CUresult);
SAME_SIZE(CUdevice);
SAME_SIZE(CUdeviceptr);
SAME_SIZE(CUdevice_attribute);
SAME_SIZE(CUuuid);
SAME_SIZE(CUlaunchAttributeValue);
SAME_SIZE(CUlaunchAttribute);
SAME_PLACE(CUlaunchAttribute, id);
SAME_PLACE(CUlaunchAttribute, value);
SAME_SIZE(CUlaunchConfig);
SAME_PLACE(CUlaunchConfig, gridDimX);
SAME_PLACE(CUlaunchConfig, blockDimX);
SAME_PLACE(CUlaunchConfig, sharedMemBytes);
SAME_PLACE(CUlaunchConfig, hStream);
SAME_PLACE(CUlaunchConfig, attrs);
SAME_PLACE(CUlaunchConfig, numAttrs);
SAME_SIZE(CUgraphExecUpdateResultInfo);
SAME_PLACE(CUgraphExecUpdateResultInfo, errorNode);
SAME_PLACE(CUgraphExecUpdateResultInfo, errorFromNode);
SAME_SIZE(CUDA_KERNEL_NODE_PARAMS);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, gridDimX);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, blockDimX);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, sharedMemBytes);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, kernelParams);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, extra);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, kern);
SAME_PLACE(CUDA_KERNEL_NODE_PARAMS, ctx);
SAME_SIZE(CUDA_MEMSET_NODE_PARAMS);
SAME_PLACE(CUDA_MEMSET_NODE_PARAMS, dst);
SAME_PLACE(CUDA_MEMSET_NODE_PARAMS, value);
SAME_PLACE(CUDA_MEMSET_NODE_PARAMS, elementSize);
SAME_PLACE(CUDA_MEMSET_NODE_PARAMS, width);
SAME_PLACE(CUDA_MEMSET_NODE_PARAMS, height);

TEST(CudaAbi, agreesWithTheToolkitsHeader) {
  EXPECT_GE(CUDA_VERSION, 12000);
  EXPECT_EQ(CU_STREAM_LEGACY, standin::CU_STREAM_LEGACY_HANDLE);
  EXPECT_EQ(CU_STREAM_PER_THREAD, standin::CU_STREAM_PER_THREAD_HANDLE);
}
