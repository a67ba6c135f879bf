#include "compiler/codegen/schedules/RowLoop.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <bit>

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

//===----------------------------------------------------------------------===//
// RowWalk
//===----------------------------------------------------------------------===//

Value RowWalk::begin(KExpr items) {
  return threads > 0 ? k.beginTeamItems(items, threads) : k.beginItems(items);
}

void RowWalk::forEach(Value count, function_ref<void(Value, unsigned)> body) {
  if (threads == 0)
    return forEachInRow(k, count, lanes, body);
  k.forLoop(k.index(0), count, k.index(threads), {}, [&](Value first, ValueRange) {
    Value i = k.add(first, k.thread());
    k.ifThen(k.less(i, count), [&] { body(i, 1); });
    return SmallVector<Value>();
  });
}

Value RowWalk::foldShare(hx::ReduceFn fn, Type type, Value count, Value init,
                         function_ref<Value(Value, unsigned)> element) {
  if (threads == 0)
    return foldRow(k, fn, type, count, lanes, init, element);
  auto step = [&](Value first, ValueRange carried) {
    Value i = k.add(first, k.thread());
    auto fold = [&] {
      return SmallVector<Value>{emitReduceStep(k, fn, carried[0], element(i, 1), type)};
    };
    auto skip = [&] { return SmallVector<Value>{carried[0]}; };
    return k.ifElse(k.less(i, count), carried[0].getType(), fold, skip);
  };
  return k.forLoop(k.index(0), count, k.index(threads), {init}, step)[0];
}

Value RowWalk::join(hx::ReduceFn fn, Type type, Value share) {
  if (threads == 0)
    return share;
  OpBuilder &b = k.builder();
  if (!shares)
    shares = k.local(threads, share.getType());
  auto load = [&](Value at) -> Value {
    return memref::LoadOp::create(b, k.loc(), shares, ValueRange(at));
  };
  auto store = [&](Value value, Value at) {
    memref::StoreOp::create(b, k.loc(), value, shares, ValueRange(at));
  };
  Value thread = k.thread();
  store(share, thread);
  k.barrier();
  Value rounds = k.index(std::countr_zero(threads)), half = k.index(threads / 2);
  k.forLoop(k.index(0), rounds, k.index(1), {}, [&](Value round, ValueRange) {
    Value width = arith::ShRUIOp::create(b, k.loc(), half, round);
    k.ifThen(k.less(thread, width), [&] {
      Value mine = load(thread), other = load(k.add(thread, width));
      store(emitReduceStep(k, fn, mine, other, type), thread);
    });
    k.barrier();
    return SmallVector<Value>();
  });
  Value result = load(k.index(0));
  k.barrier(); // the next join stores there
  return result;
}

void RowWalk::once(function_ref<void()> body) {
  if (threads == 0)
    return body();
  k.ifThen(k.less(k.thread(), k.index(1)), body);
}

unsigned rowThreads(const CodegenTraits &traits, std::optional<int64_t> length) {
  constexpr uint64_t fewest = 32, most = 256, unknown = 128;
  uint64_t wanted =
      length ? std::clamp(std::bit_floor(uint64_t(*length) / 2), fewest, most) : unknown;
  return std::min<uint64_t>(wanted, std::bit_floor(traits.team.threads));
}

std::string rowRefusal(std::optional<int64_t> length, std::optional<int64_t> total) {
  constexpr int64_t shortest = 32, fewest = 4096;
  if (length && *length < shortest)
    return "rows are short";
  if (total && *total < fewest)
    return "few elements";
  return "";
}

} // namespace hexin::codegen
