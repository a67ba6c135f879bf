//===- DropTinyWeights.cpp - weights that are next to zero become it ---------------===//
//
// Training with weight decay leaves channels whose weights and bias are some 1e-39. Their
// sums are subnormal, for which x86 CPUs take a hundred times as long.
//
// What is dropped changes a sum by less than 2^-64 of the largest weight times that of
// its inputs: next to its rounding errors nothing. An infinite input makes it NaN, as
// with any weight of 0.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>
#include <cmath>

namespace hexin::hx {
#define GEN_PASS_DEF_DROPTINYWEIGHTSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// What is below is dropped: products of what stays and usual numbers are not subnormal
/// (2^-126).
float limitOf(ArrayRef<float> weights) {
  float largest = 0;
  for (float weight : weights)
    largest = std::max(largest, std::fabs(weight));
  return std::min(0x1p-100f, largest * 0x1p-64f);
}

/// `weights` without those, or null where there are none.
Value withoutTiny(OpBuilder &b, Value weights, WeightStore *store) {
  auto type = dyn_cast<RankedTensorType>(weights.getType());
  if (!type || !type.getElementType().isF32() || !isConstantLike(weights))
    return {};
  std::optional<Tensor> tensor = constantTensor(weights);
  if (!tensor)
    return {};
  ArrayRef<float> values(static_cast<const float *>(tensor->data()),
                         tensor->numElements());
  float limit = limitOf(values);
  auto isTiny = [&](float value) { return value != 0 && std::fabs(value) < limit; };
  if (llvm::none_of(values, isTiny))
    return {};
  Result<Tensor> kept = Tensor::allocate(DType::f32, type.getShape());
  if (!kept.ok())
    return {};
  llvm::transform(values, static_cast<float *>(kept->data()),
                  [&](float value) { return isTiny(value) ? 0.0f : value; });
  return materialiseConstant(b, weights.getLoc(), *kept, store);
}

struct DropTinyWeightsPass : impl::DropTinyWeightsPassBase<DropTinyWeightsPass> {
  void runOnOperation() override {
    WeightStore *store = WeightStore::of(getOperation());
    getOperation().walk([&](Operation *op) {
      if (!isa<ConvOp, ConvTransposeOp, MatMulOp, LstmOp, RecurrenceOp>(op))
        return;
      OpBuilder b(op);
      for (OpOperand &operand : op->getOpOperands())
        if (Value kept = withoutTiny(b, operand.get(), store))
          operand.set(kept);
    });
  }
};

} // namespace
} // namespace hexin::hx
