#include "compiler/codegen/schedules/tiled/Steps.h"

#include "compiler/codegen/AsyncCopy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen::tiled {

static SmallVector<Value> sumOneStage(KernelBuilder &k, const Steps &steps,
                                      ValueRange init, Fetch fetch, SumSlice sum) {
  return k.forLoop(k.index(0), steps.count, k.index(steps.depth), init,
                   [&](Value step, ValueRange acc) {
                     fetch(step, k.index(0));
                     k.barrier();
                     SmallVector<Value> next = sum(k.index(0), acc);
                     k.barrier();
                     return next;
                   });
}

/// A group of copies even where no step is left, so that groups can be counted.
static void fetchNext(KernelBuilder &k, const Steps &steps, Value step, Value stage,
                      Fetch fetch) {
  k.ifThen(k.less(step, steps.count), [&] { fetch(step, stage); });
  closeCopies(k);
}

SmallVector<Value> sumSteps(KernelBuilder &k, const Steps &steps, ValueRange init,
                            Fetch fetch, SumSlice sum) {
  if (steps.stages == 1)
    return sumOneStage(k, steps, init, fetch, sum);
  OpBuilder &b = k.builder();
  unsigned ahead = steps.stages - 1;
  for (unsigned i = 0; i < ahead; ++i)
    fetchNext(k, steps, k.index(i * steps.depth), k.index(i * steps.stageElements),
              fetch);
  Value size = k.index(steps.stageElements), all = k.index(ahead * steps.stageElements);
  auto isAt = [&](Value stage, Value at) -> Value {
    return arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::eq, stage, at);
  };
  auto choose = [&](Value condition, Value x, Value y) -> Value {
    return arith::SelectOp::create(b, k.loc(), condition, x, y);
  };
  SmallVector<Value> carried(init);
  carried.push_back(k.index(0));
  SmallVector<Value> results = k.forLoop(
      k.index(0), steps.count, k.index(steps.depth), carried,
      [&](Value step, ValueRange carried) {
        Value stage = carried.back();
        awaitCopies(k, ahead - 1);
        // Behind it all threads see the slice, and none still reads the one before.
        k.barrier();
        Value before = choose(isAt(stage, k.index(0)), all, k.sub(stage, size));
        fetchNext(k, steps, k.add(step, k.index(ahead * steps.depth)), before, fetch);
        SmallVector<Value> next = sum(stage, carried.drop_back());
        next.push_back(choose(isAt(stage, all), k.index(0), k.add(stage, size)));
        return next;
      });
  k.barrier();
  results.pop_back();
  return results;
}

} // namespace hexin::codegen::tiled
