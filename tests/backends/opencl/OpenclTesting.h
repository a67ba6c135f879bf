//===- OpenclTesting.h - kernels from MLIR text onto an OpenCL device --------===//
#ifndef HEXIN_TESTS_BACKENDS_OPENCL_OPENCLTESTING_H
#define HEXIN_TESTS_BACKENDS_OPENCL_OPENCLTESTING_H

#include "runtime/device/hexin_device.h"

#include "hexin/status.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

extern "C" const hexin_device_api *hexin_backend_query(uint32_t abiMajor);

namespace hexin::test {

/// OpenCL C of a kernel module; "" and the diagnostics in `errors` when refused.
std::string emitOpencl(const std::string &mlirText, std::string *errors = nullptr);

/// The arguments of a kernel around a body: bindings of memref<?xT>, params.
///   kernel("k_add", {"f32", "f32"}, 1, body) declares %b0, %b1, %p0, %begin, %end
/// and runs `body` for each item %i. The last `written` bindings are written.
std::string kernel(const std::string &name, const std::vector<std::string> &elements,
                   unsigned params, const std::string &body, unsigned written = 1);

/// The first device, or null where there is none (the test is skipped then).
struct TestDevice {
  explicit TestDevice(const char *cacheDir = nullptr, bool profile = false);
  ~TestDevice();

  const hexin_device_api *api = nullptr;
  hexin_device *device = nullptr;
  hexin_device_info info{};
  hexin_error error{};

  /// Loads OpenCL C; null on failure, with `error` filled.
  hexin_module *load(const std::string &source);
  StatusCode code() const { return static_cast<StatusCode>(error.code); }
};

/// Host memory bound to a kernel; copied to the device and back.
struct Bound {
  void *data;
  uint64_t bytes;
};
template <typename T> Bound bound(std::vector<T> &values) {
  return {values.data(), values.size() * sizeof(T)};
}

/// Runs one kernel over `items`, each by a team of `teamThreads` if > 0; returns the
/// error message, "" when it went well.
std::string runKernel(TestDevice &device, hexin_module *module, const std::string &name,
                      const std::vector<Bound> &bindings,
                      const std::vector<int64_t> &params, int64_t items,
                      int64_t grain = 64, uint32_t teamThreads = 0);

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_OPENCL_OPENCLTESTING_H
