//===- ThreadPool.h - a team of our own threads -----------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_THREADPOOL_H
#define HEXIN_BACKENDS_CPU_RUNTIME_THREADPOOL_H

#include "backends/cpu/runtime/Team.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace hexin::cpu {

/// `threads` - 1 workers and the thread that calls parallelFor, which takes the
/// first part and is never pinned. Workers look for work for a few microseconds
/// after each piece, then sleep.
class ThreadPool : public Team {
public:
  /// `pin`: worker i stays on core i of inheritedCores(). Should the system refuse
  /// some threads, the pool is smaller.
  ThreadPool(unsigned threads, bool pin);
  ~ThreadPool() override;

  unsigned threads() const override { return static_cast<unsigned>(workers.size()) + 1; }
  void parallelFor(int64_t items, int64_t grain, RangeFn fn) override;

private:
  struct alignas(64) Worker {
    std::atomic<uint32_t> requested{0}; ///< raised by one for each piece of work
    std::thread thread;
  };

  void workerLoop(Worker &worker, unsigned index);

  std::vector<std::unique_ptr<Worker>> workers;
  // Written by the caller before it raises `requested`, read by workers after.
  const RangeFn *job = nullptr;
  int64_t jobItems = 0;
  unsigned jobThreads = 0;
  bool stopping = false;
  alignas(64) std::atomic<uint32_t> unfinished{0};
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_THREADPOOL_H
