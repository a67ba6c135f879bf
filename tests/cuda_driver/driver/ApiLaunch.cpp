//===- ApiLaunch.cpp - kernel launches and occupancy ----------------------------------===//
#include "tests/cuda_driver/driver/KernelCheck.h"

using namespace standin;

namespace {

CUresult launch(Call &call, const LaunchRequest &request, CUstream handle) {
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle, false);
  KernelAction action;
  if (!stream || !makeKernelAction(call, request, action))
    return call.result();
  if (action.function->context() != stream->context)
    return call.fail(CUDA_ERROR_INVALID_HANDLE,
                     "function and stream are of two contexts");
  if (call.driver.config.refuseLaunch.strikes())
    return call.fail(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "told to fail (REFUSE_LAUNCH)");
  if (CUresult result = call.driver.submit(call.lock, *stream, std::move(action)))
    return call.fail(result, "the stream's capture forbids it");
  return call.finish();
}

} // namespace

namespace standin {

CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
                        unsigned sharedBytes, CUstream stream, void **params,
                        void **extra) {
  Call call("cuLaunchKernel", Needs::context);
  return launch(call,
                {function,
                 {gridX, gridY, gridZ},
                 {blockX, blockY, blockZ},
                 sharedBytes,
                 params,
                 extra},
                stream);
}

CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned gridX, unsigned gridY,
                                   unsigned gridZ, unsigned blockX, unsigned blockY,
                                   unsigned blockZ, unsigned sharedBytes, CUstream stream,
                                   void **params) {
  Call call("cuLaunchCooperativeKernel", Needs::context);
  return launch(call,
                {function,
                 {gridX, gridY, gridZ},
                 {blockX, blockY, blockZ},
                 sharedBytes,
                 params,
                 nullptr,
                 true},
                stream);
}

CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                          void **params, void **extra) {
  Call call("cuLaunchKernelEx", Needs::context);
  if (call.isRefused())
    return call.result();
  if (!config || (config->numAttrs && !config->attrs))
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no configuration, or no attributes");
  LaunchRequest request{function,
                        {config->gridDimX, config->gridDimY, config->gridDimZ},
                        {config->blockDimX, config->blockDimY, config->blockDimZ},
                        config->sharedMemBytes,
                        params,
                        extra};
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const CUlaunchAttribute &attribute = config->attrs[i];
    const auto &cluster = attribute.value.clusterDim;
    switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
      break; // no effect that the result could show
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      request.isCooperative = attribute.value.cooperative != 0;
      break;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      if (cluster.x == 1 && cluster.y == 1 && cluster.z == 1)
        break;
      return call.fail(CUDA_ERROR_INVALID_CLUSTER_SIZE, "the stand-in has no clusters");
    default:
      return call.fail(CUDA_ERROR_NOT_SUPPORTED,
                       "launch attribute " + std::to_string(unsigned(attribute.id)));
    }
  }
  return launch(call, request, config->hStream);
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction handle,
                                                     int blockThreads,
                                                     size_t dynamicShared) {
  Call call("cuOccupancyMaxActiveBlocksPerMultiprocessor", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Function> function = call.driver.functions.find(handle);
  if (!function)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live function");
  if (!blocks || blockThreads <= 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no threads, or nowhere for the answer");
  bool fits = dynamicShared <= size_t(std::max(function->maxDynamicShared, 0));
  *blocks = fits ? residentBlocks(*function, blockThreads, dynamicShared) : 0;
  return call.finish();
}

CUresult cuOccupancyMaxPotentialBlockSize(int *minGrid, int *blockThreads,
                                          CUfunction handle,
                                          CUoccupancyB2DSize sharedOfBlock,
                                          size_t dynamicShared, int limit) {
  Call call("cuOccupancyMaxPotentialBlockSize", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Function> function = call.driver.functions.find(handle);
  if (!function)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live function");
  if (!minGrid || !blockThreads || limit < 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "a bad limit, or nowhere for the answer");
  int most = limit ? std::min(limit, 1024) : 1024;
  int bestThreads = 0, bestBlocks = 0, bestResident = 0;
  for (int threads = 32; threads <= most; threads += 32) {
    size_t shared = sharedOfBlock ? sharedOfBlock(threads) : dynamicShared;
    int resident = residentBlocks(*function, threads, shared);
    if (resident * threads >= bestResident && resident > 0) {
      bestResident = resident * threads;
      bestThreads = threads;
      bestBlocks = resident;
    }
  }
  *blockThreads = bestThreads;
  *minGrid = bestBlocks * call.device().profile.multiprocessors;
  return call.finish();
}

} // namespace standin
