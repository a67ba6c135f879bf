//===- MovedAxes.h - what a transpose does to the order of memory -----------------===//
//
// Axes that are neighbours in the operand and in the result alike move as one run:
//
//   perm [0, 2, 3, 1], [N, C, H, W] -> [N, H, W, C]    runs N | H W | C
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_MOVEDAXES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_MOVEDAXES_H

#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen {

/// The only op of the group that is not elementwise, or null.
hx::TransposeOp onlyTranspose(hx::GroupOp group);

struct MovedAxes {
  explicit MovedAxes(llvm::ArrayRef<int64_t> perm);

  /// Axes of the result [first, end).
  struct Run {
    size_t first, end;
  };
  /// The run that is last in the result.
  size_t last() const { return runs.size() - 1; }
  bool movesLast() const { return !runs.empty() && far != last(); }
  /// How many elements run `run` has, of axes of these sizes.
  KExpr extent(KernelBuilder &k, llvm::ArrayRef<KExpr> sizes, size_t run) const;
  /// The same, where it is known.
  std::optional<int64_t> knownExtent(hx::SymbolicShapes &shapes, hx::Dims dims,
                                     size_t run) const;
  /// An index of the result from a place along each run.
  llvm::SmallVector<mlir::Value> indexAt(KernelBuilder &k, llvm::ArrayRef<KExpr> sizes,
                                         llvm::ArrayRef<mlir::Value> places) const;
  /// The operand's index of a result's.
  llvm::SmallVector<mlir::Value> sourceOf(llvm::ArrayRef<mlir::Value> index) const;

  llvm::ArrayRef<int64_t> perm;
  llvm::SmallVector<Run> runs; ///< in the result's order
  size_t far = 0;              ///< the run that is last in the operand
};

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_MOVEDAXES_H
