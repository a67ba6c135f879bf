//===- Products.h - matrix products, for several families -------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_PRODUCTS_H
#define HEXIN_FRONTENDS_ONNX_OPS_PRODUCTS_H

#include "frontends/onnx/OpBinder.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace hexin::onnx {

/// numpy's matmul around a product of operands of rank >= 2: 1-D operands get an
/// axis of size 1, which the result then loses.
Value withMatrixOperands(OpBinder &b, Value lhs, Value rhs,
                         llvm::function_ref<Value(Value, Value)> product);

/// x times a number; x itself for 1.
Value scaled(OpBinder &b, Value x, double factor);

/// alpha lhs rhs + beta addend, for matrices. `addend` may be null. What is f16 or bf16
/// comes in f32, not rounded yet: the caller casts it when nothing more is done to it.
struct AffineProduct {
  Value lhs, rhs;
  bool transposeLhs = false, transposeRhs = false;
  double alpha = 1;
  Value addend = {};
  double beta = 1;
};
Value affineProduct(OpBinder &b, const AffineProduct &terms);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_PRODUCTS_H
