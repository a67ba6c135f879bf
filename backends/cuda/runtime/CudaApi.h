//===- CudaApi.h - the driver's functions, found at run time ------------------------===//
//
// No CUDA library is linked and no header of the toolkit is needed: what we use of the
// driver API is declared here, under the names that the library exports (cuda.h hides
// their suffixes behind macros). The library is opened when somebody first asks for
// devices, so the backend builds and loads everywhere and says politely why it has no
// devices.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_CUDAAPI_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_CUDAAPI_H

#include "hexin/status.h"

#include <cstddef>
#include <cstdint>

// Tags in the global namespace, as cuda.h has them: both name the same types.
struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUevent_st;
struct CUstream_st;
struct CUgraph_st;
struct CUgraphNode_st;
struct CUgraphExec_st;

namespace hexin::cuda {

using CUresult = int; ///< CudaError.h names them; 0 is success
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = ::CUctx_st *;
using CUmodule = ::CUmod_st *;
using CUfunction = ::CUfunc_st *;
using CUevent = ::CUevent_st *;
using CUstream = ::CUstream_st *;
using CUgraph = ::CUgraph_st *;
using CUgraphNode = ::CUgraphNode_st *;
using CUgraphExec = ::CUgraphExec_st *;

inline constexpr CUresult cudaSuccess = 0;

/// Values of cuda.h's enums, as far as we use them.
enum DeviceAttribute : int {
  attributeMaxThreadsPerBlock = 1,
  attributeMaxGridX = 5,
  attributeMultiprocessors = 16,
  attributeCapabilityMajor = 75,
  attributeCapabilityMinor = 76,
  attributeSharedBytesOptIn = 97,
  attributeMemoryPools = 115,
};
enum PointerAttribute : int {
  pointerMemoryType = 2,
  pointerDeviceOrdinal = 9,
  pointerRangeStart = 11,
  pointerRangeBytes = 12,
};
inline constexpr unsigned memoryTypeHost = 1;
enum FunctionAttribute : int {
  functionMaxThreads = 0,
  functionStaticSharedBytes = 1,
  functionMaxDynamicSharedBytes = 8,
};
enum JitOption : int { jitErrorLog = 5, jitErrorLogBytes = 6 };
enum : unsigned { streamNonBlocking = 1, eventDisableTiming = 2, captureThreadLocal = 1 };
/// Keys of a launch's `extra`: the arguments as one block of memory.
inline void *const launchParamEnd = nullptr;
inline void *const launchParamBuffer = reinterpret_cast<void *>(1);
inline void *const launchParamBytes = reinterpret_cast<void *>(2);

struct GraphUpdateResult {
  int result;
  CUgraphNode errorNode, errorFromNode;
};

} // namespace hexin::cuda

// X(exported name, (parameters)): without one of these there is no device.
#define HEXIN_CUDA_FUNCTIONS(X)                                                          \
  X(cuInit, (unsigned flags))                                                            \
  X(cuDriverGetVersion, (int *version))                                                  \
  X(cuDeviceGetCount, (int *count))                                                      \
  X(cuDeviceGet, (CUdevice * device, int ordinal))                                       \
  X(cuDeviceGetName, (char *name, int length, CUdevice device))                          \
  X(cuDeviceTotalMem_v2, (size_t *bytes, CUdevice device))                               \
  X(cuDeviceGetAttribute, (int *value, int attribute, CUdevice device))                  \
  X(cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))                    \
  X(cuDevicePrimaryCtxRelease_v2, (CUdevice device))                                     \
  X(cuCtxPushCurrent_v2, (CUcontext context))                                            \
  X(cuCtxPopCurrent_v2, (CUcontext * context))                                           \
  X(cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes))                                \
  X(cuMemFree_v2, (CUdeviceptr address))                                                 \
  X(cuMemHostAlloc, (void **host, size_t bytes, unsigned flags))                         \
  X(cuMemFreeHost, (void *host))                                                         \
  X(cuMemcpyHtoDAsync_v2,                                                                \
    (CUdeviceptr dst, const void *src, size_t bytes, CUstream stream))                   \
  X(cuMemcpyDtoHAsync_v2, (void *dst, CUdeviceptr src, size_t bytes, CUstream stream))   \
  X(cuMemcpyDtoDAsync_v2,                                                                \
    (CUdeviceptr dst, CUdeviceptr src, size_t bytes, CUstream stream))                   \
  X(cuStreamCreate, (CUstream * stream, unsigned flags))                                 \
  X(cuStreamDestroy_v2, (CUstream stream))                                               \
  X(cuStreamSynchronize, (CUstream stream))                                              \
  X(cuEventCreate, (CUevent * event, unsigned flags))                                    \
  X(cuEventDestroy_v2, (CUevent event))                                                  \
  X(cuEventRecord, (CUevent event, CUstream stream))                                     \
  X(cuEventSynchronize, (CUevent event))                                                 \
  X(cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned flags))                 \
  X(cuPointerGetAttribute, (void *value, int attribute, CUdeviceptr address))            \
  X(cuEventElapsedTime, (float *milliseconds, CUevent start, CUevent end))               \
  X(cuModuleLoadDataEx, (CUmodule * module, const void *image, unsigned optionCount,     \
                         int *options, void **optionValues))                             \
  X(cuModuleUnload, (CUmodule module))                                                   \
  X(cuModuleGetFunction, (CUfunction * function, CUmodule module, const char *name))     \
  X(cuFuncGetAttribute, (int *value, int attribute, CUfunction function))                \
  X(cuFuncSetAttribute, (CUfunction function, int attribute, int value))                 \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessor,                                         \
    (int *blocks, CUfunction function, int blockThreads, size_t dynamicSharedBytes))     \
  X(cuLaunchKernel,                                                                      \
    (CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ,                \
     unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,            \
     CUstream stream, void **params, void **extra))

// Null where the library lacks them; we do without.
#define HEXIN_CUDA_OPTIONAL_FUNCTIONS(X)                                                 \
  X(cuMemAllocAsync, (CUdeviceptr * address, size_t bytes, CUstream stream))             \
  X(cuMemFreeAsync, (CUdeviceptr address, CUstream stream))                              \
  X(cuDeviceCanAccessPeer, (int *can, CUdevice device, CUdevice peer))                   \
  X(cuCtxEnablePeerAccess, (CUcontext peer, unsigned flags))                             \
  X(cuMemcpyPeerAsync, (CUdeviceptr dst, CUcontext dstContext, CUdeviceptr src,          \
                        CUcontext srcContext, size_t bytes, CUstream stream))            \
  X(cuStreamBeginCapture_v2, (CUstream stream, unsigned mode))                           \
  X(cuStreamEndCapture, (CUstream stream, CUgraph * graph))                              \
  X(cuGraphDestroy, (CUgraph graph))                                                     \
  X(cuGraphInstantiateWithFlags,                                                         \
    (CUgraphExec * exec, CUgraph graph, unsigned long long flags))                       \
  X(cuGraphLaunch, (CUgraphExec exec, CUstream stream))                                  \
  X(cuGraphExecUpdate_v2, (CUgraphExec exec, CUgraph graph, GraphUpdateResult * result)) \
  X(cuGraphExecDestroy, (CUgraphExec exec))

namespace hexin::cuda {

struct CudaApi {
#define HEXIN_CUDA_MEMBER(name, parameters) CUresult(*name) parameters = nullptr;
  HEXIN_CUDA_FUNCTIONS(HEXIN_CUDA_MEMBER)
  HEXIN_CUDA_OPTIONAL_FUNCTIONS(HEXIN_CUDA_MEMBER)
#undef HEXIN_CUDA_MEMBER

  bool hasGraphs() const;
  bool hasStreamOrderedMemory() const { return cuMemAllocAsync && cuMemFreeAsync; }

  /// The table, loaded once per process and kept (drivers do not survive being
  /// unloaded). $HEXIN_CUDA_LIBRARY replaces "libcuda.so.1". Thread-safe.
  /// unavailable: no such library, or it lacks a function.
  static const Result<CudaApi> &get();
};

/// Makes a context the calling thread's for as long as it lives; whatever the caller
/// had current comes back behind it.
class CurrentContext {
public:
  CurrentContext(const CudaApi &api, CUcontext context)
      : api_(api), code_(api.cuCtxPushCurrent_v2(context)) {}
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;
  ~CurrentContext() {
    CUcontext popped = nullptr;
    if (code_ == cudaSuccess)
      api_.cuCtxPopCurrent_v2(&popped);
  }
  CUresult code() const { return code_; }

private:
  const CudaApi &api_;
  CUresult code_;
};

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_CUDAAPI_H
