//===- ByteSlices.h - operands of 8 bits into local memory ------------------===//
//
// The slices of ByteTile.h: the left operand in chunks of 16 or 4 steps, those of 4 byte
// by byte where rows or channels begin anywhere; the right one in blocks of 4 steps x 4
// columns, which are turned around in registers.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BYTESLICES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BYTESLICES_H

#include "compiler/codegen/schedules/tiled/ByteTile.h"
#include "compiler/codegen/schedules/tiled/Slices.h"

namespace hexin::codegen::tiled {

/// Rows of the left operand, `ByteShape::depth` steps of each.
class LhsBytes {
public:
  /// Notes where the thread's rows lie; those past the last one are the last one.
  /// `outside`: the byte of what lies outside; null: 0.
  LhsBytes(const packed::Item &item, const ByteShape &shape, mlir::Value local,
           mlir::Value firstRow, mlir::Value outside);
  /// Stores the thread's chunks of the steps from `step` on in the stage that begins at
  /// `stage` of local memory.
  void fetch(mlir::Value step, mlir::Value stage);

private:
  unsigned rowsAtATime() const { return shape.threads() * chunk / ByteShape::depth; }
  void fetchRows(mlir::Value step, mlir::Value stage);
  void fetchWhole(const packed::Row &row, const Tap &tap, mlir::Value to);
  void fetchByElements(const packed::Row &row, llvm::ArrayRef<Tap> taps, mlir::Value to);

  const packed::Item &item;
  const ByteShape &shape;
  KernelBuilder &k;
  mlir::Value local, outside;
  bool hasWholeChunks;
  unsigned chunk;
  mlir::Value stepInSlice, rowInSlice; ///< of the thread's first chunk
  llvm::SmallVector<packed::Row> rows; ///< one of each chunk
};

/// The panels' part of a tile, from column `firstColumn` on.
class RhsBytes {
public:
  RhsBytes(const packed::Item &item, const ByteShape &shape, mlir::Value local,
           mlir::Value firstColumn, mlir::Value outside)
      : item(item), shape(shape), k(item.k), local(local), firstColumn(firstColumn),
        outside(outside) {}
  void fetch(mlir::Value step, mlir::Value stage);

private:
  void fetchBlock(mlir::Value number, mlir::Value step, mlir::Value stage);

  const packed::Item &item;
  const ByteShape &shape;
  KernelBuilder &k;
  mlir::Value local, firstColumn, outside;
};

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_BYTESLICES_H
