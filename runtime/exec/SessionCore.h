//===- SessionCore.h - what stands behind hexin::Session --------------------===//
//
// Checks inputs, finds or makes the plan, walks it, hands out results. Every
// public function takes the session's turn (a mutex), so that it may be called
// from any thread. One run is in flight at a time: whoever comes next brings a
// run that nobody waited for to its end first, and keeps its results.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_SESSIONCORE_H
#define HEXIN_RUNTIME_EXEC_SESSIONCORE_H

#include "runtime/exec/FaultReport.h"
#include "runtime/exec/InputCheck.h"
#include "runtime/exec/PlanBuilder.h"
#include "runtime/exec/PlanCache.h"
#include "runtime/exec/SessionMemory.h"
#include "runtime/exec/StateStore.h"
#include "runtime/exec/Trace.h"

#include "hexin/session.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace hexin {

/// A run that was submitted; `result` once it is over.
struct RunTicket {
  std::optional<Result<NamedValues>> result;
  std::vector<std::shared_ptr<void>> inputOwners;
};

class SessionCore {
public:
  static Result<std::shared_ptr<SessionCore>> create(const Model &model,
                                                     const SessionOptions &options);

  const Model &model() const { return model_; }
  const std::string &device() const { return program_->device().id(); }

  Result<NamedValues> run(const NamedValues &inputs, const RunOptions &options);
  Status run(const NamedValues &inputs, NamedValues &outputs);
  Result<std::shared_ptr<RunTicket>> submit(const NamedValues &inputs);
  Result<NamedValues> wait(RunTicket &ticket);
  Status prepare(std::span<const std::vector<int64_t>> dims);
  /// Brings what is in flight to its end.
  void drain();

  Result<Tensor> getState(const std::string &name);
  Status setState(const std::string &name, const Tensor &value);
  Status resetState();
  Result<std::vector<std::byte>> exportState();
  Status importState(std::span<const std::byte> blob);

  SessionStats stats();
  Result<NamedValues> dumped();
  Result<std::string> trace();

private:
  SessionCore(const Model &model, const SessionOptions &options,
              std::shared_ptr<const DeviceProgram> program);
  Status findDumped();

  /// Where an output goes in the run at hand.
  struct OutputTarget {
    bool isWanted = true;
    Tensor *given = nullptr;     ///< the caller's
    Tensor made;                 ///< ours, when there is none
    Value *givenValue = nullptr; ///< the same of what is no tensor of numbers
    Value madeValue;
    bool isWritten = false;     ///< the device writes to its memory directly
    bool staysOnDevice = false; ///< `made` is on the device
  };

  // A run, in this order; mutex_ held.
  Status start(const NamedValues &inputs);
  Status startSegments(const NamedValues &inputs);
  Status forgetFreshStates(Status failure);
  Status bindStates();
  Status bindInputs();
  Result<Segment *> findSegment(Segment *parent);
  std::string describePlan(const Segment &segment) const;
  Status execute(Segment &segment);
  Status finish();

  // Parts of execute()
  Status bindOutput(const OutputBinding &binding);
  Status runStep(Segment &segment, Step &step);
  Status submitCommands(Segment &segment, const Step &step);
  Status callHost(const Step &step);
  Status waitForDevice();
  /// `failure` of some or one of a segment's commands, with their nodes.
  struct Submitted {
    Event event;
    const Segment *segment; ///< of path_
    uint32_t first, count;  ///< its commands
  };
  Status withNodes(Status failure, const Submitted &submitted, uint32_t command) const;
  Status learn(const Segment &segment);

  // Tensors of the caller on the device: SessionDevice.cpp
  Status checkOnDevice(const Tensor &tensor, const std::string &what) const;
  Status bindDeviceInput(uint32_t input, const Tensor &tensor);
  Result<const Tensor *> hostInput(uint32_t input);
  Result<bool> bindDeviceOutput(uint32_t output, const Tensor &target);
  Status copyOut(uint32_t slot, uint64_t offset, const Tensor &target);
  Status uploadTo(const Tensor &target, const void *src);
  Status keepOnDevice(const RunOptions &options);

  // Parts of finish()
  Status deliver(const FinalValue &final);
  Status deliverState(const FinalValue &final);
  Status deliverDump(const FinalValue &final);
  Status fetch(const FinalValue &final, const Tensor &target);

  // Values that are no tensors of numbers: SessionValues.cpp
  Result<const Value *> hostValue(const HostPlace &place) const;
  Result<Value> tensorOperand(const HostPlace &place);
  Status callHostKernel(const Step &step);
  Status deliverValue(const FinalValue &final);
  Result<Value> handedOut(const Value &value) const;
  void rememberInputMemory();
  bool isInputMemory(const Tensor &tensor) const;
  void recordTimes();

  struct HostView {
    const std::byte *data = nullptr;
    uint64_t bytes = 0;
    const Tensor *tensor = nullptr; ///< when it is all of one
  };
  Result<HostView> viewHost(const HostPlace &place);
  Status prepareTarget(uint32_t output, std::span<const int64_t> dims, Tensor *&target);
  bool overlapsOther(uint32_t output, const Tensor &target) const;
  Status giveOutputs(NamedValues &outputs);
  void finishPending();
  void clearRun();

  const Model model_;
  const SessionOptions options_;
  const std::shared_ptr<const DeviceProgram> program_;

  std::mutex mutex_; // guards everything below
  PlanContext context_;
  std::vector<std::string> dumpNames_; // parallel to context_.dumped
  SessionMemory memory_;
  StateStore states_;
  FaultReport faults_;
  InputCheck inputs_;
  PlanCache plans_;
  SessionStats stats_;
  std::vector<TraceEvent> trace_;
  NamedValues dumped_;

  // The run at hand.
  uint64_t run_ = 0;
  std::vector<uint32_t> freshStates_; // that began with this run
  std::vector<Segment *> path_;       // of the plan, so far
  std::vector<int64_t> key_;
  std::vector<ExprResult> learned_;
  std::vector<Submitted> inFlight_;
  std::vector<OutputTarget> targets_;       // per output of the header
  std::vector<const Tensor *> hostTensors_; // per value: where the host has it
  std::vector<Tensor> hostOwned_;           // per value: results of host instructions
  std::vector<Tensor> hostInputs_;          // per input: of those on the device
  bool copiesOut_ = false;                  // to tensors on the device, in finish()
  /// Per value: what is no tensor of numbers; else a tensor. None in most programs.
  std::vector<Value> hostValues_;
  std::vector<Value> handedOver_;
  std::vector<const void *> inputMemory_; // of tensors in such inputs, sorted
  std::vector<Tensor> operandViews_;
  std::vector<const Tensor *> operands_;
  std::vector<DType> resultTypes_;
  std::shared_ptr<RunTicket> pending_; // submitted, nobody waited for it yet
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_SESSIONCORE_H
