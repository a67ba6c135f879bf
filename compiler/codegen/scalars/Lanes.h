//===- Lanes.h - ops on scalars and vectors alike ---------------------------===//
//
// What the sources of Scalars.h share.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCALARS_LANES_H
#define HEXIN_COMPILER_CODEGEN_SCALARS_LANES_H

#include "compiler/codegen/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace hexin::codegen {

/// Builds ops on values shaped like `like` (scalar or vector).
struct Lanes {
  KernelBuilder &k;
  mlir::OpBuilder &b;
  mlir::Location loc;
  unsigned lanes;

  Lanes(KernelBuilder &k, mlir::Value like) : k(k), b(k.builder()), loc(k.loc()) {
    auto vectorType = llvm::dyn_cast<mlir::VectorType>(like.getType());
    lanes = vectorType ? vectorType.getNumElements() : 1;
  }

  mlir::Type shaped(mlir::Type element) const { return withLanes(element, lanes); }
  mlir::Value f(double value, mlir::Type element) {
    return k.floatConstant(value, element, lanes);
  }
  mlir::Value i(int64_t value, mlir::Type element) {
    return k.intConstant(value, element, lanes);
  }
  template <typename OpT> mlir::Value op(mlir::Value x) { return OpT::create(b, loc, x); }
  template <typename OpT> mlir::Value op(mlir::Value x, mlir::Value y) {
    return OpT::create(b, loc, x, y);
  }
  mlir::Value cmpf(mlir::arith::CmpFPredicate p, mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpFOp::create(b, loc, p, x, y);
  }
  mlir::Value cmpi(mlir::arith::CmpIPredicate p, mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpIOp::create(b, loc, p, x, y);
  }
  mlir::Value select(mlir::Value c, mlir::Value x, mlir::Value y) {
    return mlir::arith::SelectOp::create(b, loc, c, x, y);
  }
};

/// `type`: an hx element type. Bool counts.
inline bool isUnsignedInt(mlir::Type type) {
  return type.isUnsignedInteger() || type.isInteger(1);
}

/// 1 / (1 + e^-x) without overflow (Unary.cpp; activations use it too).
mlir::Value emitSigmoid(Lanes &l, mlir::Value x);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCALARS_LANES_H
