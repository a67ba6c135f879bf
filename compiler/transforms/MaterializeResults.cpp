//===- MaterializeResults.cpp - every result in memory of its own -----------===//
//
// A result that is an input, a constant, a shape value, the choice of an hx.if, or
// (a view of) what is already another result becomes a copy.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/DeviceOps.h"
#include "compiler/ir/HostOps.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/ir/ValueTypes.h"
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

/// The same contents in a value of their own.
Value copyOf(OpBuilder &b, Location loc, Value value) {
  if (isHostType(value.getType()))
    return ShareOp::create(b, loc, value.getType(), value);
  auto tensor = cast<RankedTensorType>(value.getType());
  // Kernels move the parts of complex numbers of f64.
  if (auto complex = dyn_cast<ComplexType>(tensor.getElementType());
      complex && complex.getElementType().isF64()) {
    SmallVector<int64_t> sizes(tensor.getShape());
    sizes.push_back(2);
    auto parts = RankedTensorType::get(sizes, complex.getElementType());
    value = BitcastOp::create(b, loc, parts, value);
    value = CastOp::create(b, loc, parts, value, true, "nearest");
    return BitcastOp::create(b, loc, tensor, value);
  }
  return CastOp::create(b, loc, value.getType(), value, true, "nearest");
}

/// Where a result comes from. A constant of several nodes has no place left: then it is
/// the result's name.
Location placeOf(func::FuncOp func, OpOperand &result) {
  Location loc = result.get().getLoc();
  auto name = func.getResultAttrOfType<StringAttr>(result.getOperandNumber(), "hx.name");
  return isa<UnknownLoc>(loc) && name ? Location(NameLoc::get(name)) : loc;
}

/// What a loop hands on gets memory of its own: before it, and in every iteration.
void materializeLoop(LoopOp loop) {
  auto copy = [&](OpBuilder &b, OpOperand &operand) {
    // A constant of several nodes has no place left: then it is the loop's.
    Location loc = operand.get().getLoc();
    operand.set(copyOf(b, isa<UnknownLoc>(loc) ? loop.getLoc() : loc, operand.get()));
  };
  OpBuilder before(loop);
  for (OpOperand &operand : loop.getCarriedMutable())
    copy(before, operand);
  Operation *yield = loop.getBody().front().getTerminator();
  OpBuilder atEnd(yield);
  for (OpOperand &operand : llvm::drop_begin(yield->getOpOperands()))
    copy(atEnd, operand);
}

struct MaterializeResultsPass : impl::MaterializeResultsPassBase<MaterializeResultsPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SymbolicShapes shapes(&getContext());
    if (failed(shapes.run(func)))
      return signalPassFailure();
    func.walk([](LoopOp loop) { materializeLoop(loop); });
    Operation *terminator = func.getBody().front().getTerminator();
    OpBuilder b(terminator);
    llvm::DenseSet<Value> taken;
    for (OpOperand &operand : terminator->getOpOperands()) {
      Value value = operand.get();
      Value root = value;
      while (Value viewed =
                 root.getDefiningOp() ? viewedBy(root.getDefiningOp()) : Value())
        root = viewed;
      bool isOwn = root.getDefiningOp() && !isa<IfOp, LoopOp>(root.getDefiningOp()) &&
                   !isConstantLike(root) && !shapes.followsFromOthers(root) &&
                   !(root != value && isHostOp(root.getDefiningOp())) &&
                   taken.insert(root).second;
      if (!isOwn)
        operand.set(copyOf(b, placeOf(func, operand), value));
    }
  }
};

} // namespace
} // namespace hexin::hx
