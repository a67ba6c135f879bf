#include "compiler/codegen/schedules/packed/Place.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <algorithm>

using namespace mlir;

namespace hexin::codegen::packed {
namespace {

/// A multiple of all tiles' rows. What a plan counts is the same for every ISA, whose
/// tiles differ.
constexpr int64_t blockRows = 48;

constexpr int64_t rowsOfWords = 2 * blockRows; // whose tiles may have 32

/// Where rows of taps are shared: those below a block are written for the next one as
/// well, but threads have something to share out even where there are few panels.
int64_t rowsOfSharedBlock(const Problem &problem) {
  constexpr int64_t most = 4 * rowsOfWords, enough = 8;
  if (!problem.numRows)
    return most;
  int64_t numRows = *problem.numRows;
  if (numRows <= maxRowsOfOneBlock)
    return std::max<int64_t>(1, numRows);
  int64_t panels = llvm::divideCeil(problem.numColumns.value_or(1), problem.width);
  int64_t blocks = std::max<int64_t>(llvm::divideCeil(numRows, most),
                                     llvm::divideCeil(enough, panels));
  return llvm::alignTo(llvm::divideCeil(numRows, blocks), rowsOfWords);
}

/// A few rows more than a block are one block. Some more are blocks of as many rows as
/// leave the last one nearly as many: 196 rows are 5 blocks of 40, not 4 of 48 and one of
/// 4, which a thread of two would wait for. Where tiles of 6 do not divide them, a few
/// rows are computed twice.
int64_t rowsOfBlock(const Problem &problem) {
  if (sharesTapRows(problem))
    return rowsOfSharedBlock(problem);
  bool hasWords = problem.isInteger || problem.isBfloat;
  if (!problem.numRows)
    return hasWords ? rowsOfWords : blockRows;
  int64_t numRows = *problem.numRows;
  if (numRows <= maxRowsOfOneBlock)
    return std::max<int64_t>(1, numRows);
  if (hasWords)
    return rowsOfWords;
  constexpr int64_t fewRows = 8 * blockRows, fullWidth = 32;
  int64_t best = blockRows;
  if (numRows > fewRows || problem.width < fullWidth || problem.fewBits)
    return best;
  auto covered = [&](int64_t rows) { return llvm::divideCeil(numRows, rows) * rows; };
  for (int64_t rows : {blockRows - 8, blockRows + 8})
    best = covered(rows) < covered(best) ? rows : best;
  return best;
}

/// Of a superblock, at most: what the second-level cache holds beside panels, which every
/// superblock reads again. A convolution's weights that stay there may pass for each
/// block: threads then share out rows, whose neighbours they have read.
int64_t blocksTogether(ElementEmitter &emitter, const Problem &problem, int64_t rows) {
  constexpr int64_t maxRows = (1 << 20) / sizeof(float);
  constexpr int64_t maxCached = (512 << 10) / sizeof(float);
  int64_t most = 8;
  if (auto length = hx::SymbolTable::constantValue(emitter.dims(problem.lhs).back()))
    most = std::clamp<int64_t>(maxRows / std::max<int64_t>(1, *length * rows), 1, most);
  if (keepsRows(problem))
    return 1;
  if (!problem.conv || !problem.numColumns || problem.isInteger || problem.isBfloat)
    return most;
  int64_t perTap = *problem.numColumns * problem.channelsPerTap;
  perTap *= problem.isDepthwise ? 1 : problem.conv->groups;
  return perTap * problem.taps[0] * problem.taps[1] <= maxCached ? 1 : most;
}

/// A block of rows and a whole panel: what an item loads it uses again. Superblocks are
/// as equal as may be, and a last one of fewer blocks has fewer items.
Place placeBlock(ElementEmitter &emitter, const Problem &problem, KExpr panels) {
  KernelBuilder &k = emitter.kernel();
  KExprPool &exprs = k.exprs();
  int64_t rows = rowsOfBlock(problem);
  Value always = k.intConstant(1, k.builder().getI1Type(), 1);
  auto isEqual = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(k.builder(), k.loc(), arith::CmpIPredicate::eq, x, y);
  };
  auto isFirst = [&](Value i, Value number) -> Value {
    return arith::OrIOp::create(k.builder(), k.loc(), isEqual(i, k.index(0)),
                                isEqual(number, k.firstItem()));
  };
  if (problem.numRows && *problem.numRows <= maxRowsOfOneBlock) {
    SmallVector<KExpr> space{problem.outer, panels};
    Value number = k.beginItems(exprs.product(space));
    SmallVector<Value> at = k.delinearize(number, space);
    Value isNewBlock = keepsRows(problem) ? isFirst(at[1], number) : always;
    return {at[0], at[1], k.index(0), rows, Value(), always, isNewBlock};
  }
  KExpr one = k.constantExpr(1),
        most = k.constantExpr(blocksTogether(emitter, problem, rows));
  KExpr blocks = exprs.ceilDiv(problem.rows, k.constantExpr(rows));
  KExpr superblocks = exprs.max(one, exprs.ceilDiv(blocks, most));
  KExpr together = exprs.max(one, exprs.ceilDiv(blocks, superblocks));
  // The groups of a convolution share rows, the products of a batch do not.
  KExpr batch = problem.conv ? one : problem.outer;
  KExpr groups = problem.conv ? problem.outer : one;
  KExpr matrices = exprs.mul(groups, panels);
  Value number = k.beginItems(exprs.product({batch, blocks, matrices}));
  SmallVector<Value> at = k.delinearize(number, {batch, exprs.mul(blocks, matrices)});
  KExpr perSuperblock = exprs.mul(matrices, together);
  Value superblock = k.div(at[1], k.value(perSuperblock));
  Value inside = k.sub(at[1], k.mul(superblock, k.value(perSuperblock)));
  Value firstBlock = k.mul(superblock, k.value(together));
  Value count = k.min(k.value(together), k.sub(k.value(blocks), firstBlock));
  Value matrix = k.div(inside, count);
  Value inSuperblock = k.rem(inside, count);
  Value block = k.add(firstBlock, inSuperblock);
  SmallVector<Value> of = k.delinearize(matrix, {groups, panels});
  return {problem.conv ? of[0] : at[0],
          of[1],
          k.mul(block, k.index(rows)),
          rows,
          Value(),
          isFirst(inSuperblock, number),
          keepsRows(problem) ? isFirst(of[1], number) : always};
}

/// A tile: many items, of which neighbours read and write neighbouring columns.
Place placeTile(KernelBuilder &k, const Problem &problem, KExpr panels,
                const TileShape &shape) {
  KExpr rowTiles = k.exprs().ceilDiv(problem.rows, k.constantExpr(shape.rows));
  SmallVector<KExpr> space{problem.outer, rowTiles, panels,
                           k.constantExpr(problem.width / shape.columns())};
  Value number = k.beginItems(k.exprs().product(space));
  SmallVector<Value> at = k.delinearize(number, space);
  return {at[0],
          at[2],
          k.mul(at[1], k.index(shape.rows)),
          shape.rows,
          k.mul(at[3], k.index(shape.columns())),
          Value(),
          Value()};
}

} // namespace

bool keepsRows(const Problem &problem) {
  constexpr int64_t wholeTile = 32; // steps, of rows that no processor writes
  bool hasWindows = problem.conv && !problem.isPointwise;
  return problem.panelSteps > 1 && (hasWindows || problem.runMultiple % wholeTile != 0);
}

bool sharesTapRows(const Problem &problem) {
  constexpr int64_t wholeTile = 32; // steps
  if (!keepsRows(problem) || !problem.conv || !problem.isOneImage ||
      problem.taps[0] == 1 || problem.conv->strides[0] != 1 ||
      problem.taps[1] * problem.channelsPerTap % wholeTile != 0)
    return false;
  // A window's next row of taps begins so many pixels on: in the same block, or else more
  // of them are written than windows have.
  int64_t apart = problem.conv->dilations[0];
  return problem.outWidth ? apart * *problem.outWidth <= rowsOfSharedBlock(problem)
                          : apart == 1;
}

unsigned tileRowsFor(int64_t numRows, unsigned maxRows) {
  if (numRows == 0 || numRows > maxRowsOfOneBlock)
    return maxRows;
  if (numRows <= maxRows)
    return numRows;
  constexpr unsigned perTile = 4; // rows' worth: reading the panel, what is around
  auto cost = [&](unsigned rows) {
    return llvm::divideCeil(numRows, rows) * (rows + perTile);
  };
  unsigned best = maxRows;
  for (unsigned rows = maxRows - 1; rows > maxRows / 2; --rows)
    best = cost(rows) < cost(best) ? rows : best;
  return best;
}

Place placeItem(ElementEmitter &emitter, const Problem &problem, KExpr panels,
                const TileShape &shape) {
  return emitter.kernel().traits().itemPerElement
             ? placeTile(emitter.kernel(), problem, panels, shape)
             : placeBlock(emitter, problem, panels);
}

} // namespace hexin::codegen::packed
