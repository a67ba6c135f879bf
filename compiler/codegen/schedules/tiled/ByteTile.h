//===- ByteTile.h - a tile of 8-bit integers, multiplied by warps -----------===//
//
// Sums are exact in i32 (ByteMatrices.h). Both operands stand in local memory with the
// steps of a row, or of a column, side by side:
//
//   lhs  [rows][depth + padding]
//   rhs  [columns][depth + padding]    turned around on its way, 4 x 4 at a time
//
// Zero points are no part of the products, which are of bytes as they stand in memory:
//
//   sum (a - za) (b - zb) = sum a b - zb sum a - za sum b + n za zb
//
// with sums of a and of b made like those of products, times ones. What lies outside is
// za and zb, so that it adds nothing, and n counts it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BYTETILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BYTETILE_H

#include "compiler/codegen/schedules/packed/Tile.h"
#include "compiler/codegen/schedules/tiled/WarpTile.h"

namespace hexin::codegen::tiled {

struct ByteShape : WarpTiling {
  static constexpr unsigned depth = 32, padding = 16, pitch = depth + padding;
  static constexpr unsigned warpSums = 32; ///< columns of each warp
  /// Of the right operand, steps and columns that a thread fetches at a time.
  static constexpr unsigned block = 4;

  /// Elements of a stage, the right operand behind the left one.
  unsigned rhsStart() const { return rows() * pitch; }
  unsigned stageElements() const { return (rows() + columns()) * pitch; }
  unsigned localBytes() const { return stages * stageElements() + slabBytes(); }
};

/// The shape for products of a `size`; nullopt when the target has no such products or
/// the team not the memory, or no tile is whole panels.
std::optional<ByteShape> chooseByteTile(const TeamTraits &team, const ProductSize &size);

/// Whether operands of `problem` can be multiplied so.
bool isOfBytes(const packed::Problem &problem);

/// The tile from (firstRow, firstColumn) on.
void emitByteTile(const packed::Item &item, packed::Epilogue &epilogue,
                  const ByteShape &shape, mlir::Value firstRow, mlir::Value firstColumn);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BYTETILE_H
