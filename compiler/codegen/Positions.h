//===- Positions.h - stored indices as positions along an axis --------------===//
//
// What gathers and scatters share: an index read from a tensor may point anywhere.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_POSITIONS_H
#define HEXIN_COMPILER_CODEGEN_POSITIONS_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// Whether all elements of the hx value `indices` are known, and inside of an axis of
/// `size` elements.
bool areInside(hx::SymbolicShapes &shapes, mlir::Value indices, hx::Dim size);

/// `stored`, an element of an index tensor, as a position in [0, size): indices below 0
/// count from the end, where they may. Unless `isInside`, an index outside of
/// [-size, size) is reported as a fault of the run, and clamped, so that memory is never
/// touched wild.
mlir::Value position(KernelBuilder &k, mlir::Value stored, KExpr size, bool isInside,
                     bool countsFromEnd = true);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_POSITIONS_H
