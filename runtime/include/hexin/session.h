//===- hexin/session.h - a model on a device, ready to run ------------------===//
//
//   auto model = hexin::Model::open("model.hxm");
//   auto session = hexin::Session::create(*model, {.device = "opencl:0"});
//   auto outputs = session->run({{"x", image}});
//
// A session owns its arena, its plans and its state. `run` may be called from
// several threads; calls of one session take turns. Sessions of one model share
// the weights. Destroying a session waits for what it has in flight. Every call of a
// session that was moved from gives failedPrecondition (stats() and device(): nothing),
// except model(), which must not be asked then.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_SESSION_H
#define HEXIN_SESSION_H

#include "hexin/model.h"
#include "hexin/status.h"
#include "hexin/value.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hexin {

struct SessionOptions {
  std::string device = "cpu";
  uint32_t threads = 0;      ///< cpu worker threads; 0 = the inherited mask's cores
  bool pinThreads = true;    ///< workers only, never the caller's thread
  bool profile = false;      ///< record times for trace()
  std::string maxIsa = {};   ///< cpu: highest image to use, "" = the best it can run
  std::string cacheDir = {}; ///< "" = HEXIN_CACHE_DIR or the user's cache; "none" = off
  std::vector<std::string> dump = {}; ///< source value names to keep; see dumped()
};

struct NamedValue {
  std::string name;
  Value value;
};
using NamedValues = std::vector<NamedValue>;

/// Counters since the session was created.
struct SessionStats {
  uint64_t runs = 0;
  uint64_t plans = 0; ///< shape records made (one per new set of sizes)
  uint64_t commandsPrepared = 0;
  uint64_t kernelsCompiled = 0; ///< device programs built from source: 0 on a warm cache
  /// Constant weights that a library brought into a form of its own (by any session
  /// of the device): 0 on a warm cache.
  uint64_t weightsReordered = 0;
  uint64_t arenaBytes = 0;
  uint64_t transfers = 0; ///< host <-> device copies in the last run
};

/// A run in flight.
class HEXIN_EXPORT Run {
public:
  Run(Run &&) noexcept;
  Run &operator=(Run &&) noexcept;
  ~Run(); ///< waits

  /// Waits and gives the outputs in the model's order. Once.
  Result<NamedValues> wait();

  struct Impl;
  explicit Run(std::unique_ptr<Impl> impl);

private:
  std::unique_ptr<Impl> impl_;
};

class HEXIN_EXPORT Session {
public:
  static Result<Session> create(const Model &model, const SessionOptions &options = {});
  Session(Session &&) noexcept;
  Session &operator=(Session &&) noexcept;
  ~Session();

  const Model &model() const;
  const std::string &device() const;

  /// Runs once. Inputs are found by name; each must match the declared dtype and
  /// rank, and equal symbols must get equal sizes. Results own their memory.
  Result<NamedValues> run(const NamedValues &inputs);

  /// As above, writing into the caller's tensors: `outputs` names a subset of
  /// the model's outputs and their tensors must have the exact dtype and sizes.
  /// Outputs that are no tensors of numbers are replaced, whatever they are.
  Status run(const NamedValues &inputs, NamedValues &outputs);

  /// Starts a run; the inputs' memory must stay as it is until wait().
  Result<Run> submit(const NamedValues &inputs);

  /// Does the shape-dependent work for these input sizes now, so that the first
  /// run at them is like any other. `dims` per input, in the model's order.
  Status prepare(std::span<const std::vector<int64_t>> dims);

  // State, in canonical form (row-major, the declared dtype) on the host.
  Result<Tensor> getState(const std::string &name) const;
  Status setState(const std::string &name, const Tensor &value);
  Status resetState();
  Result<std::vector<std::byte>> exportState() const; ///< all states, one blob
  Status importState(std::span<const std::byte> blob);

  SessionStats stats() const;
  /// Values asked for with SessionOptions::dump, from the last run.
  Result<NamedValues> dumped() const;
  /// Times of the last profiled run as Chrome trace JSON (opens in Perfetto).
  Result<std::string> trace() const;

private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace hexin

#endif // HEXIN_SESSION_H
