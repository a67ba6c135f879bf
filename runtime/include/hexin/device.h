//===- hexin/device.h - the devices of this machine, tensors on them --------===//
//
// A snapshot: what listDevices() gives belongs to the caller and is not updated.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_DEVICE_PUBLIC_H
#define HEXIN_DEVICE_PUBLIC_H

#include "hexin/status.h"
#include "hexin/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hexin {

/// What a device says of itself. Its name everywhere is `id`: "cpu",
/// "opencl:0", "opencl:1".
struct DeviceInfo {
  std::string id;
  std::string name;                    ///< as the vendor calls it
  std::string driver;                  ///< platform and driver version
  std::vector<std::string> imageArchs; ///< code it runs, best first
  uint64_t memoryBytes = 0;
  uint32_t computeUnits = 0;
  bool available = true;
  std::string reason; ///< when not available: why, and what to do
};

/// Every device of every backend that lies beside the library or on
/// HEXIN_BACKEND_PATH, and an unavailable entry with its reason for each of those
/// that cannot be loaded or finds no device. Thread-safe.
HEXIN_EXPORT std::vector<DeviceInfo> listDevices();

/// A copy of `tensor`, wherever it lies, with memory of its own on `device`
/// (DeviceInfo::id; "" or a device with host memory: on the host). It is there when the
/// call returns; copies of what has a stream come behind what that holds. The memory
/// goes with the last copy of the Tensor: whoever uses its address has finished by then.
/// Thread-safe.
///   unavailable      the device is not there
///   unsupported      its memory has no addresses that could be given out (OpenCL)
///   invalidArgument  `tensor` is not where it says
HEXIN_EXPORT Result<Tensor> copyTo(const Tensor &tensor, const std::string &device);

} // namespace hexin

#endif // HEXIN_DEVICE_PUBLIC_H
