//===- IntegerArithmetic.h - what hx defines and the machine does not -------===//
//
// Integer functions that are defined for all operands and never trap. `type` is the
// hx element type (it tells signedness).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCALARS_INTEGERARITHMETIC_H
#define HEXIN_COMPILER_CODEGEN_SCALARS_INTEGERARITHMETIC_H

#include "compiler/codegen/scalars/Lanes.h"

namespace hexin::codegen {

/// Quotient or remainder: x/0 = 0, smallest/-1 = smallest.
mlir::Value divideInt(Lanes &l, mlir::Value x, mlir::Value y, mlir::Type type,
                      bool wantRemainder);

/// x^y; a negative exponent gives 0 unless the base is 1 or -1.
mlir::Value powInt(Lanes &l, mlir::Value x, mlir::Value y);

/// Shifts by the width and more give 0, or -1 for negative x to the right.
mlir::Value shiftInt(Lanes &l, mlir::Value x, mlir::Value y, mlir::Type type,
                     bool isLeft);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCALARS_INTEGERARITHMETIC_H
