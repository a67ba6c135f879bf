#include "compiler/codegen/schedules/attention/BlockEmitter.h"

#include "compiler/codegen/schedules/RowLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <bit>

using namespace mlir;

namespace hexin::codegen {

BlockEmitter::BlockEmitter(ElementEmitter &emitter)
    : AttentionEmitter(emitter), lanes(k.traits().vectorLanes),
      features(lastSize(parts.scores.getLhs())),
      valueFeatures(lastSize(parts.output.getResult())) {
  SmallVector<KExpr> sizes = emitter.sizes(parts.output.getResult());
  numQueries = sizes[sizes.size() - 2];
  emitter.provide(parts.seen, [](ArrayRef<Value>, unsigned) { return Value(); });
  weighedLanes = std::min(lanes, emitter.lanesOf(parts.softmax.getInput()));
}

void BlockEmitter::placeInWorkspace() {
  constexpr int64_t mostTileRows = 12, widestVector = 16;
  constexpr int64_t numRows = itemRows + mostTileRows; // the last tile may be longer
  // Not a multiple of 4 KiB apart, so that rows do not share lines of the cache.
  weightPitch = blockKeys + widestVector;
  sumPitch = llvm::alignTo(valueFeatures, widestVector);
  weightsAt = blockKeys * features;
  sumsAt = weightsAt + mostTileRows * weightPitch;
  largestAt = sumsAt + numRows * sumPitch;
  totalAt = largestAt + numRows;
  memory = k.workspace(k.constantExpr(totalAt + numRows));
}

void BlockEmitter::begin() {
  SmallVector<KExpr> space = emitter.sizes(parts.output.getResult());
  space.pop_back();
  space.back() = k.exprs().ceilDiv(numQueries, k.constantExpr(itemRows));
  placeInWorkspace();
  Value item = k.beginItems(k.exprs().product(space));
  batch = k.delinearize(item, space);
  firstQuery = k.mul(batch.pop_back_val(), k.index(itemRows));
  rows = k.min(k.index(itemRows), k.sub(k.value(numQueries), firstQuery));
  forEach(k.index(0), k.mul(rows, k.index(sumPitch)), lanes, [&](Value i) {
    put(k.add(k.index(sumsAt), i), k.floatConstant(0, f32, lanes));
  });
  forEach(k.index(0), rows, 1, [&](Value row) {
    put(k.add(k.index(largestAt), row), lowest);
    put(k.add(k.index(totalAt), row), zero);
  });
}

void BlockEmitter::forEach(Value from, Value to, int64_t step,
                           function_ref<void(Value)> body) {
  k.forLoop(from, to, k.index(step), {}, [&](Value i, ValueRange) {
    body(i);
    return Values();
  });
}

void BlockEmitter::forEachBlock(function_ref<void(Value, Value)> body) {
  forEach(k.index(0), k.value(numKeys), blockKeys, [&](Value firstKey) {
    body(firstKey, k.min(k.index(blockKeys), k.sub(k.value(numKeys), firstKey)));
  });
}

BlockEmitter::Values BlockEmitter::multiply(unsigned rows, Value count, ValueRange init,
                                            function_ref<Value(unsigned, Value)> left,
                                            function_ref<Values(Value)> right) {
  auto loop = [&](Value from, Value to, int64_t steps, ValueRange init) {
    return k.forLoop(from, to, k.index(steps), init, [&](Value i, ValueRange carried) {
      Values sums(carried);
      for (int64_t step = 0; step < steps; ++step) {
        Value at = k.add(i, k.index(step));
        Values columns = right(at);
        for (unsigned r = 0; r < rows; ++r) {
          Value x = left(r, at);
          for (auto [v, y] : llvm::enumerate(columns)) {
            Value &sum = sums[r * columns.size() + v];
            auto vector = dyn_cast<VectorType>(y.getType());
            sum = multiplyAdd(k.splat(x, vector ? vector.getNumElements() : 1), y, sum);
          }
        }
      }
      return sums;
    });
  };
  constexpr int64_t unrolled = 4; // steps, whose addresses differ by constants
  Value whole = k.sub(count, k.rem(count, k.index(unrolled)));
  return loop(whole, count, 1, loop(k.index(0), whole, unrolled, init));
}

void BlockEmitter::weigh(Value row, Value inTile, Value firstKey, Value count) {
  Values seen = seenRow(batch, k.add(firstQuery, row));
  auto scoreAt = [&](Value t) { return weightAt(inTile, t); };
  Value older = get(k.add(k.index(largestAt), row), 1);
  Value largest = foldRow(k, hx::ReduceFn::max, f32, count, weighedLanes, older,
                          [&](Value t, unsigned width) {
                            Value s = weighed(seen, k.add(firstKey, t),
                                              get(scoreAt(t), width), width);
                            put(scoreAt(t), s);
                            return s;
                          });
  put(k.add(k.index(largestAt), row), largest);
  Value end =
      k.mul(k.div(k.add(count, k.index(lanes - 1)), k.index(lanes)), k.index(lanes));
  forEach(count, end, 1, [&](Value t) { put(scoreAt(t), lowest); });
  Value base = baseOf(largest), scale = exp(op<arith::SubFOp>(older, base));
  Value total =
      foldRow(k, hx::ReduceFn::sum, f32, end, lanes, zero, [&](Value t, unsigned width) {
        Value s = get(scoreAt(t), width);
        Value e = exp(op<arith::SubFOp>(s, k.splat(base, width)));
        put(scoreAt(t), e);
        return e;
      });
  Value totalOfRow = k.add(k.index(totalAt), row);
  put(totalOfRow, multiplyAdd(get(totalOfRow, 1), scale, total));
  forEach(k.index(0), k.index(sumPitch), lanes, [&](Value j) {
    Value sum = at(sumsAt, row, sumPitch, j);
    put(sum, op<arith::MulFOp>(get(sum, lanes), k.splat(scale, lanes)));
  });
}

void BlockEmitter::forEachColumns(unsigned most,
                                  function_ref<void(unsigned, unsigned, unsigned)> body) {
  for (unsigned first = 0; first < valueFeatures;) {
    unsigned left = valueFeatures - first;
    unsigned perVector = left < lanes ? std::bit_floor(left) : lanes;
    unsigned count = std::min(most, left / perVector);
    body(first, perVector, count);
    first += perVector * count;
  }
}

void BlockEmitter::multiplyValues(Tile tile, Value row, Value firstKey, Value count) {
  forEachColumns(tile.vectors, [&](unsigned first, unsigned perVector, unsigned num) {
    auto sumAt = [&](unsigned i) {
      Value column = k.index(first + i % num * perVector);
      return at(sumsAt, k.add(row, k.index(i / num)), sumPitch, column);
    };
    Values init;
    for (unsigned i = 0; i < tile.rows * num; ++i)
      init.push_back(get(sumAt(i), perVector));
    auto left = [&](unsigned r, Value t) { return get(weightAt(k.index(r), t), 1); };
    auto right = [&](Value t) {
      Values vectors;
      for (unsigned v = 0; v < num; ++v)
        vectors.push_back(read(parts.output, k.add(firstKey, t),
                               k.index(first + v * perVector), perVector));
      return vectors;
    };
    Values sums = multiply(tile.rows, count, init, left, right);
    for (auto [i, sum] : llvm::enumerate(sums))
      put(sumAt(i), sum);
  });
}

void BlockEmitter::write(Value row) {
  Value query = k.add(firstQuery, row);
  Values seen = seenRow(batch, query);
  Value factor = inverse(get(k.add(k.index(totalAt), row), 1));
  forEachColumns(/*most=*/1, [&](unsigned first, unsigned perVector, unsigned) {
    Value sum = get(at(sumsAt, row, sumPitch, k.index(first)), perVector);
    Value value = op<arith::MulFOp>(sum, k.splat(factor, perVector));
    emitter.store(0, with(batch, query, k.index(first)), shown(seen, value));
  });
}

} // namespace hexin::codegen
