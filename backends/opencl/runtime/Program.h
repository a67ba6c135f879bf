//===- Program.h - OpenCL C text built for a device --------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_PROGRAM_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_PROGRAM_H

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

namespace hexin::opencl {

/// Building takes long (PoCL: half a second for any number of kernels), so the
/// driver's binary is kept in a cache on disk. PoCL also compiles each kernel again
/// at its first launch; the binary is therefore stored when the program goes, with
/// all that was compiled until then.
class Program {
public:
  /// What programs of a device are made with; outlives them.
  struct Origin {
    const ClApi &api;
    const ClDevice &device;
    cl_context context;
    const FileCache &cache;
    const std::string &what; ///< names the device in messages
  };

  /// The program as the cache on disk has it; null when it has none of use.
  static std::shared_ptr<Program> find(const Origin &origin, std::string_view source);
  /// From the text. Failure holds the beginning of the build log.
  static Result<std::shared_ptr<Program>> build(const Origin &origin,
                                                std::string_view source);

  /// Stores the binary if there is something new in it.
  ~Program();

  cl_program get() const { return program_.get(); }

  /// True once per launch form of a kernel: it should be launched once now, so
  /// that a driver that compiles at launch does it before the first run.
  bool claimWarmUp(const std::string &launchForm);
  /// The driver compiled something after the build.
  void noteCompiled() { hasNewCode_ = true; }

private:
  Program(const Origin &origin, std::string cacheKey)
      : origin_(origin), cacheKey_(std::move(cacheKey)) {}

  bool buildFromCache(const std::string &options);
  Status buildFromSource(const std::string &options, std::string_view source);
  void storeBinary();

  const Origin origin_;
  std::string cacheKey_;
  ClProgram program_;
  std::atomic<bool> hasNewCode_ = false;
  std::mutex mutex_;
  std::set<std::string> warmedUp_;
};

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_PROGRAM_H
