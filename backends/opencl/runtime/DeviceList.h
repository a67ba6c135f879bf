//===- DeviceList.h - the OpenCL devices of this machine ---------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_DEVICELIST_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_DEVICELIST_H

#include "backends/opencl/runtime/ClApi.h"
#include "runtime/device/hexin_device.h"

#include <string>
#include <vector>

namespace hexin::opencl {

/// One device and what it says of itself.
struct ClDevice {
  cl_device_id id = nullptr;
  cl_platform_id platform = nullptr;
  std::string name;
  std::string driver;   ///< platform, its version, driver version, device version
  std::string unusable; ///< why it cannot run our kernels, or ""
  bool isCpu = false;
  bool sharesHostMemory = false;
  bool roundsDivideAndSqrt = false; ///< can be told to round them correctly
  bool hasFma = false;              ///< f32 fma is an instruction
  uint32_t maxGroupSize = 1;
  hexin_device_info info{};
};

struct DeviceList {
  std::vector<ClDevice> devices; ///< index = the N of "opencl:N"
  std::string reason;            ///< when there are none: why

  /// All devices of all platforms, looked up once per process: platforms by
  /// name (ties in the loader's order), devices in their platform's order.
  /// Thread-safe.
  static const DeviceList &get();
};

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_DEVICELIST_H
