//===- TileShape.h - what a team computes at a time -------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H

#include "compiler/codegen/KernelModule.h"

#include <cstdint>
#include <optional>

namespace hexin::codegen::tiled {

/// A team's tile of a product, and how its threads share it. Threads stand in groups; in
/// a group each has `rowsPerThread` rows and `columnRuns` runs of 4 columns, so that
/// threads side by side read rows and runs side by side:
///
///   a group of 4 x 8 threads, 8 rows, 2 runs: 32 rows x 64 columns. Thread (r, c) has
///   the rows r, 4+r, 8+r .. 28+r, the columns 4c .. 4c+3 and 32+4c .. 32+4c+3
struct TileShape {
  unsigned across = 16;                      ///< threads side by side
  unsigned down = 16;                        ///< threads one below the other
  unsigned groupAcross = 16, groupDown = 16; ///< the same of a group
  unsigned rowsPerThread = 4, columnRuns = 1;
  unsigned depth = 16; ///< steps that are in local memory at a time
  unsigned stages = 1; ///< such slices of the operands, some of them on their way

  static constexpr unsigned run = 4; ///< columns side by side, steps of a row

  unsigned threads() const { return across * down; }
  unsigned rows() const { return down * rowsPerThread; }
  unsigned columns() const { return across * run * columnRuns; }
  /// Elements of local memory of a stage: both operands' slices.
  unsigned stageElements() const { return depth * (rows() + columns()); }
  unsigned rhsStart() const { return depth * rows(); }
  /// Of all stages, or of a row of each thread.
  unsigned localElements() const;
};

/// What is known of a product when its kernel is written.
struct ProductSize {
  std::optional<int64_t> rows, columns;
  int64_t products = 1;   ///< at least so many
  int64_t width = 0;      ///< columns of a panel
  bool hasWindow = false; ///< rows are pixels with a window around them
  /// Elements of the left operand are fetched one by one.
  bool isByElements = false;
};

struct TileSize {
  unsigned rows, columns;
};

/// 128 rows and up to `widest` columns for products that have enough of such tiles for a
/// whole device, less for others: 64 rows, up to 64 columns, at least 16. nullopt when no
/// tile is whole panels.
std::optional<TileSize> chooseTileSize(const ProductSize &size, int64_t widest);

/// The tile for a product; nullopt when no tile is whole panels, or the team has not the
/// memory for its elements of 4 bytes.
std::optional<TileShape> chooseTile(const TeamTraits &team, const ProductSize &size);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H
