//===- ZeroPoint.h - operands of integer products ---------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ELEMENTS_ZEROPOINT_H
#define HEXIN_COMPILER_CODEGEN_ELEMENTS_ZEROPOINT_H

#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen {

/// operand[at] - zeroPoint in i32. `zeroPoint` may be null; one with an entry per row or
/// column is read at `zeroIndex`.
mlir::Value emitAboveZeroPoint(ElementEmitter &emitter, mlir::Value operand,
                               llvm::ArrayRef<mlir::Value> at, mlir::Value zeroPoint,
                               mlir::Value zeroIndex);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ELEMENTS_ZEROPOINT_H
