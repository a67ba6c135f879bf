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
              Value init, function_ref<Value(Value, unsigned)> element, unsigned ways) {
  Value start = k.index(0), result = init;
  if (lanes > 1) {
    Value stop = k.mul(k.div(count, k.index(lanes)), k.index(lanes));
    auto loop = [&](Value end, ValueRange init) {
      int64_t step = int64_t(lanes) * init.size();
      auto body = [&](Value i, ValueRange carried) {
        SmallVector<Value> next;
        for (auto [way, sum] : llvm::enumerate(carried))
          next.push_back(emitReduceStep(
              k, fn, sum, element(k.add(i, k.index(way * lanes)), lanes), type));
        return next;
      };
      return k.forLoop(start, end, k.index(step), init, body);
    };
    Value partial = reduceIdentity(k, fn, type, lanes);
    if (ways > 1) {
      Value end = k.sub(stop, k.rem(stop, k.index(ways * lanes)));
      SmallVector<Value> sums = loop(end, SmallVector<Value>(ways, partial));
      for (unsigned half = ways / 2; half > 0; half /= 2)
        for (unsigned way = 0; way < half; ++way)
          sums[way] = emitReduceStep(k, fn, sums[way], sums[way + half], type);
      partial = sums[0];
      start = end;
    }
    partial = loop(stop, partial)[0];
    result = emitReduceStep(k, fn, result, joinLanes(k, fn, type, partial), type);
    start = stop;
  }
  return k.forLoop(start, count, k.index(1), {result}, [&](Value i, ValueRange carried) {
    return SmallVector<Value>{emitReduceStep(k, fn, carried[0], element(i, 1), type)};
  })[0];
}

//===----------------------------------------------------------------------===//
// RowOwners
//===----------------------------------------------------------------------===//

/// A power of two: two or more elements for each thread, where there are so many.
static unsigned threadsWithoutWarps(const CodegenTraits &traits,
                                    std::optional<int64_t> length) {
  constexpr uint64_t fewest = 32, most = 256, unknown = 128;
  uint64_t wanted =
      length ? std::clamp(std::bit_floor(uint64_t(*length) / 2), fewest, most) : unknown;
  return std::min<uint64_t>(wanted, std::bit_floor(traits.team.threads));
}

RowOwners RowOwners::alone(const CodegenTraits &traits, hx::Dim length, unsigned lanes) {
  std::optional<int64_t> known = hx::SymbolTable::constantValue(length);
  if (known && *known < lanes)
    lanes = 1; // there is no vector of them
  bool isShort = known && *known < int64_t(manyWays * lanes);
  bool isOne = traits.itemPerElement || lanes == 1 || isShort;
  return {.lanes = lanes, .ways = isOne ? 1 : manyWays};
}

RowOwners RowOwners::team(const CodegenTraits &traits, hx::Dim length, unsigned lanes) {
  std::optional<int64_t> known = hx::SymbolTable::constantValue(length);
  if (traits.warpThreads == 0)
    return {.threads = threadsWithoutWarps(traits, known)};
  // So many elements a thread are in flight at once, and in registers.
  constexpr uint64_t mostElements = 16, mostSlots = 8, fullTeam = 128;
  if (length.getLargestKnownDivisor() % lanes != 0)
    lanes = 1;
  uint64_t slots = std::min<uint64_t>(mostSlots, mostElements / lanes);
  uint64_t most = std::min(std::bit_floor(traits.team.threads), 256u);
  RowOwners owners{.threads = fullTeam, .lanes = lanes, .slots = unsigned(slots)};
  if (known) {
    uint64_t steps = (uint64_t(std::max<int64_t>(*known, 1)) - 1) / lanes + 1;
    uint64_t wanted = std::bit_ceil((steps - 1) / slots + 1);
    owners.threads = std::clamp<uint64_t>(wanted, traits.warpThreads, most);
    owners.slots = std::min(slots, (steps - 1) / owners.threads + 1);
    owners.isLonger = steps > uint64_t(owners.slots) * owners.threads;
  }
  owners.rows = std::max<uint64_t>(1, fullTeam / owners.threads);
  return owners;
}

//===----------------------------------------------------------------------===//
// RowWalk
//===----------------------------------------------------------------------===//

Value RowWalk::begin(KExpr rows, KExpr length) {
  count = k.value(length);
  if (isAlone())
    return k.beginItems(rows);
  KExpr items =
      owners.rows == 1 ? rows : k.exprs().ceilDiv(rows, k.constantExpr(owners.rows));
  Value row = k.beginTeamItems(items, owners.threads * owners.rows);
  walker = k.thread();
  if (owners.rows > 1) {
    Value threads = k.index(owners.threads);
    row = k.add(k.mul(row, k.index(owners.rows)), k.div(walker, threads));
    walker = k.rem(walker, threads);
    isThere = k.less(row, k.value(rows));
    count = arith::SelectOp::create(k.builder(), k.loc(), isThere, count, k.index(0));
  }
  for (unsigned slot = 0; slot < owners.slots; ++slot) {
    Value number = k.add(walker, k.index(int64_t(slot) * owners.threads));
    starts.push_back(k.mul(number, k.index(owners.lanes)));
    areThere.push_back(k.less(starts.back(), count));
  }
  return row;
}

Value RowWalk::identity(hx::ReduceFn fn, Type type) {
  return reduceIdentity(k, fn, type, isAlone() ? 1 : owners.lanes);
}

void RowWalk::forEachBehindSlots(function_ref<void(Value, unsigned)> body) {
  if (isAlone())
    return forEachInRow(k, count, owners.lanes, body);
  if (!owners.isLonger)
    return;
  int64_t step = int64_t(owners.threads) * owners.lanes;
  k.forLoop(k.index(step * owners.slots), count, k.index(step), {},
            [&](Value first, ValueRange) {
              Value i = k.add(first, k.mul(walker, k.index(owners.lanes)));
              k.ifThen(k.less(i, count), [&] { body(i, owners.lanes); });
              return SmallVector<Value>();
            });
}

Value RowWalk::foldBehindSlots(hx::ReduceFn fn, Type type, Value init,
                               function_ref<Value(Value, unsigned)> element) {
  if (isAlone())
    return foldRow(k, fn, type, count, owners.lanes, init, element, owners.ways);
  return walkBehindSlots({init}, [&](Value i, ValueRange carried) {
    Value x = element(i, owners.lanes);
    return Values{emitReduceStep(k, fn, carried[0], x, type)};
  })[0];
}

Value RowWalk::foldShare(hx::ReduceFn fn, Type type, Value init,
                         function_ref<Value(Value, unsigned)> element) {
  if (isAlone())
    return foldBehindSlots(fn, type, init, element);
  return walkShare({init}, [&](Value i, ValueRange carried) {
    Value x = element(i, owners.lanes);
    return Values{emitReduceStep(k, fn, carried[0], x, type)};
  })[0];
}

RowWalk::Values RowWalk::walkBehindSlots(Values init, Body body) {
  if (!owners.isLonger)
    return init;
  int64_t step = int64_t(owners.threads) * owners.lanes;
  auto round = [&](Value first, ValueRange carried) {
    Value i = k.add(first, k.mul(walker, k.index(owners.lanes)));
    return k.ifElse(
        k.less(i, count), carried.getTypes(), [&] { return body(i, carried); },
        [&] { return Values(carried); });
  };
  return k.forLoop(k.index(step * owners.slots), count, k.index(step), init, round);
}

RowWalk::Values RowWalk::walkShare(Values init, Body body) {
  for (unsigned slot = 0; slot < owners.slots; ++slot)
    init = k.ifElse(
        hasSlot(slot), TypeRange(ValueRange(init)),
        [&] { return body(slotStart(slot), init); }, [&] { return init; });
  return walkBehindSlots(std::move(init), body);
}

Value RowWalk::join(hx::ReduceFn fn, Type type, Value share) {
  if (isAlone())
    return share;
  return join(Values{joinLanes(k, fn, type, share)},
              [&](const Values &x, const Values &y) {
                return Values{emitReduceStep(k, fn, x[0], y[0], type)};
              })[0];
}

RowWalk::Values RowWalk::join(Values share, JoinTwo joinTwo) {
  if (isAlone())
    return share;
  return hasWarps() ? joinInWarps(share, joinTwo) : joinInTree(share, joinTwo);
}

RowWalk::Values RowWalk::localFor(const Values &values, unsigned count) {
  Values memory;
  llvm::SmallVector<bool> isTaken(locals.size(), false);
  for (Value value : values) {
    size_t at = 0;
    while (at < locals.size() && (isTaken[at] || locals[at].first != value.getType()))
      ++at;
    if (at == locals.size()) {
      locals.push_back({value.getType(), k.local(count, value.getType())});
      isTaken.push_back(false);
    }
    isTaken[at] = true;
    memory.push_back(locals[at].second);
  }
  return memory;
}

static SmallVector<Value> loadAll(KernelBuilder &k, ArrayRef<Value> memory, Value at) {
  SmallVector<Value> values;
  for (Value each : memory)
    values.push_back(memref::LoadOp::create(k.builder(), k.loc(), each, ValueRange(at)));
  return values;
}

static void storeAll(KernelBuilder &k, ArrayRef<Value> values, ArrayRef<Value> memory,
                     Value at) {
  for (auto [value, each] : llvm::zip_equal(values, memory))
    memref::StoreOp::create(k.builder(), k.loc(), value, each, ValueRange(at));
}

/// By exchanges inside of warps, then a value of each warp through local memory.
RowWalk::Values RowWalk::joinInWarps(Values share, JoinTwo joinTwo) {
  unsigned warp = k.traits().warpThreads;
  for (unsigned mask = warp / 2; mask > 0; mask /= 2) {
    Values theirs;
    for (Value value : share)
      theirs.push_back(k.exchange(value, mask));
    share = joinTwo(share, theirs);
  }
  if (owners.threads == warp)
    return share;
  Values memory = localFor(share, owners.threads * owners.rows / warp);
  Value thread = k.thread(), number = k.div(thread, k.index(warp));
  k.ifThen(k.less(k.rem(thread, k.index(warp)), k.index(1)),
           [&] { storeAll(k, share, memory, number); });
  k.barrier();
  unsigned warps = owners.threads / warp;
  Value first = k.mul(k.div(thread, k.index(owners.threads)), k.index(warps));
  Values result = loadAll(k, memory, first);
  for (unsigned i = 1; i < warps; ++i)
    result = joinTwo(result, loadAll(k, memory, k.add(first, k.index(i))));
  k.barrier(); // the next join stores there
  return result;
}

RowWalk::Values RowWalk::joinInTree(Values share, JoinTwo joinTwo) {
  OpBuilder &b = k.builder();
  Values memory = localFor(share, owners.threads);
  Value thread = k.thread();
  storeAll(k, share, memory, thread);
  k.barrier();
  Value rounds = k.index(std::countr_zero(owners.threads)),
        half = k.index(owners.threads / 2);
  k.forLoop(k.index(0), rounds, k.index(1), {}, [&](Value round, ValueRange) {
    Value width = arith::ShRUIOp::create(b, k.loc(), half, round);
    k.ifThen(k.less(thread, width), [&] {
      Values mine = loadAll(k, memory, thread),
             theirs = loadAll(k, memory, k.add(thread, width));
      storeAll(k, joinTwo(mine, theirs), memory, thread);
    });
    k.barrier();
    return SmallVector<Value>();
  });
  Values result = loadAll(k, memory, k.index(0));
  k.barrier(); // the next join stores there
  return result;
}

void RowWalk::once(function_ref<void()> body) {
  if (isAlone())
    return body();
  Value isFirst = k.less(walker, k.index(1));
  if (isThere)
    isFirst = arith::AndIOp::create(k.builder(), k.loc(), isFirst, isThere);
  k.ifThen(isFirst, body);
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
