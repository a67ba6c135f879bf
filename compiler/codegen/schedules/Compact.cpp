//===- Compact.cpp - positions of true, blocks side by side ---------------===//
//
// An item owns a block of the mask and writes from where the blocks before it end.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

hx::CompactFillOp fillOf(hx::GroupOp group) {
  return dyn_cast_or_null<hx::CompactFillOp>(heavyOp(group));
}

LogicalResult emit(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  hx::CompactFillOp fill = fillOf(emitter.groupOp());
  Type i64 = b.getI64Type(), i1 = b.getI1Type();
  KExpr size = emitter.sizes(fill.getMask())[0], block = k.constantExpr(fill.getBlock());
  Value mask = emitter.memrefOf(fill.getMask()), result = emitter.memrefOfResult(0);
  Value limit = k.value(emitter.sizes(fill.getResult())[0]);
  Value item = k.beginItems(k.exprs().ceilDiv(size, block));
  Value first = k.mul(item, k.value(block));
  Value stop = k.min(k.add(first, k.value(block)), k.value(size));
  Value start = arith::IndexCastOp::create(
      b, k.loc(), b.getIndexType(),
      k.load(emitter.memrefOf(fill.getStarts()), item, 1, i64));
  k.forLoop(first, stop, k.index(1), {start}, [&](Value i, ValueRange carried) {
    Value at = carried[0];
    // The mask is memory that others could have changed since it was counted.
    Value writes =
        arith::AndIOp::create(b, k.loc(), k.load(mask, i, 1, i1), k.less(at, limit));
    k.ifThen(writes, [&] {
      k.store(result, at, arith::IndexCastOp::create(b, k.loc(), i64, i), i64);
    });
    Value next = arith::SelectOp::create(b, k.loc(), writes, k.add(at, k.index(1)), at);
    return SmallVector<Value>{next};
  });
  return success();
}

} // namespace

const Schedule compactSchedule = {"compact",
                                  [](hx::GroupOp group, hx::SymbolicShapes &) {
                                    return std::string(fillOf(group) ? "" : notMine);
                                  },
                                  emit};

} // namespace hexin::codegen
