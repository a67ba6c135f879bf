//===- Blocks.h - what a Winograd kernel works on at a time -----------------------===//
//
// The m x m tiles of all images, in row-major order, are dealt to blocks of nearly equal
// size, about 24 tiles: enough rows for each time that the weights pass by, and few
// enough for caches. An item is a block and a panel of outputs. In the workspace lie
//
//   V  [points][channels / lanes][tiles of the block][lanes]   transformed inputs
//   M  [points][tiles of the block][columns of a register tile] products
//
// A point's part of V and of M is an odd number of vectors long: at multiples of 4 KiB
// all of them would fall on the same lines of the cache. Where lanes do not divide the
// channels, the last vector of channels overlaps the one before.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_BLOCKS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_BLOCKS_H

#include "compiler/codegen/schedules/packed/Tile.h"

namespace hexin::codegen::winograd {

/// Sizes of one kernel.
struct Blocks {
  Blocks(ElementEmitter &emitter, const packed::Problem &problem, hx::ConvOp op,
         int64_t tile);

  int64_t tile;            ///< m
  packed::Vectors vectors; ///< a register tile's columns
  /// Rows of register tiles: a block's tiles are so many of rows[0] and the others of one
  /// more; or (isRagged) all of rows[0], the last overlapping the one before.
  unsigned rows;
  bool isRagged;
  KExpr rowTiles; ///< that a block is dealt to, where not ragged

  KExpr points;                    ///< along an axis, m + 2
  KExpr tilesHigh, tilesWide;      ///< of an image
  KExpr tiles, blocks, maxTiles;   ///< of all images; maxTiles: of a block
  KExpr channelVectors;            ///< of a group's inputs
  KExpr inputPitch, productPitch;  ///< from point to point in V, in M
  KExpr productsAt, workspaceSize; ///< elements

  unsigned columns() const { return vectors.lanes * vectors.perRow; }
};

/// The tiles of an item.
struct Block {
  mlir::Value first, count;
};

/// Where a tile's results are: image, top row, left column.
struct TilePlace {
  mlir::Value image, y, x;
};
TilePlace placeOf(const packed::Item &item, const Blocks &blocks, mlir::Value tile);

/// V of a block.
void emitInputTransform(const packed::Item &item, const Blocks &blocks, Block block,
                        mlir::Value workspace);
/// M for the columns of a panel from `columnInPanel` on; the panel's weights begin at
/// `weightsBase`.
void emitProducts(const packed::Item &item, const Blocks &blocks, Block block,
                  mlir::Value workspace, mlir::Value weights, mlir::Value weightsBase,
                  mlir::Value columnInPanel);
/// Results from M. Tiles with one that is not finite come from direct sums instead.
void emitOutputTransform(const packed::Item &item, packed::Epilogue &epilogue,
                         const Blocks &blocks, Block block, mlir::Value workspace,
                         mlir::Value columnInPanel);

} // namespace hexin::codegen::winograd

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_BLOCKS_H
