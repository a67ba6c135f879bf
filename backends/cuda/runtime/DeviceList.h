//===- DeviceList.h - the NVIDIA GPUs of this machine --------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_DEVICELIST_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_DEVICELIST_H

#include "backends/cuda/runtime/CudaApi.h"
#include "runtime/device/hexin_device.h"

#include <string>
#include <vector>

namespace hexin::cuda {

/// One GPU and what it says of itself.
struct GpuInfo {
  CUdevice id = 0;
  std::string unusable;  ///< why it cannot run our kernels, or ""
  int capability = 0;    ///< 80 is 8.0
  int driverVersion = 0; ///< 12040 is CUDA 12.4
  bool hasMemoryPools = false;
  unsigned maxGrid = 1; ///< blocks of a launch
  hexin_device_info info{};
};

struct DeviceList {
  std::vector<GpuInfo> devices; ///< index = the N of "cuda:N", the driver's order
  std::string reason;           ///< when there are none: why

  /// All devices, looked up once per process. Thread-safe.
  static const DeviceList &get();
};

/// "12.4" of 12040.
std::string formatCudaVersion(int version);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_DEVICELIST_H
