//===- BlockEmitter.h - attention in a thread's workspace ---------------------------===//
//
// An item owns 96 rows of queries and walks the keys 256 at a time. In its thread's
// workspace lie
//
//   keys     [256 / width][features][width]  a block in panels, zeros behind the last
//   weights  [tile rows][256 + 16]           a tile's scores, then what exp makes of them
//   sums     [96][value features]            the item's results so far
//   largest, total  [96]                     of each of its rows
//
// Where that lies and who owns which rows is the same for all archs of a target. Rows are
// numbers in the item, keys numbers in the block where not said otherwise.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_BLOCKEMITTER_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_BLOCKEMITTER_H

#include "compiler/codegen/schedules/attention/AttentionEmitter.h"

namespace hexin::codegen {

class BlockEmitter : protected AttentionEmitter {
protected:
  explicit BlockEmitter(ElementEmitter &emitter);

  using Values = llvm::SmallVector<Value>;
  /// What registers hold: sums of so many rows, and so many vectors of each.
  struct Tile {
    unsigned rows, vectors;
  };
  static constexpr int64_t itemRows = 96; ///< tiles of 4, 6, 8, 12
  static constexpr int64_t blockKeys = 256;

  /// Opens the loop over items; there are no sums yet.
  void begin();
  /// The keys in blocks: body(first of them all, how many).
  void forEachBlock(llvm::function_ref<void(Value firstKey, Value count)> body);
  /// What a block's products of a row, in row `inTile` of `weights`, weigh; rescales what
  /// there is of the row's sums.
  void weigh(Value row, Value inTile, Value firstKey, Value count);
  /// Adds the weights of the tile's rows, from `row` on, times the block's values.
  void multiplyValues(Tile tile, Value row, Value firstKey, Value count);
  void write(Value row);

  /// sums[r][v] += left(r, i) * right(i)[v] for i in [0, count).
  Values multiply(unsigned rows, Value count, mlir::ValueRange init,
                  llvm::function_ref<Value(unsigned r, Value i)> left,
                  llvm::function_ref<Values(Value i)> right);
  void forEach(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  /// `count` neighbours from [row, column] on of a product's right-hand side.
  Value read(hx::MatMulOp product, Value row, Value column, unsigned count) {
    return emitter.emit(product.getRhs(), with(batch, row, column), count);
  }
  /// In the workspace.
  Value get(Value at, unsigned width) { return k.load(memory, at, width, f32); }
  void put(Value at, Value value) { k.store(memory, at, value, f32); }
  Value weightAt(Value inTile, Value key) {
    return at(weightsAt, inTile, weightPitch, key);
  }

  unsigned lanes;
  unsigned features, valueFeatures;
  KExpr numQueries;
  Values batch;
  Value firstQuery, rows; ///< of the item

private:
  void placeInWorkspace();
  Value at(int64_t first, Value row, int64_t pitch, Value column) {
    return k.add(k.add(k.index(first), k.mul(row, k.index(pitch))), column);
  }
  /// Columns of the result in vectors: body(first, lanes, how many), all that are whole,
  /// then shorter ones.
  void forEachColumns(unsigned most,
                      llvm::function_ref<void(unsigned, unsigned, unsigned)> body);

  unsigned weighedLanes = 1; ///< that f takes at once
  int64_t weightPitch = 0, sumPitch = 0;
  int64_t weightsAt = 0, sumsAt = 0, largestAt = 0, totalAt = 0;
  Value memory; ///< the workspace
};

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_BLOCKEMITTER_H
