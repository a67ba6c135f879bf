//===- Executor.h - turns on a shared team ----------------------------------===//
//
// All devices of a process that use the same number of threads share one team and
// take turns on it, a submission at a time. So however many sessions and callers
// there are, no more threads compute than the machine has cores; the others sleep.
// Single-threaded executors need no turns: each caller computes on its own thread.
//
// A team is our ThreadPool until a library that owns its threads joins
// (oneDNN built with OpenMP): then one dispatcher thread owns an OpenMP team, runs
// every turn, and both our kernels and the library use that team. Our pool ends.
//
//===----------------------------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_EXECUTOR_H
#define HEXIN_BACKENDS_CPU_RUNTIME_EXECUTOR_H

#include "backends/cpu/onednn/OneDnnShim.h"
#include "backends/cpu/runtime/Team.h"
#include "backends/cpu/runtime/Workspaces.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace hexin::cpu {

class Dispatcher;

class Executor {
public:
  using Job = FunctionRef<void(Team &)>;

  /// The process's executor for `threads` threads (at least 1). Thread-safe.
  static std::shared_ptr<Executor> get(unsigned threads, bool pin);

  ~Executor();

  unsigned threads() const { return numThreads; }

  /// Memory of the threads' own.
  Workspaces &workspaces() { return memory; }

  /// Runs `job` with the team to itself and returns when it is done. `job` must
  /// not throw and not call run.
  void run(Job job);

  /// Moves to the OpenMP team of `shim`, which lives as long as the process.
  void useOpenMp(const hexin_onednn_api &shim);

private:
  Executor(unsigned threads, bool pin);

  const unsigned numThreads;
  const bool pin;
  Workspaces memory;
  std::mutex turn;
  std::unique_ptr<Team> pool;             ///< until useOpenMp
  std::unique_ptr<Dispatcher> dispatcher; ///< after it, when threads > 1
  std::atomic<const hexin_onednn_api *> shim{nullptr};
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_EXECUTOR_H
