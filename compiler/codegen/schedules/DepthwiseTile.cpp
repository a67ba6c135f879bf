#include "compiler/codegen/schedules/DepthwiseTile.h"

#include <algorithm>

namespace hexin::codegen {

/// Some teams share a core's memory.
static constexpr int64_t mostLocalBytes = 24 << 10;

std::optional<DepthwiseTile> chooseDepthwiseTile(const DepthwiseExtent &extent,
                                                 const TeamTraits &team) {
  // No memory has room for windows of that size, whose elements could not be counted.
  constexpr int64_t mostPerTap = 1 << 12;
  for (llvm::ArrayRef<int64_t> each : {extent.taps, extent.strides, extent.dilations})
    if (std::max(each[0], each[1]) > mostPerTap)
      return std::nullopt;
  DepthwiseTile tile{.extent = extent};
  tile.threads = std::min(tile.threads, team.threads);
  // Fewer channels leave threads for more pixels.
  for (; tile.channels > 8 && tile.channels / 2 >= extent.channels; tile.channels /= 2)
    (tile.height <= tile.width ? tile.height : tile.width) *= 2;
  for (; extent.height && tile.height > 1 && tile.height / 2 >= *extent.height;
       tile.height /= 2)
    tile.width *= 2;
  for (;
       extent.width && tile.width > DepthwiseTile::run && tile.width / 2 >= *extent.width;
       tile.width /= 2)
    if (!extent.height || tile.height < *extent.height)
      tile.height *= 2;
  int64_t bytes = std::min<int64_t>(team.localBytes, mostLocalBytes);
  while (tile.localElements() * 4 > bytes) {
    bool isWide = tile.width > DepthwiseTile::run &&
                  (tile.imageWidth() >= tile.imageHeight() || tile.height == 1);
    if (!isWide && tile.height == 1)
      return std::nullopt;
    (isWide ? tile.width : tile.height) /= 2;
  }
  return tile;
}

} // namespace hexin::codegen
