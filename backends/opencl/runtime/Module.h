//===- Module.h - an image built for a device --------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_MODULE_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_MODULE_H

#include "backends/opencl/runtime/ClApi.h"
#include "backends/opencl/runtime/DeviceList.h"
#include "hexin/status.h"
#include "runtime/base/FileCache.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

/// One OpenCL program. Building takes long (PoCL: half a second for any number
/// of kernels), so the driver's binary is kept in a cache on disk. PoCL also
/// compiles each kernel again at its first launch; the binary is therefore
/// stored when the module goes, with all that was compiled until then.
struct hexin_module_t {
public:
  /// Builds `source`, from `cache` when it has it. `what` names the device in
  /// messages. Failure holds the end of the build log.
  static hexin::Result<std::unique_ptr<hexin_module_t>>
  build(const hexin::opencl::ClApi &api, cl_context context,
        const hexin::opencl::ClDevice &device, std::string_view source,
        const hexin::FileCache &cache, const std::string &what);

  /// Stores the binary if there is something new in it.
  ~hexin_module_t();

  cl_program program() const { return program_.get(); }
  bool isFromCache() const { return isFromCache_; }

  /// True once per launch form of a kernel: it should be launched once now, so
  /// that a driver that compiles at launch does it before the first run.
  bool claimWarmUp(const std::string &launchForm);
  /// The driver compiled something after the build.
  void noteCompiled() { hasNewCode_ = true; }

private:
  hexin_module_t(const hexin::opencl::ClApi &api, const hexin::FileCache &cache,
                 std::string cacheKey)
      : api_(api), cache_(cache), cacheKey_(std::move(cacheKey)) {}

  bool buildFromCache(cl_context context, cl_device_id device,
                      const std::string &options);
  hexin::Status buildFromSource(cl_context context, cl_device_id device,
                                const std::string &options, std::string_view source,
                                const std::string &what);
  void storeBinary();

  const hexin::opencl::ClApi &api_;
  hexin::FileCache cache_;
  std::string cacheKey_;
  hexin::opencl::ClProgram program_;
  bool isFromCache_ = false;
  std::atomic<bool> hasNewCode_ = false;
  std::mutex mutex_;
  std::set<std::string> warmedUp_;
};

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_MODULE_H
