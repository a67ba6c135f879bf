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

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_PRODUCTS_H
