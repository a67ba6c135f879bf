//===- MaterializeResults.cpp - every result in memory of its own -----------===//
//
// A result that is an input, a constant, a shape value, the choice of an hx.if, or
// (a view of) what is already another result becomes a copy.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace hexin::hx {
#define GEN_PASS_DEF_MATERIALIZERESULTSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

struct MaterializeResultsPass : impl::MaterializeResultsPassBase<MaterializeResultsPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SymbolicShapes shapes(&getContext());
    if (failed(shapes.run(func)))
      return signalPassFailure();
    Operation *terminator = func.getBody().front().getTerminator();
    OpBuilder b(terminator);
    llvm::DenseSet<Value> taken;
    for (OpOperand &operand : terminator->getOpOperands()) {
      Value value = operand.get();
      if (!isa<RankedTensorType>(value.getType()))
        continue;
      Value root = value;
      while (auto view = root.getDefiningOp<ReshapeOp>())
        root = view.getInput();
      bool isOwn = root.getDefiningOp() && !isa<IfOp>(root.getDefiningOp()) &&
                   !isConstantLike(root) && !shapes.contents(root).has_value() &&
                   taken.insert(root).second;
      if (!isOwn)
        operand.set(
            CastOp::create(b, value.getLoc(), value.getType(), value, true, "nearest"));
    }
  }
};

} // namespace
} // namespace hexin::hx
