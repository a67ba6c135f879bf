//===- Kernel.h - runs PTX in a test --------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_TESTS_KERNEL_H
#define HEXIN_TESTS_CUDA_DRIVER_TESTS_KERNEL_H

#include "tests/cuda_driver/simt/Launch.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace standin {

/// A module's first entry with device buffers as its parameters, all of them pointers.
class Kernel {
public:
  explicit Kernel(const std::string &ptx); ///< fails the test when it cannot be read

  template <class T> DeviceAddress buffer(const std::vector<T> &values) {
    return addBuffer(reinterpret_cast<const std::byte *>(values.data()),
                     values.size() * sizeof(T));
  }
  /// Of poison.
  DeviceAddress buffer(uint64_t bytes) { return addBuffer(nullptr, bytes); }
  template <class T> std::vector<T> read(DeviceAddress address, size_t count) {
    std::vector<T> values(count);
    std::memcpy(values.data(), memory.at(address, count * sizeof(T)), count * sizeof(T));
    return values;
  }
  std::optional<Fault> run();

  std::unique_ptr<Module> module;
  std::map<std::string, DeviceAddress> globals;
  DeviceMemory memory{uint64_t(1) << 32};
  Counters counters;
  Launch launch;

private:
  DeviceAddress addBuffer(const std::byte *data, uint64_t bytes);
};

/// ".version 8.0 ..." with an entry of these parameters, declarations and this body.
/// %p0-9, %h0-19 (b16), %r0-49, %f0-49 and %d0-29 (f64), %rd0-29 are declared.
std::string entry(const std::string &body, unsigned numParams, int target = 90);

/// Runs one instruction for up to 32 lanes a time: `%1`, `%2`, ... in the text are its
/// sources, `%0` its destination, and each row of `sources` the values of one lane.
/// Types are PTX types; values are bits.
std::vector<uint64_t> evaluate(const std::string &text, const std::string &dstType,
                               const std::vector<std::string> &srcTypes,
                               const std::vector<std::vector<uint64_t>> &sources);

/// The error of a text that must not be read; line 0 and no message when it is.
ParseError parseErrorOf(const std::string &ptx);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_TESTS_KERNEL_H
