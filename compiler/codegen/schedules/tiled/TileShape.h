//===- TileShape.h - what a team computes at a time -------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H

#include "compiler/codegen/KernelModule.h"

#include <cstdint>
#include <optional>

namespace hexin::codegen::tiled {

/// A team's tile of a product, and how its threads share it. Threads stand in groups; in
/// a group each has blocks of 4 rows x 4 columns, `rowRuns` x `columnRuns` of them.
/// Blocks of one run lie side by side, so that threads side by side read numbers in a
/// row:
///
///   a group of 4 x 8 threads, 2 x 2 runs: 32 rows x 64 columns. Thread (r, c) has the
///   rows 4r .. 4r+3 and 16+4r .. 16+4r+3, the columns 4c .. 4c+3 and 32+4c .. 32+4c+3
struct TileShape {
  unsigned across = 16;                      ///< threads side by side
  unsigned down = 16;                        ///< threads one below the other
  unsigned groupAcross = 16, groupDown = 16; ///< the same of a group
  unsigned rowRuns = 1, columnRuns = 1;      ///< of each thread
  unsigned depth = 16;                       ///< steps that are in local memory at a time
  unsigned stages = 1; ///< such slices of the operands, some of them on their way
  unsigned rhsPadding = 4;

  static constexpr unsigned run = 4; ///< rows and columns of a block
  /// Elements behind each row of local memory, so that threads which store a column
  /// meet fewer others in a memory bank.
  static constexpr unsigned lhsPadding = 4;

  unsigned threads() const { return across * down; }
  unsigned rows() const { return down * run * rowRuns; }
  unsigned columns() const { return across * run * columnRuns; }
  unsigned rowsPerThread() const { return run * rowRuns; }
  unsigned lhsPitch() const { return rows() + lhsPadding; }
  unsigned rhsPitch() const { return columns() + rhsPadding; }
  /// Elements of local memory of a stage: both operands' slices.
  unsigned stageElements() const { return depth * (lhsPitch() + rhsPitch()); }
  /// Of all stages, or of a row of each thread.
  unsigned localElements() const;
  /// Elements of the left (right) slice that each thread fetches.
  unsigned lhsFetches() const { return depth * rows() / threads(); }
  unsigned rhsFetches() const { return depth * columns() / threads(); }
};

/// What is known of a product when its kernel is written.
struct ProductSize {
  std::optional<int64_t> rows, columns;
  int64_t products = 1;   ///< at least so many
  int64_t width = 0;      ///< columns of a panel
  bool hasWindow = false; ///< rows are pixels with a window around them
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
