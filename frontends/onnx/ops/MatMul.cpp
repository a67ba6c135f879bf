// Matrix products.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/IntegerProducts.h"
#include "frontends/onnx/ops/Products.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

Value withMatrixOperands(OpBinder &b, Value lhs, Value rhs,
                         llvm::function_ref<Value(Value, Value)> product) {
  bool isLhsVector = HxBuilder::rank(lhs) == 1, isRhsVector = HxBuilder::rank(rhs) == 1;
  if (HxBuilder::rank(lhs) == 0 || HxBuilder::rank(rhs) == 0) {
    b.error("an operand is a scalar: expected rank 1 or more");
    return {};
  }
  Value result = product(isLhsVector ? b.shape.unsqueeze(lhs, {0}) : lhs,
                         isRhsVector ? b.shape.unsqueeze(rhs, {1}) : rhs);
  if (b.failed())
    return {};
  int64_t rank = HxBuilder::rank(result);
  SmallVector<int64_t> added;
  if (isLhsVector)
    added.push_back(rank - 2);
  if (isRhsVector)
    added.push_back(rank - 1);
  return added.empty() ? result : b.shape.squeeze(result, added);
}

Value scaled(OpBinder &b, Value x, double factor) {
  return factor == 1 || b.failed() ? x : b.mul(x, b.scalarLike(x, factor));
}

Value affineProduct(OpBinder &b, const AffineProduct &terms) {
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(terms.lhs);
  bool isNarrow = type.isF16() || type.isBF16();
  Type sum = isNarrow ? Type(b.builder.getF32Type()) : type;
  Value product = b.make<hx::MatMulOp>(sum, terms.lhs, terms.rhs, terms.transposeLhs,
                                       terms.transposeRhs,
                                       isNarrow ? TypeAttr::get(sum) : TypeAttr());
  product = scaled(b, product, terms.alpha);
  if (terms.addend && terms.beta != 0)
    product = b.add(product, scaled(b, b.cast(terms.addend, sum), terms.beta));
  return product;
}

namespace {

void importMatMul(OpBinder &b) {
  b.result(0, withMatrixOperands(b, b.input(0), b.input(1), [&](Value lhs, Value rhs) {
             return b.matmul(lhs, rhs);
           }));
}

/// alpha * A' * B' + beta * C
void importGemm(OpBinder &b) {
  for (unsigned i = 0; i < 2; ++i)
    if (HxBuilder::rank(b.input(i)) != 2)
      return b.contradiction("input #" + Twine(i) + " has rank " +
                             Twine(HxBuilder::rank(b.input(i))) + ", expected 2");
  Value product = affineProduct(b, {b.input(0), b.input(1), b.intAttr("transA", 0) != 0,
                                    b.intAttr("transB", 0) != 0, b.floatAttr("alpha", 1),
                                    b.input(2), b.floatAttr("beta", 1)});
  b.result(0, b.cast(product, HxBuilder::elementType(b.input(0))));
}

Value integerProduct(OpBinder &b, Value lhs, Value rhs, Value lhsZero, Value rhsZero) {
  return withMatrixOperands(b, lhs, rhs, [&](Value matrixLhs, Value matrixRhs) {
    return b.make<hx::MatMulIntegerOp>(b.builder.getI32Type(), matrixLhs, matrixRhs,
                                       lhsZero, rhsZero);
  });
}

/// Of the matrices that an operand stands for: rows of the left, columns of the right.
Dim rowsOf(OpBinder &b, Value lhs) {
  Dims dims = b.dims(lhs);
  return dims.size() < 2 ? b.shape.constant(1) : dims[dims.size() - 2];
}
Dim columnsOf(OpBinder &b, Value rhs) {
  Dims dims = b.dims(rhs);
  return dims.size() < 2 ? b.shape.constant(1) : dims.back();
}

void importMatMulInteger(OpBinder &b) {
  Value lhs = b.input(0), rhs = b.input(1);
  b.result(0, integerProduct(b, lhs, rhs, perRow(b, b.input(2), rowsOf(b, lhs)),
                             perRow(b, b.input(3), columnsOf(b, rhs))));
}

/// a, aScale, aZero, b, bScale, bZero, yScale, yZero: exact in i32, requantised
/// in f32.
void importQLinearMatMul(OpBinder &b) {
  Type f32 = b.builder.getF32Type();
  Value lhs = b.input(0), rhs = b.input(3);
  Dim rows = rowsOf(b, lhs), columns = columnsOf(b, rhs);
  Value product = integerProduct(b, lhs, rhs, perRow(b, b.input(2), rows),
                                 perRow(b, b.input(5), columns));
  Value lhsScale = perRow(b, b.cast(b.input(1), f32), rows);
  if (HxBuilder::rank(lhsScale) == 1) // [M] as [M, 1]
    lhsScale = b.shape.unsqueeze(lhsScale, {1});
  Value rhsScale = perRow(b, b.cast(b.input(4), f32), columns);
  Value scale = b.mul(lhsScale, rhsScale);
  scale = b.div(scale, b.cast(b.shape.toScalar(b.input(6)), f32));
  b.result(0, requantized(b, product, scale));
}

} // namespace

void registerMatMulOps(OpTable &table) {
  table.add("", {
                    {"MatMul", 1, 2, 2, importMatMul},
                    {"Gemm", 6, 2, 3, importGemm},
                    {"MatMulInteger", 10, 2, 4, importMatMulInteger},
                    {"QLinearMatMul", 10, 8, 8, importQLinearMatMul},
                });
}

} // namespace hexin::onnx
