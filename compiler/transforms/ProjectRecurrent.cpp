//===- ProjectRecurrent.cpp - the input's part of an LSTM as one product ----===//
//
//   lstm(x, W, R)  =  lstm(x W^T, R by gates)
//
// The product is over all steps at once, and so as fast as any; what is left for the
// steps is the state's part, with a matrix [H, H] for each gate.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_PROJECTRECURRENTPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// Packing the recurrence is for nothing only where it is constant.
bool isConstant(Value value) {
  return isa_and_nonnull<ConstantOp, WeightOp>(value.getDefiningOp());
}

bool isTaken(LstmOp op) {
  Type type = tensorTypeOf(op.getInput()).getElementType();
  return op.getWeights() && !op->hasAttr("hx.fallback") &&
         (type.isF32() || type.isF64()) && isConstant(op.getRecurrence());
}

void project(LstmOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto input = tensorTypeOf(op.getInput());
  int64_t hidden = op.getHiddenSize();
  int64_t gates = 4 * (op.getDirection() == RecurrentDirection::bidirectional ? 2 : 1);
  int64_t features = tensorTypeOf(op.getWeights()).getDimSize(2);
  Value weights = reshaped(b, loc, op.getWeights(), {gates * hidden, features});
  auto type = input.clone({input.getDimSize(0), input.getDimSize(1), gates * hidden});
  op.getInputMutable().assign(
      MatMulOp::create(b, loc, type, op.getInput(), weights, /*transposeLhs=*/false,
                       /*transposeRhs=*/true, /*accumulate=*/TypeAttr()));
  op.getWeightsMutable().clear();
  op.getRecurrenceMutable().assign(
      reshaped(b, loc, op.getRecurrence(), {gates, hidden, hidden}));
}

struct ProjectRecurrentPass : impl::ProjectRecurrentPassBase<ProjectRecurrentPass> {
  void runOnOperation() override {
    getOperation().walk([](LstmOp op) {
      if (isTaken(op))
        project(op);
    });
  }
};

} // namespace
} // namespace hexin::hx
