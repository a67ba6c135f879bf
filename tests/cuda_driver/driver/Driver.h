//===- Driver.h - the state behind the driver API ------------------------------------===//
//
// One lock guards all of it. It is let go while an action runs (Schedule.cpp), and only
// one action runs at a time. Api*.cpp hold the functions of the API, each of which makes
// a Call first.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_DRIVER_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_DRIVER_H

#include "tests/cuda_driver/Standin.h"
#include "tests/cuda_driver/driver/Action.h"
#include "tests/cuda_driver/driver/Config.h"
#include "tests/cuda_driver/driver/Handles.h"
#include "tests/cuda_driver/simt/Launch.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

namespace standin {

struct Capture;
struct Context;

struct Stream {
  Context *context = nullptr;
  unsigned flags = 0;
  int priority = 0;
  bool isLegacy = false;
  std::shared_ptr<Work> last; ///< null: nothing was ever queued
  std::shared_ptr<Capture> capture;
  std::vector<size_t> frontier; ///< of the capture: what the next node comes after

  bool isBlocking() const { return !(flags & CU_STREAM_NON_BLOCKING); }
};

struct Event {
  Context *context = nullptr;
  unsigned flags = 0;
  std::shared_ptr<Work> recorded;   ///< null: never recorded
  std::shared_ptr<Capture> capture; ///< if recorded in one, instead of `recorded`
  std::vector<size_t> frontier;
};

struct Graph {
  std::vector<GraphNode> nodes;
};

struct Capture {
  Stream *origin = nullptr;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  std::shared_ptr<Graph> graph;
  std::vector<Stream *> streams; ///< all that joined, origin first
  bool isInvalid = false, isOver = false;
};

struct GraphExec {
  Context *context = nullptr;
  std::shared_ptr<const std::vector<GraphNode>> nodes; ///< replaced, never changed
  std::shared_ptr<Work> lastLaunch;
};

struct LoadedModule {
  Context *context = nullptr;
  std::unique_ptr<Module> module;
  std::map<std::string, DeviceAddress> globals;
  std::map<std::string, int> registers; ///< by entry, as ptxas said
  std::map<std::string, CUfunction> functions;
};

struct Function {
  std::shared_ptr<LoadedModule> module;
  const Entry *entry = nullptr;
  int maxDynamicShared = 0; ///< bytes
  int carveout = -1;
  int registers = 0;

  Context *context() const { return module->context; }
};

struct Allocation {
  uint64_t bytes = 0, serial = 0;
};

/// The primary context of a device, while it is retained.
struct Context {
  CUcontext handle = nullptr;
  Device *device = nullptr;
  int error = 0; ///< sticky: a CUresult once a kernel died
  std::shared_ptr<Stream> legacy;
  std::map<std::thread::id, std::shared_ptr<Stream>> perThread;
  std::vector<std::shared_ptr<Stream>> streams; ///< all but destroyed ones
  std::vector<std::shared_ptr<Work>> orphans;   ///< last work of destroyed blocking ones
  std::map<DeviceAddress, Allocation> allocations;
  std::set<CUcontext> peers; ///< whose memory it may access
};

struct Device {
  Device(int ordinal, const Profile &profile, uint64_t capacity)
      : ordinal(ordinal), profile(profile), memory(capacity, unsigned(ordinal)) {}

  int ordinal;
  const Profile &profile;
  DeviceMemory memory;
  bool isLost = false;
  std::shared_ptr<Context> primary;
  unsigned retains = 0, contextFlags = 0;
  CUmemoryPool pool = nullptr;
  uint64_t poolThreshold = 0;
  uint64_t peakBytes = 0;
};

struct FreeHost {
  void operator()(void *memory) const { std::free(memory); }
};

/// Page-locked host memory; visible to every device.
struct PinnedRange {
  uint64_t bytes = 0;
  std::unique_ptr<void, FreeHost> owned; ///< null: registered, the caller's
  std::map<int, DeviceAddress> mapped;   ///< by device, where somebody asked
};

struct KernelCount {
  uint64_t launches = 0, warpInstructions = 0;
};

using Lock = std::unique_lock<std::mutex>;

class Driver {
public:
  explicit Driver(Config config);
  ~Driver();

  // Contexts (Driver.cpp)
  Device *device(int ordinal);
  void destroyContext(Lock &lock, Device &device);
  /// The device whose memory holds `address`; null: none.
  Device *deviceOf(uint64_t address);
  /// The page-locked range that holds the host's `address`; end(): none.
  std::map<uint64_t, PinnedRange>::iterator pinnedAt(uint64_t address, uint64_t bytes);

  // Streams (Schedule.cpp)
  /// Queues an action, or adds it to the stream's capture. `after`: further work to wait
  /// for. The result is a CUresult.
  CUresult submit(Lock &lock, Stream &stream, Action action,
                  std::vector<std::shared_ptr<Work>> after = {},
                  std::shared_ptr<Work> *out = nullptr);
  /// Runs what `targets` wait for, in a seeded order, and them.
  void complete(Lock &lock, const std::vector<std::shared_ptr<Work>> &targets);
  /// False when the context had nothing queued.
  bool completeAll(Lock &lock, const Context &context);
  /// Runs one action that `target` needs, if it is not done.
  void progress(Lock &lock, const std::shared_ptr<Work> &target);
  /// Runs an action. Lets the lock go meanwhile. (Perform.cpp)
  std::optional<Fault> perform(Lock &lock, Context &context, const Action &action);

  // Captures (Capture.cpp)
  CUresult addNode(Stream &stream, Action action);
  /// For a call that is unsafe while streams are captured: makes those captures invalid
  /// that forbid it to this thread; true when there was one.
  bool breaksCapture();
  void endCapture(Capture &capture);

  // Reports (Report.cpp)
  void setError(std::string text);
  void trace(const std::string &line);
  std::vector<std::string> leaks() const;
  std::string report() const;
  StandinCounters counters() const;

  const uint64_t generation;
  mutable std::mutex mutex;
  Config config;
  bool isInitialised = false;
  std::vector<std::unique_ptr<Device>> devices;

  Handles<CUcontext, Context> contexts{1};
  Handles<CUstream, Stream> streams{2};
  Handles<CUevent, Event> events{3};
  Handles<CUmodule, LoadedModule> modules{4};
  Handles<CUfunction, Function> functions{5};
  Handles<CUgraph, Graph> graphs{6};
  Handles<CUgraphExec, GraphExec> graphExecs{7};
  Handles<CUgraphNode, std::pair<Graph *, size_t>> graphNodes{8};
  Handles<CUmemoryPool, Device> pools{9};
  std::map<uint64_t, PinnedRange> pinned; ///< by host address
  std::vector<std::shared_ptr<Capture>> captures;

  Counters executed;
  StandinCounters counted{}; ///< what is not in `executed`
  std::map<std::string, KernelCount> kernels;
  uint64_t allocationSerial = 0;
  std::string lastError;
  std::vector<std::string> lostObjects; ///< live when their context went

private:
  std::vector<std::shared_ptr<Work>> needs(const std::vector<std::shared_ptr<Work>> &);
  std::shared_ptr<Work> pickReady(const std::vector<std::shared_ptr<Work>> &among);
  void runOne(Lock &lock, Work &work);
  std::optional<Fault> launch(Lock &lock, Context &context, const KernelAction &action);
  std::optional<Fault> copy(Lock &lock, const CopyAction &action);
  std::optional<Fault> fill(Lock &lock, const FillAction &action);
  std::optional<Fault> replay(Lock &lock, Context &context,
                              const std::vector<GraphNode> &nodes);

  std::mt19937_64 random_;
  bool isRunning_ = false;
  std::condition_variable ranOne_;
  std::vector<std::shared_ptr<Work>> pending_; ///< in the order of queueing
  uint64_t nextSerial_ = 1;
};

/// The one driver of the process; made from the environment when first asked for.
Driver &driver();

/// True while this thread is in a host function of a stream: no API there.
extern thread_local bool isInHostFunction;
extern thread_local CUstreamCaptureMode threadCaptureMode;

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_DRIVER_H
