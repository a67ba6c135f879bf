// Fused operators of ONNX Runtime (domain com.microsoft).
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Norms.h"
#include "frontends/onnx/ops/Products.h"

using namespace mlir;
using hexin::hx::ActivationKind;

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

void importFusedMatMul(OpBinder &b) {
  bool transA = b.intAttr("transA", 0) != 0, transB = b.intAttr("transB", 0) != 0;
  Value lhs = batchFirst(b, b.input(0), b.intAttr("transBatchA", 0) != 0);
  Value rhs = batchFirst(b, b.input(1), b.intAttr("transBatchB", 0) != 0);
  if (b.failed())
    return;
  Value product = withMatrixOperands(b, lhs, rhs, [&](Value a, Value c) {
    // A vector is no matrix to transpose.
    return b.matmul(a, c, transA && HxBuilder::rank(lhs) > 1,
                    transB && HxBuilder::rank(rhs) > 1);
  });
  b.result(0, scaled(b, product, b.floatAttr("alpha", 1)));
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
                {"FusedMatMul", 1, 2, 2, importFusedMatMul},
                {"TransposeMatMul", 1, 2, 2, importFusedMatMul},
            });
}

} // namespace hexin::onnx
