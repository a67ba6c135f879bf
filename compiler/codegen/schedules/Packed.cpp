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
// A superblock's rows stay in the second-level cache while the panels (of all groups of a
// convolution) pass; the next panel is brought there while one is multiplied
// (Item::prefetchNextPanel). Where items are many and small (itemPerElement), an item is
// one tile.
//
// In reading order: packed/Problem.h (what is multiplied), Place.h (by which item),
// Item.h (where an item's operands lie), Sums.h (a tile's sums; ConvSums.cpp and
// DepthwiseSums.cpp for windows and their borders, FewBits.h for weights of few bits,
// Words.h for 8-bit integers where the target multiplies them as such), Tile.h (what
// becomes of them); DepthwiseLines.h (a loop nest of its own).
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/ByteTiles.h"
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/packed/DepthwiseLines.h"
#include "compiler/codegen/schedules/packed/Tile.h"
#include "compiler/codegen/schedules/packed/Words.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <bit>

using namespace mlir;

namespace hexin::codegen {
namespace {

packed::TileShape chooseTile(const CodegenTraits &traits,
                             const packed::Problem &problem) {
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
  } else if (problem.numRows && !traits.itemPerElement) {
    rows = packed::tileRowsFor(*problem.numRows, rows);
    // As many sums at a time as hide a multiplication's latency.
    constexpr unsigned minSums = 8;
    while (!problem.fewBits && rows * perRow < minSums &&
           2 * perRow * lanes <= problem.width)
      perRow *= 2;
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
  auto wholeTiles = [&] {
    k.forLoop(begin, end, tile, {}, [&](Value row, ValueRange) {
      emitTile(k.min(row, k.sub(rows, tile)), numRows);
      return SmallVector<Value>();
    });
  };
  if (problem.numRows && *problem.numRows >= numRows && !k.traits().itemPerElement)
    return wholeTiles();
  Value fits = arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::sge, rows, tile);
  auto ifOp = scf::IfOp::create(b, k.loc(), fits, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  wholeTiles();
  b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
  k.forLoop(begin, end, k.index(1), {}, [&](Value row, ValueRange) {
    emitTile(row, 1);
    return SmallVector<Value>();
  });
}

/// Unpacking numbers of few bits pays for more rows than two vectors leave registers
/// for; a single row has them for both.
void emitTiles(const packed::Item &item, packed::Epilogue &epilogue,
               packed::Vectors vectors, Value firstRow, unsigned numRows, Value column,
               bool isWhole) {
  bool isApart = item.problem.fewBits && numRows > 1;
  unsigned perTile = isApart ? 1 : vectors.perRow;
  for (unsigned v = 0; v < vectors.perRow; v += perTile)
    packed::emitTile(item, epilogue, {vectors.lanes, perTile}, firstRow, numRows,
                     item.k.add(column, item.k.index(v * vectors.lanes)), isWhole);
}

/// What the last panel holds where that is known and ends in at most one vector of the
/// two (or more) that a tile has: `wholeColumns` in whole tiles, then `tail` ones.
struct LastPanel {
  int64_t wholeColumns, tail;
  packed::Vectors vectors; ///< of the tail's tiles
};

std::optional<LastPanel> lastPanelOf(const packed::Problem &problem,
                                     const packed::TileShape &shape) {
  if (!problem.numColumns || problem.fewBits || shape.vectors.perRow == 1)
    return std::nullopt;
  int64_t columns = *problem.numColumns % problem.width;
  int64_t tail = columns % shape.columns();
  unsigned lanes = shape.vectors.lanes;
  if (tail == 0 || tail > lanes)
    return std::nullopt;
  // Panels are padded, so that a vector may go past the last column; the input of a
  // depthwise convolution is not.
  constexpr int64_t minLanes = 4;
  if (problem.isDepthwise || (tail >= minLanes && llvm::isPowerOf2_64(tail)))
    lanes = std::bit_floor(static_cast<uint64_t>(tail));
  return LastPanel{columns - tail, tail, {lanes, 1}};
}

/// The rows of an item from `place.rowBegin` to `rowEnd`, all its columns.
void emitItem(packed::Epilogue &epilogue, packed::Item &item, const packed::Place &place,
              Value panels, Value rowEnd, const packed::TileShape &shape) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  auto columnBlock = [&](const packed::TileShape &tile, Value column, bool isWhole) {
    forEachTile(
        k, problem, place.rowBegin, rowEnd, tile.rows,
        [&](Value firstRow, unsigned numRows) {
          Value before = k.sub(firstRow, place.rowBegin);
          item.sharePrefetch(k.div(before, k.index(numRows)), place.rows / numRows);
          emitTiles(item, epilogue, tile.vectors, firstRow, numRows, column, isWhole);
        });
    return SmallVector<Value>();
  };
  if (place.column)
    return void(columnBlock(shape, place.column, problem.columnsAreFull));
  auto wholeColumns = [&](int64_t count) {
    k.forLoop(k.index(0), k.index(count), k.index(shape.columns()), {},
              [&](Value column, ValueRange) {
                return columnBlock(shape, column, /*isWhole=*/true);
              });
    return SmallVector<Value>();
  };
  if (std::optional<LastPanel> last = lastPanelOf(problem, shape)) {
    auto lastColumns = [&] {
      if (last->wholeColumns > 0)
        wholeColumns(last->wholeColumns);
      // The last vector overlaps the one before.
      packed::TileShape tile{shape.rows, last->vectors};
      int64_t lanes = tile.columns(), end = std::max(lanes, last->tail);
      for (int64_t c = 0; c < end; c += lanes)
        columnBlock(tile, k.index(last->wholeColumns + std::min(c, end - lanes)),
                    /*isWhole=*/lanes <= last->tail);
      return SmallVector<Value>();
    };
    if (*problem.numColumns < problem.width)
      return void(lastColumns());
    Value isLast = arith::CmpIOp::create(k.builder(), k.loc(), arith::CmpIPredicate::eq,
                                         place.panel, k.sub(panels, k.index(1)));
    k.ifElse(isLast, {}, lastColumns, [&] { return wholeColumns(problem.width); });
    return;
  }
  if (problem.columnsAreFull)
    return void(wholeColumns(problem.width));
  Value left = k.sub(k.value(problem.columns), item.firstColumn);
  Value end = k.min(k.index(problem.width), left);
  k.forLoop(k.index(0), end, k.index(shape.columns()), {}, [&](Value column, ValueRange) {
    return columnBlock(shape, column, /*isWhole=*/false);
  });
}

/// Few rows read the numbers as they lie, others floats that are written once.
void emitFewBits(packed::Epilogue &epilogue, packed::Item &item,
                 const packed::Place &place, Value panels, Value rowEnd,
                 const packed::TileShape &shape) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  auto asTheyLie = [&] { emitItem(epilogue, item, place, panels, rowEnd, shape); };
  constexpr int64_t minRows = 24;
  if (!packed::paysToUnpack(item) || (problem.numRows && *problem.numRows < minRows))
    return asTheyLie();
  packed::Problem floats(problem);
  floats.fewBits.reset();
  packed::Item unpacked(item, floats, packed::panelMemory(item));
  auto once = [&] {
    k.ifThen(place.isNewPanel, [&] { packed::unpackPanel(item, unpacked); });
    emitItem(epilogue, unpacked, place, panels, rowEnd, chooseTile(k.traits(), floats));
  };
  if (problem.numRows)
    return once();
  auto isDone = [](function_ref<void()> body) {
    return [body] {
      body();
      return SmallVector<Value>();
    };
  };
  k.ifElse(k.less(k.value(problem.rows), k.index(minRows)), {}, isDone(asTheyLie),
           isDone(once));
}

/// Many rows go by tiles, as many as there are registers for.
void emitWords(packed::Epilogue &epilogue, packed::Item &item, const packed::Place &place,
               const packed::Words &words, Value panels, Value rowEnd,
               const packed::TileShape &shape) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  k.ifThen(place.isNewPanel, [&] { words.writePanel(); });
  k.ifThen(place.isNewBlock, [&] { words.writeRows(rowEnd); });
  auto byVectors = [&] { emitItem(epilogue, item, place, panels, rowEnd, shape); };
  if (!words.hasTiles() || (problem.numRows && *problem.numRows < packed::tiledRows))
    return byVectors();
  auto byTiles = [&] {
    unsigned lanes = shape.vectors.lanes;
    packed::Vectors vectors{lanes, unsigned(problem.width) / lanes};
    Value buffer = k.scratch(packed::tiledRows * problem.width, problem.accType);
    Value step = k.index(packed::tiledRows);
    configureTiles(k);
    k.forLoop(place.rowBegin, rowEnd, step, {}, [&](Value row, ValueRange) {
      Value first = k.min(row, k.sub(k.value(problem.rows), step));
      words.sumTiles(first, buffer);
      packed::emitStoredTile(item, epilogue, vectors, first, packed::tiledRows, buffer);
      return SmallVector<Value>();
    });
    releaseTiles(k);
  };
  if (problem.numRows)
    return byTiles();
  k.ifElse(
      k.less(k.value(problem.rows), k.index(packed::tiledRows)), {},
      [&] {
        byVectors();
        return SmallVector<Value>();
      },
      [&] {
        byTiles();
        return SmallVector<Value>();
      });
}

LogicalResult emitPacked(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  Operation *heavy = heavyOp(emitter.groupOp());
  packed::Problem problem(emitter, heavy);
  k.use.flushesSubnormals = !problem.isInteger;
  packed::Epilogue epilogue(emitter, problem, heavy);
  packed::TileShape shape = chooseTile(k.traits(), problem);
  if (packed::goesByLines(k.traits(), problem)) {
    packed::emitDepthwiseLines(emitter, problem, epilogue, shape.vectors);
    return success();
  }
  KExpr panels = k.exprs().ceilDiv(problem.columns, k.constantExpr(problem.width));
  packed::Place place = packed::placeItem(emitter, problem, panels, shape);
  k.ifThen(k.less(place.rowBegin, k.value(problem.rows)), [&] {
    Value rowEnd =
        k.min(k.add(place.rowBegin, k.index(place.rows)), k.value(problem.rows));
    packed::Item item(emitter, problem, /*outerIndex=*/place.outer, place.panel);
    if (problem.fewBits)
      return emitFewBits(epilogue, item, place, k.value(panels), rowEnd, shape);
    std::optional<packed::Words> words;
    if (packed::hasWords(problem, k.traits())) {
      item.words = &words.emplace(emitter, item, place, shape.rows);
      return emitWords(epilogue, item, place, *words, k.value(panels), rowEnd, shape);
    }
    emitItem(epilogue, item, place, k.value(panels), rowEnd, shape);
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
    return matmul.getTransposeLhs() ? "left-hand side is transposed" : "";
  }
  return notMine;
}

} // namespace

const Schedule packedSchedule = {"packed", refusal, emitPacked, 1};

} // namespace hexin::codegen
