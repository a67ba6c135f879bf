//===- Staging.h - pinned memory that copies go through -------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_STAGING_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_STAGING_H

#include "backends/cuda/runtime/CudaApi.h"
#include "backends/cuda/runtime/EventPool.h"
#include "hexin/status.h"

#include <array>
#include <cstdint>
#include <mutex>

namespace hexin::cuda {

/// A ring of pinned pieces: the GPU copies one while the host fills or empties the
/// next, and an upload returns before the GPU has read it. Where the system gives no
/// pinned memory, copies go straight and wait.
///
/// Thread-safe; the device's context is current in every call.
class Staging {
public:
  Staging(const CudaApi &api, EventPool &events) : api_(api), events_(events) {}
  /// Nothing of it is in flight any more.
  ~Staging();

  /// Ordered into `stream`; the host's memory may be used again at once.
  Status upload(CUdeviceptr dst, const void *src, uint64_t bytes, CUstream stream);
  /// Returns when the host's memory is written.
  Status download(void *dst, CUdeviceptr src, uint64_t bytes, CUstream stream);

private:
  static constexpr uint64_t pieceBytes = uint64_t(4) << 20;
  struct Piece {
    void *host = nullptr;
    CUevent done = nullptr; ///< the last copy that used it; null: idle
  };

  /// The next piece of the ring, idle; null: there is no pinned memory.
  Result<Piece *> next();
  Status finish(Piece &piece);
  Status record(Piece &piece, CUstream stream);

  const CudaApi &api_;
  EventPool &events_;
  std::mutex mutex_;
  std::array<Piece, 4> pieces_;
  size_t turn_ = 0;
};

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_STAGING_H
