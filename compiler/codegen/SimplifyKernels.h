//===- SimplifyKernels.h - kernels as translators like them
//--------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SIMPLIFYKERNELS_H
#define HEXIN_COMPILER_CODEGEN_SIMPLIFYKERNELS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace hexin {

/// Canonical, without repeated computations: less text and less work for whoever
/// translates the kernels of `module`. Every target calls it first.
mlir::LogicalResult simplifyKernels(mlir::ModuleOp module);

} // namespace hexin

#endif // HEXIN_COMPILER_CODEGEN_SIMPLIFYKERNELS_H
