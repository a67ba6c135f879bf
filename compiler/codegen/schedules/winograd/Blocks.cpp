#include "compiler/codegen/schedules/winograd/Blocks.h"

#include "compiler/codegen/schedules/winograd/Cost.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace hexin::codegen::winograd {

constexpr int64_t tilesPerBlock = 24;
/// Where there are fewer items for threads to share, blocks are smaller, to this size.
constexpr int64_t minItems = 8, minTilesPerBlock = 8;

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
  auto weights = cast<RankedTensorType>(op.getWeights().getType());
  int64_t groups = op.getGroups();
  int64_t panels =
      groups * llvm::divideCeil(weights.getDimSize(0) / groups, problem.width);
  int64_t wanted = llvm::divideCeil(minItems, panels);
  KExpr forItems = e.min(e.floorDiv(tiles, number(minTilesPerBlock)),
                         k.size(symbols.constant(wanted)));
  KExpr bySize =
      e.floorDiv(e.add(tiles, number(tilesPerBlock / 2)), number(tilesPerBlock));
  blocks = e.max(number(1), e.max(bySize, forItems));
  maxTiles = e.ceilDiv(tiles, blocks);

  isRagged = true;
  rows = std::min<unsigned>(traits.pitchedRows, minTilesPerBlock);
  rowTiles = number(0);
  if (auto known = hx::SymbolTable::constantValue(tilesOf(op, tile, k.shapes()))) {
    int64_t numBlocks =
        std::max({int64_t(1), (*known + tilesPerBlock / 2) / tilesPerBlock,
                  std::min(*known / minTilesPerBlock, wanted)});
    int64_t fewest = *known / numBlocks, most = llvm::divideCeil(*known, numBlocks);
    int64_t count = llvm::divideCeil(most, traits.pitchedRows);
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
  productPitch =
      oddVectors(e.mul(maxTiles, number(problem.width / vectors.lanes)), vectors.lanes);
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
