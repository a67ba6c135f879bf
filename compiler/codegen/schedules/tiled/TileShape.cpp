#include "compiler/codegen/schedules/tiled/TileShape.h"

#include <algorithm>
#include <bit>

namespace hexin::codegen::tiled {

unsigned TileShape::localElements() const {
  return std::max(stages * stageElements(), down * columns());
}

constexpr unsigned largeTile = 128, smallTile = 64; ///< rows, columns

/// Columns of a tile of whole panels, at most `widest`; 0: there are none.
static int64_t tileColumns(const ProductSize &size, int64_t widest) {
  constexpr int64_t narrowest = 16;
  int64_t columns = widest;
  if (size.columns && *size.columns < widest) {
    auto fitting =
        static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(*size.columns)));
    columns = std::max({narrowest, size.width, fitting});
  }
  bool isWhole = size.width >= 1 && columns <= widest && columns % size.width == 0;
  return isWhole ? columns : 0;
}

/// Whether there are so many large tiles that they occupy a whole device.
static bool fillsDevice(const ProductSize &size, int64_t tileRows, int64_t tileColumns) {
  constexpr int64_t enough = 128; // about as many as the largest have cores
  if (!size.rows || !size.columns)
    return false;
  auto tiles = [](int64_t of, int64_t tile) { return (of + tile - 1) / tile; };
  int64_t down = tiles(*size.rows, tileRows), across = tiles(*size.columns, tileColumns);
  return down >= (enough + size.products * across - 1) / (size.products * across);
}

/// 4 x 4 sums in each thread, all threads one group.
static TileShape fewSums(const TeamTraits &team, int64_t columns) {
  TileShape shape;
  shape.across = static_cast<unsigned>(columns) / TileShape::run;
  // Few threads side by side fetch much of the left operand for each step.
  shape.depth = shape.across < 8 ? 8 : 16;
  while (shape.threads() > team.threads && shape.down > 4)
    shape.down /= 2;
  shape.groupAcross = shape.across;
  shape.groupDown = shape.down;
  return shape;
}

/// 8 x 8 sums in each thread of a large tile, 4 x 8 in those of others, which leaves more
/// threads to fetch (narrow ones: 4 x 4); groups of 32: what 32 threads read at a time
/// is in as few rows of memory banks as can be. Slices are 8 steps deep: four rows of the
/// left one, those that a group reads at a time, are as many numbers as there are banks.
static TileShape manySums(const TeamTraits &team, const TileSize &tile,
                          const ProductSize &size) {
  TileShape shape;
  // Where each element of a window lies takes the registers of half the sums, or more.
  bool isTight = size.hasWindow && size.isByElements;
  shape.depth = 8;
  shape.stages = team.stages;
  shape.rowsPerThread = tile.rows == largeTile && tile.columns == largeTile ? 8 : 4;
  if (isTight && tile.columns < 64)
    shape.rowsPerThread = 2;
  shape.columnRuns = tile.columns >= 64 && !isTight ? 2 : 1;
  shape.across = tile.columns / (TileShape::run * shape.columnRuns);
  shape.down = tile.rows / shape.rowsPerThread;
  shape.groupAcross = std::min(8u, shape.across);
  shape.groupDown = 32 / shape.groupAcross;
  return shape;
}

std::optional<TileSize> chooseTileSize(const ProductSize &size, int64_t widest) {
  int64_t columns = tileColumns(size, widest);
  if (columns > int64_t(smallTile) && !fillsDevice(size, largeTile, columns))
    columns = tileColumns(size, smallTile);
  if (columns == 0)
    return std::nullopt;
  unsigned rows = fillsDevice(size, largeTile, columns) ? largeTile : smallTile;
  return TileSize{rows, static_cast<unsigned>(columns)};
}

std::optional<TileShape> chooseTile(const TeamTraits &team, const ProductSize &size) {
  TileShape shape;
  if (team.sums >= 64) {
    // Where a window lies takes registers, too.
    std::optional<TileSize> tile = chooseTileSize(size, size.hasWindow ? 64 : largeTile);
    if (!tile)
      return std::nullopt;
    if (size.hasWindow && size.isByElements)
      tile->rows = std::min(tile->rows, smallTile);
    shape = manySums(team, *tile, size);
  } else {
    int64_t columns = tileColumns(size, 64);
    if (columns == 0)
      return std::nullopt;
    shape = fewSums(team, columns);
  }
  if (shape.threads() > team.threads || shape.localElements() * 4 > team.localBytes)
    return std::nullopt;
  return shape;
}

} // namespace hexin::codegen::tiled
