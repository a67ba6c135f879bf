//===- Steps.h - a product's steps through local memory ---------------------===//
//
// Slices of the operands follow each other through the stages of local memory:
//
//   one stage      fetch 0 | sum 0 | fetch 1 | sum 1 | ...       (| is a barrier)
//   three stages   fetch 0, fetch 1 | fetch 2, sum 0 | fetch 3, sum 1 | ...
//
// where a fetch of AsyncCopy.h goes on while sums are made, until its slice is next.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_STEPS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_STEPS_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen::tiled {

struct Steps {
  mlir::Value count; ///< of the product
  unsigned depth;    ///< of them in a slice
  unsigned stages;
  unsigned stageElements; ///< of local memory
};

/// Stores the slice from a step on into the stage that begins at `stage`.
using Fetch = llvm::function_ref<void(mlir::Value step, mlir::Value stage)>;
/// The sums with those of the slice at `stage` on top.
using SumSlice = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::Value stage, mlir::ValueRange sums)>;

/// Sums over all steps, on top of `init`. Local memory is free behind it.
llvm::SmallVector<mlir::Value> sumSteps(KernelBuilder &k, const Steps &steps,
                                        mlir::ValueRange init, Fetch fetch, SumSlice sum);

} // namespace hexin::codegen::tiled

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_TILED_STEPS_H
