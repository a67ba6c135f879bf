//===- RowLoop.h - loops over one row, vectors first ------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

namespace hexin::codegen {

/// body(i, lanes) for i = 0, lanes, 2*lanes ... below `count`; what is left one
/// element at a time.
void forEachInRow(KernelBuilder &k, mlir::Value count, unsigned lanes,
                  llvm::function_ref<void(mlir::Value i, unsigned lanes)> body);

/// Folds element(i, lanes) over a row with `fn`: `lanes` partial results, joined at
/// the end in a fixed tree, then the left-over elements in order. `type` is the hx
/// element type of what is folded.
mlir::Value
foldRow(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type, mlir::Value count,
        unsigned lanes, mlir::Value init,
        llvm::function_ref<mlir::Value(mlir::Value i, unsigned lanes)> element);

/// Joins the lanes of a vector accumulator.
mlir::Value joinLanes(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type,
                      mlir::Value vector);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H
