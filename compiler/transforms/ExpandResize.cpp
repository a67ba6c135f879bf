//===- ExpandResize.cpp - resizing by wide filters as products ----------------===//
//
// With antialias a result position reads as many source positions as the axis shrinks
// by. Where sizes and scales are known, each axis is a product with a constant matrix
// [in, out] of the weights, the reference's.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Errors.h"
#include "compiler/ir/Ops.h"
#include "compiler/ir/WeightStore.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"
#include "runtime/reference/ResizeTable.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cstring>

namespace hexin::hx {
#define GEN_PASS_DEF_EXPANDRESIZEPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// Of one axis; far above any picture's.
constexpr int64_t maxWeights = int64_t(1) << 24;

bool isExpanded(ResizeOp op) {
  auto in = tensorTypeOf(op.getInput()), out = tensorTypeOf(op.getResult());
  auto scales = op.getScales().getDefiningOp<ConstantOp>();
  if (!op.getAntialias() || op.getMode() == ResizeMode::nearest || !scales ||
      op.getCoordinates() == "tf_crop_and_resize" || !in.hasStaticShape() ||
      !out.hasStaticShape() || in.getRank() == 0 || in.getNumElements() == 0)
    return false;
  for (auto [from, to] : llvm::zip(in.getShape(), out.getShape()))
    if (from > maxWeights || to > maxWeights || from * to > maxWeights)
      return false;
  return true;
}

/// [in, out] in `type`, f32 or f64.
Value weightMatrix(OpBuilder &b, ResizeOp op, const reference::ResizeTable &table,
                   int64_t in, Type type) {
  const int64_t dims[] = {in, static_cast<int64_t>(table.taps.size())};
  DType dtype = type.isF64() ? DType::f64 : DType::f32;
  Result<Tensor> matrix = Tensor::allocate(dtype, dims);
  if (!matrix.ok())
    return {};
  std::memset(matrix->data(), 0, matrix->byteLength());
  auto add = [&](auto *weights) {
    for (auto [column, taps] : llvm::enumerate(table.taps))
      for (const reference::ResizeTap &tap : taps)
        weights[tap.position * dims[1] + static_cast<int64_t>(column)] += tap.weight;
  };
  if (dtype == DType::f64)
    add(matrix->as<double>());
  else
    add(matrix->as<float>());
  return materialiseConstant(b, op.getLoc(), *matrix, WeightStore::of(op));
}

/// `value` with its axis in columns times the matrix.
Value alongAxis(OpBuilder &b, Location loc, Value value, int64_t axis, Value matrix) {
  int64_t rank = tensorTypeOf(value).getRank();
  SmallVector<int64_t> perm;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      perm.push_back(i);
  perm.push_back(axis);
  Value rows = transposed(b, loc, value, perm);
  SmallVector<int64_t> sizes(tensorTypeOf(rows).getShape());
  int64_t in = sizes.back(), out = tensorTypeOf(matrix).getDimSize(1);
  int64_t numRows = in == 0 ? 0 : tensorTypeOf(rows).getNumElements() / in;
  rows = reshaped(b, loc, rows, {numRows, in});
  auto type = RankedTensorType::get({numRows, out}, tensorTypeOf(value).getElementType());
  Value product = MatMulOp::create(b, loc, type, rows, matrix, false, false, TypeAttr());
  sizes.back() = out;
  return transposed(b, loc, reshaped(b, loc, product, sizes), inversePermutation(perm));
}

LogicalResult expand(ResizeOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto resultType = tensorTypeOf(op.getResult());
  Type element = resultType.getElementType();
  Type wide = element.isF64() ? element : Type(b.getF32Type());
  auto cast = [&](Value value, Type type) -> Value {
    auto from = tensorTypeOf(value);
    if (from.getElementType() == type)
      return value;
    return CastOp::create(b, loc, RankedTensorType::get(from.getShape(), type), value,
                          true, "nearest");
  };
  std::string mode = stringifyResizeMode(op.getMode()).str();
  reference::ResizeOptions options{mode,
                                   std::string_view(op.getCoordinates()),
                                   std::string_view(op.getNearest()),
                                   op.getCubicCoefficient().convertToDouble(),
                                   op.getExcludeOutside(),
                                   op.getAntialias()};
  SmallVector<double> scales;
  auto given = llvm::cast<DenseElementsAttr>(
      op.getScales().getDefiningOp<ConstantOp>().getValue());
  for (const APFloat &scale : given.getValues<APFloat>())
    scales.push_back(scale.convertToDouble());
  Value value = cast(op.getInput(), wide);
  for (auto [axis, scale] : llvm::enumerate(scales)) {
    int64_t in = tensorTypeOf(value).getDimSize(axis);
    Result<reference::ResizeTable> table = reference::makeResizeTable(
        options, {in, resultType.getDimSize(axis), scale, 0, 1});
    if (!table.ok())
      return emitNodeError(op) << table.status().message();
    if (table->isIdentity)
      continue;
    Value matrix = weightMatrix(b, op, *table, in, wide);
    if (!matrix)
      return success(); // no memory, or nowhere to keep it: placement says so
    value = alongAxis(b, loc, value, static_cast<int64_t>(axis), matrix);
  }
  if (isa<IntegerType>(element)) {
    auto one = DenseElementsAttr::get(RankedTensorType::get({}, wide),
                                      {mlir::Attribute(b.getFloatAttr(wide, 1))});
    value = QuantizeOp::create(b, loc, resultType, value, ConstantOp::create(b, loc, one),
                               Value(), 1, 0, true);
  }
  op.getResult().replaceAllUsesWith(cast(value, element));
  op.erase();
  return success();
}

struct ExpandResizePass : impl::ExpandResizePassBase<ExpandResizePass> {
  void runOnOperation() override {
    SmallVector<ResizeOp> ops;
    getOperation().walk([&](ResizeOp op) {
      if (isExpanded(op))
        ops.push_back(op);
    });
    for (ResizeOp op : ops)
      if (failed(expand(op)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
