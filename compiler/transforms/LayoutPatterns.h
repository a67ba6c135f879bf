//===- LayoutPatterns.h - what channels-last is made of ---------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H
#define HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace hexin::hx {

/// Convolutions and pooling over one axis become 2-D ones with a height of 1.
void populateWidenWindowPatterns(mlir::RewritePatternSet &patterns);

/// Transposes sink through reshapes that take axes apart, or that merge them where what
/// reads the result undoes the transpose.
void populateSinkThroughReshapePatterns(mlir::RewritePatternSet &patterns);

/// Reshapes that only concern axes of size 1 move behind elementwise operations and
/// reductions, so that these become epilogues of what made their operand.
void populateSinkOnesPatterns(mlir::RewritePatternSet &patterns);

/// A constant, or one that folding has yet to reshape or to transpose.
bool isConstantData(mlir::Value value);

/// For each of `parts`, the axis of `whole` that it is a part of; nothing when a reshape
/// between the two does more than take axes apart. Sizes of 1 belong to the next axis,
/// behind the last to that; an axis of size 1 is its own part.
std::optional<llvm::SmallVector<int64_t>> partsOf(llvm::ArrayRef<int64_t> whole,
                                                  llvm::ArrayRef<int64_t> parts);

/// Moves the transposes of `func` towards the results, through every op that does not
/// mind, until they meet their inverse. What is left and moves no data becomes a
/// reshape. Fails only when the rewriting does not come to an end.
mlir::LogicalResult sinkTransposes(mlir::func::FuncOp func);

/// Operations on rows that a reshape merges from a transposed tensor, up to the reshapes
/// back, become such on that tensor. Returns whether there were any.
bool unmergeRows(mlir::func::FuncOp func);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H
