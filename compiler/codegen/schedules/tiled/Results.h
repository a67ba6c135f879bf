//===- Results.h - a tile of sums, from registers to memory -----------------===//
//
// Results go through local memory, so that neighbours write neighbours and the epilogue
// is written once, for one element. Local memory holds a *slab* of them at a time, the
// rows that stand in the same place of each thread's registers:
//
//   for each slab of the tile
//     all threads: their part of it into local memory
//     all threads: epilogue of the slab's elements, side by side, store
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_RESULTS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_RESULTS_H

#include "compiler/codegen/schedules/packed/Tile.h"

namespace hexin::codegen::tiled {

/// How a tile is cut in slabs of `rows` x `columns`, of which local memory holds rows
/// that are `pitch` apart.
struct Slabs {
  unsigned count, rows, columns, pitch;
  /// Stores what the thread has of slab `which`, a constant.
  llvm::function_ref<void(unsigned which)> store;
  /// The tile's row that is row `inSlab` of slab `which`.
  llvm::function_ref<mlir::Value(mlir::Value inSlab, mlir::Value which)> rowOf;
};

/// Where a team's tile lies in the product, and who works on it.
struct TilePlace {
  mlir::Value firstRow, firstColumn;
  unsigned threads;
};

/// Writes a tile whose slabs pass through `local`, as far as the product has it.
void writeResults(const packed::Item &item, packed::Epilogue &epilogue,
                  const TilePlace &place, mlir::Value local, const Slabs &slabs);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_RESULTS_H
