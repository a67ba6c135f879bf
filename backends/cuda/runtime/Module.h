//===- Module.h - a PTX text, compiled by the driver ----------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_MODULE_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_MODULE_H

#include "backends/cuda/runtime/CudaApi.h"
#include "backends/cuda/runtime/DeviceList.h"
#include "hexin/status.h"
#include "runtime/device/hexin_device.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hexin::cuda {

/// How many parameters the entry `name` of a PTX text takes; nullopt: there is none.
std::optional<uint64_t> countEntryParams(std::string_view text, std::string_view name);

} // namespace hexin::cuda

/// Lives in the context that was current when it was loaded; used and destroyed with
/// that current. Drivers keep what they compiled in a cache of their own.
struct hexin_module_t {
  /// Failure holds the beginning of the driver's log. `what` names the device.
  static hexin::Result<std::unique_ptr<hexin_module_t>>
  load(const hexin::cuda::CudaApi &api, const hexin::cuda::GpuInfo &gpu,
       const hexin_image &image, const std::string &what);
  ~hexin_module_t();

  hexin::Result<hexin::cuda::CUfunction> function(const std::string &name) const;
  /// A copy of the image's: artifacts that are compressed keep none mapped.
  std::string_view text() const { return text_; }

private:
  hexin_module_t(const hexin::cuda::CudaApi &api, std::string text)
      : api_(api), text_(std::move(text)) {}

  const hexin::cuda::CudaApi &api_;
  std::string text_;
  hexin::cuda::CUmodule module_ = nullptr;
};

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_MODULE_H
