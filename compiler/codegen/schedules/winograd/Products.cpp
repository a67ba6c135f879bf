//===- Products.cpp - M of a block of tiles and a panel ----------------------------===//
//
// For each point a product of [tiles, channels] and [channels, columns], in register
// tiles whose rows are neighbours in V. All columns of a panel pass at a point before the
// next point does: they lie on neighbouring lines of memory, which come together.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/winograd/Blocks.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::winograd {
namespace {

class Products {
public:
  Products(const packed::Item &item, const Blocks &blocks, Value workspace, Value weights)
      : item(item), blocks(blocks), workspace(workspace), weights(weights), k(item.k),
        lanes(blocks.vectors.lanes), perRow(blocks.vectors.perRow) {}

  void emit(Block block, Value weightsBase) {
    Value points = k.mul(k.value(blocks.points), k.value(blocks.points));
    Value run = k.mul(k.value(item.problem.depth), k.index(item.problem.width));
    forEach(k.index(0), points, k.index(1), [&](Value xi) {
      inputs = k.mul(xi, k.value(blocks.inputPitch));
      products =
          k.add(k.value(blocks.productsAt), k.mul(xi, k.value(blocks.productPitch)));
      columns = k.add(weightsBase, k.mul(xi, run));
      nextPoint = run;
      forEach(k.index(0), k.index(item.problem.width), k.index(blocks.columns()),
              [&](Value column) {
                columnInPanel = column;
                forEachTile(block.count);
              });
    });
  }

private:
  void forEach(Value lower, Value upper, Value step, function_ref<void(Value)> body) {
    k.forLoop(lower, upper, step, {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }

  void forEachTile(Value count) {
    Value rows = k.index(blocks.rows);
    if (blocks.isRagged) {
      Value last = k.sub(count, rows);
      return forEach(k.index(0), count, rows,
                     [&](Value row) { emitTile(k.min(row, last), blocks.rows); });
    }
    // count = rowTiles * rows + as many tiles of one row more
    Value longRows = k.index(blocks.rows + 1);
    Value numLong = k.sub(count, k.mul(k.value(blocks.rowTiles), rows));
    Value longEnd = k.mul(numLong, longRows);
    forEach(k.index(0), longEnd, longRows,
            [&](Value row) { emitTile(row, blocks.rows + 1); });
    forEach(longEnd, count, rows, [&](Value row) { emitTile(row, blocks.rows); });
  }

  void emitTile(Value firstRow, unsigned numRows) {
    Value depth = k.value(item.problem.depth), width = k.index(item.problem.width);
    Value vectors = k.value(blocks.channelVectors), step = k.index(lanes);
    Value zero = k.floatConstant(0, k.builder().getF32Type(), lanes);
    packed::Accumulators acc(numRows * perRow, zero);
    acc = k.forLoop(k.index(0), vectors, k.index(1), acc, [&](Value c, ValueRange outer) {
      Value channel = k.mul(c, step);
      Value first = k.min(channel, k.sub(depth, step));
      Value done = k.sub(channel, first); // by the vector before
      Value v = k.mul(k.add(k.mul(c, k.value(blocks.maxTiles)), firstRow), step);
      v = k.add(inputs, v);
      Value u = k.add(k.add(columns, columnInPanel), k.mul(first, width));
      return k.forLoop(done, step, k.index(1), outer, [&](Value i, ValueRange inner) {
        return addChannel(k.add(v, i), k.add(u, k.mul(i, width)), inner, numRows);
      });
    });
    Value at = k.add(k.add(products, columnInPanel), k.mul(firstRow, width));
    for (unsigned r = 0; r < numRows; ++r)
      for (unsigned i = 0; i < perRow; ++i)
        packed::storeScratch(k, workspace,
                             k.add(at, k.index(r * item.problem.width + i * lanes)),
                             acc[r * perRow + i]);
  }

  packed::Accumulators addChannel(Value v, Value u, ValueRange acc, unsigned numRows) {
    SmallVector<Value> weight;
    for (unsigned i = 0; i < perRow; ++i)
      weight.push_back(
          packed::loadScratch(k, weights, k.add(u, k.index(i * lanes)), lanes));
    if (item.prefetches)
      for (unsigned i = 0; i < perRow; ++i)
        k.prefetch(weights, k.add(nextPoint, k.add(u, k.index(i * lanes))));
    packed::Accumulators next;
    for (unsigned r = 0; r < numRows; ++r) {
      Value x = packed::loadScratch(k, workspace, k.add(v, k.index(r * lanes)), 1);
      x = k.splat(x, lanes);
      for (unsigned i = 0; i < perRow; ++i)
        next.push_back(
            math::FmaOp::create(k.builder(), k.loc(), x, weight[i], acc[r * perRow + i]));
    }
    return next;
  }

  const packed::Item &item;
  const Blocks &blocks;
  Value workspace, weights;
  KernelBuilder &k;
  unsigned lanes, perRow;
  Value inputs, products, columns; ///< of the point at hand
  Value nextPoint;                 ///< elements to the weights of the next one
  Value columnInPanel;             ///< of the register tile
};

} // namespace

void emitProducts(const packed::Item &item, const Blocks &blocks, Block block,
                  Value workspace, Value weights, Value weightsBase) {
  Products(item, blocks, workspace, weights).emit(block, weightsBase);
}

} // namespace hexin::codegen::winograd
