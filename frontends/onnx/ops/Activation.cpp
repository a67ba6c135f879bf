// Activation functions, which stay whole for epilogues and libraries.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;

namespace hexin::onnx {
namespace {

template <ActivationKind kind> void importPlain(OpBinder &b) {
  b.result(0, b.activation(kind, b.input(0)));
}

/// Kinds of one parameter, attribute "alpha"; the default in thousandths, exact
/// in f32 after the division.
template <ActivationKind kind, int thousandths> void importWithAlpha(OpBinder &b) {
  double alpha = b.floatAttr("alpha", static_cast<float>(thousandths) / 1000.0f);
  b.result(0, b.activation(kind, b.input(0), alpha));
}

void importRelu(OpBinder &b) {
  Value x = b.input(0);
  b.result(0, HxBuilder::isFloat(x) ? b.activation(ActivationKind::relu, x)
                                    : b.binary(BinaryFn::max, x, b.scalarLike(x, 0)));
}

void importHardSigmoid(OpBinder &b) {
  b.result(0, b.activation(ActivationKind::hard_sigmoid, b.input(0),
                           b.floatAttr("alpha", 0.2f), b.floatAttr("beta", 0.5f)));
}

void importSelu(OpBinder &b) {
  b.result(0, b.activation(ActivationKind::selu, b.input(0),
                           b.floatAttr("alpha", 1.67326319217681884765625),
                           b.floatAttr("gamma", 1.05070102214813232421875)));
}

/// Integers are taken through f64, and truncated.
void importShrink(OpBinder &b) {
  Value x = b.input(0);
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(x);
  Value wide = HxBuilder::isFloat(x) ? x : b.cast(x, b.builder.getF64Type());
  b.result(0, b.cast(b.activation(ActivationKind::shrink, wide, b.floatAttr("lambd", 0.5),
                                  b.floatAttr("bias", 0)),
                     type));
}

void importGelu(OpBinder &b) {
  StringRef form = b.stringAttr("approximate", "none");
  if (form != "none" && form != "tanh")
    return b.error("attribute 'approximate' is '" + form + "', expected none or tanh");
  b.result(0, b.activation(form == "tanh" ? ActivationKind::gelu_tanh
                                          : ActivationKind::gelu_erf,
                           b.input(0)));
}

void importSwiGlu(OpBinder &b) {
  Value gate = b.activation(ActivationKind::swish, b.input(0), b.floatAttr("alpha", 1));
  b.result(0, b.mul(gate, b.input(1)));
}

/// slope broadcasts to x; before opset 7 a 1-D slope belonged to axis 1.
void importPRelu(OpBinder &b) {
  Value x = b.input(0), slope = b.input(1);
  int64_t rank = HxBuilder::rank(x);
  if (b.sinceVersion() < 7 && HxBuilder::rank(slope) == 1 && rank > 2) {
    hx::Dims dims = b.dims(slope);
    dims.append(rank - 2, b.shape.constant(1));
    slope = b.shape.reshape(slope, dims);
  }
  Value isNegative = b.compare(ComparePredicate::lt, x, b.scalarLike(x, 0));
  b.result(0, b.select(isNegative, b.mul(x, slope), x));
}

} // namespace

void registerActivationOps(OpTable &table) {
  table.add("",
            {
                {"Relu", 6, 1, 1, importRelu},
                {"LeakyRelu", 6, 1, 1, importWithAlpha<ActivationKind::leaky_relu, 10>},
                {"PRelu", 6, 2, 2, importPRelu},
                {"PRelu", 7, 2, 2, importPRelu},
                {"Elu", 6, 1, 1, importWithAlpha<ActivationKind::elu, 1000>},
                {"Celu", 12, 1, 1, importWithAlpha<ActivationKind::celu, 1000>},
                {"Selu", 6, 1, 1, importSelu},
                {"Softplus", 1, 1, 1, importPlain<ActivationKind::softplus>},
                {"Softsign", 1, 1, 1, importPlain<ActivationKind::softsign>},
                {"HardSigmoid", 6, 1, 1, importHardSigmoid},
                {"HardSwish", 14, 1, 1, importPlain<ActivationKind::hard_swish>},
                {"Mish", 18, 1, 1, importPlain<ActivationKind::mish>},
                {"Gelu", 20, 1, 1, importGelu},
                {"Swish", 24, 1, 1, importWithAlpha<ActivationKind::swish, 1000>},
                {"SwiGLU", 28, 2, 2, importSwiGlu},
                {"ThresholdedRelu", 10, 1, 1,
                 importWithAlpha<ActivationKind::thresholded_relu, 1000>},
                {"Shrink", 9, 1, 1, importShrink},
            });
}

} // namespace hexin::onnx
