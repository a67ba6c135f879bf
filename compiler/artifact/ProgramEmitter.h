//===- ProgramEmitter.h - a program of the artifact under construction -----------===//
//
// Behind buildProgram. Values are in ProgramValues.cpp, branches and loops in
// ProgramControl.cpp, instructions and their kernels in ProgramLaunches.cpp, what the
// host runs in ProgramHost.cpp. Failures name the op.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_ARTIFACT_PROGRAMEMITTER_H
#define HEXIN_COMPILER_ARTIFACT_PROGRAMEMITTER_H

#include "compiler/artifact/ProgramBuilder.h"
#include "compiler/artifact/ShapeExprs.h"
#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/CheckOps.h"

#include "llvm/ADT/DenseSet.h"

#include <map>
#include <string>

namespace hexin {

/// One use: construct, run.
class ProgramEmitter {
  using Value = mlir::Value; // not hexin::Value, a model's input or output

public:
  ProgramEmitter(mlir::func::FuncOp func, Target &target, WeightSection &weights)
      : func(func), target(target), weights(weights), shapes(func.getContext()),
        exprs(shapes, [this](Value value) { return idOf(value); }),
        program(std::make_unique<fmt::ProgramT>()) {}

  Result<BuiltProgram> run();

private:
  // -- the order of things ---------------------------------------------------
  Status addOp(mlir::Operation *op);

  // -- values ----------------------------------------------------------------
  int32_t idOf(Value value) const {
    auto it = ids.find(value);
    return it == ids.end() ? -1 : static_cast<int32_t>(it->second);
  }
  Result<uint32_t> addValue(Value value, fmt::ValueKind kind, int32_t index);
  Status setType(mlir::Type type, fmt::ValueDefT &def);
  Status addSizes(Value value, fmt::ValueDefT &def);
  /// The sizes a value has in memory: a computed packed matrix has panels.
  hx::Dims storedDims(Value value, fmt::ValueKind kind);
  Status addInterface();
  /// The constant as an entry of the weights, with its own value.
  Result<uint32_t> constantValue(Value value);
  /// The program's value for a tensor that an instruction reads.
  Result<uint32_t> operandValue(Value value);
  /// `op` is a view (hx::viewedBy).
  Status addView(mlir::Operation *op);
  /// Where an instruction puts `result`: an output, a view of one, or a temporary.
  Result<uint32_t> resultValue(Value result);
  /// A small integer tensor that is known as expressions, on the device.
  Result<uint32_t> materializeContents(Value value);
  /// A kernel that writes its params.
  Status writeContents(Value value);
  void addConstraint(const hx::SymbolConstraint &constraint);
  /// The constraint that an hx.check becomes, of runs that take the branch and the loop
  /// at hand.
  Status addCheck(hx::CheckOp op);

  // -- branches and loops ----------------------------------------------------
  /// Both branches, each under its condition; a result is what one or the other
  /// made. The plan decides.
  Status addIf(hx::IfOp op);
  /// `chosen`: the values of the results of `op` that are used.
  Status addBranch(mlir::Region &region, hx::Dim condition, hx::IfOp op,
                   llvm::SmallVector<uint32_t> &chosen);
  /// The body between two instructions, and behind them what fills the stacks. The
  /// loop's values are groups' own: hx-materialize-results saw to that.
  Status addLoop(hx::LoopOp op);
  Status addLoopMark(fmt::InstructionKind kind, uint32_t loop, const std::string &node);
  /// A value whose memory a loop hands on: its sizes come with it.
  Result<uint32_t> addLoopValue(Value value);
  /// The instruction that copies a slice to where it belongs.
  Status addStacking(Value slice, Value stack, const std::string &node);

  // -- instructions ----------------------------------------------------------
  /// Results of `op` that sizes or conditions hang on, once it has made them.
  Status bringToHost(mlir::Operation *op);
  Status addGroup(hx::GroupOp group);
  /// A kernel for every arch of the target, under one name: `emit` writes the one for
  /// an arch, into a module and by a name ("": its own). `differs`: archs that extend
  /// others may have one of their own.
  using EmitKernel = llvm::function_ref<mlir::FailureOr<codegen::KernelUse>(
      mlir::ModuleOp kernels, const CodegenTraits &traits, llvm::StringRef name)>;
  using Differs = llvm::function_ref<bool(const CodegenTraits &traits)>;
  Result<codegen::KernelUse> emitForArchs(const std::string &node, EmitKernel emit,
                                          Differs differs = nullptr);
  /// The group's kernel for devices whose threads share memory.
  Result<std::unique_ptr<fmt::VariantT>> teamVariant(hx::GroupOp group);
  Result<std::unique_ptr<fmt::VariantT>> guardedVariant(hx::GroupOp group);
  Result<std::unique_ptr<fmt::VariantT>> libraryVariant(const LibraryCall &call);
  Result<std::unique_ptr<fmt::VariantT>> kernelVariant(const codegen::KernelUse &use,
                                                       const std::string &op,
                                                       const std::string &node);
  /// `variants`: what goes before the kernel, best first.
  Status addLaunch(const codegen::KernelUse &use, std::string op, std::string node,
                   std::string reason,
                   std::vector<std::unique_ptr<fmt::VariantT>> variants = {});
  /// A row of the faults for the instruction of `node`.
  fmt::Binding faultRow(const std::string &op, const std::string &node);
  /// Under the condition of the branch at hand.
  Status append(std::unique_ptr<fmt::InstructionT> instruction);
  Status addTransfer(fmt::InstructionKind kind, uint32_t value, const std::string &node);
  static std::unique_ptr<fmt::AttributeDefT> attributeDef(const std::string &name,
                                                          const hexin::Attribute &value);
  int32_t kernelId(const codegen::KernelUse &use);

  // -- what the host runs ----------------------------------------------------
  /// An op that the caller let run on the host.
  Status addFallback(mlir::Operation *op);
  /// An op of values that live on the host; tensors among its results go to the device
  /// where that reads them.
  Status addHostOp(mlir::Operation *op);
  /// Operands to the host, then its kernel.
  Status addHostInstruction(mlir::Operation *op, const std::string &reason);
  /// Where a host instruction puts `result`, whose sizes may be what it gives it.
  Result<uint32_t> hostResult(Value result);
  /// Whether the host can read `value` as it is.
  bool isOnHost(Value value);
  /// A literal of strings is made by an instruction.
  Result<uint32_t> stringConstant(Value value);

  mlir::func::FuncOp func;
  Target &target;
  WeightSection &weights;
  hx::SymbolicShapes shapes;
  ShapeExprs exprs;
  std::unique_ptr<fmt::ProgramT> program;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> kernels;
  llvm::DenseMap<Value, uint32_t> ids;
  llvm::DenseMap<Value, uint32_t> aliasOf;
  std::map<std::string, int32_t> kernelIds;
  llvm::DenseSet<mlir::Operation *> hostOnly;
  llvm::DenseSet<Value> readBack; ///< to be brought to the host where they are made
  hx::Dim predicate;              ///< of the branch at hand; null outside of all
  std::optional<uint32_t> faultsId;
  llvm::SmallVector<Value> materialized; ///< shape values that were written, in order
};

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_PROGRAMEMITTER_H
