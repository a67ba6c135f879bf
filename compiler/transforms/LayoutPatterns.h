//===- LayoutPatterns.h - what channels-last is made of ---------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H
#define HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace hexin::hx {

/// Convolutions and pooling over one axis become 2-D ones with a height of 1.
void populateWidenWindowPatterns(mlir::RewritePatternSet &patterns);

/// Moves the transposes of `func` towards the results, through every op that does not
/// mind, until they meet their inverse. What is left and moves no data becomes a
/// reshape. Fails only when the rewriting does not come to an end.
mlir::LogicalResult sinkTransposes(mlir::func::FuncOp func);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_LAYOUTPATTERNS_H
