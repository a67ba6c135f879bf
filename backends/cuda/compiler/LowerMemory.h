//===- LowerMemory.h - a kernel's memory as pointers ------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_LOWERMEMORY_H
#define HEXIN_BACKENDS_CUDA_COMPILER_LOWERMEMORY_H

#include "mlir/Support/LLVM.h"

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace hexin::cuda {

/// Rewrites every memref of `kernel` (form: compiler/codegen/KernelModule.h) as a
/// pointer, and loads and stores as LLVM's: the first `numBindings` arguments point into
/// global memory, scratch into the thread's local memory, what a team shares into
/// shared memory (a global of the module that is named for the kernel).
/// Fails with a diagnostic at the op that uses memory in another way.
mlir::LogicalResult lowerMemory(mlir::func::FuncOp kernel, unsigned numBindings);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_LOWERMEMORY_H
