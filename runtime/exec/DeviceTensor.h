//===- DeviceTensor.h - tensors in the memory of a device ---------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_DEVICETENSOR_H
#define HEXIN_RUNTIME_EXEC_DEVICETENSOR_H

#include "runtime/device/Device.h"

#include "hexin/value.h"

#include <memory>
#include <span>

namespace hexin {

/// A tensor of undefined contents on `device`, which it keeps open; the host's memory
/// where that is the device's. Unsupported for devices whose memory has no addresses.
Result<Tensor> allocateOn(const std::shared_ptr<Device> &device, DType dtype,
                          std::span<const int64_t> dims);

/// Whether two tensors have memory in common.
bool overlap(const Tensor &a, const Tensor &b);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_DEVICETENSOR_H
