//===- hexin/session.h - a model on a device, ready to run ------------------===//
//
//   auto model = hexin::Model::open("model.hxm");
//   auto session = hexin::Session::create(*model, {.device = "opencl:0"});
//   auto outputs = session->run({{"x", image}});
//
// Owns: a session owns its arena, its plans and its state, and keeps its model alive.
// Sessions of one model on one device share weights, code and prepared launches.
// Destroying a session waits for what it has in flight.
//
// Threads: all calls of a session may come from several threads; they take turns, one
// run at a time. Use a session per thread to run at the same time. Moving and
// destroying one are not calls: no other may be under way.
//
// Errors: every Status of a call is one of those that it names, and besides
//   failedPrecondition   the session was moved from. stats() and device() give nothing
//                        then; model() must not be asked
//   resourceExhausted    no memory, on the host or the device, or a limit passed
//   deviceLost           the device failed; make a new session
//   corruptData          the artifact contradicts itself (TrustPolicy in model.h)
//   internal             a fault of ours
// A call that fails changes nothing, but that a run may have written to outputs of the
// caller. A session stays usable after every failure but deviceLost.
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
  std::string device = "cpu"; ///< DeviceInfo::id
  /// cpu worker threads; 0 = the inherited mask's cores, which are also the most.
  /// Sessions with equal options share them.
  uint32_t threads = 0;
  bool pinThreads = true;    ///< workers only, never the caller's thread
  bool profile = false;      ///< record times for trace()
  std::string maxIsa = {};   ///< cpu: highest image to use, "" = the best it can run
  std::string cacheDir = {}; ///< "" = HEXIN_CACHE_DIR or the user's cache; "none" = off
  std::vector<std::string> dump = {}; ///< source value names to keep; see dumped()
  /// Of random operators without a seed of their own. Numbers follow from it, the runs
  /// since the session was made or reset, and the operator's place in the model: the same
  /// on every device, other ones in every run.
  uint64_t seed = 0;
};

/// An input or output by the name that the model declares.
struct NamedValue {
  std::string name;
  Value value;
};
using NamedValues = std::vector<NamedValue>;

/// Counters since the session was created.
struct SessionStats {
  uint64_t runs = 0;             ///< that ended well
  uint64_t plans = 0;            ///< shape records made (one per new set of sizes)
  uint64_t commandsPrepared = 0; ///< launches made ready for these plans
  /// Launches of these plans that were ready: another plan or session of the model on
  /// this device has, or had a while ago, the same ones.
  uint64_t commandsReused = 0;
  uint64_t kernelsCompiled = 0; ///< device programs built from source: 0 on a warm cache
  /// Constant weights that a library brought into a form of its own (by any session
  /// of the device): 0 on a warm cache.
  uint64_t weightsReordered = 0;
  uint64_t arenaBytes = 0; ///< memory of temporaries: what the largest plan so far needs
  uint64_t transfers = 0;  ///< host <-> device copies in the last run
};

/// How a run is done.
struct RunOptions {
  /// Outputs to leave on the device, as tensors whose memory is there (Tensor::device());
  /// it goes with the tensor, so whoever uses its address has finished by then. On
  /// devices with host memory they are as all others. unsupported where the device's
  /// memory has no addresses that could be given out.
  std::vector<std::string> onDevice;
};

/// A run in flight. Keeps its session's insides alive, so it may outlive the Session.
/// wait() may be called from any thread, by one at a time.
class HEXIN_EXPORT Run {
public:
  Run(Run &&) noexcept;
  Run &operator=(Run &&) noexcept;
  ~Run(); ///< waits, and drops the results

  /// Waits and gives the outputs in the model's order, as owned tensors, or what the
  /// run failed with. Once: failedPrecondition when called again.
  Result<NamedValues> wait();

  struct Impl;
  explicit Run(std::unique_ptr<Impl> impl);

private:
  std::unique_ptr<Impl> impl_;
};

class HEXIN_EXPORT Session {
public:
  /// Loads code and weights onto the device, unless another session has them there.
  /// Where the device builds code from source, the first prepare() or run() of any of
  /// them does it for all sessions that are there by then; it may take long
  /// (SessionOptions::cacheDir keeps what was built). Thread-safe.
  ///   invalidArgument     an option is malformed, or no arch has the name `maxIsa`
  ///   unavailable         the device, its driver or a library of it is not there
  ///   notFound            the artifact has no program for this target; `dump` names
  ///                       what is no value of the program
  ///   unsupported         the device runs none of the artifact's code; inputs or
  ///                       outputs that are no tensors of numbers
  ///   versionMismatch     the program is of another kernel ABI
  ///   failedPrecondition  it holds code, and TrustPolicy::noNative forbids that
  static Result<Session> create(const Model &model, const SessionOptions &options = {});
  Session(Session &&) noexcept;
  Session &operator=(Session &&) noexcept;
  ~Session();

  const Model &model() const;        ///< lives as long as the session
  const std::string &device() const; ///< SessionOptions::device; lives as long

  /// Runs once. Inputs are found by name; each must match the declared dtype and
  /// rank, and equal symbols must get equal sizes. Their memory is only read, in place
  /// where the device can, and only during the call. Results own their memory
  /// and come in the model's order.
  ///   invalidArgument  a name, kind, dtype, rank or size that the model does not take
  ///   outOfRange       an index in the inputs' contents lies outside its tensor
  ///   unsupported      no variant of an instruction runs at these sizes
  /// Inputs may lie on the session's device (Tensor::wrapDevice) and are read there.
  Result<NamedValues> run(const NamedValues &inputs, const RunOptions &options = {});

  /// As above, writing into the caller's tensors: `outputs` names a subset of the
  /// model's outputs, in any order, whose tensors must have the exact dtype and sizes
  /// (else invalidArgument). They may overlap with inputs and with each other's memory,
  /// which then takes a copy. Outputs that are no tensors of numbers are replaced,
  /// whatever they are. A repeated run on tensors allocates nothing. Tensors may lie on
  /// the session's device: the call returns when they are written.
  Status run(const NamedValues &inputs, NamedValues &outputs);

  /// Starts a run and returns without waiting for the device. The inputs' memory must
  /// stay as it is until wait(); tensors that own theirs are kept alive. Errors as of
  /// run(), those of the device by wait(). What comes next at this session, another
  /// submit() included, first waits for this run; its results are kept for wait().
  Result<Run> submit(const NamedValues &inputs);

  /// Does the shape-dependent work for these input sizes now, so that the first
  /// run at them is like any other; what hangs on the inputs' contents is left to it.
  /// `dims`: elements per axis, per input in the model's order. Errors as of run().
  Status prepare(std::span<const std::vector<int64_t>> dims);

  // State, in canonical form (row-major, the declared dtype) on the host. All are
  // copies: nothing that is passed in or given out is kept or refers to the session.
  //   notFound         no state has this name
  //   invalidArgument  other dtype or sizes than declared; a blob of another model
  /// Before the first run: what that would begin with.
  Result<Tensor> getState(const std::string &name) const;
  Status setState(const std::string &name, const Tensor &value);
  Status resetState(); ///< all states; the next run begins with their initial values.
                       ///< What random operators count runs in is a state, too
  /// All states as one blob, which a session of this model on any device can import.
  Result<std::vector<std::byte>> exportState() const;
  /// A blob that does not fit changes nothing: corruptData for what is none, or damaged;
  /// versionMismatch for one of a version that this build does not read.
  Status importState(std::span<const std::byte> blob);

  SessionStats stats() const;
  /// Values asked for with SessionOptions::dump, from the last run; in the order of
  /// `dump`, without those of branches that were not taken. failedPrecondition before
  /// the first run.
  Result<NamedValues> dumped() const;
  /// Times of the last run as Chrome trace JSON (opens in Perfetto), in microseconds.
  /// failedPrecondition without SessionOptions::profile.
  Result<std::string> trace() const;

private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace hexin

#endif // HEXIN_SESSION_H
