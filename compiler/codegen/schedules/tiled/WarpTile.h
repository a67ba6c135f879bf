//===- WarpTile.h - a tile that warps share -------------------------------------===//
//
// Warps of 32 threads stand side by side on the tile; each has 32 rows and some columns,
// in registers as matrices of 16 x 8 sums (HalfMatrices.h says which a thread has).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_WARPTILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_WARPTILE_H

#include "compiler/codegen/HalfMatrices.h"
#include "compiler/codegen/schedules/tiled/Results.h"
#include "compiler/codegen/schedules/tiled/TileShape.h"

namespace hexin::codegen::tiled {

struct WarpTiling {
  unsigned warpsDown = 4, warpsAcross = 2;
  unsigned warpColumns = 64; ///< a multiple of 16
  unsigned stages = 2;

  static constexpr unsigned warpRows = 32, matrixRows = 16, matrixColumns = 8;
  static constexpr unsigned matricesDown = warpRows / matrixRows;

  unsigned threads() const { return warpsDown * warpsAcross * warpThreads; }
  unsigned rows() const { return warpsDown * warpRows; }
  unsigned columns() const { return warpsAcross * warpColumns; }
  unsigned matricesAcross() const { return warpColumns / matrixColumns; }
  /// Results on their way: 8 rows of each warp, of 32 bits.
  unsigned slabRows() const { return warpsDown * 8; }
  unsigned slabPitch() const { return columns() + 8; }
  unsigned slabBytes() const { return 4 * slabRows() * slabPitch(); }
};

/// The tiling for products of a `size`, of up to `widest` columns; nullopt when the
/// target has no products of matrices or no tile is whole panels.
std::optional<WarpTiling> chooseWarpTiling(const TeamTraits &team,
                                           const ProductSize &size, int64_t widest);

/// Where this thread stands.
struct WarpPlace {
  WarpPlace(KernelBuilder &k, const WarpTiling &tiling);

  mlir::Value lane;                 ///< the thread's number in its warp
  mlir::Value warpDown, warpColumn; ///< the warp's number, its first column in the tile
};

/// Which chunk of a slice of the left operand a thread fetches first.
struct ChunkPlace {
  /// Rows lie 48 bytes apart and have 2 chunks of 16 bytes, or 8 of 4. Threads whose
  /// stores go to local memory at the same time (8 of them, or 32) go to banks of their
  /// own: to 8 rows, or to every other one of 8.
  ChunkPlace(KernelBuilder &k, unsigned perRow);

  mlir::Value row, chunk;
};

/// Writes sums[row of matrices][column of matrices] (vectors of 4) by way of `slab`,
/// local memory of their type.
void writeWarpTile(const packed::Item &item, packed::Epilogue &epilogue,
                   const WarpTiling &tiling, const WarpPlace &warp,
                   const TilePlace &place, mlir::Value slab, mlir::ValueRange sums);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_WARPTILE_H
