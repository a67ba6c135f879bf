//===- Squares.h - transposes in registers ------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H

#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen {

/// As many vectors as each has lanes, a power of two, become their transpose.
void transposeSquare(KernelBuilder &k, llvm::MutableArrayRef<mlir::Value> square);

/// Whether the group is nothing but a transpose that moves the last axis, whose elements
/// an item alone on a core can take in vectors.
bool takesSquares(ElementEmitter &emitter);
mlir::LogicalResult emitSquares(ElementEmitter &emitter);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_SQUARES_H
