// Operators of ONNX Runtime on 8-bit integers with a scale and a zero point: what they
// say of numbers is computed in f32. A product of integers stays exact.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Channels.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/IntegerProducts.h"
#include "frontends/onnx/ops/Products.h"
#include "frontends/onnx/ops/Reductions.h"
#include "frontends/onnx/ops/Windows.h"

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::BinaryFn;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// Absent zero points are left out in the middle of the inputs.
bool hasAll(OpBinder &b, ArrayRef<unsigned> inputs) {
  for (unsigned i : inputs)
    if (!b.has(i)) {
      b.error("input #" + Twine(i) + " is missing");
      return false;
    }
  return true;
}

/// Input `index`, its scale and zero point behind it: the numbers, in f32.
Value numbersOf(OpBinder &b, unsigned index) {
  Value scale = b.shape.toScalar(b.input(index + 1)), zero = zeroPoint(b, index + 2);
  return b.failed() ? Value()
                    : b.make<hx::DequantizeOp>(b.builder.getF32Type(), b.input(index),
                                               scale, zero, /*axis=*/0, /*block=*/0);
}

/// Numbers as `type` by the scale at input `index` and the zero point behind it, which
/// is added to what was rounded.
Value quantized(OpBinder &b, Value y, unsigned index, Type type) {
  Value scale = b.shape.toScalar(b.input(index)), zero = zeroPoint(b, index + 1);
  return b.failed() ? Value()
                    : b.make<hx::QuantizeOp>(type, y, scale, zero, /*axis=*/0,
                                             /*block=*/0, /*saturate=*/true);
}

/// The same where the zero point is added first: ONNX Runtime's ties.
Value quantizedAfterZero(OpBinder &b, Value y, unsigned index, Type type) {
  Type f32 = b.builder.getF32Type();
  y = b.div(y, b.shape.toScalar(b.input(index)));
  if (b.has(index + 1))
    y = b.add(y, b.cast(zeroPoint(b, index + 1), f32));
  return b.failed() ? Value()
                    : b.make<hx::QuantizeOp>(type, y, b.scalar(f32, 1), Value(),
                                             /*axis=*/0, /*block=*/0, /*saturate=*/true);
}

/// A, its scale and zero point; B, its; those of the result.
template <BinaryFn fn> void importQLinearBinary(OpBinder &b) {
  if (!hasAll(b, {1, 3, 4, 6}))
    return;
  Value y = b.binary(fn, numbersOf(b, 0), numbersOf(b, 3));
  b.result(0, quantizedAfterZero(b, y, 6, HxBuilder::elementType(b.input(0))));
}

/// How a result of numbers is rounded: `quantized` or `quantizedAfterZero`.
using Quantizer = Value (*)(OpBinder &b, Value y, unsigned index, Type type);

/// fn of the numbers of X, whose scale and zero point come before those of the result.
void ofNumbers(OpBinder &b, llvm::function_ref<Value(Value)> fn,
               Quantizer quantizer = quantized) {
  if (!hasAll(b, {1, 3}))
    return;
  Value x = numbersOf(b, 0);
  Value y = b.failed() ? Value() : fn(x);
  b.result(0, quantizer(b, y, 3, HxBuilder::elementType(b.input(0))));
}

void importQLinearSigmoid(OpBinder &b) {
  ofNumbers(b, [&](Value x) { return b.unary(UnaryFn::sigmoid, x); });
}

void importQLinearLeakyRelu(OpBinder &b) {
  double alpha = b.floatAttr("alpha", 0.01f);
  ofNumbers(b,
            [&](Value x) { return b.activation(ActivationKind::leaky_relu, x, alpha); });
}

/// Attribute opset: before 13 X is taken as [before axis, from axis on].
void importQLinearSoftmax(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0)), opset = b.intAttr("opset", 0);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -1), rank);
  if (!b.failed() && opset < 1)
    return b.error("attribute 'opset' is " + Twine(opset) +
                   ", expected that of the Softmax it was made of");
  ofNumbers(b, [&](Value x) {
    if (opset >= 13)
      return b.make<hx::SoftmaxOp>(HxBuilder::elementType(x), x, axis);
    Dims dims = b.dims(x);
    ArrayRef<Dim> all(dims);
    Value rows = b.shape.reshape(x, {b.shape.product(all.take_front(axis)),
                                     b.shape.product(all.drop_front(axis))});
    rows =
        b.failed() ? Value() : b.make<hx::SoftmaxOp>(HxBuilder::elementType(x), rows, 1);
    return b.shape.reshape(rows, dims);
  });
}

/// fn of [N, C, spatial...], which channels_last puts into another order.
Value ofImage(OpBinder &b, Value x, llvm::function_ref<Value(Value)> fn) {
  bool isLast = b.intAttr("channels_last", 0) != 0;
  return isLast ? channelsLast(b, fn(channelsFirst(b, x))) : fn(x);
}

void importQLinearAveragePool(OpBinder &b) {
  auto pooled = [&](Value x) { return averagePool(b, x); };
  ofNumbers(b, [&](Value x) { return ofImage(b, x, pooled); }, quantizedAfterZero);
}

void importQLinearGlobalAveragePool(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  if (rank < 3)
    return b.contradiction("the input has rank " + Twine(rank) + ", expected at least 3");
  auto mean = [&](Value x) {
    return meanOver(b, b.shape, x, llvm::to_vector(llvm::seq<int64_t>(2, rank)),
                    /*keepDims=*/true);
  };
  ofNumbers(b, [&](Value x) { return ofImage(b, x, mean); });
}

void importQLinearReduceMean(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  SmallVector<int64_t> axes = b.normalizeAxes(b.intsAttr("axes", all), rank);
  bool keepDims = b.intAttr("keepdims", 1) != 0;
  ofNumbers(b, [&](Value x) {
    return meanOver(b, b.shape, x, axes.empty() ? all : axes, keepDims);
  });
}

/// condition, X and its scale and zero point, Y and its, those of the result.
void importQLinearWhere(OpBinder &b) {
  Value y = b.select(b.input(0), numbersOf(b, 1), numbersOf(b, 4));
  b.result(0, quantized(b, y, 7, HxBuilder::elementType(b.input(1))));
}

/// Scale and zero point of the result, then a tensor, its scale and zero point for each
/// part.
void importQLinearConcat(OpBinder &b) {
  if (b.numInputs() < 4 || (b.numInputs() - 2) % 3 != 0)
    return b.error("expected a scale and a zero point, then three inputs for each "
                   "tensor, got " +
                   Twine(b.numInputs()) + " inputs");
  if (!b.hasAttribute("axis"))
    return b.error("attribute 'axis' is missing");
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), HxBuilder::rank(b.input(2)));
  Type type = HxBuilder::elementType(b.input(1));
  SmallVector<Value> parts;
  for (unsigned i = 2; i < b.numInputs() && !b.failed(); i += 3)
    if (hasAll(b, {i, i + 1, i + 2}))
      parts.push_back(quantized(b, numbersOf(b, i), 0, type));
  if (!b.failed())
    b.result(0, b.concat(parts, axis));
}

/// A, B (each with scale and zero point, B's may be per column), C? (i32), scale and
/// zero point of the result?: alpha * (A' * B' + C) in f32, or quantised.
void importQGemm(OpBinder &b) {
  for (unsigned i : {0u, 3u})
    if (HxBuilder::rank(b.input(i)) != 2)
      return b.contradiction("input #" + Twine(i) + " has rank " +
                             Twine(HxBuilder::rank(b.input(i))) + ", expected 2");
  if (b.has(7) != b.has(8))
    return b.error("a scale and a zero point of the result come together: inputs #7 "
                   "and #8");
  auto oriented = [&](Value x, StringRef attribute) {
    return b.intAttr(attribute, 0) != 0 ? b.transpose(x, {1, 0}) : x;
  };
  Value lhs = oriented(b.input(0), "transA"), rhs = oriented(b.input(3), "transB");
  if (b.failed())
    return;
  Value product = b.make<hx::MatMulIntegerOp>(b.builder.getI32Type(), lhs, rhs,
                                              zeroPoint(b, 2), zeroPoint(b, 5));
  if (b.has(6))
    product = b.add(product, b.input(6));
  Value scale = b.mul(b.shape.toScalar(b.input(1)), b.shape.toScalarIfOne(b.input(4)));
  scale = scaled(b, scale, b.floatAttr("alpha", 1));
  Value y = b.cast(product, b.builder.getF32Type());
  if (!b.has(7))
    return b.result(0, b.mul(y, scale));
  scale = b.div(scale, b.shape.toScalar(b.input(7)));
  y = b.mul(y, scale);
  if (b.failed())
    return;
  b.result(0, b.make<hx::QuantizeOp>(HxBuilder::elementType(b.input(8)), y,
                                     b.scalarLike(y, 1), zeroPoint(b, 8), /*axis=*/0,
                                     /*block=*/0, /*saturate=*/true));
}

} // namespace

void registerMicrosoftLinear8Ops(OpTable &table) {
  table.add("com.microsoft",
            {
                {"QLinearAdd", 1, 2, 8, importQLinearBinary<BinaryFn::add>},
                {"QLinearMul", 1, 2, 8, importQLinearBinary<BinaryFn::mul>},
                {"QLinearSigmoid", 1, 2, 5, importQLinearSigmoid},
                {"QLinearLeakyRelu", 1, 2, 5, importQLinearLeakyRelu},
                {"QLinearSoftmax", 1, 2, 5, importQLinearSoftmax},
                {"QLinearAveragePool", 1, 2, 5, importQLinearAveragePool},
                {"QLinearGlobalAveragePool", 1, 2, 5, importQLinearGlobalAveragePool},
                {"QLinearReduceMean", 1, 2, 5, importQLinearReduceMean},
                {"QLinearWhere", 1, 9, 9, importQLinearWhere},
                {"QLinearConcat", 1, 3, OpRow::any, importQLinearConcat},
                {"QGemm", 1, 6, 9, importQGemm},
            });
}

} // namespace hexin::onnx
