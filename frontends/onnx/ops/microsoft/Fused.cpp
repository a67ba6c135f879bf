// Activations, normalisations and dropouts that ONNX Runtime fuses with what is around
// them (domain com.microsoft).
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

template <ActivationKind kind> void importGeluOf(OpBinder &b) {
  Value x = b.has(1) ? b.add(b.input(0), b.input(1)) : b.input(0);
  b.result(0, b.activation(kind, x));
}

void importQuickGelu(OpBinder &b) {
  b.result(0,
           b.activation(ActivationKind::swish, b.input(0), b.floatAttr("alpha", 1.702f)));
}

//===----------------------------------------------------------------------===//
// Normalisations
//===----------------------------------------------------------------------===//

/// input, skip, gamma, beta?, bias?; the fourth result is the sum.
void importSkipLayerNormalization(OpBinder &b) {
  Value sum = b.add(b.input(0), b.input(1));
  if (b.has(4))
    sum = b.add(sum, b.input(4));
  int64_t axis = HxBuilder::rank(b.input(0)) - 1;
  b.result(
      0, layerNorm(b, sum, b.input(2), b.input(3), axis, b.floatAttr("epsilon", 1e-12f)));
  b.result(3, sum);
}

/// input, skip, gamma, bias?
void importSkipSimplifiedLayerNormalization(OpBinder &b) {
  Value sum = b.add(b.input(0), b.input(1));
  if (b.has(3))
    sum = b.add(sum, b.input(3));
  int64_t axis = HxBuilder::rank(b.input(0)) - 1;
  b.result(0, rmsNorm(b, sum, b.input(2), axis, b.floatAttr("epsilon", 1e-12f)));
  b.result(3, sum);
}

/// [..., groups * C] as f32 [..., groups, C], normalised over C.
Value normalizedGroups(OpBinder &b, Value x, Dim groups, Dim size, double epsilon) {
  if (b.failed())
    return {};
  Type f32 = b.builder.getF32Type();
  Dims dims = b.dims(x);
  dims.back() = groups;
  dims.push_back(size);
  Value wide = b.cast(b.shape.reshape(x, dims), f32);
  return rmsNorm(b, wide, b.scalar(f32, 1), static_cast<int64_t>(dims.size()) - 1,
                 epsilon);
}

/// X [..., H * C], scale [C], gate like X: in f32 up to the end.
void importGatedRmsNorm(OpBinder &b) {
  Value x = b.input(0), scale = b.input(1), gate = b.input(2);
  StringRef activation = b.stringAttr("activation", "silu");
  if (activation != "silu" && activation != "swish" && activation != "sigmoid")
    return b.error("activation '" + activation + "': expected silu, swish or sigmoid");
  if (HxBuilder::rank(scale) != 1 || HxBuilder::rank(x) < 1)
    return b.contradiction("X and scale have ranks " + Twine(HxBuilder::rank(x)) +
                           " and " + Twine(HxBuilder::rank(scale)) +
                           ", expected at least 1 and 1");
  Type f32 = b.builder.getF32Type();
  Dims dims = b.dims(x);
  Dim size = b.dims(scale)[0];
  auto known = hx::SymbolTable::constantValue(size);
  auto whole = hx::SymbolTable::constantValue(dims.back());
  if (known && (*known < 1 || (whole && *whole % *known != 0)))
    return b.contradiction("X's last axis of " + b.symbols().toString(dims.back()) +
                           " is not made of groups of " + Twine(*known));
  Value y = normalizedGroups(b, x, b.symbols().quotient({dims.back()}, {size}), size,
                             b.floatAttr("epsilon", 1e-5f));
  y = b.mul(y, b.cast(scale, f32));
  if (b.failed())
    return;
  Value wideGate = b.cast(gate, f32);
  Value factor = activation == "sigmoid"
                     ? b.unary(UnaryFn::sigmoid, wideGate)
                     : b.activation(ActivationKind::swish, wideGate, 1);
  b.result(0, b.cast(b.mul(b.shape.reshape(y, dims), factor), HxBuilder::elementType(x)));
}

/// X [..., C, H], or [..., C * H] with num_branches; scale? [C * H], [C, H] or [H].
void importBranchwiseRmsNorm(OpBinder &b) {
  Value x = b.input(0), scale = b.input(1);
  int64_t branches = b.intAttr("num_branches", 0), rank = HxBuilder::rank(x);
  if (branches < 0 || rank < (branches > 0 ? 1 : 2))
    return b.contradiction("X of rank " + Twine(rank) +
                           " with num_branches=" + Twine(branches) +
                           ": expected [..., branches, size], or "
                           "num_branches above 0");
  Dims dims = b.dims(x);
  Dim count = branches > 0 ? b.shape.constant(branches) : dims[rank - 2];
  Dim size = branches > 0 ? b.symbols().quotient({dims.back()}, {count}) : dims.back();
  if (auto whole = hx::SymbolTable::constantValue(dims.back());
      branches > 0 && whole && *whole % branches != 0)
    return b.contradiction("X's last axis of " + Twine(*whole) + " is not made of " +
                           Twine(branches) + " branches");
  Type f32 = b.builder.getF32Type();
  double epsilon = b.floatAttr("epsilon", 1e-5f);
  Value y = branches > 0
                ? normalizedGroups(b, x, count, size, epsilon)
                : rmsNorm(b, b.cast(x, f32), b.scalar(f32, 1), rank - 1, epsilon);
  if (scale) {
    if (HxBuilder::rank(scale) == 1 && b.dims(scale)[0] != size)
      scale = b.shape.reshape(scale, {count, size});
    y = b.mul(y, b.cast(scale, f32));
  }
  if (b.failed())
    return;
  b.result(0, b.cast(b.shape.reshape(y, dims), HxBuilder::elementType(x)));
}

//===----------------------------------------------------------------------===//
// BiasSoftmax and dropouts
//===----------------------------------------------------------------------===//

/// data, bias: what is_inner_broadcast tells a kernel is what numpy's broadcasting
/// does. The softmax is over all axes from `axis` on.
void importBiasSoftmax(OpBinder &b) {
  Value sum = b.add(b.input(0), b.input(1));
  if (b.failed())
    return;
  Dims dims = b.dims(sum);
  int64_t rank = static_cast<int64_t>(dims.size());
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 1), rank);
  if (b.failed())
    return;
  if (rank != HxBuilder::rank(b.input(0)))
    return b.contradiction("the bias has rank " + Twine(HxBuilder::rank(b.input(1))) +
                           ", the data " + Twine(HxBuilder::rank(b.input(0))));
  ArrayRef<Dim> all(dims);
  Value flat = b.shape.reshape(sum, {b.shape.product(all.take_front(axis)),
                                     b.shape.product(all.drop_front(axis))});
  Value y =
      b.failed() ? Value() : b.make<hx::SoftmaxOp>(HxBuilder::elementType(sum), flat, 1);
  b.result(0, b.failed() ? Value() : b.shape.reshape(y, dims));
}

/// Input `index` says that nothing is trained; an error if it does not.
bool checkInference(OpBinder &b, unsigned index) {
  if (!b.has(index))
    return true;
  auto training = b.constantInts(index, "training_mode");
  if (!b.failed() && (training.size() != 1 || training[0] != 0))
    b.unsupported("training_mode: export the model for inference");
  return !b.failed();
}

/// A bit per element of `x`, all set, in words of 32.
Value fullBitmask(OpBinder &b, Value x) {
  if (b.failed())
    return {};
  Type ui32 = b.builder.getIntegerType(32, /*isSigned=*/false);
  Dim words = b.symbols().ceilDiv(b.shape.product(b.dims(x)), b.shape.constant(32));
  return b.shape.broadcastTo(b.scalar(ui32, 4294967295.0), {words});
}

Value fullMask(OpBinder &b, Value x) {
  return b.failed() ? Value()
                    : b.shape.broadcastTo(b.scalar(b.builder.getI1Type(), 1), b.dims(x));
}

/// data, bias, residual?, ratio?, training_mode?: without training nothing is dropped.
template <bool isBitmask> void importBiasDropout(OpBinder &b) {
  if (!checkInference(b, 4))
    return;
  Value sum = b.add(b.input(0), b.input(1));
  b.result(0, b.has(2) ? b.add(sum, b.input(2)) : sum);
  if (b.wants(1))
    b.result(1, isBitmask ? fullBitmask(b, b.input(0)) : fullMask(b, b.input(0)));
}

/// data, ratio?, training_mode?
void importBitmaskDropout(OpBinder &b) {
  if (!checkInference(b, 2))
    return;
  b.result(0, b.input(0));
  if (b.wants(1))
    b.result(1, fullBitmask(b, b.input(0)));
}

} // namespace

void registerMicrosoftOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"Gelu", 1, 1, 1, importGeluOf<ActivationKind::gelu_erf>},
                {"BiasGelu", 1, 2, 2, importGeluOf<ActivationKind::gelu_erf>},
                {"FastGelu", 1, 1, 2, importGeluOf<ActivationKind::gelu_tanh>},
                {"QuickGelu", 1, 1, 1, importQuickGelu},
                {"SkipLayerNormalization", 1, 3, 5, importSkipLayerNormalization},
                {"SkipSimplifiedLayerNormalization", 1, 3, 4,
                 importSkipSimplifiedLayerNormalization},
                {"GatedRMSNorm", 1, 3, 3, importGatedRmsNorm},
                {"BranchwiseRMSNorm", 1, 1, 2, importBranchwiseRmsNorm},
                {"BiasSoftmax", 1, 2, 2, importBiasSoftmax},
                {"BiasDropout", 1, 2, 5, importBiasDropout<false>},
                {"BitmaskBiasDropout", 1, 2, 5, importBiasDropout<true>},
                {"BitmaskDropout", 1, 1, 3, importBitmaskDropout},
            });
}

} // namespace hexin::onnx
