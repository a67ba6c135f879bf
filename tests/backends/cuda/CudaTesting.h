//===- CudaTesting.h - hand-written kernels on the stand-in's devices -----------------===//
#ifndef HEXIN_TESTS_BACKENDS_CUDA_CUDATESTING_H
#define HEXIN_TESTS_BACKENDS_CUDA_CUDATESTING_H

#include "runtime/device/hexin_device.h"

#include "hexin/status.h"
#include "tests/cuda_driver/Standin.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

extern "C" const hexin_device_api *hexin_backend_query(uint32_t abiMajor);

namespace hexin::test {

/// Kernels, all on 32-bit integers:
///   add_to   (src, dst, value)  dst[i] = src[i] + value
///   crash    (dst)              writes where nothing is
///   team_sum (src, dst)         a team of 64: dst[item] = sum of src[64 item ...]
///   far_end  (dst)              a team of 32, 64 KiB at launch: dst[item] = item, by way
///                               of the last word of its shared memory
std::string kernelText(const std::string &head = ".version 8.0\n.target sm_80\n"
                                                 ".address_size 64\n");

/// Device `index`, open: of the stand-in, or of the driver that HEXIN_CUDA_LIBRARY names.
/// At the end it is closed, and nothing that was made in the stand-in may be left.
class CudaTest : public testing::Test {
protected:
  explicit CudaTest(uint32_t index = 0, bool profile = false)
      : index(index), profile(profile) {}

  void SetUp() override;
  void TearDown() override;
  void open();
  void close();

  /// Whose devices and counters are known, unlike a real driver's. HEXIN_REAL_CUDA=1
  /// takes any for a real one: what tests then do they do before a GPU.
  bool isStandin() const;
  /// A switch of the stand-in, reset at the end.
  void set(const char *name, const char *value);
  StandinCounters counters();

  hexin_module *load(const std::string &text, const char *arch = "ptx-sm_80");
  hexin_buffer *allocate(uint64_t bytes);
  uint32_t upload(hexin_buffer *dst, const std::vector<int32_t> &values,
                  uint64_t offset = 0);
  /// Empty when that failed.
  std::vector<int32_t> download(hexin_buffer *src, size_t count, uint64_t offset = 0);

  struct Launch {
    std::string name;
    std::vector<uint32_t> slots; ///< a binding each
    std::vector<int64_t> params;
    int64_t items = 0;
    uint64_t length = 0; ///< of each binding, in bytes
    uint32_t teamThreads = 0, localBytes = 0;
    std::vector<uint8_t> alignments = {}; ///< none: those of elements
  };
  /// Null when it failed.
  hexin_command *prepare(const Launch &launch);
  hexin_event *submit(const std::vector<hexin_command *> &commands,
                      const std::vector<hexin_slot> &slots, uint64_t *times = nullptr);
  uint32_t wait(hexin_event *event) { return api->wait(device, event, &error); }
  uint32_t run(const std::vector<hexin_command *> &commands,
               const std::vector<hexin_slot> &slots);

  StatusCode code() const { return static_cast<StatusCode>(error.code); }

  const hexin_device_api *api = nullptr;
  hexin_device *device = nullptr;
  hexin_module *module = nullptr; ///< of kernelText
  hexin_error error{};
  uint32_t index;
  bool profile;

private:
  /// Of the stand-in's own; null: it is a real driver.
  template <class Function> Function *function(const char *name) const;

  void *library = nullptr;
  std::vector<hexin_module *> modules;
  std::vector<hexin_buffer *> buffers;
  std::vector<hexin_command *> commands;
  std::vector<std::string> switches;
};

/// What would break a real device, or asks for a switch: skipped on one.
class StandinTest : public CudaTest {
protected:
  using CudaTest::CudaTest;
  void SetUp() override;
};

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_CUDA_CUDATESTING_H
