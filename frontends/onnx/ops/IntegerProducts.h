//===- IntegerProducts.h - quantised convolutions and matmuls ---------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_INTEGERPRODUCTS_H
#define HEXIN_FRONTENDS_ONNX_OPS_INTEGERPRODUCTS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// The zero point at input `index`, or null: one element is a scalar to the dialect.
inline Value zeroPoint(OpBinder &b, unsigned index) {
  return b.shape.toScalarIfOne(b.input(index));
}

/// `x`, or null: a scale or zero point per row (or column) of a product, or one for all.
/// It is a scalar if it is known to be one, else `size` numbers, where only a run may
/// know that it is one.
inline Value perRow(OpBinder &b, Value x, hx::Dim size) {
  x = b.shape.toScalarIfOne(x);
  bool mayBeOne = x && HxBuilder::rank(x) == 1 && !b.failed() &&
                  !hx::SymbolTable::constantValue(b.dims(x)[0]) && b.dims(x)[0] != size;
  return mayBeOne ? b.shape.broadcastTo(x, {size}) : x;
}

/// What QLinearConv and QLinearMatMul give: the exact i32 `product` times `scale` in f32,
/// quantised to the zero point and the type of input 7.
inline Value requantized(OpBinder &b, Value product, Value scale) {
  mlir::Type f32 = b.builder.getF32Type();
  Value y = b.mul(b.cast(product, f32), scale);
  return b.failed() ? Value()
                    : b.make<hx::QuantizeOp>(HxBuilder::elementType(b.input(7)), y,
                                             b.scalar(f32, 1),
                                             b.shape.toScalar(b.input(7)), /*axis=*/0,
                                             /*block=*/0, /*saturate=*/true);
}

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_INTEGERPRODUCTS_H
