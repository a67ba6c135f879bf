//===- Dispatcher.h - the thread that owns an OpenMP team -------------------===//
//
// libgomp keeps a team of threads per thread that opens parallel regions. So that
// there is one team, all regions are opened by one thread, this one, which runs the
// jobs that callers hand over.
//
//===----------------------------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_DISPATCHER_H
#define HEXIN_BACKENDS_CPU_RUNTIME_DISPATCHER_H

#include "backends/cpu/onednn/OneDnnShim.h"
#include "backends/cpu/runtime/Team.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace hexin::cpu {

class Dispatcher {
public:
  using Job = FunctionRef<void(Team &)>;

  /// `pin`: thread i of the team stays on core i of inheritedCores(). Throws
  /// std::system_error when the system has no thread to give.
  Dispatcher(const hexin_onednn_api &shim, unsigned threads, bool pin);
  ~Dispatcher();

  /// Runs `job` on the dispatcher thread; one caller at a time.
  void run(Job job);

private:
  void loop(const hexin_onednn_api &shim, unsigned threads, bool pin);

  std::mutex mutex;
  std::condition_variable wake, finished;
  const Job *job = nullptr; ///< null: nothing to do
  bool stopping = false;
  std::thread thread;
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_DISPATCHER_H
