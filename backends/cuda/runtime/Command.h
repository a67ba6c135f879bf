//===- Command.h - a prepared launch of a kernel or a library -------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_COMMAND_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_COMMAND_H

#include "backends/cuda/runtime/CudaApi.h"
#include "backends/cuda/runtime/DeviceList.h"
#include "backends/cuda/runtime/LtMatMul.h"
#include "hexin/status.h"
#include "runtime/device/hexin_device.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// A kernel with its grid, sizes and scalars, or a library's product; addresses are set
/// when it is submitted.
/// Used under the device's mutex after it was made.
struct hexin_command_t {
public:
  /// Looks the kernel up and chooses its grid. `what` names the device, `id` is never
  /// used again on it. The device's context is current.
  static hexin::Result<std::unique_ptr<hexin_command_t>>
  prepare(const hexin::cuda::CudaApi &api, const hexin::cuda::GpuInfo &gpu,
          const hexin_command_desc &desc, const std::string &what, uint64_t id);

  /// The same of a library command. `context` outlives it.
  static hexin::Result<std::unique_ptr<hexin_command_t>>
  prepareLibrary(const hexin::cuda::CudaApi &api, hexin::cuda::LtContext &context,
                 const hexin_command_desc &desc, const std::string &what, uint64_t id);

  const std::string &name() const { return name_; }
  uint64_t id() const { return id_; }
  bool isEmpty() const { return items_ == 0; }

  /// Points the bindings at the submission's slots, after checking each range.
  hexin::Status bind(const hexin_submission &submission);
  /// Launches what was bound last.
  hexin::Status launch(hexin::cuda::CUstream stream);

  /// Adds what a captured launch depends on, `placeWords` of each binding: its buffer's
  /// id, the offset there, and the buffer's bytes, which its range was checked against.
  static constexpr size_t placeWords = 3;
  void appendPlaces(const hexin_submission &submission,
                    std::vector<uint64_t> &places) const;

private:
  struct Binding {
    uint32_t slot;
    uint32_t alignment; ///< of the address, in bytes
    uint64_t offset, length;
  };

  hexin_command_t(const hexin::cuda::CudaApi &api, std::string name, std::string what,
                  uint64_t id)
      : api_(api), name_(std::move(name)), what_(std::move(what)), id_(id) {}

  void addBindings(const hexin_command_desc &desc);
  hexin::Status chooseGrid(const hexin::cuda::GpuInfo &gpu,
                           const hexin_command_desc &desc);
  hexin::Status chooseShared(const hexin::cuda::GpuInfo &gpu,
                             const hexin_command_desc &desc);

  const hexin::cuda::CudaApi &api_;
  std::string name_, what_;
  uint64_t id_;
  hexin::cuda::CUfunction function_ = nullptr;
  std::unique_ptr<hexin::cuda::LtMatMul> product_; ///< of library commands
  std::vector<Binding> bindings_;
  std::vector<uint64_t> arguments_; ///< addresses, params, items: 8 bytes each
  int64_t items_ = 0;
  unsigned grid_ = 0, block_ = 1, dynamicSharedBytes_ = 0;
};

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_COMMAND_H
