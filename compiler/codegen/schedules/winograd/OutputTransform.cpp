//===- OutputTransform.cpp - results of a block of tiles ---------------------------===//
//
// Columns first, into a buffer, then rows, whose results go through the epilogue. On the
// way the squares of the half-transformed sums are added up: where that is finite, none
// of them is above 2^64 and so all results are finite. Otherwise the tile's results come
// from direct sums, which differ from what Winograd gives for NaN, infinities and numbers
// near the largest: a NaN would reach results whose window it is not in.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/winograd/Blocks.h"
#include "compiler/codegen/schedules/winograd/Points.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen::winograd {
namespace {

class OutputTransform {
public:
  OutputTransform(const packed::Item &item, packed::Epilogue &epilogue,
                  const Blocks &blocks, Value workspace, Value columnInPanel)
      : item(item), epilogue(epilogue), blocks(blocks), workspace(workspace),
        columnInPanel(columnInPanel), k(item.k), b(k.builder()), loc(k.loc()),
        numPoints(blocks.tile + 2), lanes(blocks.vectors.lanes),
        perRow(blocks.vectors.perRow) {
    half = k.scratch(perRow * blocks.tile * numPoints * lanes, b.getF32Type());
    line = k.scratch(blocks.tile * perRow * lanes, b.getF32Type());
  }

  void emit(Block block) {
    const packed::Problem &p = item.problem;
    column = k.add(item.firstColumn, columnInPanel);
    if (!p.columnsAreFull)
      remaining = k.max(
          k.index(0), k.min(k.index(lanes * perRow), k.sub(k.value(p.columns), column)));
    forEach(k.index(0), block.count, [&](Value t) {
      place = placeOf(item, blocks, k.add(block.first, t));
      Value tile = k.index(blocks.tile);
      height = k.min(tile, k.sub(k.value(p.outSizes[1]), place.y));
      width = k.min(tile, k.sub(k.value(p.outSizes[2]), place.x));
      firstFlat = k.add(k.mul(place.image, k.value(p.outSizes[1])), place.y);
      firstFlat = k.add(k.mul(firstFlat, k.value(p.outSizes[2])), place.x);
      Value isFinite = transformColumns(t);
      auto write = [&] {
        forEach(k.index(0), height, [&](Value i) { writeRow(i); });
        return SmallVector<Value>();
      };
      auto recompute = [&] {
        sumDirectly();
        return SmallVector<Value>();
      };
      k.ifElse(isFinite, {}, write, recompute);
    });
  }

private:
  void forEach(Value lower, Value upper, function_ref<void(Value)> body) {
    k.forLoop(lower, upper, k.index(1), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }

  Value halfAt(unsigned v, Value i, Value j) {
    Value row = k.add(k.mul(k.add(k.index(v * blocks.tile), i), k.index(numPoints)), j);
    return k.mul(row, k.index(lanes));
  }

  /// At M of tile t; whether all of that is finite, with a margin.
  Value transformColumns(Value t) {
    Value first = k.add(k.add(k.value(blocks.productsAt), columnInPanel),
                        k.mul(t, k.index(item.problem.width)));
    Value pitch = k.value(blocks.productPitch);
    Value rowPitch = k.mul(k.value(blocks.points), pitch);
    SmallVector<Value> init(1, k.floatConstant(0, b.getF32Type(), lanes));
    auto column = [&](Value j, ValueRange carried) {
      Value squares = carried[0];
      Value at = k.add(first, k.mul(j, pitch));
      for (unsigned v = 0; v < perRow; ++v) {
        SmallVector<Value> m;
        for (unsigned i = 0; i < numPoints; ++i)
          m.push_back(packed::loadScratch(
              k, workspace,
              k.add(k.add(at, k.mul(rowPitch, k.index(i))), k.index(v * lanes)), lanes));
        for (auto [i, value] : llvm::enumerate(transformSums(k, blocks.tile, m))) {
          packed::storeScratch(k, half, halfAt(v, k.index(i), j), value);
          squares = math::FmaOp::create(b, loc, value, value, squares);
        }
      }
      return SmallVector<Value>{squares};
    };
    Value squares =
        k.forLoop(k.index(0), k.value(blocks.points), k.index(1), init, column)[0];
    if (lanes > 1)
      squares = vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD, squares);
    Value infinity =
        k.floatConstant(std::numeric_limits<double>::infinity(), b.getF32Type(), 1);
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, squares, infinity);
  }

  void writeRow(Value i) {
    for (unsigned v = 0; v < perRow; ++v) {
      SmallVector<Value> m;
      for (unsigned j = 0; j < numPoints; ++j)
        m.push_back(packed::loadScratch(k, half, halfAt(v, i, k.index(j)), lanes));
      for (auto [j, value] : llvm::enumerate(transformSums(k, blocks.tile, m)))
        packed::storeScratch(k, line, k.index((j * perRow + v) * lanes), value);
    }
    Value flat = k.add(firstFlat, k.mul(i, k.value(item.problem.outSizes[2])));
    forEach(k.index(0), width, [&](Value j) {
      packed::Row row;
      row.flat = k.add(flat, j);
      Value at = k.mul(j, k.index(perRow * lanes));
      if (remaining)
        return writePart(row, at);
      for (unsigned v = 0; v < perRow; ++v)
        write(row, at, k.index(v * lanes), lanes);
    });
  }

  /// Whole vectors as long as there are any; the last overlaps the one before.
  void writePart(const packed::Row &row, Value at) {
    Value step = k.index(lanes);
    auto whole = [&] {
      Value last = k.sub(remaining, step);
      k.forLoop(k.index(0), remaining, step, {}, [&](Value c, ValueRange) {
        write(row, at, k.min(c, last), lanes);
        return SmallVector<Value>();
      });
      return SmallVector<Value>();
    };
    auto single = [&] {
      forEach(k.index(0), remaining, [&](Value c) { write(row, at, c, 1); });
      return SmallVector<Value>();
    };
    Value isWide =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, remaining, step);
    k.ifElse(isWide, {}, whole, single);
  }

  /// `count` columns from `c` of the register tile on.
  void write(const packed::Row &row, Value at, Value c, unsigned count) {
    if (count > 1 && !epilogue.takesVectors()) {
      for (unsigned lane = 0; lane < count; ++lane)
        write(row, at, k.add(c, k.index(lane)), 1);
      return;
    }
    Value value = packed::loadScratch(k, line, k.add(at, c), count);
    epilogue.write(item, row, k.add(column, c), value, count);
  }

  void sumDirectly() {
    forEach(k.index(0), height, [&](Value i) {
      Value flat = k.add(firstFlat, k.mul(i, k.value(item.problem.outSizes[2])));
      forEach(k.index(0), width, [&](Value j) {
        packed::emitTile(item, epilogue, blocks.vectors, k.add(flat, j), /*numRows=*/1,
                         columnInPanel, item.problem.columnsAreFull);
      });
    });
  }

  const packed::Item &item;
  packed::Epilogue &epilogue;
  const Blocks &blocks;
  Value workspace, columnInPanel;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  unsigned numPoints, lanes, perRow;
  Value half; ///< [vector][row of results][point][lanes]
  Value line; ///< [result of the row][vector][lanes]
  Value column, remaining;
  TilePlace place;
  Value height, width, firstFlat; ///< of the tile's results
};

} // namespace

void emitOutputTransform(const packed::Item &item, packed::Epilogue &epilogue,
                         const Blocks &blocks, Block block, Value workspace,
                         Value columnInPanel) {
  OutputTransform(item, epilogue, blocks, workspace, columnInPanel).emit(block);
}

} // namespace hexin::codegen::winograd
