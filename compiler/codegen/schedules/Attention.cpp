//===- Attention.cpp - products around a softmax, without their scores in memory ---===//
//
//   out[row] = sum over t of exp(s[t] - m) * V[t] / sum over t of exp(s[t] - m)
//   s[t] = f(Q[row] . K[t]), m the largest of them
//
// A team owns 32 rows of queries and walks the keys 32 at a time. What it has summed is
// relative to the largest score so far; a larger one rescales it (online softmax):
//
//   m' = max(m, s), sums' = sums * exp(m - m') + sum over the 32 of exp(s - m') * V
//
// Of its 128 threads 8 in a row, which are of one warp, share two rows: each has 4 of a
// row's 32 scores, and of every 32 features of its result 4 neighbours. Q, K and V come
// through local memory; V takes the place of K, so that 128 features fit 48 KiB.
//
// An item alone walks the keys of one row in the same way, one at a time.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Of compiler/target/Attention.h.
struct Parts {
  hx::MatMulOp scores, output;
  hx::SoftmaxOp softmax;
  hx::SelectOp hiddenRows; ///< select(rows without keys, 0, weights), or null
};

Parts partsOf(hx::GroupOp group) {
  Parts parts;
  Block &body = group.getBody().front();
  parts.output = body.getTerminator()->getOperand(0).getDefiningOp<hx::MatMulOp>();
  for (Operation &op : body.without_terminator()) {
    if (auto softmax = dyn_cast<hx::SoftmaxOp>(op))
      parts.softmax = softmax;
    if (auto product = dyn_cast<hx::MatMulOp>(op); product && product != parts.output)
      parts.scores = product;
  }
  if (parts.output)
    parts.hiddenRows = parts.output.getLhs().getDefiningOp<hx::SelectOp>();
  return parts;
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  Parts parts = partsOf(group);
  return parts.output && parts.scores && parts.softmax ? "" : notMine;
}

/// What both ways to write it share.
class AttentionEmitter {
protected:
  explicit AttentionEmitter(ElementEmitter &emitter)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        parts(partsOf(emitter.groupOp())),
        numKeys(emitter.sizes(parts.softmax.getInput()).back()), f32(b.getF32Type()),
        lowest(k.floatConstant(-std::numeric_limits<double>::infinity(), f32, 1)),
        zero(k.floatConstant(0, f32, 1)) {}

  template <typename OpT> Value op(Value x, Value y) { return OpT::create(b, loc, x, y); }
  Value exp(Value x) { return math::ExpOp::create(b, loc, x); }
  Value multiplyAdd(Value x, Value y, Value sum) {
    return math::FmaOp::create(b, loc, x, y, sum);
  }
  /// What scores are taken relative to: 0 where all are -inf, which are then still
  /// without weight.
  Value baseOf(Value largest) {
    Value isLowest =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, largest, lowest);
    return arith::SelectOp::create(b, loc, isLowest, zero, largest);
  }
  /// What a row's sums are multiplied with in the end; a sum of no values is 0.
  Value inverse(Value sum) {
    Value hasKeys = k.less(k.index(0), k.value(numKeys));
    Value factor = op<arith::DivFOp>(k.floatConstant(1, f32, 1), sum);
    return arith::SelectOp::create(b, loc, hasKeys, factor, zero);
  }
  /// `value` of row `at`, or 0 where the row has no keys.
  Value shown(ArrayRef<Value> at, Value value) {
    if (!parts.hiddenRows)
      return value;
    SmallVector<Value> index(at.drop_back());
    index.push_back(k.index(0));
    Value isHidden = emitter.readBroadcast(parts.hiddenRows.getCondition(),
                                           parts.hiddenRows.getResult(), index, 1);
    auto vector = dyn_cast<VectorType>(value.getType());
    unsigned lanes = vector ? vector.getNumElements() : 1;
    return arith::SelectOp::create(b, loc, isHidden, k.splat(zero, lanes), value);
  }
  static SmallVector<Value> with(ArrayRef<Value> batch, Value row, Value column) {
    SmallVector<Value> at(batch);
    at.append({row, column});
    return at;
  }
  int64_t lastSize(Value value) {
    return *hx::SymbolTable::constantValue(emitter.dims(value).back());
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  Parts parts;
  KExpr numKeys;
  Type f32;
  Value lowest, zero;
};

//===----------------------------------------------------------------------===//
// An item alone
//===----------------------------------------------------------------------===//

class RowByRow : AttentionEmitter {
public:
  explicit RowByRow(ElementEmitter &emitter) : AttentionEmitter(emitter) {}

  LogicalResult run() {
    Value result = parts.output.getResult(), scores = parts.softmax.getInput();
    unsigned features = lastSize(result);
    SmallVector<KExpr> rows = emitter.sizes(result);
    rows.pop_back();
    Value item = k.beginItems(k.exprs().product(rows));
    SmallVector<Value> at = k.delinearize(item, rows);
    ArrayRef<Value> batch = ArrayRef(at).drop_back();
    Value sums = k.scratch(features, f32);
    forFeatures(features, [&](Value j) { put(sums, j, zero); });
    auto step = [&](Value t, ValueRange carried) {
      Value s = emitter.emit(scores, with(batch, at.back(), t), 1);
      Value largest = op<arith::MaximumFOp>(carried[0], s), base = baseOf(largest);
      Value weight = exp(op<arith::SubFOp>(s, base));
      Value older = exp(op<arith::SubFOp>(carried[0], base));
      forFeatures(features, [&](Value j) {
        Value x = emitter.emit(parts.output.getRhs(), with(batch, t, j), 1);
        put(sums, j, multiplyAdd(weight, x, op<arith::MulFOp>(get(sums, j), older)));
      });
      return SmallVector<Value>{largest, multiplyAdd(carried[1], older, weight)};
    };
    SmallVector<Value> found =
        k.forLoop(k.index(0), k.value(numKeys), k.index(1), {lowest, zero}, step);
    Value factor = inverse(found[1]);
    forFeatures(features, [&](Value j) {
      SmallVector<Value> index = with(batch, at.back(), j);
      emitter.store(0, index, shown(index, op<arith::MulFOp>(get(sums, j), factor)));
    });
    return success();
  }

private:
  void forFeatures(unsigned count, function_ref<void(Value)> body) {
    k.forLoop(k.index(0), k.index(count), k.index(1), {}, [&](Value j, ValueRange) {
      body(j);
      return SmallVector<Value>();
    });
  }
  Value get(Value memory, Value at) {
    return memref::LoadOp::create(b, loc, memory, ValueRange(at));
  }
  void put(Value memory, Value at, Value value) {
    memref::StoreOp::create(b, loc, value, memory, ValueRange(at));
  }
};

//===----------------------------------------------------------------------===//
// A team
//===----------------------------------------------------------------------===//

class TileByTile : AttentionEmitter {
public:
  explicit TileByTile(ElementEmitter &emitter) : AttentionEmitter(emitter) {}

  LogicalResult run() {
    Value result = parts.output.getResult();
    SmallVector<KExpr> sizes = emitter.sizes(result);
    numQueries = sizes[sizes.size() - 2];
    features = lastSize(parts.scores.getLhs());
    valueFeatures = lastSize(result);
    SmallVector<KExpr> space(ArrayRef(sizes).drop_back());
    space.back() = k.exprs().ceilDiv(numQueries, k.constantExpr(tile));
    Value item = k.beginTeamItems(k.exprs().product(space), threads);
    batch = k.delinearize(item, space);
    firstQuery = k.mul(batch.pop_back_val(), k.index(tile));
    ownRow = k.mul(k.div(k.thread(), k.index(across)), k.index(rowsEach));
    ownColumn = k.rem(k.thread(), k.index(across));
    emitter.provide(parts.scores.getResult(),
                    [this](ArrayRef<Value>, unsigned) { return score; });

    unsigned pitch = padded(features) + lanes, valuePitch = paddedValues();
    queries = k.local(tile * pitch, f32);
    keys = k.local(tile * std::max(pitch, valuePitch), f32);
    weights = k.local(tile * weightPitch, f32);
    loadTile(parts.scores.getLhs(), false, firstQuery, numQueries, features,
             padded(features), queries, pitch);
    write(walkKeys(pitch, valuePitch));
    k.barrier(); // the next item stores to local memory
    return success();
  }

private:
  static constexpr unsigned tile = 32, threads = 128, across = 8, lanes = 4;
  static constexpr unsigned rowsEach = tile / (threads / across);
  static constexpr unsigned scoresEach = tile / across, weightPitch = tile + lanes;

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
  Value lane(Value vector, unsigned i) {
    return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{i});
  }
  Value inRange(Value index, KExpr size) { return k.less(index, k.value(size)); }

  /// Rows `first` .. + 31 of `matrix` into `memory`, 0 behind its last row and column.
  void loadTile(Value matrix, bool isTransposed, Value first, KExpr rows,
                unsigned columns, unsigned paddedColumns, Value memory, unsigned pitch) {
    bool inVectors =
        !isTransposed && columns % lanes == 0 && k.traits().vectorLanes >= lanes;
    unsigned width = inVectors ? lanes : 1, perRow = paddedColumns / width;
    Value nothing = k.floatConstant(0, f32, width);
    auto body = [&](Value number, ValueRange) {
      // Neighbours in memory to neighbouring threads.
      Value by = k.index(isTransposed ? tile : perRow);
      Value row = k.div(number, by), column = k.rem(number, by);
      if (isTransposed)
        std::swap(row, column);
      column = k.mul(column, k.index(width));
      Value source = k.add(first, row), isThere = inRange(source, rows);
      if (columns != paddedColumns)
        isThere =
            arith::AndIOp::create(b, loc, isThere, k.less(column, k.index(columns)));
      auto read = [&] {
        SmallVector<Value> at =
            isTransposed ? with(batch, column, source) : with(batch, source, column);
        return SmallVector<Value>{emitter.emit(matrix, at, width)};
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
  SmallVector<Value> walkKeys(unsigned pitch, unsigned valuePitch) {
    SmallVector<Value> init;
    for (unsigned row = 0; row < rowsEach; ++row) {
      init.append({lowest, zero});
      init.append(vectorsEach(), k.floatConstant(0, f32, lanes));
    }
    size_t perRow = 2 + vectorsEach();
    auto step = [&](Value first, ValueRange carried) {
      loadTile(parts.scores.getRhs(), !parts.scores.getTransposeRhs(), first, numKeys,
               features, padded(features), keys, pitch);
      k.barrier();
      SmallVector<Value> products = scoreTile(pitch), next(carried);
      for (unsigned row = 0; row < rowsEach; ++row)
        weigh(row, first, MutableArrayRef(products).slice(row * scoresEach, scoresEach),
              MutableArrayRef(next).slice(row * perRow, perRow));
      k.barrier();
      loadTile(parts.output.getRhs(), false, first, numKeys, valueFeatures,
               paddedValues(), keys, valuePitch);
      k.barrier();
      sumValues(next, perRow, valuePitch);
      k.barrier();
      return next;
    };
    return k.forLoop(k.index(0), k.value(numKeys), k.index(tile), init, step);
  }

  /// The thread's products of queries and keys, row by row.
  SmallVector<Value> scoreTile(unsigned pitch) {
    SmallVector<Value> zeros(rowsEach * scoresEach, zero);
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
            sum = multiplyAdd(lane(rows[row], l), lane(columns[i], l), sum);
          }
      return sums;
    };
    return k.forLoop(k.index(0), k.index(padded(features)), k.index(lanes), zeros, step);
  }
  Value at(Value row, unsigned pitch, Value column) {
    return k.add(k.mul(row, k.index(pitch)), column);
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
      score = product;
      auto emit = [&] {
        return SmallVector<Value>{
            emitter.emit(parts.softmax.getInput(), with(batch, query, key), 1)};
      };
      product =
          k.ifElse(isThere, f32, emit, [&] { return SmallVector<Value>{lowest}; })[0];
      largest = op<arith::MaximumFOp>(largest, product);
    }
    for (unsigned mask = across / 2; mask > 0; mask /= 2)
      largest = op<arith::MaximumFOp>(largest, k.exchange(largest, mask));
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

  /// Adds the tile's weights times its values.
  void sumValues(SmallVectorImpl<Value> &all, size_t perRow, unsigned valuePitch) {
    auto sumsOf = [&](SmallVectorImpl<Value> &list, unsigned row) {
      return MutableArrayRef(list).slice(row * perRow + 2, vectorsEach());
    };
    auto step = [&](Value t, ValueRange carried) {
      SmallVector<Value> next(carried), rows;
      for (unsigned row = 0; row < rowsEach; ++row)
        rows.push_back(
            loadVector(weights, at(k.add(ownRow, k.index(row)), weightPitch, t)));
      for (unsigned l = 0; l < lanes; ++l)
        for (unsigned j = 0; j < vectorsEach(); ++j) {
          Value column =
              k.add(k.mul(ownColumn, k.index(lanes)), k.index(j * across * lanes));
          Value x = loadVector(keys, at(k.add(t, k.index(l)), valuePitch, column));
          for (unsigned row = 0; row < rowsEach; ++row) {
            Value &sum = sumsOf(next, row)[j];
            sum = multiplyAdd(k.splat(lane(rows[row], l), lanes), x, sum);
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
      Value total = sums[row * perRow + 1];
      for (unsigned mask = across / 2; mask > 0; mask /= 2)
        total = op<arith::AddFOp>(total, k.exchange(total, mask));
      Value factor = k.splat(inverse(total), lanes);
      Value query = k.add(firstQuery, k.add(ownRow, k.index(row)));
      k.ifThen(inRange(query, numQueries), [&] {
        for (unsigned j = 0; j < vectorsEach(); ++j)
          writeVector(query, j, op<arith::MulFOp>(sums[row * perRow + 2 + j], factor),
                      inVectors);
      });
    }
  }

  void writeVector(Value query, unsigned j, Value value, bool inVectors) {
    Value first = k.add(k.mul(ownColumn, k.index(lanes)), k.index(j * across * lanes));
    for (unsigned l = 0; l < (inVectors ? 1 : lanes); ++l) {
      Value column = k.add(first, k.index(l));
      k.ifThen(k.less(column, k.index(valueFeatures)), [&] {
        SmallVector<Value> index = with(batch, query, column);
        emitter.store(0, index, shown(index, inVectors ? value : lane(value, l)));
      });
    }
  }

  KExpr numQueries;
  unsigned features = 0, valueFeatures = 0;
  SmallVector<Value> batch;
  Value firstQuery;             ///< of the team's tile
  Value ownRow, ownColumn;      ///< in the tile: the thread's first row, its first score
  Value queries, keys, weights; ///< local memory; keys, then values
  Value score; ///< what a product of queries and keys is, while one is used
};

} // namespace

const Schedule attentionSchedule = {
    "attention", refusal, [](ElementEmitter &emitter) { return RowByRow(emitter).run(); },
    4};

const Schedule teamAttentionSchedule = {
    "team_attention", refusal,
    [](ElementEmitter &emitter) { return TileByTile(emitter).run(); }, 4};

} // namespace hexin::codegen
