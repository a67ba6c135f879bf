//===- Squares.h - transposes in registers ------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// As many vectors as each has lanes, a power of two, become their transpose.
///
/// log2(lanes) rounds, each of which swaps blocks off the diagonal: first the quarters of
/// the square, then those of its quarters, down to single elements.
void transposeSquare(KernelBuilder &k, llvm::MutableArrayRef<mlir::Value> vectors);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H
