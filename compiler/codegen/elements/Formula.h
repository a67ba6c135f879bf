//===- Formula.h - float arithmetic on coordinates ---------------------------===//
//
// What the rules share that compute where to read: arithmetic in one float type, and
// the way from and to indices. Nothing is contracted: each operation rounds.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ELEMENTS_FORMULA_H
#define HEXIN_COMPILER_CODEGEN_ELEMENTS_FORMULA_H

#include "compiler/codegen/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace hexin::codegen {

struct Formula {
  KernelBuilder &k;
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type type;

  /// In f32, or `type`.
  explicit Formula(KernelBuilder &k, mlir::Type type = {})
      : k(k), b(k.builder()), loc(k.loc()), type(type ? type : b.getF32Type()) {}

  Value c(double value) { return k.floatConstant(value, type, 1); }
  Value add(Value x, Value y) { return mlir::arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return mlir::arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return mlir::arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return mlir::arith::DivFOp::create(b, loc, x, y); }
  Value floor(Value x) { return mlir::math::FloorOp::create(b, loc, x); }
  Value ceil(Value x) { return mlir::math::CeilOp::create(b, loc, x); }
  Value select(Value condition, Value x, Value y) {
    return mlir::arith::SelectOp::create(b, loc, condition, x, y);
  }
  /// x > y, false with NaN.
  Value isAbove(Value x, Value y) {
    return mlir::arith::CmpFOp::create(b, loc, mlir::arith::CmpFPredicate::OGT, x, y);
  }
  Value isAtLeast(Value x, Value y) {
    return mlir::arith::CmpFOp::create(b, loc, mlir::arith::CmpFPredicate::OGE, x, y);
  }
  /// The larger one, `y` for NaN in `x`.
  Value atLeast(Value x, Value y) { return select(isAbove(x, y), x, y); }
  /// The smaller one, `y` for NaN in `x`.
  Value atMost(Value x, Value y) { return select(isAbove(y, x), x, y); }
  Value toFloat(Value i) {
    Value wide = mlir::arith::IndexCastOp::create(b, loc, b.getI64Type(), i);
    return mlir::arith::SIToFPOp::create(b, loc, type, wide);
  }
  Value toIndex(Value x) {
    Value wide = mlir::arith::FPToSIOp::create(b, loc, b.getI64Type(), x);
    return mlir::arith::IndexCastOp::create(b, loc, b.getIndexType(), wide);
  }
};

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ELEMENTS_FORMULA_H
