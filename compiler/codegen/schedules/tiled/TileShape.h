//===- TileShape.h - what a team computes at a time -------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H

#include "compiler/codegen/KernelModule.h"

#include <cstdint>
#include <optional>

namespace hexin::codegen::tiled {

/// A team's tile of a product, and how its threads share it: thread t sums the rows
/// 4 * (t / across) .. + 3 and the columns 4 * (t % across) .. + 3.
struct TileShape {
  unsigned across = 16; ///< threads side by side
  unsigned down = 16;   ///< threads one below the other
  unsigned depth = 16;  ///< steps that are in local memory at a time

  static constexpr unsigned rowsPerThread = 4, columnsPerThread = 4;
  /// Elements behind each row of local memory, so that threads which store a column
  /// meet fewer others in a memory bank.
  static constexpr unsigned padding = 4;

  unsigned threads() const { return across * down; }
  unsigned rows() const { return down * rowsPerThread; }
  unsigned columns() const { return across * columnsPerThread; }
  unsigned lhsPitch() const { return rows() + padding; }
  unsigned rhsPitch() const { return columns() + padding; }
  /// Elements of local memory: both operands' slices, or a row of each thread.
  unsigned localElements() const;
  /// Elements of the left (right) slice that each thread fetches.
  unsigned lhsFetches() const { return depth * rows() / threads(); }
  unsigned rhsFetches() const { return depth * columns() / threads(); }
};

/// The tile for products of `columns` columns, where that is known, in panels of
/// `width`; nullopt when no tile is whole panels, or the team has not the memory for
/// its elements of 4 bytes.
std::optional<TileShape> chooseTile(const TeamTraits &team,
                                    std::optional<int64_t> columns, int64_t width);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_TILESHAPE_H
