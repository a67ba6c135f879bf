//===- CpuDevice.h - the device behind the C ABI ----------------------------===//
//
// What the opaque handles of runtime/device/hexin_device.h are on the cpu. Submissions
// run to their end inside submit(): on the caller's thread and the executor's team.
//
//===----------------------------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_CPUDEVICE_H
#define HEXIN_BACKENDS_CPU_RUNTIME_CPUDEVICE_H

#include "backends/cpu/runtime/Executor.h"
#include "backends/cpu/runtime/ImageLoader.h"

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

struct hexin_buffer_t {
  uint8_t *data;
  uint64_t byteLength;
  bool isOwned;
};

struct hexin_module_t {
  std::unique_ptr<hexin::cpu::LoadedImage> image;
};

/// A launch. Immutable after prepare.
struct hexin_command_t {
  struct Binding {
    uint32_t slot;
    uint64_t offset;
    uint64_t byteLength;
  };
  std::string name;
  std::vector<Binding> bindings;
  // Kernel commands.
  hexin::CpuKernelFn kernel = nullptr;
  std::vector<int64_t> params;
  int64_t items = 0;
  int64_t grain = 1;
  uint64_t workspaceBytes = 0; ///< of each thread; 0: none is bound
  // Library commands.
  const hexin_onednn_api *shim = nullptr;
  hexin_onednn_op *op = nullptr;

  ~hexin_command_t() {
    if (op)
      shim->destroy(op);
  }
};

/// There is nothing to wait for: submit has done it all.
struct hexin_event_t {};

struct hexin_device_t {
  std::shared_ptr<hexin::cpu::Executor> executor;
  std::vector<std::string> archs; ///< that it loads, best first
  std::string maxIsa;             ///< as asked for; empty: no cap
  bool profile = false;
  std::string libraryCache; ///< folder of the library's packed weights; empty: none
  std::atomic<uint64_t> weightsReordered{0}, weightsCached{0};
  hexin_event_t done;
};

namespace hexin::cpu {

/// Physical memory of the machine.
uint64_t memoryBytes();
Result<std::unique_ptr<hexin_device_t>> openDevice(const hexin_device_options &options);
Result<std::unique_ptr<hexin_buffer_t>> allocateBuffer(uint64_t byteLength);
void releaseBuffer(hexin_buffer_t *buffer);
Status copyMemory(const hexin_copy &copy);
Result<std::unique_ptr<hexin_module_t>> loadModule(const hexin_device_t &device,
                                                   const hexin_image &image);
Result<std::unique_ptr<hexin_command_t>> prepareCommand(hexin_device_t &device,
                                                        const hexin_command_desc &desc);
/// hexin_device_api::counter: "weights_reordered" and "weights_cached" of library
/// commands (backends/cpu/onednn/OneDnnShim.h).
uint64_t readCounter(const hexin_device_t &device, std::string_view name);
Status runSubmission(hexin_device_t &device, const hexin_submission &submission);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_CPUDEVICE_H
