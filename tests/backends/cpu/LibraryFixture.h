//===- LibraryFixture.h - library commands on the CPU device --------------------===//
//
// Runs single commands of the device's libraries on host tensors, through the C ABI, as
// the runtime does.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_BACKENDS_CPU_LIBRARYFIXTURE_H
#define HEXIN_TESTS_BACKENDS_CPU_LIBRARYFIXTURE_H

#include "runtime/device/hexin_device.h"

#include <string>
#include <vector>

namespace hexin::test {

using Dims = std::vector<int64_t>;

int64_t numElements(const Dims &dims);

struct HostTensor {
  Dims dims;
  std::vector<float> data;
  std::vector<float> stored = {}; ///< when it is not stored as `data`
};

/// Uniform in [-1, 1).
HostTensor randomTensor(Dims dims, unsigned seed);
/// [N, C, H, W] as [N, H, W, C].
HostTensor toNhwc(const HostTensor &x);
void expectClose(const HostTensor &got, const HostTensor &expected, float tolerance);

struct Attribute {
  std::string name;
  uint32_t kind;
  int64_t i = 0;
  std::string s = "";
  Dims ints = {};
};

/// Failures to open are gtest failures.
class OpenDevice {
public:
  explicit OpenDevice(unsigned threads, const char *cacheDir = nullptr);
  ~OpenDevice();

  uint64_t counter(const char *name);

  /// Runs one library command; the last tensor is written. Returns the error text.
  std::string run(const std::string &name, std::vector<HostTensor *> tensors,
                  const std::vector<Attribute> &attributes, int constant = -1,
                  int repeats = 1);

private:
  hexin_device *device = nullptr;
};

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_CPU_LIBRARYFIXTURE_H
