//===- ExpandCompact.cpp - hx.compact as counting, a host read, and filling ---===//
//
//   rows    mask, padded to one block more than it has, as [blocks + 1, block]
//   counts  number of true in each row; the last row has none
//   starts  their running sum, exclusive: starts[blocks] is the number in all
//   fill    block i writes its positions of true from starts[i] on
//
// Blocks are counted and filled side by side; only one number per block is added up
// in order.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_EXPANDCOMPACTPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

constexpr int64_t blockElements = 512;

class Expander : InferredBuilder {
public:
  Expander(CompactOp op, SymbolicShapes &shapes)
      : InferredBuilder(op, shapes), op(op), i1(b.getI1Type()) {}

  LogicalResult run() {
    if (shapes.symbols().upperBound(shapes.dims(op.getMask())[0]) == 0) {
      auto none = RankedTensorType::get({0}, i64);
      op.getResult().replaceAllUsesWith(
          ConstantOp::create(b, op.getLoc(),
                             DenseElementsAttr::get(none, ArrayRef<int64_t>()))
              .getResult());
      return success();
    }
    Value block = ints({blockElements}), one = ints({1});
    Value size = make<ShapeOfOp>(i64, op.getMask());
    Value roundedUp = binary(BinaryFn::add, size, ints({blockElements - 1}));
    Value blocks = binary(BinaryFn::div, roundedUp, block);
    Value padded = binary(BinaryFn::mul, binary(BinaryFn::add, blocks, one), block);
    Value nothing = ConstantOp::create(
        b, op.getLoc(), DenseElementsAttr::get(RankedTensorType::get({}, i1), false));
    Value rows =
        make<PadOp>(i1, op.getMask(), ints({0}), binary(BinaryFn::sub, padded, size),
                    nothing, PadMode::constant);
    rows = make<ReshapeOp>(i1, rows, ints({-1, blockElements}));
    Value counts =
        make<ReduceOp>(i64, ReduceFn::sum, make<CastOp>(i64, rows, true, "nearest"),
                       ArrayRef<int64_t>{1}, false);
    Value starts =
        make<CumulativeOp>(i64, ReduceFn::sum, counts, int64_t(0), true, false);
    Value count = make<SliceOp>(i64, starts, blocks, one, ArrayRef<int64_t>{1});
    Value positions =
        make<CompactFillOp>(i64, op.getMask(), starts, count, blockElements);
    if (!positions)
      return failure();
    op.getResult().replaceAllUsesWith(positions);
    return success();
  }

private:
  Value binary(BinaryFn fn, Value x, Value y) { return make<BinaryOp>(i64, fn, x, y); }

  CompactOp op;
  Type i1;
};

struct ExpandCompactPass : impl::ExpandCompactPassBase<ExpandCompactPass> {
  void runOnOperation() override {
    auto isAny = [](CompactOp) { return true; };
    if (failed(rewriteInferred<CompactOp, Expander>(getOperation(), isAny)))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
