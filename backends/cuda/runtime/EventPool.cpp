#include "backends/cuda/runtime/EventPool.h"
#include "backends/cuda/runtime/CudaError.h"

namespace hexin::cuda {

EventPool::~EventPool() {
  for (CUevent event : free_)
    api_.cuEventDestroy_v2(event);
}

Result<CUevent> EventPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      CUevent event = free_.back();
      free_.pop_back();
      return event;
    }
  }
  CUevent event = nullptr;
  if (CUresult code = api_.cuEventCreate(&event, isTimed_ ? 0 : eventDisableTiming))
    return cudaStatus(code, "making an event");
  return event;
}

void EventPool::give(CUevent event) {
  if (!event)
    return;
  std::lock_guard lock(mutex_);
  free_.push_back(event);
}

} // namespace hexin::cuda
