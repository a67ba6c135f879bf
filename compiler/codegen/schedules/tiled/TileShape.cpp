#include "compiler/codegen/schedules/tiled/TileShape.h"

#include <algorithm>
#include <bit>

namespace hexin::codegen::tiled {

unsigned TileShape::localElements() const {
  return std::max(depth * (lhsPitch() + rhsPitch()), down * columns());
}

std::optional<TileShape> chooseTile(const TeamTraits &team,
                                    std::optional<int64_t> columns, int64_t width) {
  constexpr int64_t widest = 64, narrowest = 16;
  int64_t tileColumns = widest;
  if (columns && *columns < widest) {
    auto fitting = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(*columns)));
    tileColumns = std::max({narrowest, width, fitting});
  }
  if (width < 1 || tileColumns > widest || tileColumns % width != 0)
    return std::nullopt;
  TileShape shape;
  shape.across = static_cast<unsigned>(tileColumns) / TileShape::columnsPerThread;
  // Few threads side by side fetch much of the left operand for each step.
  shape.depth = shape.across < 8 ? 8 : 16;
  while (shape.threads() > team.threads && shape.down > 4)
    shape.down /= 2;
  if (shape.threads() > team.threads || shape.localElements() * 4 > team.localBytes)
    return std::nullopt;
  return shape;
}

} // namespace hexin::codegen::tiled
