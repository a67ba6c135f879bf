#include "compiler/codegen/schedules/RowLoop.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

void forEachInRow(KernelBuilder &k, Value count, unsigned lanes,
                  function_ref<void(Value, unsigned)> body) {
  Value start = k.index(0);
  if (lanes > 1) {
    Value stop = k.mul(k.div(count, k.index(lanes)), k.index(lanes));
    k.forLoop(start, stop, k.index(lanes), {}, [&](Value i, ValueRange) {
      body(i, lanes);
      return SmallVector<Value>();
    });
    start = stop;
  }
  k.forLoop(start, count, k.index(1), {}, [&](Value i, ValueRange) {
    body(i, 1);
    return SmallVector<Value>();
  });
}

Value joinLanes(KernelBuilder &k, hx::ReduceFn fn, Type type, Value vectorValue) {
  auto vectorType = dyn_cast<VectorType>(vectorValue.getType());
  if (!vectorType)
    return vectorValue;
  // Halves onto each other: a fixed order on every target.
  OpBuilder &b = k.builder();
  Value value = vectorValue;
  for (int64_t width = vectorType.getNumElements(); width > 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < width / 2; ++lane) {
      low.push_back(lane);
      high.push_back(lane + width / 2);
    }
    Value x, y;
    if (width == 2) {
      x = vector::ExtractOp::create(b, k.loc(), value, ArrayRef<int64_t>{0});
      y = vector::ExtractOp::create(b, k.loc(), value, ArrayRef<int64_t>{1});
    } else {
      x = vector::ShuffleOp::create(b, k.loc(), value, value, low);
      y = vector::ShuffleOp::create(b, k.loc(), value, value, high);
    }
    value = emitReduceStep(k, fn, x, y, type);
  }
  return value;
}

Value foldRow(KernelBuilder &k, hx::ReduceFn fn, Type type, Value count, unsigned lanes,
              Value init, function_ref<Value(Value, unsigned)> element) {
  Value start = k.index(0), result = init;
  if (lanes > 1) {
    Value stop = k.mul(k.div(count, k.index(lanes)), k.index(lanes));
    Value partial =
        k.forLoop(start, stop, k.index(lanes), {reduceIdentity(k, fn, type, lanes)},
                  [&](Value i, ValueRange carried) {
                    return SmallVector<Value>{
                        emitReduceStep(k, fn, carried[0], element(i, lanes), type)};
                  })[0];
    result = emitReduceStep(k, fn, result, joinLanes(k, fn, type, partial), type);
    start = stop;
  }
  return k.forLoop(start, count, k.index(1), {result}, [&](Value i, ValueRange carried) {
    return SmallVector<Value>{emitReduceStep(k, fn, carried[0], element(i, 1), type)};
  })[0];
}

} // namespace hexin::codegen
