//===- Place.h - which part of a product an item computes ---------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_PLACE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_PLACE_H

#include "compiler/codegen/schedules/packed/Sums.h"

namespace hexin::codegen::packed {

/// So many rows are one block at most, in tiles of a height chosen for them.
inline constexpr int64_t maxRowsOfOneBlock = 64;

/// A register tile.
struct TileShape {
  unsigned rows;
  Vectors vectors;
  unsigned columns() const { return vectors.perRow * vectors.lanes; }
};

/// As many rows as a tile may have or a few less, where that leaves fewer computed
/// twice: 49 rows are 7 tiles of 7. One kernel for all larger products.
unsigned tileRowsFor(int64_t numRows, unsigned maxRows);

/// What an item computes.
struct Place {
  mlir::Value outer, panel;
  mlir::Value rowBegin; ///< in the product
  int64_t rows;
  mlir::Value column; ///< in the panel: of its only tile; null: all of the panel
  /// i1: the item before had another panel, or another call ran it; null: of tiles.
  mlir::Value isNewPanel;
  mlir::Value isNewBlock; ///< the same of rows (and the product)
};

/// Whether an item may write the rows that it reads: then all panels pass for a block
/// of them before the next one comes.
bool keepsRows(const Problem &problem);

/// Whether rows of taps are written, not windows: one that a window has at its row of
/// taps `ky` is that at 0 of the window `ky` dilated rows further down the only image.
bool sharesTapRows(const Problem &problem);

/// Begins the items of a product with `panels` panels.
Place placeItem(ElementEmitter &emitter, const Problem &problem, KExpr panels,
                const TileShape &shape);

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_PLACE_H
