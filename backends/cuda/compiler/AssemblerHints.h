//===- AssemblerHints.h - what keeps the assembler from spilling ---------------------===//
//
// Said of kernels on the way to LLVM: which loops stay as they are, and how many blocks
// a core shall run.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_ASSEMBLERHINTS_H
#define HEXIN_BACKENDS_CUDA_COMPILER_ASSEMBLERHINTS_H

#include "backends/cuda/compiler/KernelForm.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace hexin::cuda {

/// Marks the loops of a kernel of memrefs and scf that are not to be unrolled, or what
/// does not change in them not taken out of them.
void keepLoops(mlir::func::FuncOp kernel, const KernelForm &form);

/// Control flow hands those marks on to the loop's branch, but not where LLVM looks:
/// puts them there.
void annotateBranches(mlir::ModuleOp module);

/// Blocks that a core shall run at a time, 0 for what the assembler likes. It spills a
/// few registers where that makes room for one block more, so items ask for one and short
/// rows for as many as leave 64 registers, more than they need; long rows it leaves well
/// alone. Teams of products, which share much memory, get up to 128 registers a thread.
int32_t wantedBlocks(const KernelForm &form);

/// What an entry says of itself: that it is one, and the threads of its blocks.
void markAsEntry(mlir::LLVM::LLVMFuncOp entry, const KernelForm &form, int32_t blocks);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_ASSEMBLERHINTS_H
