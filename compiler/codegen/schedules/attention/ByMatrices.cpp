//===- ByMatrices.cpp - attention of halfs, by products of small matrices ----------===//
//
// Each warp of a team owns 16 rows of queries; all walk the same keys, 32 or 16 at a
// time. Long rows of results have two warps, each with half of the columns, which both
// compute the weights: a thread's registers hold no more. Q, K and V come through local
// memory as they stand, products and the softmax are f32 (HalfMatrices.h). The sums of
// the first product are, rounded to halfs after the softmax, the left operand of the
// second one: weights never leave registers.
//
// Of a product's 16 x 8 sums thread t has two rows, t / 4 and t / 4 + 8, which it shares
// with the three threads beside it.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/HalfMatrices.h"
#include "compiler/codegen/schedules/attention/AttentionEmitter.h"
#include "compiler/codegen/schedules/attention/MatrixShape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace hexin::codegen::by_matrices;

namespace hexin::codegen {
namespace {

class ByMatrices : AttentionEmitter {
public:
  explicit ByMatrices(ElementEmitter &emitter)
      : AttentionEmitter(emitter), type(elementType(parts.scores.getLhs())),
        features(lastSize(parts.scores.getLhs())),
        valueFeatures(lastSize(parts.output.getResult())),
        chosen(chooseMatrixShape(k.traits().team, features, valueFeatures)) {}

  bool isPossible() {
    auto isOfType = [&](Value value) { return elementType(value) == type; };
    return k.traits().team.halfMatrices && (type.isF16() || type.isBF16()) && chosen &&
           isOfType(parts.scores.getRhs()) && isOfType(parts.output.getRhs());
  }

  LogicalResult run() {
    shape = *chosen;
    SmallVector<KExpr> sizes = emitter.sizes(parts.output.getResult());
    numQueries = sizes[sizes.size() - 2];
    SmallVector<KExpr> space(ArrayRef(sizes).drop_back());
    space.back() = k.exprs().ceilDiv(numQueries, k.constantExpr(shape.queries()));
    Value item = k.beginTeamItems(k.exprs().product(space), shape.threads());
    batch = k.delinearize(item, space);
    Value firstQuery = k.mul(batch.pop_back_val(), k.index(shape.queries()));
    lane = k.rem(k.thread(), k.index(warpThreads));
    Value warp = k.div(k.thread(), k.index(warpThreads));
    warpRow = k.mul(k.div(warp, k.index(shape.parts())), k.index(matrixRows));
    warpColumn = k.mul(k.rem(warp, k.index(shape.parts())), k.index(shape.columns()));
    for (unsigned half : {0u, 8u}) {
      Value row = k.add(warpRow, k.add(k.div(lane, k.index(4)), k.index(half)));
      rows.push_back(k.add(firstQuery, row));
      seen.push_back(seenRow(batch, rows.back()));
    }
    queries = k.local(shape.queries() * shape.pitch(), type);
    keys = k.local(shape.keyElements(), type);
    values = k.local(shape.tileKeys * shape.valuePitch(), type);
    load({parts.scores.getLhs(), firstQuery, k.value(numQueries), k.index(0),
          k.index(features), features % chunk == 0},
         shape.queries(), shape.features, queries, shape.pitch());
    write(walkKeys());
    k.barrier(); // the next item stores to local memory
    return success();
  }

private:
  /// A part of a matrix: from a row and a column on, of which there are so many.
  struct Source {
    Value matrix;
    Value firstRow, numRows, firstColumn, numColumns;
    bool inChunks; ///< 8 neighbours in a row are inside or outside together
  };

  /// `rows` times `columns` of it into `memory`, 0 behind the last row and column.
  void load(const Source &from, unsigned rows, unsigned columns, Value memory,
            unsigned pitch) {
    unsigned width = from.inChunks ? chunk : 1, perRow = columns / width;
    Value nothing = k.floatConstant(0, f32, width);
    auto body = [&](Value number, ValueRange) {
      Value row = k.div(number, k.index(perRow));
      Value column = k.mul(k.rem(number, k.index(perRow)), k.index(width));
      Value sourceRow = k.add(from.firstRow, row);
      Value sourceColumn = k.add(from.firstColumn, column);
      Value isThere = arith::AndIOp::create(b, loc, k.less(sourceRow, from.numRows),
                                            k.less(sourceColumn, from.numColumns));
      auto read = [&] {
        return SmallVector<Value>{
            emitter.emit(from.matrix, with(batch, sourceRow, sourceColumn), width)};
      };
      auto pad = [&] { return SmallVector<Value>{nothing}; };
      Value x = k.ifElse(isThere, nothing.getType(), read, pad)[0];
      storeLocal(k, memory, k.add(k.mul(row, k.index(pitch)), column),
                 arith::TruncFOp::create(b, loc, withLanes(type, width), x));
      return SmallVector<Value>();
    };
    k.forLoop(k.thread(), k.index(rows * perRow), k.index(shape.threads()), {}, body);
  }

  /// Keys as they stand in memory: key by key, or feature by feature.
  bool areKeysRows() { return parts.scores.getTransposeRhs(); }
  void loadKeys(Value first) {
    Value keyMatrix = parts.scores.getRhs(), start = k.index(0);
    Value count = k.value(numKeys), width = k.index(features);
    if (areKeysRows())
      return load({keyMatrix, first, count, start, width, features % chunk == 0},
                  shape.tileKeys, shape.features, keys, shape.pitch());
    auto size = hx::SymbolTable::constantValue(emitter.dims(keyMatrix).back());
    load({keyMatrix, start, width, first, count, size && *size % chunk == 0},
         shape.features, shape.tileKeys, keys, shape.keyPitch());
  }

  /// Of each of the thread's two rows the largest score, then its share of the weights'
  /// sum; then the matrices of the result.
  SmallVector<Value> walkKeys() {
    SmallVector<Value> init{lowest, lowest, zero, zero};
    init.append(shape.columns() / matrixColumns, k.floatConstant(0, f32, 4));
    auto step = [&](Value first, ValueRange carried) {
      SmallVector<Value> next(carried);
      loadKeys(first);
      load({parts.output.getRhs(), first, k.value(numKeys), k.index(0),
            k.index(valueFeatures), valueFeatures % chunk == 0},
           shape.tileKeys, shape.columns() * shape.parts(), values, shape.valuePitch());
      k.barrier();
      SmallVector<Value> scores = scoreTile();
      weigh(first, scores, next);
      sumValues(scores, MutableArrayRef(next).drop_front(4));
      k.barrier();
      return next;
    };
    return k.forLoop(k.index(0), k.value(numKeys), k.index(shape.tileKeys), init, step);
  }

  Value matrixAt(unsigned pitch) { return codegen::matrixAt(k, lane, pitch); }

  std::array<Value, 2> loadKeyMatrices(unsigned key, unsigned feature) {
    if (areKeysRows())
      return loadRightColumns(
          k, keys,
          k.add(matrixAt(shape.pitch()), k.index(key * shape.pitch() + feature)));
    return loadRightMatrices(
        k, keys,
        k.add(matrixAt(shape.keyPitch()), k.index(feature * shape.keyPitch() + key)));
  }

  /// Products of the warp's queries with the tile's keys, 8 keys a matrix.
  SmallVector<Value> scoreTile() {
    SmallVector<Value> sums(shape.tileKeys / matrixColumns, k.floatConstant(0, f32, 4));
    Value own = k.add(matrixAt(shape.pitch()), k.mul(warpRow, k.index(shape.pitch())));
    for (unsigned d = 0; d < shape.features; d += depth) {
      Value left = loadLeftMatrix(k, queries, k.add(own, k.index(d)));
      for (unsigned key = 0; key < shape.tileKeys; key += 2 * matrixColumns) {
        auto right = loadKeyMatrices(key, d);
        for (unsigned which : {0u, 1u}) {
          Value &sum = sums[key / matrixColumns + which];
          sum = multiplyMatrices(k, type, left, right[which], sum);
        }
      }
    }
    return sums;
  }

  /// Products become weights; what `carried` holds is rescaled to the largest score.
  void weigh(Value firstKey, MutableArrayRef<Value> tile,
             MutableArrayRef<Value> carried) {
    SmallVector<Value> older;
    SmallVector<SmallVector<Value>> weights(tile.size(), SmallVector<Value>(4));
    Value ownKey = k.add(firstKey, k.mul(k.rem(lane, k.index(4)), k.index(2)));
    for (unsigned half : {0u, 1u}) {
      Value largest = carried[half], rowIsThere = inRange(rows[half], numQueries);
      for (auto [i, matrix] : llvm::enumerate(tile))
        for (unsigned which : {0u, 1u}) {
          Value key = k.add(ownKey, k.index(i * matrixColumns + which));
          Value isThere =
              arith::AndIOp::create(b, loc, rowIsThere, inRange(key, numKeys));
          Value product = element(matrix, 2 * half + which);
          auto emit = [&] {
            return SmallVector<Value>{weighed(seen[half], key, product)};
          };
          auto hide = [&] { return SmallVector<Value>{lowest}; };
          Value score = k.ifElse(isThere, f32, emit, hide)[0];
          weights[i][2 * half + which] = score;
          largest = op<arith::MaximumFOp>(largest, score);
        }
      largest = acrossThreads<arith::MaximumFOp>(largest, 4);
      Value base = baseOf(largest), sum = carried[2 + half];
      older.push_back(exp(op<arith::SubFOp>(carried[half], base)));
      sum = op<arith::MulFOp>(sum, older.back());
      for (SmallVector<Value> &matrix : weights)
        for (unsigned which : {0u, 1u}) {
          Value &weight = matrix[2 * half + which];
          weight = exp(op<arith::SubFOp>(weight, base));
          sum = op<arith::AddFOp>(sum, weight);
        }
      carried[half] = largest;
      carried[2 + half] = sum;
    }
    for (auto [matrix, elements] : llvm::zip(tile, weights))
      matrix = vectorOf(elements);
    Value factors = vectorOf({older[0], older[0], older[1], older[1]});
    for (Value &sum : carried.drop_front(4))
      sum = op<arith::MulFOp>(sum, factors);
  }

  /// Adds the weights times the tile's values.
  void sumValues(ArrayRef<Value> weights, MutableArrayRef<Value> sums) {
    Value at = k.add(matrixAt(shape.valuePitch()), warpColumn);
    for (unsigned key = 0; key < shape.tileKeys; key += depth) {
      unsigned first = key / matrixColumns;
      Value left = leftMatrixOf(k, type, weights[first], weights[first + 1]);
      for (unsigned column = 0; column < shape.columns(); column += 2 * matrixColumns) {
        Value from = k.add(at, k.index(key * shape.valuePitch() + column));
        auto right = loadRightMatrices(k, values, from);
        for (unsigned which : {0u, 1u}) {
          Value &sum = sums[column / matrixColumns + which];
          sum = multiplyMatrices(k, type, left, right[which], sum);
        }
      }
    }
  }

  void write(ArrayRef<Value> found) {
    ArrayRef<Value> sums = found.drop_front(4);
    for (unsigned half : {0u, 1u}) {
      Value factor = inverse(acrossThreads<arith::AddFOp>(found[2 + half], 4));
      for (unsigned i = 0; i < sums.size(); i += 2)
        writeRow(half, i * matrixColumns, sums.slice(i, 2), factor);
    }
  }

  /// The thread's row of two matrices side by side. Of its two pairs each thread hands
  /// one to its neighbour and gets what stands beside the other, so that a row's four
  /// threads write 16 columns in a row.
  void writeRow(unsigned half, unsigned firstColumn, ArrayRef<Value> matrices,
                Value factor) {
    Value isOdd = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                        k.rem(lane, k.index(2)), k.index(1));
    auto choose = [&](Value onTrue, Value onFalse) -> Value {
      return arith::SelectOp::create(b, loc, isOdd, onTrue, onFalse);
    };
    SmallVector<Value> kept, gotten;
    for (unsigned which : {0u, 1u}) {
      Value first = element(matrices[0], 2 * half + which),
            second = element(matrices[1], 2 * half + which);
      kept.push_back(op<arith::MulFOp>(choose(second, first), factor));
      Value given = op<arith::MulFOp>(choose(first, second), factor);
      gotten.push_back(k.exchange(given, 1));
    }
    Value own = vectorOf(kept), other = vectorOf(gotten);
    Value row = vector::ShuffleOp::create(b, loc, choose(other, own), choose(own, other),
                                          ArrayRef<int64_t>{0, 1, 2, 3});
    // Four threads have columns 0, 8, 4 and 12 on. (LLVM takes c / 2 + c % 2 * 2 for a
    // reversal of bits.)
    Value inRow = k.rem(lane, k.index(4)), odd = k.rem(lane, k.index(2));
    Value column = k.sub(k.add(inRow, odd), k.div(inRow, k.index(2)));
    column = k.add(k.add(k.mul(column, k.index(4)), warpColumn), k.index(firstColumn));
    bool inVectors = valueFeatures % 4 == 0 && k.traits().vectorLanes >= 4;
    k.ifThen(inRange(rows[half], numQueries), [&] {
      if (inVectors)
        return writeAt(half, column, row);
      for (unsigned i = 0; i < 4; ++i)
        writeAt(half, k.add(column, k.index(i)), element(row, i));
    });
  }
  void writeAt(unsigned half, Value column, Value value) {
    k.ifThen(k.less(column, k.index(valueFeatures)), [&] {
      emitter.store(0, with(batch, rows[half], column), shown(seen[half], value));
    });
  }

  Type type; ///< f16 or bf16
  unsigned features, valueFeatures;
  std::optional<MatrixShape> chosen;
  MatrixShape shape;
  KExpr numQueries;
  SmallVector<Value> batch;
  Value lane;                 ///< the thread's number in its warp
  Value warpRow, warpColumn;  ///< the warp's first in the tile, in the result
  SmallVector<Value, 2> rows; ///< the thread's
  SmallVector<SmallVector<Value>, 2> seen;
  Value queries, keys, values; ///< local memory
};

} // namespace

bool takesAttentionByMatrices(ElementEmitter &emitter) {
  return ByMatrices(emitter).isPossible();
}

LogicalResult emitAttentionByMatrices(ElementEmitter &emitter) {
  return ByMatrices(emitter).run();
}

} // namespace hexin::codegen
