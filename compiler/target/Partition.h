//===- Partition.h - ops into groups, each one kernel ------------------------------------------===//
//
// Gives every op of @main its place: on the host (shape arithmetic that only the
// host reads), as a view, or in an hx.group that becomes one kernel. A group has
// at most one heavy op, elementwise ops behind it and, where that reads every
// element once, elementwise and movement ops before it.
//
// The branches of an hx.if keep their ops: groups are formed inside of each.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_PARTITION_H
#define HEXIN_COMPILER_TARGET_PARTITION_H

#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin {

/// Where an op stands.
enum class Place { constant, host, view, device, unsupported };
Place placeOf(mlir::Operation *op, hx::SymbolicShapes &shapes);

/// Ops that nothing on the device needs: what they compute is only read on the host
/// as expressions over sizes and contents of inputs, or not at all.
llvm::DenseSet<mlir::Operation *> hostOnlyOps(mlir::func::FuncOp func,
                                              hx::SymbolicShapes &shapes);

/// Forms the groups of `func` in place; their `schedule` and `reason` say how each
/// will be written. Fails with a diagnostic at the first op that no kernel can
/// compute.
mlir::LogicalResult partition(mlir::func::FuncOp func);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_PARTITION_H
