//===- Slices.h - operands on their way into local memory -------------------===//
//
// A team steps through the depth of a product `shape.depth` at a time. Before each
// step its threads fetch a slice of both operands together, every element once:
//
//   lhs  [depth][rows + padding]      thread t fetches depth t % depth: of a matrix
//                                     neighbours read neighbours
//   rhs  [depth][columns + padding]   thread t fetches element t of the panels' part,
//                                     which is contiguous
//
// What lies outside (of the depth, of the image, of the panels) is 0.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_SLICES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_SLICES_H

#include "compiler/codegen/schedules/packed/Item.h"
#include "compiler/codegen/schedules/tiled/TileShape.h"

namespace hexin::codegen::tiled {

/// Steps of a product: a conv's taps times its channels.
KExpr stepsOf(KernelBuilder &k, const packed::Problem &problem);

/// The left operand's part of a tile: `rows` of it from `firstRow` on, rows of the
/// matrix or output pixels, of which this thread fetches some.
class LhsSlice {
public:
  /// Notes where the thread's rows lie; those past the last one are the last one.
  LhsSlice(const packed::Item &item, const TileShape &shape, mlir::Value local,
           mlir::Value firstRow);
  /// Stores the thread's elements of the steps from `step` on.
  void fetch(mlir::Value step);

private:
  struct Tap;
  mlir::Value load(const Tap &tap, mlir::Value which);

  const packed::Item &item;
  const TileShape &shape;
  KernelBuilder &k;
  mlir::Value local;
  mlir::Value stepInSlice, rowInSlice; ///< the thread's first
  mlir::Value bases, ys, xs;           ///< packed::Row of each fetch, in scratch
  bool hasWindow;
};

/// The panels' part of a tile, from column `firstColumn` on.
class RhsSlice {
public:
  /// `start`: where the slice begins in `local`.
  RhsSlice(const packed::Item &item, const TileShape &shape, mlir::Value local,
           unsigned start, mlir::Value firstColumn)
      : item(item), shape(shape), local(local), start(start), firstColumn(firstColumn) {}
  void fetch(mlir::Value step);

private:
  const packed::Item &item;
  const TileShape &shape;
  mlir::Value local;
  unsigned start;
  mlir::Value firstColumn;
};

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_SLICES_H
