//===- UninitialisedTest.cpp - nothing works before cuInit, or without a context --------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <algorithm>
#include <functional>
#include <span>

using namespace standin;

namespace {

struct Row {
  const char *name;
  std::function<CUresult()> call;
};

int number;
unsigned flags;
float time_;
size_t size;
char text[16];
void *pointer;
CUdeviceptr address;
CUcontext context;
CUmodule module;
CUfunction function;
CUstream stream;
CUevent event;
CUgraph graph;
CUgraphExec exec;
CUgraphNode node;
CUgraphNodeType type;
CUmemoryPool pool;
CUuuid uuid;
CUstreamCaptureStatus status;
CUstreamCaptureMode mode;
CUlaunchConfig config{};
CUDA_KERNEL_NODE_PARAMS kernelParams{};
CUDA_MEMSET_NODE_PARAMS fillParams{};
CUgraphExecUpdateResultInfo updateInfo;

#define ROW(name, ...) {#name, [] { return name(__VA_ARGS__); }}

const Row withoutContext[] = {
    ROW(cuDeviceGetCount, &number),
    ROW(cuDeviceGet, &number, 0),
    ROW(cuDeviceGetName, text, sizeof text, 0),
    ROW(cuDeviceGetUuid, &uuid, 0),
    ROW(cuDeviceGetUuid_v2, &uuid, 0),
    ROW(cuDeviceTotalMem_v2, &size, 0),
    ROW(cuDeviceGetAttribute, &number, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0),
    ROW(cuDeviceCanAccessPeer, &number, 0, 0),
    ROW(cuDeviceGetDefaultMemPool, &pool, 0),
    ROW(cuDevicePrimaryCtxRetain, &context, 0),
    ROW(cuDevicePrimaryCtxRelease_v2, 0),
    ROW(cuDevicePrimaryCtxReset_v2, 0),
    ROW(cuDevicePrimaryCtxGetState, 0, &flags, &number),
    ROW(cuDevicePrimaryCtxSetFlags_v2, 0, 0),
    ROW(cuCtxSetCurrent, nullptr),
    ROW(cuCtxGetCurrent, &context),
    ROW(cuCtxPushCurrent_v2, nullptr),
    ROW(cuCtxPopCurrent_v2, &context),
    ROW(cuMemPoolSetAttribute, pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &size),
    ROW(cuMemPoolGetAttribute, pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &size),
    ROW(cuMemPoolTrimTo, pool, 0),
    ROW(cuPointerGetAttribute, &number, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, 1),
    ROW(cuThreadExchangeStreamCaptureMode, &mode),
    ROW(cuGraphCreate, &graph, 0),
    ROW(cuGraphDestroy, graph),
    ROW(cuGraphGetNodes, graph, nullptr, &size),
    ROW(cuGraphNodeGetType, node, &type),
    ROW(cuGraphAddEmptyNode, &node, graph, nullptr, 0),
    ROW(cuGraphKernelNodeGetParams_v2, node, &kernelParams),
    ROW(cuGraphExecDestroy, exec),
};

const Row withContext[] = {
    ROW(cuCtxGetDevice, &number),
    ROW(cuCtxSynchronize),
    ROW(cuCtxGetStreamPriorityRange, &number, &number),
    ROW(cuCtxEnablePeerAccess, context, 0),
    ROW(cuMemGetInfo_v2, &size, &size),
    ROW(cuMemAlloc_v2, &address, 4),
    ROW(cuMemFree_v2, address),
    ROW(cuMemAllocAsync, &address, 4, stream),
    ROW(cuMemFreeAsync, address, stream),
    ROW(cuMemHostAlloc, &pointer, 4, 0),
    ROW(cuMemFreeHost, pointer),
    ROW(cuMemHostRegister_v2, &number, 4, 0),
    ROW(cuMemHostUnregister, &number),
    ROW(cuMemHostGetDevicePointer_v2, &address, pointer, 0),
    ROW(cuMemcpy, address, address, 1),
    ROW(cuMemcpyAsync, address, address, 1, stream),
    ROW(cuMemcpyHtoD_v2, address, &number, 1),
    ROW(cuMemcpyDtoH_v2, &number, address, 1),
    ROW(cuMemcpyDtoD_v2, address, address, 1),
    ROW(cuMemcpyHtoDAsync_v2, address, &number, 1, stream),
    ROW(cuMemcpyDtoHAsync_v2, &number, address, 1, stream),
    ROW(cuMemcpyDtoDAsync_v2, address, address, 1, stream),
    ROW(cuMemcpyPeerAsync, address, context, address, context, 1, stream),
    ROW(cuMemsetD8_v2, address, 0, 1),
    ROW(cuMemsetD16_v2, address, 0, 1),
    ROW(cuMemsetD32_v2, address, 0, 1),
    ROW(cuMemsetD8Async, address, 0, 1, stream),
    ROW(cuMemsetD16Async, address, 0, 1, stream),
    ROW(cuMemsetD32Async, address, 0, 1, stream),
    ROW(cuStreamCreate, &stream, 0),
    ROW(cuStreamCreateWithPriority, &stream, 0, 0),
    ROW(cuStreamDestroy_v2, stream),
    ROW(cuStreamSynchronize, stream),
    ROW(cuStreamQuery, stream),
    ROW(cuStreamWaitEvent, stream, event, 0),
    ROW(cuLaunchHostFunc, stream, nullptr, nullptr),
    ROW(cuEventCreate, &event, 0),
    ROW(cuEventDestroy_v2, event),
    ROW(cuEventRecord, event, stream),
    ROW(cuEventSynchronize, event),
    ROW(cuEventQuery, event),
    ROW(cuEventElapsedTime, &time_, event, event),
    ROW(cuEventElapsedTime_v2, &time_, event, event),
    ROW(cuModuleLoadData, &module, kernelText),
    ROW(cuModuleLoadDataEx, &module, kernelText, 0, nullptr, nullptr),
    ROW(cuModuleUnload, module),
    ROW(cuModuleGetFunction, &function, module, "store"),
    ROW(cuModuleGetGlobal_v2, &address, &size, module, "table"),
    ROW(cuFuncGetAttribute, &number, CU_FUNC_ATTRIBUTE_NUM_REGS, function),
    ROW(cuFuncSetAttribute, function, CU_FUNC_ATTRIBUTE_NUM_REGS, 1),
    ROW(cuFuncSetCacheConfig, function, CU_FUNC_CACHE_PREFER_L1),
    ROW(cuOccupancyMaxActiveBlocksPerMultiprocessor, &number, function, 32, 0),
    ROW(cuOccupancyMaxPotentialBlockSize, &number, &number, function, nullptr, 0, 0),
    ROW(cuLaunchKernel, function, 1, 1, 1, 1, 1, 1, 0, stream, nullptr, nullptr),
    ROW(cuLaunchKernelEx, &config, function, nullptr, nullptr),
    ROW(cuLaunchCooperativeKernel, function, 1, 1, 1, 1, 1, 1, 0, stream, nullptr),
    ROW(cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_GLOBAL),
    ROW(cuStreamEndCapture, stream, &graph),
    ROW(cuStreamIsCapturing, stream, &status),
    ROW(cuGraphAddKernelNode_v2, &node, graph, nullptr, 0, &kernelParams),
    ROW(cuGraphAddMemsetNode, &node, graph, nullptr, 0, &fillParams, context),
    ROW(cuGraphInstantiateWithFlags, &exec, graph, 0),
    ROW(cuGraphLaunch, exec, stream),
    ROW(cuGraphExecUpdate_v2, exec, graph, &updateInfo),
    ROW(cuGraphExecKernelNodeSetParams_v2, exec, node, &kernelParams),
};

const char *const anyTime[] = {"cuInit",           "cuDriverGetVersion",
                               "cuGetErrorName",   "cuGetErrorString",
                               "cuGetProcAddress", "cuGetProcAddress_v2"};

void useRubbish() {
  address = 0x1234560;
  stream = rubbish<CUstream>();
  event = rubbish<CUevent>();
  module = rubbish<CUmodule>();
  function = rubbish<CUfunction>();
  graph = rubbish<CUgraph>();
  exec = rubbish<CUgraphExec>();
  node = rubbish<CUgraphNode>();
  pool = rubbish<CUmemoryPool>();
  context = rubbish<CUcontext>();
}

class UninitialisedTest : public DriverTest {};

TEST_F(UninitialisedTest, everyFunctionAsksForInit) {
  for (const Row &row : withoutContext)
    EXPECT_EQ(row.call(), CUDA_ERROR_NOT_INITIALIZED) << row.name;
  for (const Row &row : withContext)
    EXPECT_EQ(row.call(), CUDA_ERROR_NOT_INITIALIZED) << row.name;
}

TEST_F(UninitialisedTest, everyFunctionThatNeedsAContextSaysSo) {
  ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  for (const Row &row : withContext)
    EXPECT_EQ(row.call(), CUDA_ERROR_INVALID_CONTEXT) << row.name;
}

TEST_F(UninitialisedTest, noFunctionIsForgottenHere) {
  size_t count = 0;
#define STANDIN_FUNCTION(name, since, parameters) ++count;
#include "tests/cuda_driver/driver/Functions.def"
#undef STANDIN_FUNCTION
  EXPECT_EQ(count,
            std::size(withoutContext) + std::size(withContext) + std::size(anyTime));
}

/// All handles are null or rubbish: an error each time, never a crash.
TEST_F(UninitialisedTest, rubbishIsRefused) {
  start();
  useRubbish();
  const std::string fine[] = {"cuDeviceGetCount",
                              "cuDeviceGet",
                              "cuDeviceGetName",
                              "cuDeviceGetUuid",
                              "cuDeviceGetUuid_v2",
                              "cuDeviceTotalMem_v2",
                              "cuDeviceGetAttribute",
                              "cuDeviceCanAccessPeer",
                              "cuDeviceGetDefaultMemPool",
                              "cuDevicePrimaryCtxRetain",
                              "cuDevicePrimaryCtxRelease_v2",
                              "cuDevicePrimaryCtxReset_v2",
                              "cuDevicePrimaryCtxGetState",
                              "cuDevicePrimaryCtxSetFlags_v2",
                              "cuCtxSetCurrent",
                              "cuCtxGetCurrent",
                              "cuCtxPopCurrent_v2",
                              "cuThreadExchangeStreamCaptureMode",
                              "cuGraphCreate",
                              "cuCtxGetDevice",
                              "cuCtxSynchronize",
                              "cuCtxGetStreamPriorityRange",
                              "cuMemGetInfo_v2",
                              "cuMemAlloc_v2",
                              "cuMemHostAlloc",
                              "cuMemHostRegister_v2",
                              "cuMemHostUnregister",
                              "cuStreamCreate",
                              "cuStreamCreateWithPriority",
                              "cuEventCreate",
                              "cuModuleLoadData",
                              "cuModuleLoadDataEx"};
  int refused = 0;
  for (std::span<const Row> rows :
       {std::span<const Row>(withoutContext), std::span<const Row>(withContext)})
    for (const Row &row : rows) {
      if (std::ranges::find(fine, row.name) != std::end(fine))
        continue;
      EXPECT_NE(row.call(), CUDA_SUCCESS) << row.name;
      ++refused;
    }
  EXPECT_GT(refused, 50);
}

} // namespace
