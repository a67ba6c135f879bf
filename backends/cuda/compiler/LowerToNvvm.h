//===- LowerToNvvm.h - a kernel to the LLVM dialect, as GPUs run it -----------------===//
//
// What becomes of a kernel (form: compiler/codegen/KernelModule.h):
//
//   llvm.func @name(%b0: ptr<1>, ..., %p0: i64, ..., %items: i64)  [nvvm.kernel]
//
// Its loop over items strides over the grid, so that any number of blocks runs all of
// them: from the thread's number in the grid by the grid's threads, of a team kernel from
// the block's number by the grid's blocks.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_LOWERTONVVM_H
#define HEXIN_BACKENDS_CUDA_COMPILER_LOWERTONVVM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace hexin::cuda {

/// Loads every dialect that kernels use or become.
void loadKernelDialects(mlir::MLIRContext &context);

/// Lowers the kernels of `module` in place to LLVM and NVVM ops. Fails with a diagnostic
/// at the kernel or op that is not of the form.
mlir::LogicalResult lowerToNvvm(mlir::ModuleOp module);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_LOWERTONVVM_H
