//===- Squares.h - transposes in registers ------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// As many vectors as each has lanes, a power of two, become their transpose: in log2
/// rounds quarters of squares change places, first the largest.
void transposeSquare(KernelBuilder &k, llvm::MutableArrayRef<mlir::Value> square);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H
