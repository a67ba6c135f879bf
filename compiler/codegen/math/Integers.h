//===- Integers.h - integer functions of the math dialect ---------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_MATH_INTEGERS_H
#define HEXIN_COMPILER_CODEGEN_MATH_INTEGERS_H

#include "mlir/IR/Builders.h"

namespace hexin::mathfn {

/// Each takes and returns integers of 8 to 64 bits, scalar or vector.
mlir::Value absoluteValue(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);
mlir::Value countOnes(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);
mlir::Value countLeadingZeros(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);
mlir::Value countTrailingZeros(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x);
/// x^n, wrapping; a negative n gives 1/x^n truncated, and 0 for x = 0.
mlir::Value integerPower(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                         mlir::Value n);

} // namespace hexin::mathfn

#endif // HEXIN_COMPILER_CODEGEN_MATH_INTEGERS_H
