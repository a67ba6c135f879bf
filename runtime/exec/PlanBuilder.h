//===- PlanBuilder.h - makes plan segments ----------------------------------===//
//
// Walks the program's instructions with the sizes that are known: evaluates
// shapes, checks constraints, picks variants, places temporaries, checks every
// footprint against the memory it is bound to, prepares commands. It stops where
// something is needed that only the run can tell.
//
// A program that passed the verifier can still lie about sizes: everything here
// is checked arithmetic, and a lie is corruptData with the instruction's name.
// Sizes that the model does not accept are invalidArgument.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_PLANBUILDER_H
#define HEXIN_RUNTIME_EXEC_PLANBUILDER_H

#include "runtime/exec/Plan.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace hexin {

/// What is the same for all plans of a session.
struct PlanContext {
  const DeviceProgram &program;
  SlotNumbers slots;
  std::vector<std::vector<uint32_t>> endingAt; // ProgramInfo::valuesEndingAt
  std::vector<uint32_t> dumped;                // values to give out at the end
  bool profile = false;
};

class PlanBuilder {
public:
  /// `inputDims`: per input of the header, its sizes. Both are borrowed.
  PlanBuilder(const PlanContext &context, std::span<const Dims> inputDims);

  /// The segment that starts the program.
  Result<std::unique_ptr<Segment>> buildFirst();
  /// The segment after `segment` when its `learned` leaves have these values.
  Result<std::unique_ptr<Segment>> buildNext(const Segment &segment,
                                             std::span<const ExprResult> learned);

private:
  using Root = PlanState::Root;
  struct Resolved {
    uint32_t root = 0;
    uint64_t offset = 0;
  };

  // What it is at
  std::string describeInstruction() const;
  std::string where() const; ///< the same, also behind the last instruction
  std::string describeValue(uint32_t value) const;
  Status corrupt(const std::string &what) const;

  // Expressions. `blocked_` is set, and the status is not to be shown, when a
  // value is needed that is not known yet.
  Status blocked();
  Status need(int32_t expr, const std::string &what, int64_t &value);
  Status needDims(uint32_t value, Dims &dims);
  bool tryDims(uint32_t value, Dims &dims) const;
  Status evaluate();
  Status checkConstraints() const;
  ExprResult readNow(const fmt::ExprNode &node) const;

  // Memory
  Result<Resolved> resolve(uint32_t value);
  Status place(uint32_t root);
  Status placeTemp(uint32_t root, int64_t bytes);
  uint32_t slotFor(uint32_t preferred, const ArenaPlace &place);
  void packTemps();
  Result<HostPlace> hostPlace(uint32_t value);
  uint64_t hostBytes(const HostPlace &place) const;
  void releaseEnding();

  // Walk
  Result<std::unique_ptr<Segment>> walk();
  Status addInstruction();
  Status addRun(const fmt::Instruction &instruction);
  Status addKernel(const fmt::Variant &variant);
  Status addLibrary(const fmt::Variant &variant);
  Status addHost(const fmt::Variant &variant);
  void markSpent(HostCall &call) const;
  Status addToHost(uint32_t value);
  Status addToDevice(uint32_t value);
  Status bind(uint32_t value, int32_t offset, bool isRead, bool isWritten,
              hexin_binding &binding);
  Status bindScratch(const fmt::Variant &variant);
  Status bindAll(const fmt::Variant &variant);
  Status checkMultiples(const fmt::Kernel &kernel);
  Status checkFootprints(const fmt::Kernel &kernel, int64_t &items);
  Status denseDims(uint32_t value, const hexin_binding &binding, Dims &dims,
                   int64_t &byteLength);
  void markWritten(const fmt::Variant &variant);
  Status prepare(hexin_command_desc &desc);
  Status prepareKernel(const fmt::Variant &variant, int64_t items);
  void makeKey(const fmt::Variant &variant, int64_t items);
  void addCommand(CommandRef command);
  LaunchCost costOfLaunch() const;

  // Loops: unrolled as far as their conditions are known
  Status addLoopBegin(uint32_t loop);
  Status addLoopEnd(uint32_t loop);
  Status startIteration();
  Status endLoop(uint32_t loop);
  Status fillStack(uint32_t loop, uint32_t stack);
  Status take(uint32_t value, Root &root);
  ValueKind holds(uint32_t value) const {
    return static_cast<ValueKind>(program_.values()->Get(value)->holds());
  }
  void give(uint32_t value, Root root);
  void setSizes(uint32_t value, const Dims &dims);
  void forgetValue(uint32_t value);
  Step &addStep(Step::Kind kind);

  // Ends
  Status finish();
  Status finishOutput(uint32_t output);
  Result<FinalValue> finalValue(uint32_t value);
  bool collectReadableLeaves();
  bool hasPendingConstraint() const;
  Result<std::unique_ptr<Segment>> endHere();

  const PlanContext &context_;
  const ProgramInfo &info_;
  const fmt::Program &program_;
  const Device &device_;
  std::span<const Dims> inputDims_;

  std::unique_ptr<PlanState> state_;
  std::unique_ptr<Segment> segment_;
  uint32_t instruction_ = 0;
  uint32_t variant_ = 0;   // of the instruction
  std::string passedOver_; // its variants that the device refused, and why
  bool blocked_ = false;
  int32_t blockedOn_ = -1;     // the expression
  bool jumped_ = false;        // the instruction at hand has set the position
  uint32_t stackAtHand_ = ~0u; // of a loop: bound where the slice at hand goes
  int64_t stackOffset_ = 0;
  std::vector<uint32_t> lateWeights_; // that the segment's commands read
  uint32_t handedOver_ = 0;           // values of the host, by the instruction at hand

  std::vector<uint32_t> slotOfLifetime_; // of the layout: which temporary's slot it is

  // Of the variant at hand; members so that their memory is used again.
  std::vector<hexin_binding> bindings_;
  std::vector<Dims> bindingDims_;
  std::vector<int64_t> bindingBytes_; // what it reads or writes of each
  std::vector<int64_t> params_;
  uint64_t workspaceBytes_ = 0; // of the kernel whose footprints were checked last
  ExprTable kernelExprs_;
  CommandKey key_;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_PLANBUILDER_H
