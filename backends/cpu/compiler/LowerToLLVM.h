//===- LowerToLLVM.h - kernel module to LLVM dialect --------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_LOWERTOLLVM_H
#define HEXIN_BACKENDS_CPU_COMPILER_LOWERTOLLVM_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace hexin::cpu {

/// What the entry point of a kernel must know of it.
struct KernelInfo {
  std::string name;
  unsigned numBindings;
  unsigned numParams;
  bool flushesSubnormals;
  mlir::Location location;
};

/// Loads every dialect that kernels use or become.
void loadKernelDialects(mlir::MLIRContext &context);

/// Lowers a kernel module (form: compiler/target/Target.h) in place; afterwards it
/// holds one llvm.func per kernel whose arguments are, for each binding, the five
/// parts of a 1-D memref descriptor, then the params, then begin and end. Fills
/// `kernels` in module order. Fails with a diagnostic at the kernel or op that is
/// not of the form.
mlir::LogicalResult lowerToLLVM(mlir::ModuleOp module, llvm::StringRef arch,
                                llvm::SmallVectorImpl<KernelInfo> &kernels);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_LOWERTOLLVM_H
