//===- Chunks.h - operands into local memory as they stand in memory --------===//
//
// The slices of Slices.h for elements that are multiplied as they are: both keep their
// order, so that 8 elements in a row, a *chunk*, are fetched at a time. What lies outside
// (of the depth, of the image, of the panels) is 0.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_CHUNKS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_CHUNKS_H

#include "compiler/codegen/schedules/tiled/HalfTile.h"
#include "compiler/codegen/schedules/tiled/Slices.h"

namespace hexin::codegen::tiled {

/// Rows of the left operand, `shape.depth` elements of each.
class LhsChunks {
public:
  /// Notes where the thread's rows lie; those past the last one are the last one.
  LhsChunks(const packed::Item &item, const HalfShape &shape, mlir::Value local,
            mlir::Value firstRow);
  /// Stores the thread's chunks of the steps from `step` on in the stage that begins at
  /// `stage` of local memory.
  void fetch(mlir::Value step, mlir::Value stage);

private:
  void fetchWhole(const packed::Row &row, mlir::Value step, mlir::Value at);
  void fetchByElements(const packed::Row &row, mlir::Value step, mlir::Value at);

  const packed::Item &item;
  const HalfShape &shape;
  KernelBuilder &k;
  mlir::Value local;
  mlir::Value stepInSlice, rowInSlice; ///< of the thread's first chunk
  llvm::SmallVector<packed::Row> rows; ///< one of each chunk
  bool hasWholeChunks; ///< a chunk is of one tap, and inside or outside as a whole
};

/// The panels' part of a tile, from column `firstColumn` on.
class RhsChunks {
public:
  RhsChunks(const packed::Item &item, const HalfShape &shape, mlir::Value local,
            mlir::Value firstColumn)
      : item(item), shape(shape), local(local), firstColumn(firstColumn) {}
  void fetch(mlir::Value step, mlir::Value stage);

private:
  const packed::Item &item;
  const HalfShape &shape;
  mlir::Value local;
  mlir::Value firstColumn;
};

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_CHUNKS_H
