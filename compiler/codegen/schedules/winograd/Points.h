//===- Points.h - the transforms of one row or column ----------------------------===//
//
// Bt d and At m of runtime/artifact/WinogradWeights.h, for vectors of channels.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_POINTS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_POINTS_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen::winograd {

/// The tile + 2 points of tile + 2 neighbouring inputs.
llvm::SmallVector<mlir::Value> transformInputs(KernelBuilder &k, int64_t tile,
                                               llvm::ArrayRef<mlir::Value> d);
/// `tile` neighbouring outputs of the sums at tile + 2 points.
llvm::SmallVector<mlir::Value> transformSums(KernelBuilder &k, int64_t tile,
                                             llvm::ArrayRef<mlir::Value> m);

} // namespace hexin::codegen::winograd

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_WINOGRAD_POINTS_H
