//===- BlockByBlock.cpp - attention on cores with vectors and caches ----------------===//
//
// An item owns 96 rows of queries and walks the keys 256 at a time. In its thread's
// workspace lie
//
//   keys     [256 / width][features][width]  a block in panels, zeros behind the last
//   weights  [tile rows][256 + 16]           a tile's scores, then what exp makes of them
//   sums     [96][value features]            the item's results so far
//   largest, total  [96]                     of each of its rows
//
// Where that lies and who owns which rows is the same for all archs of a target.
//
// For every block, tiles of rows go through three steps, all in the first-level cache:
// products with the keys in registers, as of packed matrices; row by row f, the largest
// and exp, in vectors; and the products with the values, added to the sums.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/attention/AttentionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <bit>

using namespace mlir;

namespace hexin::codegen {
namespace {

class BlockByBlock : AttentionEmitter {
public:
  explicit BlockByBlock(ElementEmitter &emitter)
      : AttentionEmitter(emitter), tileRows(std::min(k.traits().tileRows, mostTileRows)),
        lanes(k.traits().vectorLanes), width(lanes * k.traits().tileVectors) {}

  LogicalResult run() {
    Value result = parts.output.getResult();
    SmallVector<KExpr> sizes = emitter.sizes(result);
    numQueries = sizes[sizes.size() - 2];
    features = lastSize(parts.scores.getLhs());
    valueFeatures = lastSize(result);
    weighedLanes = lanesOfWeighed();
    SmallVector<KExpr> space(ArrayRef(sizes).drop_back());
    space.back() = k.exprs().ceilDiv(numQueries, k.constantExpr(itemRows));
    placeInWorkspace();
    Value item = k.beginItems(k.exprs().product(space));
    batch = k.delinearize(item, space);
    firstQuery = k.mul(batch.pop_back_val(), k.index(itemRows));
    Value rows = k.min(k.index(itemRows), k.sub(k.value(numQueries), firstQuery));
    clear();
    forEach(k.index(0), k.value(numKeys), blockKeys, [&](Value firstKey) {
      Value count = k.min(k.index(blockKeys), k.sub(k.value(numKeys), firstKey));
      packKeys(firstKey, count);
      forEach(k.index(0), rows, tileRows, [&](Value row) {
        multiplyKeys(row, count);
        Value inTile = k.min(k.index(tileRows), k.sub(rows, row));
        forEach(k.index(0), inTile, 1, [&](Value r) { weigh(row, r, firstKey, count); });
        multiplyValues(row, firstKey, count);
      });
    });
    forEach(k.index(0), rows, 1, [&](Value row) { write(row); });
    return success();
  }

private:
  static constexpr int64_t blockKeys = 256;
  static constexpr int64_t itemRows = 96; ///< tiles of 4, 6, 8, 12
  static constexpr unsigned mostTileRows = 12, widestVector = 16;
  static constexpr int64_t unrolled = 4; ///< steps, whose addresses differ by constants

  using Values = SmallVector<Value>;

  void placeInWorkspace() {
    // Not a multiple of 4 KiB apart, so that rows do not share lines of the cache.
    constexpr int64_t numRows = itemRows + mostTileRows; // the last tile may be longer
    weightPitch = blockKeys + widestVector;
    sumPitch = llvm::alignTo(valueFeatures, widestVector);
    weightsAt = blockKeys * features;
    sumsAt = weightsAt + mostTileRows * weightPitch;
    largestAt = sumsAt + numRows * sumPitch;
    totalAt = largestAt + numRows;
    memory = k.workspace(k.constantExpr(totalAt + numRows));
  }
  unsigned lanesOfWeighed() {
    emitter.provide(parts.seen, [](ArrayRef<Value>, unsigned) { return Value(); });
    return std::min(lanes, emitter.lanesOf(parts.softmax.getInput()));
  }

  void forEach(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
    k.forLoop(from, to, k.index(step), {}, [&](Value i, ValueRange) {
      body(i);
      return Values();
    });
  }
  Value get(Value at, unsigned width) { return k.load(memory, at, width, f32); }
  void put(Value at, Value value) { k.store(memory, at, value, f32); }
  Value at(int64_t first, Value row, int64_t pitch, Value column) {
    return k.add(k.add(k.index(first), k.mul(row, k.index(pitch))), column);
  }

  void clear() {
    forEach(k.index(0), k.index(itemRows * sumPitch), lanes, [&](Value i) {
      put(k.add(k.index(sumsAt), i), k.floatConstant(0, f32, lanes));
    });
    forEach(k.index(0), k.index(itemRows), 1, [&](Value row) {
      put(k.add(k.index(largestAt), row), lowest);
      put(k.add(k.index(totalAt), row), zero);
    });
  }

  /// `count` neighbours from [row, column] on of a product's right-hand side.
  Value read(hx::MatMulOp product, Value row, Value column, unsigned count) {
    return emitter.emit(product.getRhs(), with(batch, row, column), count);
  }

  void packKeys(Value firstKey, Value count) {
    bool isTransposed = parts.scores.getTransposeRhs();
    forEach(k.index(0), count, width, [&](Value column) {
      Value panel = k.mul(column, k.index(features));
      Value isWhole = k.less(k.add(column, k.index(width - 1)), count);
      forEach(k.index(0), k.index(features), 1, [&](Value feature) {
        Value to = k.add(panel, k.mul(feature, k.index(width)));
        Value from = k.add(firstKey, column);
        auto whole = [&] {
          for (unsigned v = 0; v < width; v += lanes)
            put(k.add(to, k.index(v)),
                read(parts.scores, feature, k.add(from, k.index(v)), lanes));
          return Values();
        };
        auto one = [&](Value c) {
          auto there = [&] {
            Value key = k.add(from, c);
            return Values{isTransposed ? read(parts.scores, key, feature, 1)
                                       : read(parts.scores, feature, key, 1)};
          };
          Value isThere = k.less(k.add(column, c), count);
          put(k.add(to, c),
              k.ifElse(isThere, f32, there, [&] { return Values{zero}; })[0]);
        };
        auto oneByOne = [&] {
          forEach(k.index(0), k.index(width), 1, one);
          return Values();
        };
        if (isTransposed)
          oneByOne();
        else
          k.ifElse(isWhole, {}, whole, oneByOne);
      });
    });
  }

  /// sums[r][v] += left(r, i) * right(i)[v] for i in [0, count).
  Values multiply(Value count, bool isWhole, ValueRange init,
                  function_ref<Value(unsigned r, Value i)> left,
                  function_ref<Values(Value i)> right) {
    auto loop = [&](Value from, Value to, int64_t steps, ValueRange init) {
      return k.forLoop(from, to, k.index(steps), init, [&](Value i, ValueRange carried) {
        Values sums(carried);
        for (int64_t step = 0; step < steps; ++step) {
          Values columns = right(k.add(i, k.index(step)));
          for (unsigned r = 0; r < tileRows; ++r) {
            Value x = left(r, k.add(i, k.index(step)));
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
    if (isWhole)
      return loop(k.index(0), count, unrolled, init);
    Value whole = k.sub(count, k.rem(count, k.index(unrolled)));
    return loop(whole, count, 1, loop(k.index(0), whole, unrolled, init));
  }

  /// Products of the tile's rows from `row` on with the block's keys.
  void multiplyKeys(Value row, Value count) {
    Values queries;
    Value last = k.sub(k.value(numQueries), k.index(1)); // again, where there are no more
    for (unsigned r = 0; r < tileRows; ++r)
      queries.push_back(k.min(k.add(k.add(firstQuery, row), k.index(r)), last));
    Values zeros(tileRows * (width / lanes), k.floatConstant(0, f32, lanes));
    forEach(k.index(0), count, width, [&](Value column) {
      Value panel = k.mul(column, k.index(features));
      auto left = [&](unsigned r, Value i) {
        return emitter.emit(parts.scores.getLhs(), with(batch, queries[r], i), 1);
      };
      auto right = [&](Value i) {
        Values vectors;
        for (unsigned v = 0; v < width; v += lanes)
          vectors.push_back(
              get(k.add(k.add(panel, k.mul(i, k.index(width))), k.index(v)), lanes));
        return vectors;
      };
      Values sums =
          multiply(k.index(features), features % unrolled == 0, zeros, left, right);
      for (auto [i, sum] : llvm::enumerate(sums)) {
        int64_t r = i / (width / lanes), v = i % (width / lanes) * lanes;
        put(at(weightsAt + v, k.index(r), weightPitch, column), sum);
      }
    });
  }

  /// The weights of a row's products; rescales what there is of its sums.
  void weigh(Value firstRow, Value rowInTile, Value firstKey, Value count) {
    Value row = k.add(firstRow, rowInTile);
    Values seen = seenRow(batch, k.add(firstQuery, row));
    auto scoreAt = [&](Value t) { return at(weightsAt, rowInTile, weightPitch, t); };
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
    Value total = foldRow(k, hx::ReduceFn::sum, f32, end, lanes, zero,
                          [&](Value t, unsigned width) {
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

  /// Columns of the result in vectors: body(first, lanes, how many), all that are whole,
  /// then shorter ones.
  void forEachColumns(unsigned most,
                      function_ref<void(unsigned, unsigned, unsigned)> body) {
    for (unsigned first = 0; first < valueFeatures;) {
      unsigned left = valueFeatures - first;
      unsigned perVector = left < lanes ? std::bit_floor(left) : lanes;
      unsigned count = std::min(most, left / perVector);
      body(first, perVector, count);
      first += perVector * count;
    }
  }

  /// Adds the tile's weights times the block's values.
  void multiplyValues(Value row, Value firstKey, Value count) {
    forEachColumns(width / lanes, [&](unsigned first, unsigned perVector, unsigned num) {
      auto sumAt = [&](unsigned i) {
        Value column = k.index(first + i % num * perVector);
        return at(sumsAt, k.add(row, k.index(i / num)), sumPitch, column);
      };
      Values init;
      for (unsigned i = 0; i < tileRows * num; ++i)
        init.push_back(get(sumAt(i), perVector));
      auto left = [&](unsigned r, Value t) {
        return get(at(weightsAt, k.index(r), weightPitch, t), 1);
      };
      auto right = [&](Value t) {
        Values vectors;
        for (unsigned v = 0; v < num; ++v)
          vectors.push_back(read(parts.output, k.add(firstKey, t),
                                 k.index(first + v * perVector), perVector));
        return vectors;
      };
      Values sums = multiply(count, /*isWhole=*/false, init, left, right);
      for (auto [i, sum] : llvm::enumerate(sums))
        put(sumAt(i), sum);
    });
  }

  void write(Value row) {
    Value query = k.add(firstQuery, row);
    Values seen = seenRow(batch, query);
    Value factor = inverse(get(k.add(k.index(totalAt), row), 1));
    forEachColumns(/*most=*/1, [&](unsigned first, unsigned perVector, unsigned) {
      Value sum = get(at(sumsAt, row, sumPitch, k.index(first)), perVector);
      Value value = op<arith::MulFOp>(sum, k.splat(factor, perVector));
      emitter.store(0, with(batch, query, k.index(first)), shown(seen, value));
    });
  }

  unsigned tileRows, lanes, width; ///< width: of a panel and of a register tile
  KExpr numQueries;
  unsigned features = 0, valueFeatures = 0;
  unsigned weighedLanes = 1; ///< that f takes at once
  int64_t weightPitch = 0, sumPitch = 0;
  int64_t weightsAt = 0, sumsAt = 0, largestAt = 0, totalAt = 0;
  Value memory; ///< the workspace
  SmallVector<Value> batch;
  Value firstQuery;
};

} // namespace

bool takesAttentionByBlocks(const CodegenTraits &traits) {
  return traits.workspaces && !traits.itemPerElement;
}

LogicalResult emitAttentionByBlocks(ElementEmitter &emitter) {
  return BlockByBlock(emitter).run();
}

} // namespace hexin::codegen
