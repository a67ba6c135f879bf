// Normalisations by statistics of their input; BatchNorm.cpp has those by learnt ones.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Norms.h"
#include "frontends/onnx/ops/Reductions.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

SmallVector<int64_t> axesFrom(int64_t first, int64_t rank) {
  return llvm::to_vector(llvm::seq(first, std::max(first, rank)));
}

static Value widened(OpBinder &b, Value x) {
  return b.failed() ? Value() : b.cast(x, b.wideType(HxBuilder::elementType(x)));
}

static Value normOfRows(OpBinder &b, Value x, Value scale, Value bias, int64_t axis,
                        double epsilon, bool isCentred) {
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(x);
  int64_t rank = HxBuilder::rank(x);
  auto normalized = [&](Value input, Value factor, Value offset) {
    return b.make<hx::LayerNormOp>(type, input, factor, offset, axis,
                                   llvm::APFloat(epsilon), isCentred);
  };
  if (axis == rank - 1 && HxBuilder::rank(scale) <= 1 && HxBuilder::rank(bias) <= 1)
    return normalized(x, scale, bias);
  // Several axes are one, with a parameter per element.
  Dims dims = b.dims(x);
  ArrayRef<Dim> inner = ArrayRef(dims).drop_front(axis);
  Dim merged = b.symbols().product(inner);
  auto flat = [&](Value parameter) {
    if (!parameter || b.failed())
      return Value();
    Dims own = b.dims(parameter);
    Value whole =
        ArrayRef(own) == inner ? parameter : b.shape.broadcastTo(parameter, inner);
    return b.shape.reshape(whole, {merged});
  };
  Dims sizes(dims.begin(), dims.begin() + axis);
  sizes.push_back(merged);
  Value factor = flat(scale), offset = flat(bias);
  Value result = normalized(b.shape.reshape(x, sizes), factor, offset);
  return b.failed() ? Value() : b.shape.reshape(result, dims);
}

Value layerNorm(OpBinder &b, Value x, Value scale, Value bias, int64_t axis,
                double epsilon) {
  return normOfRows(b, x, scale, bias, axis, epsilon, /*isCentred=*/true);
}

Value rmsNorm(OpBinder &b, Value x, Value scale, int64_t axis, double epsilon) {
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(scale);
  // Narrow types are rounded before they are scaled, too.
  if (type.isF32() && HxBuilder::elementType(x).isF32())
    return normOfRows(b, x, scale, Value(), axis, epsilon, /*isCentred=*/false);
  Value wide = type.isF64() ? b.cast(x, type) : widened(b, x);
  Value square =
      meanOver(b, b.shape, b.mul(wide, wide), axesFrom(axis, HxBuilder::rank(x)),
               /*keepDims=*/true);
  Value factor = b.unary(UnaryFn::rsqrt, b.add(square, b.scalarLike(wide, epsilon)));
  return b.mul(b.cast(b.mul(wide, factor), type), scale);
}

Value standardize(OpBinder &b, Value x, ArrayRef<int64_t> axes, double epsilon) {
  Value centred = b.sub(x, meanOver(b, b.shape, x, axes, /*keepDims=*/true));
  Value variance = meanOver(b, b.shape, b.mul(centred, centred), axes, /*keepDims=*/true);
  return b.mul(centred,
               b.unary(UnaryFn::rsqrt, b.add(variance, b.scalarLike(x, epsilon))));
}

Value standardizeGroups(OpBinder &b, Value x, int64_t channelAxis, int64_t groups,
                        double epsilon) {
  if (b.failed())
    return {};
  Dims grouped = b.dims(x);
  SmallVector<int64_t> axes = axesFrom(1, HxBuilder::rank(x) + 1);
  axes.erase(axes.begin() + (channelAxis - 1)); // where the groups stand
  Dim perGroup = b.symbols().floorDiv(grouped[channelAxis], b.shape.constant(groups));
  grouped[channelAxis] = b.shape.constant(groups);
  grouped.insert(grouped.begin() + channelAxis + 1, perGroup);
  Value wide = b.shape.reshape(widened(b, x), grouped);
  return standardize(b, wide, axes, epsilon);
}

namespace {

//===----------------------------------------------------------------------===//
// By channel
//===----------------------------------------------------------------------===//

/// [C] as [1, C, 1...] against a tensor of `rank`.
Value alongChannels(OpBinder &b, Value perChannel, int64_t rank) {
  if (b.failed())
    return {};
  Dims dims(static_cast<size_t>(rank), b.shape.constant(1));
  dims[1] = b.shape.product(b.dims(perChannel));
  return b.shape.reshape(perChannel, dims);
}

void importInstanceNormalization(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  if (rank < 3)
    return b.contradiction("the input has rank " + Twine(rank) + ", expected at least 3");
  Value wide = widened(b, x);
  Value y = standardize(b, wide, axesFrom(2, rank), b.floatAttr("epsilon", 1e-5f));
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(x), computed = HxBuilder::elementType(wide);
  y = b.mul(y, alongChannels(b, b.cast(b.input(1), computed), rank));
  y = b.add(y, alongChannels(b, b.cast(b.input(2), computed), rank));
  b.result(0, b.cast(y, type));
}

/// Version 18 has scale and bias per group, 21 per channel.
void importGroupNormalization(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  int64_t rank = static_cast<int64_t>(dims.size()), groups = b.intAttr("num_groups", 0);
  if (rank < 3 || groups < 1)
    return b.error("expected an input of rank 3 or more and num_groups of 1 or more");
  checkMultiple(b, dims[1], groups,
                "with num_groups=" + Twine(groups) + ", the number of channels");
  if (b.failed())
    return;
  Value y = b.cast(standardizeGroups(b, x, 1, groups, b.floatAttr("epsilon", 1e-5f)),
                   HxBuilder::elementType(x));
  if (b.sinceVersion() < 21) {
    y = b.mul(y, alongChannels(b, b.input(1), rank + 1));
    y = b.add(y, alongChannels(b, b.input(2), rank + 1));
    return b.result(0, b.shape.reshape(y, dims));
  }
  y = b.shape.reshape(y, dims);
  y = b.mul(y, alongChannels(b, b.input(1), rank));
  b.result(0, b.add(y, alongChannels(b, b.input(2), rank)));
}

//===----------------------------------------------------------------------===//
// Over trailing axes
//===----------------------------------------------------------------------===//

void importLayerNormalization(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -1), rank);
  double epsilon = b.floatAttr("epsilon", 1e-5f);
  b.result(0, layerNorm(b, x, b.input(1), b.input(2), axis, epsilon));
  if (!b.wants(1) && !b.wants(2))
    return;
  Type stage = b.toType(b.intAttr("stash_type", 1));
  Value wide = b.cast(x, stage);
  SmallVector<int64_t> axes = axesFrom(axis, rank);
  Value mean = meanOver(b, b.shape, wide, axes, /*keepDims=*/true);
  b.result(1, mean);
  Value centred = b.sub(wide, mean);
  Value variance = meanOver(b, b.shape, b.mul(centred, centred), axes, /*keepDims=*/true);
  if (!b.failed())
    b.result(2, b.unary(UnaryFn::rsqrt, b.add(variance, b.scalarLike(wide, epsilon))));
}

void importRmsNormalization(OpBinder &b) {
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -1), HxBuilder::rank(b.input(0)));
  b.result(0, rmsNorm(b, b.input(0), b.input(1), axis, b.floatAttr("epsilon", 1e-5f)));
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

/// x / (k + alpha/size * sum of squares over `size` channels around)^beta. The sum
/// is a pool over [N, 1, C, rest].
void importLrn(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  int64_t size = b.intAttr("size", 0);
  if (dims.size() < 2 || size < 1)
    return b.error("expected an input of rank 2 or more and size of 1 or more");
  double alpha = b.floatAttr("alpha", 1e-4f), beta = b.floatAttr("beta", 0.75f);
  double bias = b.floatAttr("bias", 1);
  Value square =
      b.shape.reshape(b.mul(x, x), {dims[0], b.shape.constant(1), dims[1],
                                    b.shape.product(ArrayRef<Dim>(dims).drop_front(2))});
  if (b.failed())
    return;
  auto sum = b.create<hx::PoolOp>(
      HxBuilder::elementType(x), hx::PoolFn::sum, square, ArrayRef<int64_t>{size, 1},
      /*ceilMode=*/false, /*storageOrder=*/0, ArrayRef<int64_t>{1, 1},
      ArrayRef<int64_t>{(size - 1) / 2, 0, size / 2, 0}, ArrayRef<int64_t>{1, 1},
      hx::PadPolicy::explicit_pads, hx::Layout::nchw);
  if (b.failed())
    return;
  Value mean = b.mul(sum.getResult(), b.scalarLike(x, alpha / static_cast<double>(size)));
  Value base = b.add(b.shape.reshape(mean, dims), b.scalarLike(x, bias));
  b.result(0, b.div(x, b.binary(BinaryFn::pow, base, b.scalarLike(x, beta))));
}

/// x / norm, 0 where the norm is 0.
void importLpNormalization(OpBinder &b) {
  Value x = b.input(0);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -1), HxBuilder::rank(x));
  int64_t p = b.intAttr("p", 2);
  if (p != 1 && p != 2)
    return b.error("p is " + Twine(p) + ", expected 1 or 2");
  Value norm =
      b.reduce(ReduceFn::sum, p == 1 ? b.unary(UnaryFn::abs, x) : b.mul(x, x), {axis},
               /*keepDims=*/true);
  if (p == 2)
    norm = b.unary(UnaryFn::sqrt, norm);
  Value zero = b.scalarLike(x, 0);
  b.result(0,
           b.select(b.compare(ComparePredicate::eq, norm, zero), zero, b.div(x, norm)));
}

/// (x - mean) / (sqrt(mean of squares) + 1e-9)
void importMeanVarianceNormalization(OpBinder &b) {
  Value x = b.input(0);
  SmallVector<int64_t> axes =
      b.normalizeAxes(b.intsAttr("axes", {0, 2, 3}), HxBuilder::rank(x));
  Value centred = b.sub(x, meanOver(b, b.shape, x, axes, /*keepDims=*/true));
  Value variance = meanOver(b, b.shape, b.mul(centred, centred), axes, /*keepDims=*/true);
  Value deviation = b.add(b.unary(UnaryFn::sqrt, variance), b.scalarLike(x, 1e-9));
  b.result(0, b.div(centred, deviation));
}

} // namespace

void registerNormOps(OpTable &table) {
  table.add(
      "",
      {
          {"InstanceNormalization", 6, 3, 3, importInstanceNormalization},
          {"GroupNormalization", 18, 3, 3, importGroupNormalization},
          {"GroupNormalization", 21, 3, 3, importGroupNormalization},
          {"LayerNormalization", 1, 2, 3, importLayerNormalization}, // before 17 by ORT
          {"RMSNormalization", 23, 2, 2, importRmsNormalization},
          {"SimplifiedLayerNormalization", 1, 2, 2, importRmsNormalization}, // by ORT
          {"LRN", 1, 1, 1, importLrn},
          {"LpNormalization", 1, 1, 1, importLpNormalization},
          {"MeanVarianceNormalization", 9, 1, 1, importMeanVarianceNormalization},
      });
}

} // namespace hexin::onnx
