// Reductions, positions of extremes, running sums.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Reductions.h"
#include "frontends/onnx/ops/RunTimeAxes.h"

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

/// Which axes are reduced, and the reductions over them.
class Reduction {
public:
  /// Axes come as an attribute, or as an input since `sinceInput`.
  Reduction(OpBinder &b, int64_t sinceInput)
      : b(b), rank(HxBuilder::rank(b.input(0))), keepDims(b.intAttr("keepdims", 1) != 0) {
    SmallVector<int64_t> given;
    if (b.sinceVersion() < sinceInput) {
      given = b.intsAttr("axes");
    } else if (b.has(1)) {
      Dims elements = b.readInts(1);
      if (b.failed())
        return;
      if (auto known = ShapeMath::constants(elements))
        given = *known;
      else if (static_cast<int64_t>(elements.size()) > rank)
        b.error(Twine(elements.size()) + " axes are given for rank " + Twine(rank));
      else
        chosen.emplace(b, elements, rank);
    }
    bool isNoop = b.intAttr("noop_with_empty_axes", 0) != 0;
    if (given.empty() && !isNoop && !chosen)
      for (int64_t axis = 0; axis < rank; ++axis)
        given.push_back(axis);
    axes = b.failed() ? SmallVector<int64_t>() : b.normalizeAxes(given, rank);
  }

  bool reducesNothing() const { return axes.empty() && !chosen; }

  /// The reduced axes are left with size 1.
  Value keeping(ReduceFn fn, Value x) {
    if (reducesNothing() || b.failed())
      return x;
    if (!chosen)
      return b.reduce(fn, x, axes, /*keepDims=*/true);
    return chosen->alongEach(x, [&](HxBuilder &inner, Value value, int64_t axis) {
      return inner.reduce(fn, value, {axis}, /*keepDims=*/true);
    });
  }

  /// What `keeping` left, as the node has it.
  Value finish(Value kept) {
    if (keepDims || reducesNothing() || b.failed())
      return kept;
    if (!chosen)
      return b.shape.squeeze(kept, axes);
    return b.shape.reshape(kept, chosen->removedFrom(b.dims(kept)));
  }

  Value reduced(ReduceFn fn, Value x) {
    if (chosen || reducesNothing())
      return finish(keeping(fn, x));
    return b.reduce(fn, x, axes, keepDims);
  }

  Value mean(Value x) {
    if (reducesNothing() || b.failed())
      return x;
    if (!chosen)
      return meanOver(b, b.shape, x, axes, keepDims);
    Dim one = b.shape.constant(1), count = one;
    for (auto [axis, dim] : llvm::enumerate(b.dims(x)))
      count = b.symbols().mul(
          count, b.symbols().select(chosen->has(static_cast<int64_t>(axis)), dim, one));
    Value sum = reduced(ReduceFn::sum, x);
    return b.failed() ? Value()
                      : b.div(sum, b.shape.buildScalar(count, HxBuilder::elementType(x)));
  }

private:
  OpBinder &b;
  int64_t rank;
  bool keepDims;
  SmallVector<int64_t> axes; ///< ascending; of axes that are known
  std::optional<RunTimeAxes> chosen;
};

template <ReduceFn fn, int sinceInput> void importReduce(OpBinder &b) {
  Reduction reduction(b, sinceInput);
  b.result(0, reduction.reduced(fn, b.input(0)));
}

/// f16 and bf16 are computed in f32 and rounded once.
template <typename Fn> void inWideType(OpBinder &b, Fn &&compute) {
  Type type = HxBuilder::elementType(b.input(0));
  Type wide = b.wideType(type);
  Value result = compute(b.cast(b.input(0), wide));
  b.result(0, b.cast(result, type));
}

void importReduceMean(OpBinder &b) {
  Reduction reduction(b, 18);
  inWideType(b, [&](Value x) { return reduction.mean(x); });
}

void importReduceL1(OpBinder &b) {
  Reduction reduction(b, 18);
  inWideType(b, [&](Value x) {
    return reduction.reduced(ReduceFn::sum, b.unary(UnaryFn::abs, x));
  });
}

void importReduceL2(OpBinder &b) {
  Reduction reduction(b, 18);
  inWideType(b, [&](Value x) {
    // The root of an integer sum is taken in f64 and truncated.
    Value sum = reduction.reduced(ReduceFn::sum, b.mul(x, x));
    if (b.failed() || HxBuilder::isFloat(x))
      return b.unary(UnaryFn::sqrt, sum);
    return b.cast(b.unary(UnaryFn::sqrt, b.cast(sum, b.builder.getF64Type())),
                  HxBuilder::elementType(x));
  });
}

void importReduceSumSquare(OpBinder &b) {
  Reduction reduction(b, 18);
  inWideType(b, [&](Value x) { return reduction.reduced(ReduceFn::sum, b.mul(x, x)); });
}

void importReduceLogSum(OpBinder &b) {
  Reduction reduction(b, 18);
  inWideType(b, [&](Value x) {
    return b.unary(UnaryFn::log, reduction.reduced(ReduceFn::sum, x));
  });
}

/// m + log sum exp(x - m), where m is the maximum, or 0 where that is infinite.
void importReduceLogSumExp(OpBinder &b) {
  Reduction reduction(b, 18);
  inWideType(b, [&](Value x) {
    if (reduction.reducesNothing() || b.failed())
      return x;
    Value top = reduction.keeping(ReduceFn::max, x);
    if (b.failed())
      return top;
    top = b.select(b.unary(UnaryFn::is_inf, top), b.scalarLike(x, 0), top);
    Value sum = reduction.keeping(ReduceFn::sum, b.unary(UnaryFn::exp, b.sub(x, top)));
    return reduction.finish(b.add(b.unary(UnaryFn::log, sum), top));
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
  Dims axis = b.readInts(1);
  if (!b.failed() && axis.size() != 1)
    return b.error("the axis must be one number");
  bool isExclusive = b.intAttr("exclusive", 0) != 0, isReverse = b.intAttr("reverse", 0);
  if (b.failed())
    return;
  auto along = [&](HxBuilder &builder, Value value, int64_t at) {
    return builder.make<hx::CumulativeOp>(HxBuilder::elementType(x), fn, value, at,
                                          isExclusive, isReverse);
  };
  int64_t rank = HxBuilder::rank(x);
  if (auto known = ShapeMath::constants(axis)) {
    int64_t at = b.normalizeAxis((*known)[0], rank);
    return b.result(0, b.failed() ? Value() : along(b, x, at));
  }
  b.result(0, RunTimeAxes(b, axis, rank).alongEach(x, along));
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
