//===- Attention.h - products around a softmax, as one group -----------------===//
//
//   softmax(f(Q Kt)) V        f: elementwise, as scaling, a mask, a cap
//
// of f32, f16 or bf16. The products may see rows and heads otherwise than f does: query
// heads that share the keys of one head are its rows there ([B, Hkv, G S, D]).
//
// One kernel computes it without its scores ever being in memory
// (codegen/schedules/Attention.cpp), on targets that have a schedule for it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_ATTENTION_H
#define HEXIN_COMPILER_TARGET_ATTENTION_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin {

/// Marks the products of every attention in `func` that has not less than `fewestQueries`
/// for sure, so that they keep their operands as they are (PackOperands) until groups are
/// formed. Keys that are transposed before are read as they lie.
void markAttention(mlir::func::FuncOp func, hx::SymbolicShapes &shapes,
                   int64_t fewestQueries);

/// The ops of a marked attention that ends in `root`; empty where it is none, or not any
/// longer.
llvm::SmallVector<mlir::Operation *> attentionEndingIn(mlir::Operation *root,
                                                       hx::SymbolicShapes &shapes);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_ATTENTION_H
