//===- HalfTile.h - a tile of halfs, multiplied by warps --------------------===//
//
// f16 and bf16 as they stand in memory, products and sums in f32 (HalfMatrices.h). Warps
// of 32 threads stand side by side on the tile; each has 32 rows and up to 64 columns,
// in registers as matrices of 16 x 8:
//
//   lhs  [rows][depth + padding]       both as they stand in memory, fetched in chunks
//   rhs  [depth][columns + padding]    of 8 elements
//
// The padding of 16 bytes puts 8 rows of a matrix into different memory banks.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_HALFTILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_HALFTILE_H

#include "compiler/codegen/HalfMatrices.h"
#include "compiler/codegen/schedules/packed/Tile.h"
#include "compiler/codegen/schedules/tiled/TileShape.h"

namespace hexin::codegen::tiled {

struct HalfShape {
  unsigned warpsDown = 4, warpsAcross = 2;
  unsigned warpColumns = 64; ///< a multiple of 16
  unsigned stages = 2;

  static constexpr unsigned warpRows = 32, depth = 16, chunk = 8, padding = chunk;

  unsigned threads() const { return warpsDown * warpsAcross * warpThreads; }
  unsigned rows() const { return warpsDown * warpRows; }
  unsigned columns() const { return warpsAcross * warpColumns; }
  static constexpr unsigned lhsPitch() { return depth + padding; }
  unsigned rhsPitch() const { return columns() + padding; }
  /// Elements of a stage, the right operand behind the left one.
  unsigned rhsStart() const { return rows() * lhsPitch(); }
  unsigned stageElements() const { return rhsStart() + depth * rhsPitch(); }
  /// Results on their way: 8 rows of each warp, f32.
  unsigned slabRows() const { return warpsDown * 8; }
  unsigned slabPitch() const { return columns() + 8; }
  unsigned localBytes() const {
    return 2 * stages * stageElements() + 4 * slabRows() * slabPitch();
  }
};

/// The shape for products of a `size`; nullopt when the target has no matrices of halfs
/// or the team not the memory, or no tile is whole panels.
std::optional<HalfShape> chooseHalfTile(const TeamTraits &team, const ProductSize &size);

/// Whether operands of `problem` can be multiplied so.
bool isOfHalfs(const packed::Problem &problem);

/// The tile from (firstRow, firstColumn) on.
void emitHalfTile(const packed::Item &item, packed::Epilogue &epilogue,
                  const HalfShape &shape, mlir::Value firstRow, mlir::Value firstColumn);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_HALFTILE_H
