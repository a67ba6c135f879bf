// Reductions, positions of extremes, running sums.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Reductions.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

Value meanOver(HxBuilder &b, ShapeMath &shape, Value x, ArrayRef<int64_t> axes,
               bool keepDims) {
  if (b.failed())
    return {};
  Dims reduced;
  Dims dims = b.dims(x);
  for (int64_t axis : axes)
    reduced.push_back(dims[axis]);
  Value sum = b.reduce(ReduceFn::sum, x, axes, keepDims);
  return b.div(sum, shape.buildScalar(shape.product(reduced), HxBuilder::elementType(x)));
}

namespace {

struct ReduceArgs {
  SmallVector<int64_t> axes; ///< ascending; empty: nothing is reduced
  bool keepDims;
};

/// Axes come as an attribute, or as an input since `sinceInput`.
ReduceArgs readReduceArgs(OpBinder &b, int64_t sinceInput) {
  ReduceArgs args;
  int64_t rank = HxBuilder::rank(b.input(0));
  SmallVector<int64_t> axes = b.sinceVersion() < sinceInput ? b.intsAttr("axes")
                              : b.has(1) ? b.constantInts(1, "the axes of a reduction")
                                         : SmallVector<int64_t>();
  args.keepDims = b.intAttr("keepdims", 1) != 0;
  bool isNoop = b.intAttr("noop_with_empty_axes", 0) != 0;
  if (axes.empty() && !isNoop)
    for (int64_t axis = 0; axis < rank; ++axis)
      axes.push_back(axis);
  args.axes = b.failed() ? SmallVector<int64_t>() : b.normalizeAxes(axes, rank);
  return args;
}

Value reduceWith(OpBinder &b, ReduceFn fn, Value x, const ReduceArgs &args) {
  return args.axes.empty() ? x : b.reduce(fn, x, args.axes, args.keepDims);
}

template <ReduceFn fn, int sinceInput> void importReduce(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, sinceInput);
  b.result(0, reduceWith(b, fn, b.input(0), args));
}

/// f16 and bf16 are computed in f32 and rounded once.
template <typename Fn> void inWideType(OpBinder &b, Fn &&compute) {
  Type type = HxBuilder::elementType(b.input(0));
  Type wide = type.isF16() || type.isBF16() ? b.builder.getF32Type() : type;
  Value result = compute(b.cast(b.input(0), wide));
  b.result(0, b.cast(result, type));
}

void importReduceMean(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, 18);
  inWideType(b, [&](Value x) {
    return args.axes.empty() ? x : meanOver(b, b.shape, x, args.axes, args.keepDims);
  });
}

void importReduceL1(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, 18);
  inWideType(b, [&](Value x) {
    return reduceWith(b, ReduceFn::sum, b.unary(UnaryFn::abs, x), args);
  });
}

void importReduceL2(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, 18);
  inWideType(b, [&](Value x) {
    // The root of an integer sum is taken in f64 and truncated.
    Value sum = reduceWith(b, ReduceFn::sum, b.mul(x, x), args);
    if (b.failed() || HxBuilder::isFloat(x))
      return b.unary(UnaryFn::sqrt, sum);
    return b.cast(b.unary(UnaryFn::sqrt, b.cast(sum, b.builder.getF64Type())),
                  HxBuilder::elementType(x));
  });
}

void importReduceSumSquare(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, 18);
  inWideType(b, [&](Value x) { return reduceWith(b, ReduceFn::sum, b.mul(x, x), args); });
}

void importReduceLogSum(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, 18);
  inWideType(b, [&](Value x) {
    return b.unary(UnaryFn::log, reduceWith(b, ReduceFn::sum, x, args));
  });
}

/// m + log sum exp(x - m), where m is the maximum, or 0 where that is infinite.
void importReduceLogSumExp(OpBinder &b) {
  ReduceArgs args = readReduceArgs(b, 18);
  inWideType(b, [&](Value x) {
    if (args.axes.empty() || b.failed())
      return x;
    Value top = b.reduce(ReduceFn::max, x, args.axes, /*keepDims=*/true);
    top = b.select(b.unary(UnaryFn::is_inf, top), b.scalarLike(x, 0), top);
    Value sum = b.reduce(ReduceFn::sum, b.unary(UnaryFn::exp, b.sub(x, top)), args.axes,
                         /*keepDims=*/true);
    Value result = b.add(b.unary(UnaryFn::log, sum), top);
    return args.keepDims ? result : b.shape.squeeze(result, args.axes);
  });
}

template <ReduceFn fn> void importArgReduce(OpBinder &b) {
  Value x = b.input(0);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), HxBuilder::rank(x));
  bool keepDims = b.intAttr("keepdims", 1) != 0;
  bool isLast = b.intAttr("select_last_index", 0) != 0;
  b.result(
      0, b.make<hx::ArgReduceOp>(b.builder.getI64Type(), fn, x, axis, keepDims, isLast));
}

template <ReduceFn fn> void importCumulative(OpBinder &b) {
  Value x = b.input(0);
  SmallVector<int64_t> axis = b.constantInts(1, "the axis of a running sum");
  if (!b.failed() && axis.size() != 1)
    return b.error("the axis must be one number");
  if (b.failed())
    return;
  b.result(0, b.make<hx::CumulativeOp>(HxBuilder::elementType(x), fn, x,
                                       b.normalizeAxis(axis[0], HxBuilder::rank(x)),
                                       b.intAttr("exclusive", 0) != 0,
                                       b.intAttr("reverse", 0) != 0));
}

} // namespace

void registerReduceOps(OpTable &table) {
  table.add("", {
                    {"ReduceMax", 1, 1, 1, importReduce<ReduceFn::max, 18>},
                    {"ReduceMax", 18, 1, 2, importReduce<ReduceFn::max, 18>},
                    {"ReduceMin", 1, 1, 1, importReduce<ReduceFn::min, 18>},
                    {"ReduceMin", 18, 1, 2, importReduce<ReduceFn::min, 18>},
                    {"ReduceProd", 1, 1, 1, importReduce<ReduceFn::prod, 18>},
                    {"ReduceProd", 18, 1, 2, importReduce<ReduceFn::prod, 18>},
                    {"ReduceSum", 1, 1, 1, importReduce<ReduceFn::sum, 13>},
                    {"ReduceSum", 13, 1, 2, importReduce<ReduceFn::sum, 13>},
                    {"ReduceMean", 1, 1, 1, importReduceMean},
                    {"ReduceMean", 18, 1, 2, importReduceMean},
                    {"ReduceL1", 1, 1, 1, importReduceL1},
                    {"ReduceL1", 18, 1, 2, importReduceL1},
                    {"ReduceL2", 1, 1, 1, importReduceL2},
                    {"ReduceL2", 18, 1, 2, importReduceL2},
                    {"ReduceSumSquare", 1, 1, 1, importReduceSumSquare},
                    {"ReduceSumSquare", 18, 1, 2, importReduceSumSquare},
                    {"ReduceLogSum", 1, 1, 1, importReduceLogSum},
                    {"ReduceLogSum", 18, 1, 2, importReduceLogSum},
                    {"ReduceLogSumExp", 1, 1, 1, importReduceLogSumExp},
                    {"ReduceLogSumExp", 18, 1, 2, importReduceLogSumExp},
                    {"ArgMax", 1, 1, 1, importArgReduce<ReduceFn::max>},
                    {"ArgMin", 1, 1, 1, importArgReduce<ReduceFn::min>},
                    {"CumSum", 11, 2, 2, importCumulative<ReduceFn::sum>},
                    {"CumProd", 26, 2, 2, importCumulative<ReduceFn::prod>},
                });
}

} // namespace hexin::onnx
