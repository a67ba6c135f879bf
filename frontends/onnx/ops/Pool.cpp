// Windows over the spatial axes, and reductions of all of them.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Reductions.h"
#include "frontends/onnx/ops/Windows.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::PoolFn;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

hx::PoolOp pool(OpBinder &b, PoolFn fn, Value x, bool wantsIndices) {
  int64_t spatialRank = spatialRankOf(b, x);
  if (b.failed())
    return {};
  WindowAttributes window = readWindow(b, spatialRank);
  if (window.kernel.empty())
    b.error("attribute 'kernel_shape' is missing");
  bool ceilMode = b.intAttr("ceil_mode", 0) != 0;
  int64_t storageOrder = b.intAttr("storage_order", 0);
  SmallVector<Type> types{HxBuilder::elementType(x)};
  if (wantsIndices)
    types.push_back(b.builder.getI64Type());
  return b.create<hx::PoolOp>(types, fn, x, window.kernel, ceilMode, storageOrder,
                              window.strides, window.pads, window.dilations,
                              window.padPolicy, hx::Layout::nchw);
}

Value averagePool(OpBinder &b, Value x) {
  bool countsPad = b.intAttr("count_include_pad", 0) != 0;
  auto op = pool(b, countsPad ? PoolFn::avg_include_pad : PoolFn::avg, x);
  return op ? op.getResult() : Value();
}

namespace {

void importMaxPool(OpBinder &b) {
  auto op = pool(b, PoolFn::max, b.input(0), b.wants(1));
  if (b.failed())
    return;
  b.result(0, op.getResult());
  if (b.wants(1))
    b.result(1, op.getIndices());
}

void importAveragePool(OpBinder &b) { b.result(0, averagePool(b, b.input(0))); }

/// (sum of |x|^p over the window)^(1/p)
void importLpPool(OpBinder &b) {
  Value x = b.input(0);
  double p = static_cast<double>(b.intAttr("p", 2));
  if (p < 1)
    return b.error("p must be at least 1");
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(x);
  Value wide = b.cast(x, b.wideType(type));
  Value powers =
      b.binary(BinaryFn::pow, b.unary(UnaryFn::abs, wide), b.scalarLike(wide, p));
  auto op = b.failed() ? hx::PoolOp() : pool(b, PoolFn::sum, powers);
  if (op)
    b.result(0, b.cast(b.binary(BinaryFn::pow, op.getResult(), b.scalarLike(wide, 1 / p)),
                       type));
}

SmallVector<int64_t> spatialAxes(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  if (rank < 2)
    b.contradiction("the input has rank " + Twine(rank) +
                    ", expected [N, C, spatial axes...]");
  SmallVector<int64_t> axes;
  for (int64_t axis = 2; axis < rank; ++axis)
    axes.push_back(axis);
  return axes;
}

void importGlobalAveragePool(OpBinder &b) {
  SmallVector<int64_t> axes = spatialAxes(b);
  b.result(0, meanOver(b, b.shape, b.input(0), axes, /*keepDims=*/true));
}

void importGlobalMaxPool(OpBinder &b) {
  b.result(0, b.reduce(ReduceFn::max, b.input(0), spatialAxes(b), /*keepDims=*/true));
}

void importGlobalLpPool(OpBinder &b) {
  Value x = b.input(0);
  double p = static_cast<double>(b.intAttr("p", 2));
  if (p < 1)
    return b.error("p must be at least 1");
  Value powers = b.binary(BinaryFn::pow, b.unary(UnaryFn::abs, x), b.scalarLike(x, p));
  Value sum = b.reduce(ReduceFn::sum, powers, spatialAxes(b), /*keepDims=*/true);
  b.result(0, b.binary(BinaryFn::pow, sum, b.scalarLike(x, 1 / p)));
}

} // namespace

void registerPoolOps(OpTable &table) {
  table.add("", {
                    {"MaxPool", 1, 1, 1, importMaxPool},
                    {"AveragePool", 1, 1, 1, importAveragePool},
                    {"LpPool", 2, 1, 1, importLpPool},
                    {"GlobalAveragePool", 1, 1, 1, importGlobalAveragePool},
                    {"GlobalMaxPool", 1, 1, 1, importGlobalMaxPool},
                    {"GlobalLpPool", 2, 1, 1, importGlobalLpPool},
                });
}

} // namespace hexin::onnx
