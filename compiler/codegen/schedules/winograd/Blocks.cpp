#include "compiler/codegen/schedules/winograd/Blocks.h"

#include "compiler/codegen/schedules/winograd/Cost.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace hexin::codegen::winograd {

constexpr int64_t tilesPerBlock = 24;

Blocks::Blocks(ElementEmitter &emitter, const packed::Problem &problem, hx::ConvOp op,
               int64_t tile)
    : tile(tile) {
  KernelBuilder &k = emitter.kernel();
  KExprPool &e = k.exprs();
  const CodegenTraits &traits = k.traits();
  vectors.lanes = std::min<unsigned>(traits.vectorLanes, problem.width);
  vectors.perRow = std::min<unsigned>(traits.tileVectors, problem.width / vectors.lanes);

  hx::SymbolTable &symbols = k.shapes().symbols();
  auto number = [&](int64_t value) { return k.constantExpr(value); };
  points = k.size(symbols.constant(tile + 2));
  tilesHigh = e.ceilDiv(problem.outSizes[1], number(tile));
  tilesWide = e.ceilDiv(problem.outSizes[2], number(tile));
  tiles = e.product({problem.outSizes[0], tilesHigh, tilesWide});
  blocks = e.max(number(1), e.floorDiv(e.add(tiles, number(tilesPerBlock / 2)),
                                       number(tilesPerBlock)));
  maxTiles = e.ceilDiv(tiles, blocks);

  isRagged = true;
  rows = traits.pitchedRows;
  rowTiles = number(0);
  auto known = hx::SymbolTable::constantValue(tilesOf(op, tile, k.shapes()));
  if (known) {
    int64_t numBlocks =
        std::max<int64_t>(1, (*known + tilesPerBlock / 2) / tilesPerBlock);
    int64_t fewest = *known / numBlocks, most = llvm::divideCeil(*known, numBlocks);
    int64_t count = llvm::divideCeil(most, rows);
    rows = fewest / count;
    isRagged = false;
    rowTiles = number(count);
  }

  // Of 16 lanes, so that it is the same for all archs.
  constexpr int64_t widest = 16;
  auto vectorsOf = [&](KExpr count, int64_t lanes) {
    return e.ceilDiv(count, number(lanes));
  };
  auto oddVectors = [&](KExpr count, int64_t lanes) {
    KExpr odd = e.sub(e.add(count, number(1)), e.mod(count, number(2)));
    return e.mul(odd, number(lanes));
  };
  channelVectors = vectorsOf(problem.depth, vectors.lanes);
  inputPitch = oddVectors(e.mul(channelVectors, maxTiles), vectors.lanes);
  productPitch = oddVectors(e.mul(maxTiles, number(vectors.perRow)), vectors.lanes);
  KExpr allPoints = e.mul(points, points);
  productsAt = e.mul(allPoints, inputPitch);
  KExpr inputBound =
      e.mul(e.add(e.mul(vectorsOf(problem.depth, widest), maxTiles), number(1)),
            number(widest));
  KExpr productBound =
      e.add(e.mul(maxTiles, number(problem.width)), number(2 * problem.width));
  workspaceSize = e.mul(allPoints, e.add(inputBound, productBound));
}

TilePlace placeOf(const packed::Item &item, const Blocks &blocks, Value tile) {
  KernelBuilder &k = item.k;
  SmallVector<Value> at =
      k.delinearize(tile, {item.problem.outSizes[0], blocks.tilesHigh, blocks.tilesWide});
  return {at[0], k.mul(at[1], k.index(blocks.tile)), k.mul(at[2], k.index(blocks.tile))};
}

} // namespace hexin::codegen::winograd
