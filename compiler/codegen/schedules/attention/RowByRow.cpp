#include "compiler/codegen/schedules/attention/AttentionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class RowByRow : AttentionEmitter {
public:
  explicit RowByRow(ElementEmitter &emitter) : AttentionEmitter(emitter) {}

  LogicalResult run() {
    Value result = parts.output.getResult();
    unsigned features = lastSize(result);
    SmallVector<KExpr> rows = emitter.sizes(result);
    rows.pop_back();
    Value item = k.beginItems(k.exprs().product(rows));
    SmallVector<Value> at = k.delinearize(item, rows);
    ArrayRef<Value> batch = ArrayRef(at).drop_back();
    SmallVector<Value> seen = seenRow(batch, at.back());
    Value sums = k.scratch(features, f32);
    forFeatures(features, [&](Value j) { put(sums, j, zero); });
    auto step = [&](Value t, ValueRange carried) {
      Value product =
          emitter.emit(parts.scores.getResult(), with(batch, at.back(), t), 1);
      Value s = weighed(seen, t, product);
      Value largest = op<arith::MaximumFOp>(carried[0], s), base = baseOf(largest);
      Value weight = exp(op<arith::SubFOp>(s, base));
      Value older = exp(op<arith::SubFOp>(carried[0], base));
      forFeatures(features, [&](Value j) {
        Value x = emitter.emit(parts.output.getRhs(), with(batch, t, j), 1);
        put(sums, j, multiplyAdd(weight, x, op<arith::MulFOp>(get(sums, j), older)));
      });
      return SmallVector<Value>{largest, multiplyAdd(carried[1], older, weight)};
    };
    SmallVector<Value> found =
        k.forLoop(k.index(0), k.value(numKeys), k.index(1), {lowest, zero}, step);
    Value factor = inverse(found[1]);
    forFeatures(features, [&](Value j) {
      SmallVector<Value> index = with(batch, at.back(), j);
      emitter.store(0, index, shown(seen, op<arith::MulFOp>(get(sums, j), factor)));
    });
    return success();
  }

private:
  void forFeatures(unsigned count, function_ref<void(Value)> body) {
    k.forLoop(k.index(0), k.index(count), k.index(1), {}, [&](Value j, ValueRange) {
      body(j);
      return SmallVector<Value>();
    });
  }
  Value get(Value memory, Value at) {
    return memref::LoadOp::create(b, loc, memory, ValueRange(at));
  }
  void put(Value memory, Value at, Value value) {
    memref::StoreOp::create(b, loc, value, memory, ValueRange(at));
  }
};

} // namespace

LogicalResult emitAttentionByRows(ElementEmitter &emitter) {
  return RowByRow(emitter).run();
}

} // namespace hexin::codegen
