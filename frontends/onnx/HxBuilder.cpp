#include "frontends/onnx/HxBuilder.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <complex>

using namespace mlir;

namespace hexin::onnx {

Type HxBuilder::elementType(Value x) { return getElementTypeOrSelf(x.getType()); }

bool HxBuilder::isFloat(Value x) { return isa<FloatType>(elementType(x)); }

int64_t HxBuilder::rank(Value x) {
  auto type = x ? dyn_cast<RankedTensorType>(x.getType()) : RankedTensorType();
  return type ? type.getRank() : 0;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value HxBuilder::constant(ElementsAttr value) {
  if (hasFailed)
    return {};
  auto op = hx::ConstantOp::create(builder, loc, value);
  hasFailed = mlir::failed(shapes.infer(op));
  return op.getResult();
}

Value HxBuilder::ints(ArrayRef<int64_t> values) {
  auto type =
      RankedTensorType::get({static_cast<int64_t>(values.size())}, builder.getI64Type());
  return constant(DenseElementsAttr::get(type, values));
}

static mlir::Attribute numberAttr(Type elementType, double value) {
  if (auto floatType = dyn_cast<FloatType>(elementType))
    return FloatAttr::get(floatType, value);
  return IntegerAttr::get(elementType,
                          APInt(elementType.getIntOrFloatBitWidth(),
                                static_cast<uint64_t>(static_cast<int64_t>(value)),
                                /*isSigned=*/false, /*implicitTrunc=*/true));
}

Value HxBuilder::splat(ArrayRef<int64_t> sizes, mlir::Attribute value) {
  auto type = RankedTensorType::get(sizes, cast<TypedAttr>(value).getType());
  return constant(DenseElementsAttr::get(type, value));
}

Value HxBuilder::strings(ArrayRef<std::string> values, ArrayRef<int64_t> sizes) {
  // Each counts as a byte: see ConstantOp::verify.
  if (hasFailed || static_cast<int64_t>(values.size()) > hx::ConstantOp::maxBytes)
    return {};
  SmallVector<StringRef> elements(values.begin(), values.end());
  auto type = RankedTensorType::get(sizes, hx::StringType::get(context()));
  return constant(DenseStringElementsAttr::get(type, elements));
}

Value HxBuilder::scalar(Type elementType, double value) {
  if (isa<hx::StringType>(elementType)) // what stands for 0
    return strings({std::string()}, {});
  if (auto complex = dyn_cast<ComplexType>(elementType)) {
    auto type = RankedTensorType::get({}, elementType);
    return complex.getElementType().isF32()
               ? constant(DenseElementsAttr::get(
                     type, std::complex<float>(static_cast<float>(value))))
               : constant(DenseElementsAttr::get(type, std::complex<double>(value)));
  }
  return splat({}, numberAttr(elementType, value));
}

Value HxBuilder::scalarLike(Value x, double value) {
  return hasFailed ? Value() : scalar(elementType(x), value);
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

Value HxBuilder::unary(hx::UnaryFn fn, Value x) {
  if (hasFailed)
    return {};
  bool isTest = fn == hx::UnaryFn::is_nan || fn == hx::UnaryFn::is_inf ||
                fn == hx::UnaryFn::is_pos_inf || fn == hx::UnaryFn::is_neg_inf;
  return make<hx::UnaryOp>(isTest ? builder.getI1Type() : elementType(x), fn, x);
}

Value HxBuilder::binary(hx::BinaryFn fn, Value lhs, Value rhs) {
  return hasFailed ? Value() : make<hx::BinaryOp>(elementType(lhs), fn, lhs, rhs);
}

Value HxBuilder::compare(hx::ComparePredicate predicate, Value lhs, Value rhs) {
  return make<hx::CompareOp>(builder.getI1Type(), predicate, lhs, rhs);
}

Value HxBuilder::select(Value condition, Value onTrue, Value onFalse) {
  return hasFailed ? Value()
                   : make<hx::SelectOp>(elementType(onTrue), condition, onTrue, onFalse);
}

Value HxBuilder::activation(hx::ActivationKind kind, Value x, double alpha, double beta) {
  return hasFailed ? Value()
                   : make<hx::ActivationOp>(elementType(x), kind, x, llvm::APFloat(alpha),
                                            llvm::APFloat(beta));
}

Type HxBuilder::wideType(Type type) {
  return type.isF16() || type.isBF16() ? Type(builder.getF32Type()) : type;
}

Value HxBuilder::cast(Value x, Type type) {
  if (hasFailed || elementType(x) == type)
    return x;
  return make<hx::CastOp>(type, x, /*saturate=*/true, "nearest");
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Value HxBuilder::reshape(Value x, Value shape) {
  return hasFailed ? Value() : make<hx::ReshapeOp>(elementType(x), x, shape);
}

Value HxBuilder::broadcastTo(Value x, Value shape) {
  return hasFailed ? Value() : make<hx::BroadcastToOp>(elementType(x), x, shape);
}

Value HxBuilder::transpose(Value x, ArrayRef<int64_t> perm) {
  if (hasFailed)
    return {};
  bool isIdentity = true;
  for (auto [axis, source] : llvm::enumerate(perm))
    isIdentity &= static_cast<int64_t>(axis) == source;
  return isIdentity ? x : make<hx::TransposeOp>(elementType(x), x, perm);
}

Value HxBuilder::concat(ArrayRef<Value> values, int64_t axis) {
  if (hasFailed || values.size() == 1)
    return values.front();
  return make<hx::ConcatOp>(elementType(values.front()), ValueRange(values), axis);
}

Value HxBuilder::slice(Value x, Value starts, Value sizes, ArrayRef<int64_t> steps) {
  return hasFailed ? Value() : make<hx::SliceOp>(elementType(x), x, starts, sizes, steps);
}

Value HxBuilder::pad(hx::PadMode mode, Value x, Value low, Value high, Value value) {
  return hasFailed ? Value() : make<hx::PadOp>(elementType(x), x, low, high, value, mode);
}

Value HxBuilder::gather(Value x, Value indices, int64_t axis, int64_t batchDims) {
  return hasFailed ? Value()
                   : make<hx::GatherOp>(elementType(x), x, indices, axis, batchDims);
}

Value HxBuilder::iota(Value sizes, int64_t axis, Type type) {
  return make<hx::IotaOp>(type, sizes, axis);
}

Value HxBuilder::shapeOf(Value x) { return make<hx::ShapeOfOp>(builder.getI64Type(), x); }

//===----------------------------------------------------------------------===//
// Reductions and products
//===----------------------------------------------------------------------===//

Value HxBuilder::reduce(hx::ReduceFn fn, Value x, ArrayRef<int64_t> axes, bool keepDims) {
  return hasFailed ? Value() : make<hx::ReduceOp>(elementType(x), fn, x, axes, keepDims);
}

Value HxBuilder::matmul(Value lhs, Value rhs, bool transposeLhs, bool transposeRhs) {
  return hasFailed ? Value()
                   : make<hx::MatMulOp>(elementType(lhs), lhs, rhs, transposeLhs,
                                        transposeRhs, TypeAttr());
}

} // namespace hexin::onnx
