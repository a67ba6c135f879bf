//===- Schedules.h - the ways to turn a group into a kernel -------------------------===//
//
// Best first, generic last. `matches` and `emit` of a schedule stand together, so
// that what it says it takes and what it writes cannot drift. A schedule that
// does not match says why; the reason ends in the artifact and in --explain.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_SCHEDULES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_SCHEDULES_H

#include "compiler/codegen/Codegen.h"
#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen {

/// The refusal of a schedule for other ops than the group's heavy one: no news to
/// anybody, so it is not part of the reason.
inline constexpr const char *notMine = "for other ops";

struct Schedule {
  llvm::StringRef name;
  /// Empty when it takes the group, `notMine`, or why it does not take this one.
  std::string (*refusal)(hx::GroupOp group, hx::SymbolicShapes &shapes);
  mlir::LogicalResult (*emit)(ElementEmitter &emitter);
  /// c of the running error bound c·u·γ(K)·(|A|·|B|) for results that are floats.
  /// The default is what a chain of elementwise functions needs: the worst of them
  /// is within 4 units in the last place (math/README.md).
  float errorConstant = 4;
  /// Written again with single elements where vectors of it would not be aligned
  /// (CodegenTraits::alignedVectors): neighbouring items then take neighbours.
  bool avoidsSplitVectors = false;
};

/// In order of preference.
llvm::ArrayRef<Schedule> schedules();

extern const Schedule attentionSchedule; ///< products around a softmax: online
extern const Schedule packedSchedule;    ///< conv and matmul with packed right-hand sides
extern const Schedule packSchedule;      ///< a computed right-hand side into panels
extern const Schedule rowSchedule;       ///< softmax, normalisation: one item owns a row
extern const Schedule reduceSchedule;    ///< reduce over any axes
extern const Schedule scanSchedule;    ///< cumulative, arg_reduce: in order along an axis
extern const Schedule scatterSchedule; ///< scatters: copy, then updates in order
extern const Schedule sortSchedule;    ///< stable sort along an axis
extern const Schedule compactSchedule; ///< positions of true, block by block
extern const Schedule dynamicQuantizeSchedule; ///< range, scale, elements: one item
extern const Schedule recurrentSchedule;  ///< lstm: one item per batch row and direction
extern const Schedule treesSchedule;      ///< tree_ensemble: one item per 16 rows
extern const Schedule concatSchedule;     ///< along the last axis: row by row
extern const Schedule interleaveSchedule; ///< a transpose into short rows
extern const Schedule transposeSchedule;  ///< the last axis moves: squares in registers
extern const Schedule mapSchedule;        ///< every result element by itself

/// The same for kernels that teams of threads run (KernelModule.h). They stand beside
/// the kernel of a schedule above, for devices that have what they need; a group that
/// none takes has just the one kernel.
llvm::ArrayRef<Schedule> teamSchedules();

extern const Schedule teamAttentionSchedule; ///< tiles in local memory; needs warps
extern const Schedule tiledSchedule;         ///< conv and matmul through local memory
extern const Schedule teamDepthwiseSchedule; ///< depthwise conv from local memory
extern const Schedule teamRowSchedule; ///< softmax, normalisation: a team owns a row
extern const Schedule teamArgReduceSchedule; ///< arg_reduce along the last axis
extern const Schedule teamReduceSchedule;    ///< reduce with the last axis reduced
extern const Schedule teamTransposeSchedule; ///< a transpose that moves the last axis

/// A schedule for some sizes only, ahead of libraries and of the other kernel, for
/// targets whose kernels may have a workspace.
struct GuardedSchedule {
  Schedule schedule;
  /// Where (not 0) it is the faster one; null: everywhere.
  hx::Dim (*guard)(hx::GroupOp group, hx::SymbolicShapes &shapes);
  /// Adds to the group what the schedule reads besides.
  void (*addInputs)(hx::GroupOp group, hx::SymbolicShapes &shapes);
};
llvm::ArrayRef<GuardedSchedule> guardedSchedules();

extern const GuardedSchedule winogradSchedule; ///< 3x3 convolutions of stride 1

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_SCHEDULES_H
