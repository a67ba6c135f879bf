//===- KernelForm.h - is it a kernel that a GPU can run? ------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_KERNELFORM_H
#define HEXIN_BACKENDS_CUDA_COMPILER_KERNELFORM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace hexin::cuda {

struct KernelForm {
  unsigned numBindings = 0, numParams = 0;
  unsigned teamThreads = 0; ///< 0: no team kernel
  unsigned localBytes = 0;  ///< that a team shares
  mlir::scf::ForOp items;   ///< the loop from %begin to %end
};

/// Reads the form of `kernel` (compiler/codegen/KernelModule.h). Diagnoses at the kernel
/// or op what is not of it.
mlir::FailureOr<KernelForm> readKernelForm(mlir::func::FuncOp kernel);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_KERNELFORM_H
