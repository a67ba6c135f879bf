//===- BlockByBlock.cpp - attention on cores with vectors and caches ----------------===//
//
// For every block of keys (BlockEmitter.h), tiles of rows go through three steps, all in
// the first-level cache: products with the packed keys in registers, as of packed
// matrices; row by row f, the largest and exp, in vectors; and the products with the
// values, added to the sums.
//
// Where queries are few (a decoder's), packing would take longer than it saves: their
// rows go one by one over the keys as they lie in memory, which is what they wait for.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/attention/BlockEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class BlockByBlock : BlockEmitter {
public:
  explicit BlockByBlock(ElementEmitter &emitter)
      : BlockEmitter(emitter), tile{k.traits().tileRows, k.traits().tileVectors},
        width(lanes * tile.vectors), isTransposed(parts.scores.getTransposeRhs()) {}

  LogicalResult run() {
    constexpr int64_t few = 4;
    begin();
    auto byTiles = [&] {
      walkByTiles();
      return Values();
    };
    auto byRows = [&] {
      forEach(k.index(0), rows, 1, [&](Value row) { walkByRow(row); });
      return Values();
    };
    if (std::optional<int64_t> known = knownQueries())
      *known < few ? byRows() : byTiles();
    else
      k.ifElse(k.less(k.value(numQueries), k.index(few)), {}, byRows, byTiles);
    forEach(k.index(0), rows, 1, [&](Value row) { write(row); });
    return success();
  }

private:
  std::optional<int64_t> knownQueries() {
    hx::Dims dims = emitter.dims(parts.output.getResult());
    return hx::SymbolTable::constantValue(dims[dims.size() - 2]);
  }

  //===--------------------------------------------------------------------===//
  // Tiles of rows
  //===--------------------------------------------------------------------===//

  void walkByTiles() {
    forEachBlock([&](Value firstKey, Value count) {
      forEach(k.index(0), count, width,
              [&](Value key) { packPanel(firstKey, key, count); });
      forEach(k.index(0), rows, tile.rows, [&](Value row) {
        multiplyKeys(row, count);
        Value inTile = k.min(k.index(tile.rows), k.sub(rows, row));
        forEach(k.index(0), inTile, 1,
                [&](Value r) { weigh(k.add(row, r), r, firstKey, count); });
        multiplyValues(tile, row, firstKey, count);
      });
    });
  }

  Value panelAt(Value firstKey, Value feature) {
    return k.add(k.mul(firstKey, k.index(features)), k.mul(feature, k.index(width)));
  }

  /// Keys from `key` on; 0 where there are none.
  void packPanel(Value firstKey, Value key, Value count) {
    auto whole = [&] {
      if (isTransposed)
        packTransposed(k.add(firstKey, key), key);
      else
        forEachFeature([&](Value feature) {
          for (unsigned v = 0; v < width; v += lanes) {
            Value from = k.add(k.add(firstKey, key), k.index(v));
            put(k.add(panelAt(key, feature), k.index(v)),
                read(parts.scores, feature, from, lanes));
          }
        });
      return Values();
    };
    auto oneByOne = [&] {
      forEachFeature([&](Value feature) {
        forEach(k.index(0), k.index(width), 1, [&](Value c) {
          Value at = k.add(key, c);
          auto there = [&] { return Values{element(k.add(firstKey, at), feature)}; };
          put(k.add(panelAt(key, feature), c),
              k.ifElse(k.less(at, count), f32, there, [&] { return Values{zero}; })[0]);
        });
      });
      return Values();
    };
    bool hasVectors = !isTransposed || features % lanes == 0;
    if (!hasVectors)
      return void(oneByOne());
    k.ifElse(k.less(k.add(key, k.index(width - 1)), count), {}, whole, oneByOne);
  }
  Value element(Value key, Value feature) {
    return isTransposed ? read(parts.scores, key, feature, 1)
                        : read(parts.scores, feature, key, 1);
  }
  void forEachFeature(function_ref<void(Value)> body) {
    forEach(k.index(0), k.index(features), 1, body);
  }

  /// Squares of as many keys and features as a vector has lanes.
  void packTransposed(Value from, Value panel) {
    forEach(k.index(0), k.index(features), lanes, [&](Value feature) {
      for (unsigned v = 0; v < width; v += lanes) {
        Values square;
        for (unsigned i = 0; i < lanes; ++i)
          square.push_back(
              read(parts.scores, k.add(from, k.index(v + i)), feature, lanes));
        transpose(square);
        for (unsigned i = 0; i < lanes; ++i)
          put(k.add(panelAt(panel, k.add(feature, k.index(i))), k.index(v)), square[i]);
      }
    });
  }
  /// Quarters of squares change places, first the largest.
  void transpose(MutableArrayRef<Value> square) {
    int64_t size = square.size();
    for (int64_t half = size / 2; half > 0; half /= 2)
      for (int64_t i = 0; i < size; ++i) {
        if (i & half)
          continue;
        SmallVector<int64_t> upper, lower;
        for (int64_t lane = 0; lane < size; ++lane) {
          upper.push_back(lane & half ? size + lane - half : lane);
          lower.push_back(lane & half ? size + lane : lane + half);
        }
        Value x = square[i], y = square[i + half];
        square[i] = vector::ShuffleOp::create(b, loc, x, y, upper);
        square[i + half] = vector::ShuffleOp::create(b, loc, x, y, lower);
      }
  }

  /// Products of the tile's rows from `row` on with the block's keys.
  void multiplyKeys(Value row, Value count) {
    Values queries;
    Value last = k.sub(k.value(numQueries), k.index(1)); // again, where there are no more
    for (unsigned r = 0; r < tile.rows; ++r)
      queries.push_back(k.min(k.add(k.add(firstQuery, row), k.index(r)), last));
    Values zeros(tile.rows * tile.vectors, k.floatConstant(0, f32, lanes));
    forEach(k.index(0), count, width, [&](Value key) {
      auto left = [&](unsigned r, Value i) { return query(queries[r], i, 1); };
      auto right = [&](Value i) {
        Values vectors;
        for (unsigned v = 0; v < width; v += lanes)
          vectors.push_back(get(k.add(panelAt(key, i), k.index(v)), lanes));
        return vectors;
      };
      Values sums = multiply(tile.rows, k.index(features), zeros, left, right);
      for (auto [i, sum] : llvm::enumerate(sums)) {
        Value column = k.add(key, k.index(i % tile.vectors * lanes));
        put(weightAt(k.index(i / tile.vectors), column), sum);
      }
    });
  }
  Value query(Value row, Value feature, unsigned count) {
    return emitter.emit(parts.scores.getLhs(), with(batch, row, feature), count);
  }

  //===--------------------------------------------------------------------===//
  // Row by row
  //===--------------------------------------------------------------------===//

  static constexpr unsigned wide = 8; ///< vectors, so that sums hide a latency

  void walkByRow(Value row) {
    Value first = k.index(0);
    forEachBlock([&](Value firstKey, Value count) {
      Value at = k.add(firstQuery, row);
      if (isTransposed)
        multiplyKeyByKey(at, firstKey, k.index(0), count);
      else
        multiplyKeysInRows(at, firstKey, count);
      weigh(row, first, firstKey, count);
      multiplyValues({1, wide}, row, firstKey, count);
    });
  }

  void multiplyKeyByKey(Value row, Value firstKey, Value from, Value to) {
    unsigned width = isTransposed ? lanes : 1; // a key's features side by side
    forEach(from, to, 1, [&](Value key) {
      auto product = [&](Value i, unsigned count) {
        Value at = k.add(firstKey, key);
        Value y = count > 1 ? read(parts.scores, at, i, count) : element(at, i);
        return op<arith::MulFOp>(query(row, i, count), y);
      };
      put(weightAt(k.index(0), key),
          foldRow(k, hx::ReduceFn::sum, f32, k.index(features), width, zero, product));
    });
  }

  /// Keys side by side: as many at a time as there are.
  void multiplyKeysInRows(Value row, Value firstKey, Value count) {
    Value from = k.index(0);
    for (unsigned vectors : {wide, 1u}) {
      Value step = k.index(vectors * lanes);
      Value to = k.mul(k.div(count, step), step);
      forEach(from, to, vectors * lanes, [&](Value key) {
        auto right = [&](Value i) {
          Values row;
          for (unsigned v = 0; v < vectors; ++v)
            row.push_back(read(parts.scores, i,
                               k.add(k.add(firstKey, key), k.index(v * lanes)), lanes));
          return row;
        };
        Values zeros(vectors, k.floatConstant(0, f32, lanes));
        auto left = [&](unsigned, Value i) { return query(row, i, 1); };
        Values sums = multiply(1, k.index(features), zeros, left, right);
        for (auto [v, sum] : llvm::enumerate(sums))
          put(weightAt(k.index(0), k.add(key, k.index(v * lanes))), sum);
      });
      from = to;
    }
    multiplyKeyByKey(row, firstKey, from, count);
  }

  Tile tile;
  unsigned width; ///< of a panel
  bool isTransposed;
};

} // namespace

bool takesAttentionByBlocks(const CodegenTraits &traits) {
  return traits.workspaces && !traits.itemPerElement;
}

LogicalResult emitAttentionByBlocks(ElementEmitter &emitter) {
  return BlockByBlock(emitter).run();
}

} // namespace hexin::codegen
