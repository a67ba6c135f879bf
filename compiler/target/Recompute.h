//===- Recompute.h - what is cheaper to compute again than to store ---------===//
#ifndef HEXIN_COMPILER_TARGET_RECOMPUTE_H
#define HEXIN_COMPILER_TARGET_RECOMPUTE_H

#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin {

/// Gives each reader of x - mean, x * scale and the like its own copy, which its kernel
/// computes on the way, where x is in memory for others anyway: then nobody writes and
/// reads the result. `shapes` know of the copies. Fails only where they cannot be
/// inferred.
mlir::LogicalResult recomputeCheap(mlir::func::FuncOp func, hx::SymbolicShapes &shapes);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_RECOMPUTE_H
