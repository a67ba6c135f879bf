//===- Positions.h - stored indices as positions along an axis --------------===//
//
// What gathers, scatters and recurrences share: an index or a length that is read from a
// tensor may point anywhere.
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

/// `stored`, an element of a tensor of lengths, as a number in [0, limit]; one outside
/// is reported as a fault, and clamped.
mlir::Value length(KernelBuilder &k, mlir::Value stored, KExpr limit);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_POSITIONS_H
