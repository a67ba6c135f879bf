//===- Slices.h - operands on their way into local memory -------------------===//
//
// A team steps through the depth of a product `shape.depth` at a time. Before each
// step its threads fetch a slice of both operands together, every element once:
//
//   lhs  [rows][depth]      as they stand in memory: of a matrix neighbours read
//                           neighbours
//   rhs  [depth][columns]   thread t fetches element t of the panels' part, which is
//                           contiguous
//
// What lies outside (of the depth, of the image, of the panels) is 0.
//
// With one stage threads go round loops; with several the fetches are written out, what
// belongs to one stays in registers, and floats of 32 bits are copied (AsyncCopy.h), a
// *chunk* of 4 at a time where those are inside or outside as a whole.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_SLICES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_SLICES_H

#include "compiler/codegen/schedules/packed/Item.h"
#include "compiler/codegen/schedules/tiled/TileShape.h"

namespace hexin::codegen::tiled {

/// Steps of a product: a conv's taps times its channels.
KExpr stepsOf(KernelBuilder &k, const packed::Problem &problem);

/// Whether the left operand is fetched in whole chunks.
bool hasWholeChunks(const packed::Problem &problem);

/// Where a step's element lies, seen from a row.
struct Tap {
  /// `at`: the step. Of windows, which tap it is of and which channel.
  Tap(const packed::Item &item, mlir::Value at);

  mlir::Value inside; ///< the step is one of the product's
  mlir::Value offset; ///< from packed::Row::base
  mlir::Value dy, dx; ///< windows: of the step's tap
};

/// Whether rows are pixels with a window around them.
bool hasWindow(const packed::Problem &problem);
/// `row` in fewer registers, for `isInside`.
packed::Row inRegisters(const packed::Item &item, packed::Row row);
/// Whether the element of `tap` is one of the operand's, seen from `row`.
mlir::Value isInside(const packed::Item &item, const Tap &tap, const packed::Row &row);

/// The left operand's part of a tile: `rows` of it from `firstRow` on, rows of the
/// matrix or output pixels, of which this thread fetches some.
class LhsSlice {
public:
  /// Notes where the thread's rows lie; those past the last one are the last one.
  LhsSlice(const packed::Item &item, const TileShape &shape, mlir::Value local,
           mlir::Value firstRow);
  /// Stores the thread's elements of the steps from `step` on in the stage that begins
  /// at `stage` of local memory.
  void fetch(mlir::Value step, mlir::Value stage);

private:
  unsigned chunksPerRow() const { return shape.depth / chunk; }
  unsigned rowsAtATime() const { return shape.threads() / chunksPerRow(); }
  unsigned fetches() const { return shape.rows() / rowsAtATime(); }
  packed::Row rowAt(mlir::Value which) const;
  void noteRow(mlir::Value which, const packed::Row &row);
  packed::Row notedRow(mlir::Value which);
  void fetchRow(const Tap &tap, const packed::Row &row, mlir::Value at);

  const packed::Item &item;
  const TileShape &shape;
  KernelBuilder &k;
  mlir::Value local;
  unsigned chunk;                      ///< elements of a fetch
  mlir::Value stepInSlice, rowInSlice; ///< the thread's first
  mlir::Value first;                   ///< the thread's first row in the product
  mlir::Value bases, ys, xs;           ///< packed::Row of each fetch, in scratch ...
  llvm::SmallVector<packed::Row> rows; ///< ... or in registers
};

/// The panels' part of a tile, from column `firstColumn` on.
class RhsSlice {
public:
  RhsSlice(const packed::Item &item, const TileShape &shape, mlir::Value local,
           mlir::Value firstColumn);
  void fetch(mlir::Value step, mlir::Value stage);

private:
  struct Place;
  void fetchChunk(mlir::Value step, mlir::Value stage, const Place &place);

  const packed::Item &item;
  const TileShape &shape;
  mlir::Value local;
  unsigned chunk; ///< elements of a fetch
  mlir::Value firstColumn;
};

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_SLICES_H
