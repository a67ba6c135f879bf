//===- SplitComplex.cpp - complex numbers of f64 as pairs ------------------===//
//
// Nothing computes with complex numbers, and no machine word holds one of f64: what
// moves them moves their parts, along one more axis of size 2, between two views,
//
//   transpose(x) {perm = [1, 0]}
//     = complex(transpose(parts(x)) {perm = [1, 0, 2]})
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace hexin::hx {
#define GEN_PASS_DEF_SPLITCOMPLEXPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

bool isWideComplex(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  auto complex = tensor ? dyn_cast<ComplexType>(tensor.getElementType()) : nullptr;
  return complex && complex.getElementType().isF64();
}

class Splitter : InferredBuilder {
public:
  Splitter(Operation *op, SymbolicShapes &shapes)
      : InferredBuilder(op, shapes), op(op), f64(b.getF64Type()) {}

  /// Fails where sizes cannot be inferred.
  LogicalResult run() {
    Value moved =
        llvm::TypeSwitch<Operation *, Value>(op)
            .Case<TransposeOp, BroadcastToOp, SliceOp, ConcatOp, PadOp, GatherOp,
                  GatherNdOp, GatherElementsOp, ScatterElementsOp, ScatterNdOp, SelectOp>(
                [&](auto typed) { return move(typed); })
            .Default(Value());
    if (!moved)
      return failure();
    Value whole = make<BitcastOp>(ComplexType::get(f64), moved);
    if (!whole)
      return failure();
    op->getResult(0).replaceAllUsesWith(whole);
    return success();
  }

  static bool takes(Operation *op) {
    if (auto scatter = dyn_cast<ScatterElementsOp>(op))
      return scatter.getFn() == ScatterFn::set;
    if (auto scatter = dyn_cast<ScatterNdOp>(op))
      return scatter.getFn() == ScatterFn::set;
    return isa<TransposeOp, BroadcastToOp, SliceOp, ConcatOp, PadOp, GatherOp, GatherNdOp,
               GatherElementsOp, SelectOp>(op);
  }

private:
  Value parts(Value x) {
    // Of what was just put together.
    if (auto whole = x.getDefiningOp<BitcastOp>())
      if (tensorTypeOf(whole.getInput()).getElementType() == f64)
        return whole.getInput();
    return make<BitcastOp>(f64, x);
  }

  Value move(TransposeOp op) {
    SmallVector<int64_t> perm(op.getPerm());
    perm.push_back(static_cast<int64_t>(perm.size()));
    return make<TransposeOp>(f64, parts(op.getInput()), ArrayRef<int64_t>(perm));
  }
  Value move(BroadcastToOp op) {
    return make<BroadcastToOp>(f64, parts(op.getInput()), append(op.getShape(), 2));
  }
  Value move(SliceOp op) {
    SmallVector<int64_t> steps(op.getSteps());
    steps.push_back(1);
    return make<SliceOp>(f64, parts(op.getInput()), append(op.getStarts(), 0),
                         append(op.getSizes(), 2), ArrayRef<int64_t>(steps));
  }
  Value move(ConcatOp op) {
    SmallVector<Value> inputs;
    for (Value input : op.getInputs())
      inputs.push_back(parts(input));
    return hasFailed ? Value()
                     : make<ConcatOp>(f64, ValueRange(inputs),
                                      static_cast<int64_t>(op.getAxis()));
  }
  /// One part after the other: each has its own value to pad with.
  Value move(PadOp op) {
    Value input = parts(op.getInput()), fill = parts(op.getValue());
    Value low = append(op.getLow(), 0), high = append(op.getHigh(), 0);
    SmallVector<Value> padded;
    for (int64_t part : {0, 1}) {
      Value one = make<ReshapeOp>(f64, at(fill, part), ints({}));
      padded.push_back(make<PadOp>(f64, at(input, part), low, high, one, op.getMode()));
    }
    return hasFailed ? Value()
                     : make<ConcatOp>(f64, ValueRange(padded),
                                      tensorTypeOf(op.getInput()).getRank());
  }
  Value move(GatherOp op) {
    return make<GatherOp>(f64, parts(op.getInput()), op.getIndices(),
                          static_cast<int64_t>(op.getAxis()),
                          static_cast<int64_t>(op.getBatchDims()));
  }
  Value move(GatherNdOp op) {
    return make<GatherNdOp>(f64, parts(op.getInput()), op.getIndices(),
                            static_cast<int64_t>(op.getBatchDims()));
  }
  Value move(GatherElementsOp op) {
    return make<GatherElementsOp>(f64, parts(op.getInput()), twice(op.getIndices()),
                                  static_cast<int64_t>(op.getAxis()));
  }
  Value move(ScatterElementsOp op) {
    return make<ScatterElementsOp>(f64, op.getFn(), parts(op.getInput()),
                                   twice(op.getIndices()), parts(op.getUpdates()),
                                   static_cast<int64_t>(op.getAxis()));
  }
  Value move(ScatterNdOp op) {
    return make<ScatterNdOp>(f64, op.getFn(), parts(op.getInput()), op.getIndices(),
                             parts(op.getUpdates()));
  }
  Value move(SelectOp op) {
    return make<SelectOp>(f64, withLastAxis(op.getCondition()), parts(op.getOnTrue()),
                          parts(op.getOnFalse()));
  }

  /// A shape operand with one more entry.
  Value append(Value shape, int64_t entry) {
    SmallVector<Value> both{shape, ints({entry})};
    return make<ConcatOp>(i64, ValueRange(both), int64_t(0));
  }
  /// [sizes...] -> [sizes..., 1]
  Value withLastAxis(Value x) {
    return make<ReshapeOp>(tensorTypeOf(x).getElementType(), x,
                           append(make<ShapeOfOp>(i64, x), 1));
  }
  /// [sizes...] -> [sizes..., 2], the same for both parts.
  Value twice(Value indices) {
    return make<BroadcastToOp>(tensorTypeOf(indices).getElementType(),
                               withLastAxis(indices),
                               append(make<ShapeOfOp>(i64, indices), 2));
  }
  /// [sizes..., 2] -> [sizes..., 1]
  Value at(Value pairs, int64_t part) {
    if (hasFailed)
      return {};
    int64_t rank = tensorTypeOf(pairs).getRank();
    SmallVector<int64_t> starts(static_cast<size_t>(rank), 0), ones(starts.size(), 1);
    starts.back() = part;
    Value sizes = make<ShapeOfOp>(i64, pairs);
    Value outer =
        make<SliceOp>(i64, sizes, ints({0}), ints({rank - 1}), ArrayRef<int64_t>{1});
    return make<SliceOp>(f64, pairs, ints(starts), append(outer, 1),
                         ArrayRef<int64_t>(ones));
  }

  Operation *op;
  Type f64;
};

struct SplitComplexPass : impl::SplitComplexPassBase<SplitComplexPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SmallVector<Operation *> found;
    func.walk([&](Operation *op) {
      if (op->getNumResults() == 1 && isWideComplex(op->getResult(0)) &&
          Splitter::takes(op))
        found.push_back(op);
    });
    if (found.empty())
      return;
    SymbolicShapes shapes(&getContext());
    if (failed(shapes.run(func)))
      return signalPassFailure();
    for (Operation *op : found)
      if (failed(Splitter(op, shapes).run()))
        return signalPassFailure();
    // At the end: the shapes know values by address.
    for (Operation *op : llvm::reverse(found))
      op->erase();
  }
};

} // namespace
} // namespace hexin::hx
