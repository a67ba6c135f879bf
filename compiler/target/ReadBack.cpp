#include "compiler/target/ReadBack.h"

#include "compiler/ir/Ops.h"

using namespace mlir;

namespace hexin {

using mlir::Value; // not hexin::Value, a model's input or output

bool isIteration(BlockArgument argument) {
  return argument.getArgNumber() == 0 &&
         isa<hx::LoopOp>(argument.getOwner()->getParentOp());
}

llvm::DenseSet<Value> readBackValues(func::FuncOp func, hx::SymbolicShapes &shapes) {
  SmallVector<hx::Dim> pending;
  func.walk([&](hx::HostReadOpInterface op) {
    for (OpOperand &operand : op->getOpOperands())
      if (op.isHostRead(operand.getOperandNumber()))
        if (std::optional<hx::Dims> contents = shapes.contents(operand.get()))
          llvm::append_range(pending, *contents);
  });
  func.walk([&](hx::LoopOp loop) {
    Operation *yield = loop.getBody().front().getTerminator();
    if (!loop.getIgnoreCondition())
      llvm::append_range(pending, *shapes.contents(yield->getOperand(0)));
  });
  Block *entry = &func.getBody().front();
  llvm::DenseSet<unsigned> visited;
  llvm::DenseSet<Value> found;
  while (!pending.empty())
    pending.pop_back_val().walk([&](AffineExpr expr) {
      auto position = dyn_cast<AffineSymbolExpr>(expr);
      if (!position || !visited.insert(position.getPosition()).second)
        return;
      const hx::Symbol &symbol = shapes.symbols().symbols()[position.getPosition()];
      pending.append(symbol.operands.begin(), symbol.operands.end());
      auto argument = dyn_cast_if_present<BlockArgument>(symbol.value);
      bool isInput = argument && (argument.getOwner() == entry || isIteration(argument));
      if (symbol.kind == hx::Symbol::Kind::element && !isInput)
        found.insert(symbol.value);
    });
  return found;
}

} // namespace hexin
