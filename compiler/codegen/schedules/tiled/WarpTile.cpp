#include "compiler/codegen/schedules/tiled/WarpTile.h"

#include "compiler/codegen/AsyncCopy.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::tiled {

std::optional<WarpTiling> chooseWarpTiling(const TeamTraits &team,
                                           const ProductSize &size, int64_t widest) {
  if (!team.halfMatrices)
    return std::nullopt;
  std::optional<TileSize> tile = chooseTileSize(size, widest);
  if (!tile || tile->columns % 16 != 0)
    return std::nullopt;
  WarpTiling tiling;
  tiling.stages = team.stages;
  tiling.warpsDown = tile->rows / WarpTiling::warpRows;
  tiling.warpsAcross = tile->columns >= 64 ? 2 : 1;
  tiling.warpColumns = tile->columns / tiling.warpsAcross;
  if (tiling.threads() > team.threads)
    return std::nullopt;
  return tiling;
}

WarpPlace::WarpPlace(KernelBuilder &k, const WarpTiling &tiling) {
  lane = k.rem(k.thread(), k.index(warpThreads));
  Value warp = k.div(k.thread(), k.index(warpThreads));
  warpDown = k.div(warp, k.index(tiling.warpsAcross));
  warpColumn =
      k.mul(k.rem(warp, k.index(tiling.warpsAcross)), k.index(tiling.warpColumns));
}

ChunkPlace::ChunkPlace(KernelBuilder &k, unsigned perRow) {
  assert((perRow == 2 || perRow == 8) && "a row is 2 or 8 chunks");
  // Bits of the thread's number, the lowest first: [chunk][row / 2][row % 2][row / 8], or
  // [row % 8][chunk][row / 8].
  auto bits = [&](unsigned above, unsigned count) {
    return k.rem(k.div(k.thread(), k.index(above)), k.index(count));
  };
  Value inEight = perRow == 2
                      ? bits(1, 8)
                      : k.add(k.mul(bits(8, 4), k.index(2)), bits(warpThreads, 2));
  chunk = perRow == 2 ? bits(8, 2) : bits(1, 8);
  row = k.add(k.mul(k.div(k.thread(), k.index(8 * perRow)), k.index(8)), inEight);
}

void writeWarpTile(const packed::Item &item, packed::Epilogue &epilogue,
                   const WarpTiling &tiling, const WarpPlace &warp,
                   const TilePlace &place, Value slab, ValueRange sums) {
  KernelBuilder &k = item.k;
  // Slab i has rows 8 (i % 2) .. of the matrices of row i / 2.
  Value to = k.mul(k.add(k.mul(warp.warpDown, k.index(8)), k.div(warp.lane, k.index(4))),
                   k.index(tiling.slabPitch()));
  to = k.add(to, k.add(warp.warpColumn, k.mul(k.rem(warp.lane, k.index(4)), k.index(2))));
  auto store = [&](unsigned which) {
    for (unsigned i = 0; i < tiling.matricesAcross(); ++i) {
      int64_t first = which % 2 * 2;
      Value matrix = sums[which / 2 * tiling.matricesAcross() + i];
      Value pair = vector::ShuffleOp::create(k.builder(), k.loc(), matrix, matrix,
                                             ArrayRef<int64_t>{first, first + 1});
      storeLocal(k, slab, k.add(to, k.index(i * WarpTiling::matrixColumns)), pair);
    }
  };
  auto rowOf = [&](Value inSlab, Value which) {
    Value row = k.mul(k.div(inSlab, k.index(8)), k.index(WarpTiling::warpRows));
    row = k.add(row, k.rem(inSlab, k.index(8)));
    return k.add(row, k.mul(which, k.index(8)));
  };
  writeResults(item, epilogue, place, slab,
               {WarpTiling::matricesDown * 2, tiling.slabRows(), tiling.columns(),
                tiling.slabPitch(), store, rowOf});
}

} // namespace hexin::codegen::tiled
