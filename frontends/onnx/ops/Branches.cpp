#include "frontends/onnx/ops/Branches.h"

#include "compiler/ir/CheckOps.h"
#include "compiler/ir/ValueTypes.h"
#include "frontends/onnx/ops/Sequences.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

/// Whether all that `dim` is made of can be read in `block`.
static bool isKnownIn(Block &block, Dim dim, ArrayRef<hx::Symbol> symbols) {
  SmallVector<Dim> pending{dim};
  llvm::DenseSet<unsigned> visited;
  bool isKnown = true;
  while (!pending.empty() && isKnown)
    pending.pop_back_val().walk([&](AffineExpr expr) {
      auto position = dyn_cast<AffineSymbolExpr>(expr);
      if (!position || !visited.insert(position.getPosition()).second)
        return;
      const hx::Symbol &symbol = symbols[position.getPosition()];
      pending.append(symbol.operands.begin(), symbol.operands.end());
      Value value = symbol.value;
      isKnown &= !value || value.getParentRegion()->isAncestor(block.getParent());
    });
  return isKnown;
}

LogicalResult fillWithError(OpBinder &b, Block &block, ArrayRef<Value> like,
                            const std::string &reason) {
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  HxBuilder inner(b.builder, b.shapes, b.loc);
  ShapeMath shape(inner);
  auto check = hx::CheckOp::create(b.builder, b.loc, inner.ints({0}),
                                   "this branch cannot run: " + reason);
  if (mlir::failed(b.shapes.infer(check)))
    return failure();
  SmallVector<Value> values;
  for (Value value : like) {
    if (hx::isHostType(value.getType()))
      return b.contradiction("a branch cannot run: " + reason), failure();
    Dims sizes = inner.dims(value);
    for (Dim &size : sizes)
      if (!isKnownIn(block, size, b.symbols().symbols()))
        size = shape.constant(0);
    values.push_back(
        shape.broadcastTo(inner.scalar(HxBuilder::elementType(value), 0), sizes));
  }
  if (inner.failed())
    return failure();
  hx::YieldOp::create(b.builder, b.loc, values);
  return success();
}

/// The type of a result that is either value; null when there is none.
static Type typeOfEither(Value onTrue, Value onFalse) {
  if (onTrue.getType() != onFalse.getType() &&
      !hx::areCompatible(onTrue.getType(), onFalse.getType()))
    return {};
  if (isa<RankedTensorType>(onTrue.getType()))
    return onTrue.getType(); // sizes: hx.if's shape function
  return hx::joinTypes(knownType(onTrue), knownType(onFalse));
}

SmallVector<Type> typesOfEither(ArrayRef<Value> onTrue, ArrayRef<Value> onFalse,
                                size_t &mismatch) {
  SmallVector<Type> types;
  for (auto [a, b] : llvm::zip(onTrue, onFalse)) {
    types.push_back(typeOfEither(a, b));
    if (types.back())
      continue;
    mismatch = types.size() - 1;
    return {};
  }
  return types;
}

} // namespace hexin::onnx
