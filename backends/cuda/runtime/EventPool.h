//===- EventPool.h - events to use again ----------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_EVENTPOOL_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_EVENTPOOL_H

#include "backends/cuda/runtime/CudaApi.h"
#include "hexin/status.h"

#include <mutex>
#include <vector>

namespace hexin::cuda {

/// Making an event takes longer than recording one. Thread-safe; the device's context
/// is current in every call.
class EventPool {
public:
  /// `isTimed`: the events carry times.
  EventPool(const CudaApi &api, bool isTimed) : api_(api), isTimed_(isTimed) {}
  /// Destroys those in the pool.
  ~EventPool();

  Result<CUevent> take();
  /// Back for the next; nothing waits for it any more. Null is fine.
  void give(CUevent event);

private:
  const CudaApi &api_;
  const bool isTimed_;
  std::mutex mutex_;
  std::vector<CUevent> free_;
};

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_EVENTPOOL_H
