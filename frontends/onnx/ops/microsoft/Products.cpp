// Fused matrix products of floats (domain com.microsoft).
#include "frontends/onnx/ops/Products.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// What attributes activation, activation_alpha, activation_beta and activation_gamma
/// make of `x`; each function takes its parameters as ONNX's operator of its name does.
Value withFusedActivation(OpBinder &b, Value x) {
  StringRef name = b.stringAttr("activation", "");
  if (name.empty() || b.failed())
    return x;
  if (name == "Sigmoid" || name == "Tanh")
    return b.unary(name == "Tanh" ? UnaryFn::tanh : UnaryFn::sigmoid, x);
  const struct {
    StringRef name;
    ActivationKind kind;
    StringRef first, second; ///< attributes, or empty
    float firstDefault, secondDefault;
  } rows[] = {
      {"Relu", ActivationKind::relu, "", "", 0, 0},
      {"Softplus", ActivationKind::softplus, "", "", 0, 0},
      {"Softsign", ActivationKind::softsign, "", "", 0, 0},
      {"LeakyRelu", ActivationKind::leaky_relu, "activation_alpha", "", 0.01f, 0},
      {"Elu", ActivationKind::elu, "activation_alpha", "", 1, 0},
      {"Celu", ActivationKind::celu, "activation_alpha", "", 1, 0},
      {"ThresholdedRelu", ActivationKind::thresholded_relu, "activation_alpha", "", 1, 0},
      {"HardSigmoid", ActivationKind::hard_sigmoid, "activation_alpha", "activation_beta",
       0.2f, 0.5f},
      {"Selu", ActivationKind::selu, "activation_alpha", "activation_gamma", 1.67326319f,
       1.05070102f},
  };
  for (const auto &row : rows)
    if (row.name == name)
      return b.activation(
          row.kind, x, row.first.empty() ? 0 : b.floatAttr(row.first, row.firstDefault),
          row.second.empty() ? 0 : b.floatAttr(row.second, row.secondDefault));
  b.unsupported(
      "activation '" + name +
      "': expected Relu, LeakyRelu, Elu, Celu, Selu, Sigmoid, HardSigmoid, Tanh, "
      "Softplus, Softsign or ThresholdedRelu");
  return {};
}

/// transBatch: the first axis is the row axis, the batch axes follow.
Value batchFirst(OpBinder &b, Value x, bool isSwapped) {
  int64_t rank = HxBuilder::rank(x);
  if (!isSwapped || rank < 3)
    return x;
  SmallVector<int64_t> perm;
  for (int64_t axis = 1; axis < rank - 1; ++axis)
    perm.push_back(axis);
  perm.append({0, rank - 1});
  return b.transpose(x, perm);
}

/// A result in the operands' type.
Value narrowed(OpBinder &b, Value result) {
  return b.failed() ? Value() : b.cast(result, HxBuilder::elementType(b.input(0)));
}

/// FusedMatMul, TransposeMatMul and FusedMatMulActivation.
void importFusedMatMul(OpBinder &b) {
  if (b.hasAttribute("activation_axis"))
    return b.unsupported("activation_axis: no activation along an axis is fused");
  bool transA = b.intAttr("transA", 0) != 0, transB = b.intAttr("transB", 0) != 0;
  Value lhs = batchFirst(b, b.input(0), b.intAttr("transBatchA", 0) != 0);
  Value rhs = batchFirst(b, b.input(1), b.intAttr("transBatchB", 0) != 0);
  if (b.failed())
    return;
  Value product = withMatrixOperands(b, lhs, rhs, [&](Value a, Value c) {
    // A vector is no matrix to transpose.
    return affineProduct(b,
                         {a, c, transA && HxBuilder::rank(lhs) > 1,
                          transB && HxBuilder::rank(rhs) > 1, b.floatAttr("alpha", 1)});
  });
  b.result(0, narrowed(b, withFusedActivation(b, product)));
}

/// Whether the operands of a Gemm are matrices, as an error.
bool checkMatrices(OpBinder &b) {
  for (unsigned i = 0; i < 2; ++i)
    if (HxBuilder::rank(b.input(i)) != 2) {
      b.contradiction("input #" + Twine(i) + " has rank " +
                      Twine(HxBuilder::rank(b.input(i))) + ", expected 2");
      return false;
    }
  return true;
}

/// activation(alpha * A' * B' + beta * C)
void importFusedGemm(OpBinder &b) {
  if (!checkMatrices(b))
    return;
  Value product = affineProduct(b, {b.input(0), b.input(1), b.intAttr("transA", 0) != 0,
                                    b.intAttr("transB", 0) != 0, b.floatAttr("alpha", 1),
                                    b.input(2), b.floatAttr("beta", 1)});
  b.result(0, narrowed(b, withFusedActivation(b, product)));
}

/// X, W, bias?
void importGemmFastGelu(OpBinder &b) {
  Value product =
      withMatrixOperands(b, b.input(0), b.input(1), [&](Value lhs, Value rhs) {
        return affineProduct(b, {lhs, rhs});
      });
  if (b.has(2) && !b.failed())
    product = b.add(product, b.cast(b.input(2), HxBuilder::elementType(product)));
  b.result(0, narrowed(b, b.activation(ActivationKind::gelu_tanh, product)));
}

/// A, B, C?, scaleA?, scaleB?, scaleY?: operands of 8 bits or more, all in f32 inside.
void importGemmFloat8(OpBinder &b) {
  if (!checkMatrices(b))
    return;
  Type f32 = b.builder.getF32Type();
  auto operand = [&](unsigned index) {
    Value x = b.cast(b.input(index), f32);
    return b.has(3 + index) ? b.mul(x, b.shape.toScalar(b.input(3 + index))) : x;
  };
  Value lhs = operand(0), rhs = operand(1);
  Value y = b.matmul(lhs, rhs, b.intAttr("transA", 0) != 0, b.intAttr("transB", 0) != 0);
  y = scaled(b, y, b.floatAttr("alpha", 1));
  if (double beta = b.floatAttr("beta", 0); b.has(2) && beta != 0)
    y = b.add(y, scaled(b, b.cast(b.input(2), f32), beta));
  StringRef activation = b.stringAttr("activation", "NONE");
  if (activation == "RELU")
    y = b.activation(ActivationKind::relu, y);
  else if (activation == "GELU")
    y = b.activation(ActivationKind::gelu_tanh, y);
  else if (activation != "NONE")
    return b.error("activation '" + activation + "': expected NONE, RELU or GELU");
  if (b.has(5))
    y = b.mul(y, b.shape.toScalar(b.input(5)));
  b.result(0, b.cast(y, b.toType(b.intAttr("dtype", 1))));
}

} // namespace

void registerMicrosoftProductOps(OpTable &table) {
  table.add("com.microsoft", {
                                 {"FusedMatMul", 1, 2, 2, importFusedMatMul},
                                 {"TransposeMatMul", 1, 2, 2, importFusedMatMul},
                                 {"FusedMatMulActivation", 1, 2, 2, importFusedMatMul},
                                 {"FusedGemm", 1, 2, 3, importFusedGemm},
                                 {"GemmFastGelu", 1, 2, 3, importGemmFastGelu},
                                 {"GemmFloat8", 1, 2, 6, importGemmFloat8},
                             });
}

} // namespace hexin::onnx
