//===- Graph.h - submissions, captured once and replayed ------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_GRAPH_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_GRAPH_H

#include "backends/cuda/runtime/CudaApi.h"
#include "hexin/status.h"
#include "runtime/device/hexin_device.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <vector>

namespace hexin::cuda {

/// Starting a graph costs about as much as one launch, however many are in it. A
/// submission of the same commands in the same memory is launched one by one when it
/// first comes, captured when it comes again, and replayed from then on; when the
/// memory is another each time, the oldest graph of those commands is updated.
///
/// Used under the device's mutex, its context current; `counts` from anywhere.
class GraphCache {
public:
  /// Launches the submission's commands into a stream.
  using LaunchAll = std::function<Status(CUstream)>;

  /// `captureStream` is the caller's, and never runs anything.
  GraphCache(const CudaApi &api, CUstream captureStream)
      : api_(api), captureStream_(captureStream) {}
  ~GraphCache();

  /// False: the caller launches by itself.
  Result<bool> replay(const hexin_submission &submission, CUstream stream,
                      const LaunchAll &launchAll);

  /// Before the command or buffer goes.
  void forgetCommand(uint64_t id);
  void forgetBuffer(uint64_t id);

  struct Counts {
    std::atomic<uint64_t> captured{0}, updated{0}, replayed{0};
  };
  const Counts &counts() const { return counts_; }

private:
  struct Entry {
    std::vector<uint64_t> commands; ///< ids
    std::vector<uint64_t> places;   ///< hexin_command_t::appendPlaces
    CUgraphExec exec = nullptr;     ///< null: not captured yet
    bool isRefused = false;         ///< the driver would not capture it
  };
  using Entries = std::list<Entry>;

  Entries::iterator find(const Entry &wanted);
  Status capture(Entry &entry, const LaunchAll &launchAll);
  Result<CUgraph> record(const LaunchAll &launchAll);
  /// Takes the executable of the oldest entry with the same commands, if there are
  /// enough of them; null: none.
  CUgraphExec takeOldest(const Entry &like);
  void drop(Entries::iterator entry);

  const CudaApi &api_;
  const CUstream captureStream_;
  Entries entries_; ///< the last used first
  Counts counts_;
};

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_GRAPH_H
