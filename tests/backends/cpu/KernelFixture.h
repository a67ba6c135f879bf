//===- KernelFixture.h - from kernel text to results ------------------------===//
//
// Compiles kernel modules given as MLIR text and runs them through the device's C
// ABI, as the runtime does.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_BACKENDS_CPU_KERNELFIXTURE_H
#define HEXIN_TESTS_BACKENDS_CPU_KERNELFIXTURE_H

#include "compiler/target/Target.h"
#include "tests/backends/cpu/CpuApi.h"

#include "mlir/IR/MLIRContext.h"

#include <span>
#include <string>
#include <vector>

namespace hexin::test {

/// Archs that this machine runs, best first.
std::vector<std::string> runnableArchs();

/// An image for `arch`, or "" and the diagnostics in `messages`.
std::string compileKernels(const std::string &text, const std::string &arch,
                           std::string *messages = nullptr);

/// A device with a loaded image. Failures are gtest failures.
class LoadedKernels {
public:
  /// With `fd` >= 0 the image also lies at `offset` of that file.
  LoadedKernels(const std::string &image, const std::string &arch, unsigned threads = 0,
                int fd = -1, size_t offset = 0);
  ~LoadedKernels();

  /// Runs a kernel on caller memory.
  void run(const std::string &name, std::vector<std::span<std::byte>> bindings,
           std::vector<int64_t> params, int64_t items, int64_t grain = 1);

private:
  hexin_device *device = nullptr;
  hexin_module *module = nullptr;
};

template <typename T> std::span<std::byte> bytes(std::vector<T> &v) {
  return std::as_writable_bytes(std::span<T>(v));
}

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_CPU_KERNELFIXTURE_H
