//===- Map.cpp - every result element by itself ---------------------------------------===//
//
// Items are blocks of the last axis, one after the other through the outer axes.
// Inside a block: a vector loop, then a scalar loop for what is left.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"

using namespace mlir;

namespace hexin::codegen {

static LogicalResult emitMap(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  emitter.collapse();
  Value root = emitter.yielded();
  unsigned numResults = emitter.groupOp().getNumResults();
  SmallVector<KExpr> sizes = emitter.sizes(root);

  auto emitAt = [&](ArrayRef<Value> index, unsigned lanes) {
    SmallVector<Value> values;
    for (unsigned result = 0; result < numResults; ++result)
      values.push_back(emitter.emit(emitter.yielded(result), index, lanes));
    for (unsigned result = 0; result < numResults; ++result)
      emitter.store(result, index, values[result]);
  };

  if (sizes.empty()) {
    k.beginItems(k.constantExpr(1));
    emitAt({}, 1);
    return success();
  }

  unsigned lanes = emitter.lanes();
  int64_t block = k.traits().itemPerElement ? lanes : 1024;
  KExpr inner = sizes.back();
  KExpr blocks = k.exprs().ceilDiv(inner, k.constantExpr(block));
  SmallVector<KExpr> space(ArrayRef(sizes).drop_back());
  space.push_back(blocks);
  Value item = k.beginItems(k.exprs().product(space));
  k.use.grain = std::max<int64_t>(1, 16384 / block);

  SmallVector<Value> index = k.delinearize(item, space);
  Value start = k.mul(index.back(), k.index(block));
  Value stop = k.min(k.add(start, k.index(block)), k.value(inner));
  auto body = [&](unsigned width) {
    return [&, width](Value i, ValueRange) {
      index.back() = i;
      emitAt(index, width);
      return SmallVector<Value>();
    };
  };
  if (lanes > 1) {
    Value count = k.div(k.sub(stop, start), k.index(lanes));
    Value vectorStop = k.add(start, k.mul(count, k.index(lanes)));
    k.forLoop(start, vectorStop, k.index(lanes), {}, body(lanes));
    start = vectorStop;
  }
  k.forLoop(start, stop, k.index(1), {}, body(1));
  return success();
}

const Schedule mapSchedule = {
    "map", [](hx::GroupOp, hx::SymbolicShapes &) { return std::string(); }, emitMap};

} // namespace hexin::codegen
