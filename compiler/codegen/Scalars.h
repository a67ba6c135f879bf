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
/// The one f32 that a constant of hx is everywhere, if it is a divisor of divideBy: not
/// below `least` nor above 2^64, its significand not all ones, on targets that gain.
std::optional<float> easyDivisor(const KernelBuilder &k, mlir::Value divisor,
                                 float least);
/// x / d by its rounded reciprocal r: q = x * r is corrected by what is left, x - q * d,
/// which is exact, to the nearest quotient (Markstein; quotients below 2^-100, and
/// d's below 1 those beyond 2^100, may be one unit off in the last place). A rest of 0
/// leaves q its sign, one that is no number leaves infinities.
mlir::Value divideBy(KernelBuilder &k, mlir::Value x, float divisor, unsigned lanes);
/// saturate(round_even(quotient) + zeroPoint) to integer type `to`, or to a narrow float
/// without rounding twice; zeroPoint is in compute type of `to`, or null.
mlir::Value emitQuantize(KernelBuilder &k, mlir::Value quotient, mlir::Value zeroPoint,
                         mlir::Type to, bool saturates = true);
mlir::Value emitDequantize(KernelBuilder &k, mlir::Value x, mlir::Value scale,
                           mlir::Value zeroPoint, mlir::Type from, mlir::Type to);
/// One step of a reduction, and what it starts from.
mlir::Value emitReduceStep(KernelBuilder &k, hx::ReduceFn fn, mlir::Value accumulator,
                           mlir::Value x, mlir::Type type);
mlir::Value reduceIdentity(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type,
                           unsigned lanes);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCALARS_H
