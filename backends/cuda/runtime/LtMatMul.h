//===- LtMatMul.h - a matrix product by cuBLASLt --------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_LTMATMUL_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_LTMATMUL_H

#include "backends/cuda/runtime/CublasLt.h"
#include "backends/cuda/runtime/CudaApi.h"
#include "runtime/device/hexin_device.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace hexin::cuda {

/// The library in a device's context, and the workspace that all products share: they
/// run in one stream. Made and destroyed with that context current; outlives the
/// products. Thread-safe.
class LtContext {
public:
  static Result<std::unique_ptr<LtContext>> create(const CudaApi &api);
  LtContext(const LtContext &) = delete;
  LtContext &operator=(const LtContext &) = delete;
  ~LtContext();

  const CublasLt &lt() const { return lt_; }
  LtHandle handle() const { return handle_; }

  /// What a product may ask for at most: what the library's authors advise for the
  /// largest GPUs.
  static constexpr uint64_t maxWorkspaceBytes = uint64_t(32) << 20;
  /// `maxWorkspaceBytes`, allocated when somebody first asks.
  Result<CUdeviceptr> workspace();

private:
  LtContext(const CudaApi &api, const CublasLt &lt) : api_(api), lt_(lt) {}

  const CudaApi &api_;
  const CublasLt &lt_;
  LtHandle handle_ = nullptr;
  std::mutex mutex_;
  CUdeviceptr workspace_ = 0; // guarded by mutex_
};

/// One command `cublaslt.matmul` (abi/LibraryOps.h). Not thread-safe.
class LtMatMul {
public:
  /// unsupported: sizes or types that the library does not take.
  static Result<std::unique_ptr<LtMatMul>> prepare(LtContext &context,
                                                   const hexin_command_desc &desc);
  LtMatMul(const LtMatMul &) = delete;
  LtMatMul &operator=(const LtMatMul &) = delete;
  ~LtMatMul();

  /// No result has an element.
  bool isEmpty() const { return isEmpty_; }
  /// Queues it; `addresses` are the bindings'.
  Status launch(std::span<const uint64_t> addresses, CUstream stream);

private:
  struct Choice {
    LtAlgorithm algorithm{};
    uint64_t workspaceBytes = 0;
  };

  explicit LtMatMul(LtContext &context) : context_(context) {}
  Status describe(const hexin_command_desc &desc);
  Status setEpilogue();
  Status makeLayout(LtLayout &layout, int64_t rows, int64_t columns, int64_t count,
                    int64_t stride);
  Result<Choice> choose(uint32_t alignment);

  LtContext &context_;
  LtMatmulDesc desc_ = nullptr;
  LtLayout a_ = nullptr, b_ = nullptr, d_ = nullptr;
  int type_ = 0;
  bool hasBias_ = false, hasRelu_ = false, isEmpty_ = false;
  Choice aligned_, unaligned_; ///< for addresses of `wideAlignment`, and for others
  CUdeviceptr workspace_ = 0;
};

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_LTMATMUL_H
