//===- FoldIf.cpp - an hx.if whose condition is known, as the taken branch --===//
//
// The condition is known when its contents are a constant, or the same expression
// as the condition of an hx.if around it.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_FOLDIFPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
namespace {

/// The expression that decides `op`; null when there is none of one element.
Dim conditionOf(IfOp op, SymbolicShapes &shapes) {
  std::optional<Dims> contents = shapes.contents(op.getCondition());
  return contents && contents->size() == 1 ? contents->front() : Dim();
}

/// Which branch every run takes; nullopt when runs differ.
std::optional<bool> decision(IfOp op, SymbolicShapes &shapes) {
  Dim condition = conditionOf(op, shapes);
  if (!condition)
    return std::nullopt;
  if (auto known = SymbolTable::constantValue(condition))
    return *known != 0;
  Region *region = op->getParentRegion();
  for (; region; region = region->getParentRegion())
    if (auto outer = dyn_cast_or_null<IfOp>(region->getParentOp()))
      if (conditionOf(outer, shapes) == condition)
        return region == &outer.getThenRegion();
  return std::nullopt;
}

/// Puts the ops of the taken branch in the place of `op`.
void inlineBranch(IfOp op, bool isTrue) {
  Block &branch = (isTrue ? op.getThenRegion() : op.getElseRegion()).front();
  auto yield = cast<YieldOp>(branch.getTerminator());
  op->replaceAllUsesWith(yield.getValues());
  yield.erase();
  op->getBlock()->getOperations().splice(op->getIterator(), branch.getOperations());
  op.erase();
}

struct FoldIfPass : impl::FoldIfPassBase<FoldIfPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    for (bool isChanged = true; isChanged;) {
      // Also gives what used a folded result the sizes of its branch.
      SymbolicShapes shapes(&getContext());
      if (failed(shapes.run(func)))
        return signalPassFailure();
      SmallVector<std::pair<IfOp, bool>> decided;
      func.walk<WalkOrder::PreOrder>([&](IfOp op) {
        std::optional<bool> isTrue = decision(op, shapes);
        if (!isTrue)
          return WalkResult::advance();
        decided.push_back({op, *isTrue});
        return WalkResult::skip(); // those inside come in the next round
      });
      for (auto [op, isTrue] : decided)
        inlineBranch(op, isTrue);
      isChanged = !decided.empty();
    }
  }
};

} // namespace
} // namespace hexin::hx
