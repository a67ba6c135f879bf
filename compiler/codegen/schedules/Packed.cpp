//===- Packed.cpp - matrix products and convolutions over packed panels -----===//
//
// One loop nest for matmul, conv and depthwise conv (channels last). A *row* is a
// row of the left matrix, or an output pixel; *columns* are output channels,
// stored in panels of `width` (encoding hx.panels). A register tile of R rows x V
// vectors runs over the whole depth; the epilogue is applied to it in registers.
//
//   item = (product, superblock of rows, panel, block of 48 rows)
//     for tiles of R rows in the block
//       for taps (conv), for depth:
//         acc[r][v] += splat(lhs[row r]) * panel[depth][v]
//       store epilogue(acc)
//
// For example [100, 64] x [64, 40] in panels of 16, tiles of 6 x 1 vectors of 16:
//
//   columns   0..15   16..31  32..47          3 panels, 40..47 are zeros
//   rows      0..47   48..95  96..99          3 blocks, 9 items have work
//   tiles     0..5, 6..11, .. 90..95, 94..99  the last overlaps the one before: it
//                                             computes the same values again
//   panel 2   sums of 16 columns, 8 written   through scratch (packed/Tile.cpp)
//
// A superblock's rows stay in the second-level cache while the panels pass. Where items
// are many and small (CodegenTraits::itemPerElement), an item is one tile.
//
// In reading order: packed/Problem.h (what is multiplied), Item.h (where an item's
// operands lie), Sums.h (a tile's sums; ConvSums.cpp and DepthwiseSums.cpp for windows
// and their borders, FewBits.h for weights of few bits), Tile.h (what becomes of them).
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/packed/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <bit>

using namespace mlir;

namespace hexin::codegen {
namespace {

constexpr int64_t blockRows = 48; // a multiple of every tile's rows
constexpr int64_t blocksPerSuperblock = 8;

struct TileShape {
  unsigned rows;
  packed::Vectors vectors;
  unsigned columns() const { return vectors.perRow * vectors.lanes; }
};

TileShape chooseTile(const CodegenTraits &traits, const packed::Problem &problem) {
  unsigned maxLanes = traits.vectorLanes;
  if (problem.accType.getIntOrFloatBitWidth() > 32)
    maxLanes = std::max(1u, maxLanes / 2);
  unsigned lanes = std::min<unsigned>(maxLanes, problem.width);
  unsigned perRow = std::min<unsigned>(traits.tileVectors, problem.width / lanes);
  // A narrow panel leaves registers for more rows.
  bool isNarrow = lanes > 1 && (perRow < traits.tileVectors || problem.fewBits);
  unsigned rows = isNarrow ? std::max(12u, traits.tileRows) : traits.tileRows;
  if (traits.registerSums > 0) {
    unsigned fitting = std::max(1u, traits.registerSums / (lanes * perRow));
    rows = std::min(rows, std::bit_floor(fitting));
  }
  return {rows, {lanes, perRow}};
}

/// All rows of [begin, end), in tiles of `numRows`, or one by one when the whole
/// product has fewer: emitTile(firstRow, rows of the tile).
void forEachTile(KernelBuilder &k, const packed::Problem &problem, Value begin, Value end,
                 unsigned numRows,
                 function_ref<void(Value firstRow, unsigned numRows)> emitTile) {
  OpBuilder &b = k.builder();
  Value tile = k.index(numRows), rows = k.value(problem.rows);
  Value fits = arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::sge, rows, tile);
  auto ifOp = scf::IfOp::create(b, k.loc(), fits, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  k.forLoop(begin, end, tile, {}, [&](Value row, ValueRange) {
    emitTile(k.min(row, k.sub(rows, tile)), numRows);
    return SmallVector<Value>();
  });
  b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
  k.forLoop(begin, end, k.index(1), {}, [&](Value row, ValueRange) {
    emitTile(row, 1);
    return SmallVector<Value>();
  });
}

/// Unpacking numbers of few bits pays for more rows than two vectors leave registers
/// for; a single row has them for both.
void emitTiles(const packed::Item &item, packed::Epilogue &epilogue,
               packed::Vectors vectors, Value firstRow, unsigned numRows, Value column) {
  bool isApart = item.problem.fewBits && numRows > 1;
  unsigned perTile = isApart ? 1 : vectors.perRow;
  for (unsigned v = 0; v < vectors.perRow; v += perTile)
    packed::emitTile(item, epilogue, {vectors.lanes, perTile}, firstRow, numRows,
                     item.k.add(column, item.k.index(v * vectors.lanes)));
}

/// What an item computes.
struct ItemPlace {
  Value outer, panel;
  Value rowBegin; ///< in the product
  int64_t rows;
  Value column; ///< in the panel: of its only tile; null: all of the panel
};

/// A block of rows and a whole panel: what an item loads it uses again.
ItemPlace placeBlock(KernelBuilder &k, const packed::Problem &problem, KExpr panels) {
  KExpr blocks = k.exprs().ceilDiv(problem.rows, k.constantExpr(blockRows));
  KExpr superblocks = k.exprs().ceilDiv(blocks, k.constantExpr(blocksPerSuperblock));
  SmallVector<KExpr> space{problem.outer, superblocks, panels,
                           k.constantExpr(blocksPerSuperblock)};
  Value number = k.beginItems(k.exprs().product(space));
  SmallVector<Value> at = k.delinearize(number, space);
  Value block = k.add(k.mul(at[1], k.index(blocksPerSuperblock)), at[3]);
  return {at[0], at[2], k.mul(block, k.index(blockRows)), blockRows, Value()};
}

/// A tile: many items, of which neighbours read and write neighbouring columns.
ItemPlace placeTile(KernelBuilder &k, const packed::Problem &problem, KExpr panels,
                    const TileShape &shape) {
  KExpr rowTiles = k.exprs().ceilDiv(problem.rows, k.constantExpr(shape.rows));
  SmallVector<KExpr> space{problem.outer, rowTiles, panels,
                           k.constantExpr(problem.width / shape.columns())};
  Value number = k.beginItems(k.exprs().product(space));
  SmallVector<Value> at = k.delinearize(number, space);
  return {at[0], at[2], k.mul(at[1], k.index(shape.rows)), shape.rows,
          k.mul(at[3], k.index(shape.columns()))};
}

LogicalResult emitPacked(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  Operation *heavy = heavyOp(emitter.groupOp());
  packed::Problem problem(emitter, heavy);
  packed::Epilogue epilogue(emitter, problem, heavy);
  TileShape shape = chooseTile(k.traits(), problem);

  KExpr panels = k.exprs().ceilDiv(problem.columns, k.constantExpr(problem.width));
  ItemPlace place = k.traits().itemPerElement ? placeTile(k, problem, panels, shape)
                                              : placeBlock(k, problem, panels);
  k.ifThen(k.less(place.rowBegin, k.value(problem.rows)), [&] {
    Value rowEnd =
        k.min(k.add(place.rowBegin, k.index(place.rows)), k.value(problem.rows));
    packed::Item item(emitter, problem, /*outerIndex=*/place.outer, place.panel);
    auto columnBlock = [&](Value column, ValueRange) {
      forEachTile(k, problem, place.rowBegin, rowEnd, shape.rows,
                  [&](Value firstRow, unsigned numRows) {
                    emitTiles(item, epilogue, shape.vectors, firstRow, numRows, column);
                  });
      return SmallVector<Value>();
    };
    if (place.column)
      columnBlock(place.column, {});
    else
      k.forLoop(k.index(0), k.index(problem.width), k.index(shape.columns()), {},
                columnBlock);
  });
  return success();
}

template <typename OpT> std::string refusalOfConv(OpT conv) {
  if (!packed::panelsOf(conv.getWeights()))
    return "weights are not packed";
  if (conv.getLayout() != hx::Layout::nhwc || conv.getStrides().size() != 2)
    return "not a 2-D convolution with channels last";
  return "";
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  Operation *heavy = heavyOp(group);
  if (auto conv = dyn_cast_or_null<hx::ConvOp>(heavy))
    return refusalOfConv(conv);
  if (auto conv = dyn_cast_or_null<hx::ConvIntegerOp>(heavy))
    return refusalOfConv(conv);
  if (auto matmul = dyn_cast_or_null<hx::MatMulIntegerOp>(heavy))
    return packed::panelsOf(matmul.getRhs()) ? "" : "right-hand side is not packed";
  if (isa_and_nonnull<hx::MatMulFewBitsOp>(heavy))
    return packed::panelsOf(heavy->getOperand(1)) ? "" : "weights are not packed";
  if (auto matmul = dyn_cast_or_null<hx::MatMulOp>(heavy)) {
    if (!packed::panelsOf(matmul.getRhs()))
      return "right-hand side is not packed";
    if (matmul.getTransposeLhs())
      return "left-hand side is transposed";
    return "";
  }
  return notMine;
}

} // namespace

const Schedule packedSchedule = {"packed", refusal, emitPacked, 1};

} // namespace hexin::codegen
