//===- HalfTile.h - a tile of halfs, multiplied by warps --------------------===//
//
// f16 and bf16 as they stand in memory, products and sums in f32 (HalfMatrices.h), by
// warps side by side (WarpTile.h). Slices of both operands lie in local memory
//
//   lhs  [rows][depth + padding]       both as they stand in memory, fetched in chunks
//   rhs  [depth][columns + padding]    of 8 elements
//
// The padding of 16 bytes puts 8 rows of a matrix into different memory banks.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_HALFTILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_HALFTILE_H

#include "compiler/codegen/schedules/tiled/WarpTile.h"

namespace hexin::codegen::tiled {

struct HalfShape : WarpTiling {
  static constexpr unsigned depth = 16, chunk = 8, padding = chunk;

  static constexpr unsigned lhsPitch() { return depth + padding; }
  unsigned rhsPitch() const { return columns() + padding; }
  /// Elements of a stage, the right operand behind the left one.
  unsigned rhsStart() const { return rows() * lhsPitch(); }
  unsigned stageElements() const { return rhsStart() + depth * rhsPitch(); }
  unsigned localBytes() const { return 2 * stages * stageElements() + slabBytes(); }
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
