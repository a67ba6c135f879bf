// Products and sums of narrow integers (domain com.microsoft).
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Products.h"

using namespace mlir;
using hexin::hx::ReduceFn;

namespace hexin::onnx {
namespace {

/// (lhs - lhsZero) x (rhs - rhsZero), exact, times both scales, plus a bias; in the
/// type of `scale`.
void resultScaled(OpBinder &b, Value lhs, Value rhs, Value lhsZero, Value rhsZero,
                  Value scale, Value bias) {
  Value product = withMatrixOperands(b, lhs, rhs, [&](Value l, Value r) {
    return b.make<hx::MatMulIntegerOp>(b.builder.getI32Type(), l, r, lhsZero, rhsZero);
  });
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(scale), f32 = b.builder.getF32Type();
  Value y = b.mul(b.cast(product, f32), b.cast(scale, f32));
  if (bias)
    y = b.add(y, b.cast(bias, f32));
  b.result(0, b.cast(y, type));
}

Value scalarOrSame(OpBinder &b, unsigned index) {
  return b.shape.toScalarIfOne(b.input(index));
}

/// A, B, b_scale, b_zero_point?, bias?: A is quantised by its own range.
void importDynamicQuantizeMatMul(OpBinder &b) {
  Type ui8 = b.builder.getIntegerType(8, /*isSigned=*/false);
  auto lhs =
      b.create<hx::DynamicQuantizeOp>({ui8, b.builder.getF32Type(), ui8}, b.input(0));
  if (b.failed())
    return;
  resultScaled(b, lhs.getResult(), b.input(1), lhs.getZeroPoint(), scalarOrSame(b, 3),
               b.mul(scalarOrSame(b, 2), lhs.getScale()), b.input(4));
}

/// A, B, a_scale, b_scale, a_zero_point?, b_zero_point?, bias?
void importMatMulIntegerToFloat(OpBinder &b) {
  for (unsigned i : {2, 4})
    if (b.has(i) && b.shapes.numElements(b.input(i)) != b.shape.constant(1))
      return b.unsupported("a_scale or a_zero_point of more than one element: expected "
                           "one for all of A");
  resultScaled(b, b.input(0), b.input(1), scalarOrSame(b, 4), scalarOrSame(b, 5),
               b.mul(scalarOrSame(b, 3), scalarOrSame(b, 2)), b.input(6));
}

/// i32 or ui32, as the operands are signed or not.
Type wideInteger(OpBinder &b, Value x) {
  bool isUnsigned = HxBuilder::elementType(x).isUnsignedInteger();
  return isUnsigned ? Type(b.builder.getIntegerType(32, /*isSigned=*/false))
                    : Type(b.builder.getI32Type());
}

/// Sums that do not fit wrap.
void importMatMulInteger16(OpBinder &b) {
  Type type = wideInteger(b, b.input(0));
  if (type != wideInteger(b, b.input(1)))
    type = b.builder.getI32Type();
  b.result(0, withMatrixOperands(b, b.cast(b.input(0), type), b.cast(b.input(1), type),
                                 [&](Value l, Value r) { return b.matmul(l, r); }));
}

/// A, A_zero_point?, B, B_zero_point?
void importMulInteger(OpBinder &b) {
  if (!b.has(2))
    return b.error("input #2, the second factor, is missing");
  Type i32 = b.builder.getI32Type();
  auto factor = [&](unsigned index) {
    Value x = b.cast(b.input(index), i32);
    return b.has(index + 1) ? b.sub(x, b.cast(scalarOrSame(b, index + 1), i32)) : x;
  };
  b.result(0, b.mul(factor(0), factor(2)));
}

void importReduceSumInteger(OpBinder &b) {
  Value x = b.cast(b.input(0), wideInteger(b, b.input(0)));
  SmallVector<int64_t> axes = b.intsAttr("axes");
  int64_t rank = HxBuilder::rank(x);
  for (int64_t axis = 0; axes.empty() && axis < rank; ++axis)
    axes.push_back(axis);
  axes = b.normalizeAxes(axes, rank);
  b.result(0, b.reduce(ReduceFn::sum, x, axes, b.intAttr("keepdims", 1) != 0));
}

} // namespace

void registerMicrosoftIntegerOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"DynamicQuantizeMatMul", 1, 3, 5, importDynamicQuantizeMatMul},
                {"MatMulIntegerToFloat", 1, 4, 7, importMatMulIntegerToFloat},
                {"MatMulInteger16", 1, 2, 2, importMatMulInteger16},
                {"MulInteger", 1, 1, 4, importMulInteger},
                {"ReduceSumInteger", 1, 1, 1, importReduceSumInteger},
            });
}

} // namespace hexin::onnx
