//===- Scalars.h - elementwise functions as arith/math ops -----------------------===//
//
// The one definition of every elementwise hx function for generated code. All
// builders take scalars or 1-D vectors of compute type alike (KernelBuilder.h)
// and give the same. Semantics: OPS.md rules 14 and 15 (integers wrap, x/0 = 0,
// NaN propagates through min and max).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCALARS_H
#define HEXIN_COMPILER_CODEGEN_SCALARS_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

namespace hexin::codegen {

/// `type` is the hx element type of the operands (it tells signedness).
mlir::Value emitUnary(KernelBuilder &k, hx::UnaryFn fn, mlir::Value x, mlir::Type type);
mlir::Value emitBinary(KernelBuilder &k, hx::BinaryFn fn, mlir::Value x, mlir::Value y,
                       mlir::Type type);
mlir::Value emitCompare(KernelBuilder &k, hx::ComparePredicate predicate, mlir::Value x,
                        mlir::Value y, mlir::Type type);
/// What a cast to f8, e8m0 or f4 does with what does not fit.
struct CastRounding {
  bool saturates = true;
  llvm::StringRef scale = "nearest"; ///< of e8m0 alone: "nearest", "up", "down"
};
mlir::Value emitCast(KernelBuilder &k, mlir::Value x, mlir::Type from, mlir::Type to,
                     CastRounding rounding = CastRounding());
mlir::Value emitActivation(KernelBuilder &k, hx::ActivationKind kind, mlir::Value x,
                           double alpha, double beta);
/// saturate(round_even(x / scale) + zeroPoint) to integer type `to`, or to a narrow
/// float without rounding twice; zeroPoint is in compute type of `to`, or null.
mlir::Value emitQuantize(KernelBuilder &k, mlir::Value x, mlir::Value scale,
                         mlir::Value zeroPoint, mlir::Type to, bool saturates = true);
mlir::Value emitDequantize(KernelBuilder &k, mlir::Value x, mlir::Value scale,
                           mlir::Value zeroPoint, mlir::Type from, mlir::Type to);
/// One step of a reduction, and what it starts from.
mlir::Value emitReduceStep(KernelBuilder &k, hx::ReduceFn fn, mlir::Value accumulator,
                           mlir::Value x, mlir::Type type);
mlir::Value reduceIdentity(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type,
                           unsigned lanes);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCALARS_H
