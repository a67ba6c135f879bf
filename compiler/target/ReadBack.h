//===- ReadBack.h - what the device makes and the host reads --------------===//
#ifndef HEXIN_COMPILER_TARGET_READBACK_H
#define HEXIN_COMPILER_TARGET_READBACK_H

#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace hexin {

/// Whether it is the number of a loop's iteration, which the host counts.
bool isIteration(mlir::BlockArgument argument);

/// Values that ops of `func` make and whose elements sizes, shape operands or
/// conditions hang on. The run brings each to the host where it is made, and only
/// then plans what needs it.
llvm::DenseSet<mlir::Value> readBackValues(mlir::func::FuncOp func,
                                           hx::SymbolicShapes &shapes);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_READBACK_H
