//===- LowerMath.h - math functions as arithmetic -------------------------------===//
//
// Kernels run without a math library: every function of the math dialect is
// written out as arith plus the few math ops that each machine has as an
// instruction:
//
//   fma sqrt absf floor ceil trunc roundeven copysign
//
// Works on f32 and f64 (scalar or 1-D vector); f16 and bf16 are computed in
// f32. NaN, infinities, signed zero and denormals come out as IEEE 754 says.
// Measured worst errors are in backends/cpu/README.md (a few units in the last
// place at most); sin, cos and tan keep that for all x.
//
// Some fma ops carry the unit attribute `hx.exact` (exactFmaAttrName): the
// function needs their single rounding. All others may be split into a multiply
// and an add where a machine has no fma.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_LOWERMATH_H
#define HEXIN_COMPILER_CODEGEN_LOWERMATH_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace hexin {

inline constexpr llvm::StringLiteral exactFmaAttrName = "hx.exact";

/// What results below the normal range cost: as much as others, or, as on most CPUs, a
/// hundred cycles.
enum class Underflow { quick, slow };

/// Rewrites the math ops of a kernel module (form: KernelModule.h).
/// Fails with a diagnostic at the op that has no lowering (erfc, a type it does
/// not know). Creates ops of arith, math, scf and vector.
mlir::LogicalResult lowerMath(mlir::ModuleOp kernels,
                              Underflow underflow = Underflow::slow);

/// Rewrites arith.remf (C's fmod: sign of the dividend, exact) as a loop of
/// arithmetic, for targets without an instruction or built-in for it.
mlir::LogicalResult lowerRemainder(mlir::ModuleOp kernels);

} // namespace hexin

#endif // HEXIN_COMPILER_CODEGEN_LOWERMATH_H
