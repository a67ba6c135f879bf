//===- Loops.h - building hx.loop, for several families ----------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_LOOPS_H
#define HEXIN_FRONTENDS_ONNX_OPS_LOOPS_H

#include "frontends/onnx/OpBinder.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace hexin::onnx {

struct LoopParts {
  Value tripCount, condition; ///< or null
  bool ignoresCondition = false;
  llvm::SmallVector<Value> carried;
  size_t numStacked = 0;
};

/// Writes the body at the insertion point, the end of `block`; gives the condition to
/// go on, the carried values and the slices. Called again when sizes turn out to change
/// from one iteration to the next. Sizes that it computes are not for use outside: it
/// has a ShapeMath of its own.
using LoopBody = llvm::function_ref<mlir::FailureOr<llvm::SmallVector<Value>>(
    mlir::Block &block, Value iteration, llvm::ArrayRef<Value> carried)>;

/// Carried results, then stacked ones; empty after an error.
llvm::SmallVector<Value> buildLoop(OpBinder &b, LoopParts parts, LoopBody body);

class OpTable;
void registerScanOps(OpTable &table); ///< Scan.cpp; with those of Loop.cpp

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_LOOPS_H
