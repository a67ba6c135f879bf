// BatchNormalization in the forms of all versions.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Norms.h"
#include "frontends/onnx/ops/Reductions.h"

using namespace mlir;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// What BatchNormalization computes of a batch [N, C, spatial...]: one mean and variance
/// per channel, or before version 9, with spatial=0, one per channel and place.
class BatchNormalization {
public:
  explicit BatchNormalization(OpBinder &b)
      : b(b), isSpatial(b.sinceVersion() >= 9 || b.intAttr("spatial", 1) != 0) {}

  bool hasOnePerChannel() const { return isSpatial; }

  /// The axes that a mean is over.
  SmallVector<int64_t> axes(Value x) const {
    SmallVector<int64_t> axes;
    if (isSpatial)
      axes = axesFrom(2, HxBuilder::rank(x));
    axes.insert(axes.begin(), 0);
    return axes;
  }

  /// Input `index`, [C] or [C, spatial...], against x and in its type.
  Value parameter(unsigned index, Value x) const {
    if (b.failed())
      return {};
    Value given = b.cast(b.input(index), HxBuilder::elementType(x));
    Dims dims = b.dims(x);
    for (int64_t axis : axes(x))
      dims[axis] = b.shape.constant(1);
    return b.shape.reshape(given, dims);
  }

  /// centred / sqrt(variance + epsilon) * scale + bias
  Value normalized(Value centred, Value variance) const {
    if (b.failed())
      return {};
    Value epsilon = b.scalarLike(centred, b.floatAttr("epsilon", 1e-5f));
    Value y = b.mul(centred, b.unary(UnaryFn::rsqrt, b.add(variance, epsilon)));
    return b.add(b.mul(y, parameter(1, y)), parameter(2, y));
  }

private:
  OpBinder &b;
  bool isSpatial;
};

/// By the statistics of this batch. Since 14: y, running mean and variance; before, these
/// are followed by the batch's own.
void importTraining(OpBinder &b, const BatchNormalization &norm) {
  Value x = b.input(0), wide = b.cast(x, b.wideType(HxBuilder::elementType(x)));
  if (b.failed())
    return;
  SmallVector<int64_t> axes = norm.axes(x);
  Value mean = meanOver(b, b.shape, wide, axes, /*keepDims=*/true);
  Value centred = b.sub(wide, mean);
  Value variance = meanOver(b, b.shape, b.mul(centred, centred), axes, /*keepDims=*/true);
  b.result(0, b.cast(norm.normalized(centred, variance), HxBuilder::elementType(x)));

  double momentum = b.floatAttr("momentum", 0.9f);
  Value statistics[] = {b.shape.squeeze(mean, axes), b.shape.squeeze(variance, axes)};
  Type computed = HxBuilder::elementType(wide);
  for (unsigned i : {0u, 1u}) {
    Value running = b.cast(b.input(3 + i), computed);
    if (b.failed())
      return;
    Type stored = HxBuilder::elementType(b.input(3 + i));
    if (b.wants(1 + i))
      b.result(1 + i,
               b.cast(b.add(b.mul(running, b.scalar(computed, momentum)),
                            b.mul(statistics[i], b.scalar(computed, 1 - momentum))),
                      stored));
    if (b.wants(3 + i))
      b.result(3 + i, b.cast(statistics[i], stored));
  }
}

/// Before version 14 the outputs tell that statistics are wanted.
bool isTraining(OpBinder &b) {
  if (b.sinceVersion() >= 14)
    return b.intAttr("training_mode", 0) != 0;
  return b.wants(1) || b.wants(2) || b.wants(3) || b.wants(4);
}

void importBatchNormalization(OpBinder &b) {
  BatchNormalization norm(b);
  Value x = b.input(0);
  if (HxBuilder::rank(x) < 2)
    return b.contradiction("the input has rank " + Twine(HxBuilder::rank(x)) +
                           ", expected at least 2");
  if (isTraining(b))
    return importTraining(b, norm);
  Type type = HxBuilder::elementType(x);
  Value wide = b.cast(x, b.wideType(type));
  bool areStatic = norm.hasOnePerChannel();
  for (unsigned i = 1; i < 5; ++i)
    areStatic =
        areStatic && cast<RankedTensorType>(b.input(i).getType()).hasStaticShape();
  if (!areStatic) { // hx.batch_norm is folded into a scale and shift of known size
    Value centred = b.sub(wide, norm.parameter(3, wide));
    return b.result(0, b.cast(norm.normalized(centred, norm.parameter(4, wide)), type));
  }
  if (b.failed())
    return;
  Type computed = HxBuilder::elementType(wide);
  SmallVector<Value, 4> parameters; // may be of another type since 15
  for (unsigned i = 1; i < 5; ++i)
    parameters.push_back(b.cast(b.input(i), computed));
  Value y = b.make<hx::BatchNormOp>(
      computed, wide, parameters[0], parameters[1], parameters[2], parameters[3],
      llvm::APFloat(b.floatAttr("epsilon", 1e-5f)), hx::Layout::nchw);
  b.result(0, b.cast(y, type));
}

} // namespace

void registerBatchNormOps(OpTable &table) {
  table.add("", {
                    {"BatchNormalization", 6, 5, 5, importBatchNormalization},
                    {"BatchNormalization", 9, 5, 5, importBatchNormalization},
                    {"BatchNormalization", 14, 5, 5, importBatchNormalization},
                });
}

} // namespace hexin::onnx
