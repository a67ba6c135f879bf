// Normalisations of ONNX Runtime over groups of channels, and sums with an activation.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Norms.h"

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

bool hasChannelsLast(OpBinder &b) { return b.intAttr("channels_last", 1) != 0; }

/// [C] against x.
Value alongChannels(OpBinder &b, Value perChannel, Value x) {
  if (hasChannelsLast(b) || b.failed())
    return perChannel;
  Dims dims(static_cast<size_t>(HxBuilder::rank(x)), b.shape.constant(1));
  dims[1] = b.shape.product(b.dims(perChannel));
  return b.shape.reshape(perChannel, dims);
}

/// gamma * standardised x + beta, and swish of that with activation=1. Inputs #1 and #2
/// may be of another type than x.
Value groupNorm(OpBinder &b, Value x) {
  int64_t rank = HxBuilder::rank(x), groups = b.intAttr("groups", 0);
  int64_t activation = b.intAttr("activation", 0);
  if (rank < 3)
    b.contradiction("the input has rank " + Twine(rank) + ", expected at least 3");
  if (groups < 1)
    b.error("groups=" + Twine(groups) + ": expected 1 or more");
  if (activation != 0 && activation != 1)
    b.error("activation=" + Twine(activation) + ": expected 0 (none) or 1 (SiLU)");
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  Value y = standardizeGroups(b, x, hasChannelsLast(b) ? rank - 1 : 1, groups,
                              b.floatAttr("epsilon", 1e-5f));
  y = b.shape.reshape(y, dims);
  if (b.failed())
    return {};
  Type wide = HxBuilder::elementType(y);
  y = b.mul(y, alongChannels(b, b.cast(b.input(1), wide), y));
  y = b.add(y, alongChannels(b, b.cast(b.input(2), wide), y));
  if (activation == 1)
    y = b.activation(ActivationKind::swish, y, 1);
  return b.cast(y, HxBuilder::elementType(x));
}

void importGroupNorm(OpBinder &b) { b.result(0, groupNorm(b, b.input(0))); }

/// X, gamma, beta, skip (X's shape, [N, 1, 1, C] or [N, C]), bias? [C]; the second
/// result is the sum.
void importSkipGroupNorm(OpBinder &b) {
  Value x = b.input(0), skip = b.input(3);
  int64_t rank = HxBuilder::rank(x);
  if (HxBuilder::rank(skip) == 2 && rank > 2) {
    Dims own = b.dims(skip), dims(static_cast<size_t>(rank), b.shape.constant(1));
    dims[0] = own[0];
    dims[hasChannelsLast(b) ? rank - 1 : 1] = own[1];
    skip = b.shape.reshape(skip, dims);
  }
  Value sum = b.add(x, skip);
  if (b.has(4))
    sum = b.add(sum, alongChannels(b, b.input(4), x));
  if (b.failed())
    return;
  if (HxBuilder::rank(sum) != rank)
    return b.contradiction("the skip tensor has rank " + Twine(HxBuilder::rank(skip)) +
                           ", X has rank " + Twine(rank));
  b.result(0, groupNorm(b, sum));
  b.result(1, sum);
}

/// X, scale? instead of attribute alpha: z * sigmoid(z) of z = scale * X, rounded to
/// X's type at every step.
void importScaledSilu(OpBinder &b) {
  Value x = b.input(0);
  Type type = HxBuilder::elementType(x);
  Type wide = type.isF64() ? type : Type(b.builder.getF32Type());
  Value scale = b.has(1) ? b.cast(b.shape.toScalar(b.input(1)), wide)
                         : b.scalar(wide, b.floatAttr("alpha", 1));
  Value z = b.cast(b.mul(b.cast(x, wide), scale), type);
  b.result(0, b.mul(z, b.unary(UnaryFn::sigmoid, z)));
}

/// X + bias + skip
void importBiasAdd(OpBinder &b) {
  b.result(0, b.add(b.add(b.input(0), b.input(1)), b.input(2)));
}

/// The first half of the last axis of X + bias times gelu of the second.
void importBiasSplitGelu(OpBinder &b) {
  Value sum = b.add(b.input(0), b.input(1));
  if (b.failed())
    return;
  Dims dims = b.dims(sum);
  int64_t last = HxBuilder::rank(sum) - 1;
  if (last < 0)
    return b.contradiction("the input is a scalar, expected [..., 2 * n]");
  Dim two = b.shape.constant(2), half = b.symbols().floorDiv(dims[last], two);
  checkEqual(b, dims[last], "the last axis", b.symbols().mul(half, two),
             "twice its half");
  dims[last] = two;
  dims.push_back(half);
  Value halves = b.shape.reshape(sum, dims);
  auto part = [&](int64_t index) {
    return b.shape.squeeze(
        b.shape.sliceAxis(halves, last, b.shape.constant(index), b.shape.constant(1)),
        {last});
  };
  Value left = part(0), right = part(1);
  b.result(0, b.mul(left, b.activation(ActivationKind::gelu_erf, right)));
}

/// X + Y * gate
void importGatedAdd(OpBinder &b) {
  b.result(0, b.add(b.input(0), b.mul(b.input(1), b.input(2))));
}

} // namespace

void registerMicrosoftNormOps(OpTable &table) {
  table.add("com.microsoft", {
                                 {"GroupNorm", 1, 3, 3, importGroupNorm},
                                 {"SkipGroupNorm", 1, 4, 5, importSkipGroupNorm},
                                 {"ScaledSiLU", 1, 1, 2, importScaledSilu},
                                 {"BiasAdd", 1, 3, 3, importBiasAdd},
                                 {"BiasSplitGelu", 1, 2, 2, importBiasSplitGelu},
                                 {"GatedAdd", 1, 3, 3, importGatedAdd},
                             });
}

} // namespace hexin::onnx
