//===- TileByTile.cpp - attention by teams, in f32 ---------------------------------===//
//
// A team owns 32 rows of queries and walks the keys 32 at a time. 8 of its threads in a
// row, which are of one warp (16 where a row of results is long), share two rows: each
// has 4 of a row's 32 scores, and of every 32 features of its result 4 neighbours. Q, K
// and V come through local memory, 128 features at a time; V takes the place of K, so
// that it all fits 48 KiB.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/attention/AttentionEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class TileByTile : AttentionEmitter {
public:
  explicit TileByTile(ElementEmitter &emitter) : AttentionEmitter(emitter) {}

  LogicalResult run() {
    Value result = parts.output.getResult();
    SmallVector<KExpr> sizes = emitter.sizes(result);
    numQueries = sizes[sizes.size() - 2];
    features = lastSize(parts.scores.getLhs());
    valueFeatures = lastSize(result);
    across = valueFeatures > mostInSlice ? 16 : 8;
    scoresEach = tile / across;
    threads = tile / rowsEach * across;
    SmallVector<KExpr> space(ArrayRef(sizes).drop_back());
    space.back() = k.exprs().ceilDiv(numQueries, k.constantExpr(tile));
    Value item = k.beginTeamItems(k.exprs().product(space), threads);
    batch = k.delinearize(item, space);
    firstQuery = k.mul(batch.pop_back_val(), k.index(tile));
    ownRow = k.mul(k.div(k.thread(), k.index(across)), k.index(rowsEach));
    ownColumn = k.rem(k.thread(), k.index(across));
    for (unsigned row = 0; row < rowsEach; ++row)
      seen.push_back(seenRow(batch, k.add(firstQuery, k.add(ownRow, k.index(row)))));

    pitch = std::min(padded(features), mostInSlice) + lanes;
    valuePitch = std::min(paddedValues(), mostInSlice);
    queries = k.local(tile * pitch, f32);
    keys = k.local(tile * std::max(pitch, valuePitch), f32);
    weights = k.local(tile * weightPitch, f32);
    if (features <= mostInSlice)
      loadQueries(k.index(0));
    write(walkKeys());
    k.barrier(); // the next item stores to local memory
    return success();
  }

private:
  static constexpr unsigned tile = 32, rowsEach = 2, lanes = 4, mostInSlice = 128;
  static constexpr unsigned weightPitch = tile + lanes;

  static unsigned padded(unsigned count) { return (count + lanes - 1) / lanes * lanes; }
  unsigned paddedValues() const {
    return (valueFeatures + across * lanes - 1) / (across * lanes) * (across * lanes);
  }
  /// Vectors of a row's result that a thread sums.
  unsigned vectorsEach() const { return paddedValues() / (across * lanes); }
  VectorType vectorType() { return VectorType::get({lanes}, f32); }

  Value loadVector(Value memory, Value at) {
    return vector::LoadOp::create(b, loc, vectorType(), memory, ValueRange(at),
                                  /*nontemporal=*/false, llvm::Align(16));
  }

  /// A part of a matrix: rows from `firstRow` on, of which there are `rows`, and columns
  /// from `firstColumn` on, of which there are `columns`.
  struct Slice {
    Value matrix;
    bool isTransposed;
    Value firstRow, firstColumn;
    KExpr rows;
    unsigned columns;
  };
  void loadQueries(Value firstFeature) {
    loadTile(
        {parts.scores.getLhs(), false, firstQuery, firstFeature, numQueries, features},
        pitch - lanes, queries, pitch);
  }

  /// 32 rows of `part`, `columns` of each, into `memory`; 0 behind its last row and
  /// column.
  void loadTile(const Slice &part, unsigned columns, Value memory, unsigned pitch) {
    bool isTransposed = part.isTransposed;
    bool inVectors =
        !isTransposed && part.columns % lanes == 0 && k.traits().vectorLanes >= lanes;
    unsigned width = inVectors ? lanes : 1, perRow = columns / width;
    Value nothing = k.floatConstant(0, f32, width);
    auto body = [&](Value number, ValueRange) {
      // Neighbours in memory to neighbouring threads.
      Value by = k.index(isTransposed ? tile : perRow);
      Value row = k.div(number, by), column = k.rem(number, by);
      if (isTransposed)
        std::swap(row, column);
      column = k.mul(column, k.index(width));
      Value source = k.add(part.firstRow, row), isThere = inRange(source, part.rows);
      Value sourceColumn = k.add(part.firstColumn, column);
      if (part.columns % columns != 0)
        isThere = arith::AndIOp::create(b, loc, isThere,
                                        k.less(sourceColumn, k.index(part.columns)));
      auto read = [&] {
        SmallVector<Value> at = isTransposed ? with(batch, sourceColumn, source)
                                             : with(batch, source, sourceColumn);
        return SmallVector<Value>{emitter.emit(part.matrix, at, width)};
      };
      auto pad = [&] { return SmallVector<Value>{nothing}; };
      Value x = k.ifElse(isThere, nothing.getType(), read, pad)[0];
      Value to = k.add(k.mul(row, k.index(pitch)), column);
      if (inVectors)
        vector::StoreOp::create(b, loc, x, memory, ValueRange(to),
                                /*nontemporal=*/false, llvm::Align(16));
      else
        memref::StoreOp::create(b, loc, x, memory, ValueRange(to));
      return SmallVector<Value>();
    };
    k.forLoop(k.thread(), k.index(tile * perRow), k.index(threads), {}, body);
  }

  /// Per row of the thread: the largest score, the thread's share of the weights' sum,
  /// then the vectors of its result.
  SmallVector<Value> walkKeys() {
    SmallVector<Value> init;
    for (unsigned row = 0; row < rowsEach; ++row) {
      init.append({lowest, zero});
      init.append(vectorsEach(), k.floatConstant(0, f32, lanes));
    }
    size_t perRow = 2 + vectorsEach();
    auto step = [&](Value first, ValueRange carried) {
      SmallVector<Value> products = scores(first), next(carried);
      for (unsigned row = 0; row < rowsEach; ++row)
        weigh(row, first, MutableArrayRef(products).slice(row * scoresEach, scoresEach),
              MutableArrayRef(next).slice(row * perRow, perRow));
      for (unsigned column = 0; column < paddedValues(); column += mostInSlice) {
        k.barrier();
        unsigned count = std::min(paddedValues() - column, mostInSlice);
        loadTile({parts.output.getRhs(), false, first, k.index(column), numKeys,
                  valueFeatures},
                 count, keys, valuePitch);
        k.barrier();
        sumValues(next, perRow, column, count);
      }
      k.barrier();
      return next;
    };
    return k.forLoop(k.index(0), k.value(numKeys), k.index(tile), init, step);
  }

  /// The thread's products of queries and the keys from `first` on, row by row.
  SmallVector<Value> scores(Value first) {
    SmallVector<Value> zeros(rowsEach * scoresEach, zero);
    auto step = [&](Value feature, ValueRange carried) {
      if (features > mostInSlice)
        loadQueries(feature);
      loadTile({parts.scores.getRhs(), !parts.scores.getTransposeRhs(), first, feature,
                numKeys, features},
               pitch - lanes, keys, pitch);
      k.barrier();
      SmallVector<Value> sums = multiplyTile(carried);
      if (features > mostInSlice)
        k.barrier();
      return sums;
    };
    if (features <= mostInSlice)
      return step(k.index(0), zeros);
    return k.forLoop(k.index(0), k.index(features), k.index(mostInSlice), zeros, step);
  }

  SmallVector<Value> multiplyTile(ValueRange init) {
    auto step = [&](Value d, ValueRange carried) {
      SmallVector<Value> sums(carried), rows, columns;
      for (unsigned row = 0; row < rowsEach; ++row)
        rows.push_back(loadVector(queries, at(k.add(ownRow, k.index(row)), pitch, d)));
      for (unsigned i = 0; i < scoresEach; ++i)
        columns.push_back(
            loadVector(keys, at(k.add(ownColumn, k.index(i * across)), pitch, d)));
      for (unsigned l = 0; l < lanes; ++l)
        for (unsigned row = 0; row < rowsEach; ++row)
          for (unsigned i = 0; i < scoresEach; ++i) {
            Value &sum = sums[row * scoresEach + i];
            sum = multiplyAdd(element(rows[row], l), element(columns[i], l), sum);
          }
      return sums;
    };
    return k.forLoop(k.index(0), k.index(pitch - lanes), k.index(lanes), init, step);
  }

  /// The weights of one row's products into local memory; rescales the row's sums.
  void weigh(unsigned row, Value firstKey, MutableArrayRef<Value> products,
             MutableArrayRef<Value> sums) {
    Value local = k.add(ownRow, k.index(row)), query = k.add(firstQuery, local);
    Value largest = sums[0];
    for (auto [i, product] : llvm::enumerate(products)) {
      Value key = k.add(firstKey, k.add(ownColumn, k.index(i * across)));
      Value isThere = arith::AndIOp::create(b, loc, inRange(query, numQueries),
                                            inRange(key, numKeys));
      auto emit = [&] { return SmallVector<Value>{weighed(seen[row], key, product)}; };
      product =
          k.ifElse(isThere, f32, emit, [&] { return SmallVector<Value>{lowest}; })[0];
      largest = op<arith::MaximumFOp>(largest, product);
    }
    largest = acrossThreads<arith::MaximumFOp>(largest, across);
    Value base = baseOf(largest), older = exp(op<arith::SubFOp>(sums[0], base));
    sums[0] = largest;
    sums[1] = op<arith::MulFOp>(sums[1], older);
    for (auto [i, product] : llvm::enumerate(products)) {
      Value weight = exp(op<arith::SubFOp>(product, base));
      sums[1] = op<arith::AddFOp>(sums[1], weight);
      Value to = at(local, weightPitch, k.add(ownColumn, k.index(i * across)));
      memref::StoreOp::create(b, loc, weight, weights, ValueRange(to));
    }
    for (Value &sum : sums.drop_front(2))
      sum = op<arith::MulFOp>(sum, k.splat(older, lanes));
  }

  /// Adds the tile's weights times its values, of `columns` from `firstColumn` on.
  void sumValues(SmallVectorImpl<Value> &all, size_t perRow, unsigned firstColumn,
                 unsigned columns) {
    unsigned vectors = columns / (across * lanes);
    auto sumsOf = [&](SmallVectorImpl<Value> &list, unsigned row) {
      size_t first = row * perRow + 2 + firstColumn / (across * lanes);
      return MutableArrayRef(list).slice(first, vectors);
    };
    auto step = [&](Value t, ValueRange carried) {
      SmallVector<Value> next(carried), rows;
      for (unsigned row = 0; row < rowsEach; ++row)
        rows.push_back(
            loadVector(weights, at(k.add(ownRow, k.index(row)), weightPitch, t)));
      for (unsigned l = 0; l < lanes; ++l)
        for (unsigned j = 0; j < vectors; ++j) {
          Value column =
              k.add(k.mul(ownColumn, k.index(lanes)), k.index(j * across * lanes));
          Value x = loadVector(keys, at(k.add(t, k.index(l)), valuePitch, column));
          for (unsigned row = 0; row < rowsEach; ++row) {
            Value &sum = sumsOf(next, row)[j];
            sum = multiplyAdd(k.splat(element(rows[row], l), lanes), x, sum);
          }
        }
      return next;
    };
    all = k.forLoop(k.index(0), k.index(tile), k.index(lanes), all, step);
  }

  void write(MutableArrayRef<Value> sums) {
    size_t perRow = 2 + vectorsEach();
    bool inVectors = valueFeatures % lanes == 0 && k.traits().vectorLanes >= lanes;
    for (unsigned row = 0; row < rowsEach; ++row) {
      Value total = acrossThreads<arith::AddFOp>(sums[row * perRow + 1], across);
      Value factor = k.splat(inverse(total), lanes);
      Value query = k.add(firstQuery, k.add(ownRow, k.index(row)));
      k.ifThen(inRange(query, numQueries), [&] {
        for (unsigned j = 0; j < vectorsEach(); ++j)
          writeVector(row, query, j,
                      op<arith::MulFOp>(sums[row * perRow + 2 + j], factor), inVectors);
      });
    }
  }

  void writeVector(unsigned row, Value query, unsigned j, Value value, bool inVectors) {
    Value first = k.add(k.mul(ownColumn, k.index(lanes)), k.index(j * across * lanes));
    for (unsigned l = 0; l < (inVectors ? 1 : lanes); ++l) {
      Value column = k.add(first, k.index(l));
      k.ifThen(k.less(column, k.index(valueFeatures)), [&] {
        SmallVector<Value> index = with(batch, query, column);
        emitter.store(0, index, shown(seen[row], inVectors ? value : element(value, l)));
      });
    }
  }

  KExpr numQueries;
  unsigned features = 0, valueFeatures = 0;
  unsigned across = 0, scoresEach = 0; ///< threads that share a row; its scores in each
  unsigned threads = 0;
  unsigned pitch = 0, valuePitch = 0; ///< of rows in local memory
  SmallVector<Value> batch;
  SmallVector<SmallVector<Value>> seen; ///< the thread's rows as f sees them
  Value firstQuery;                     ///< of the team's tile
  Value ownRow, ownColumn;      ///< in the tile: the thread's first row, its first score
  Value queries, keys, weights; ///< local memory; keys, then values
};

} // namespace

LogicalResult emitAttentionByTiles(ElementEmitter &emitter) {
  return TileByTile(emitter).run();
}

} // namespace hexin::codegen
