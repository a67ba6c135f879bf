//===- BlockTile.h - a tile of which each thread sums blocks ----------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BLOCKTILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BLOCKTILE_H

#include "compiler/codegen/schedules/packed/Tile.h"
#include "compiler/codegen/schedules/tiled/TileShape.h"

namespace hexin::codegen::tiled {

/// The tile from (firstRow, firstColumn) on, in any type of sums: every thread multiplies
/// and adds element by element, TileShape says which.
void emitBlockTile(const packed::Item &item, packed::Epilogue &epilogue,
                   const TileShape &shape, mlir::Value firstRow, mlir::Value firstColumn);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BLOCKTILE_H
