//===- EmitObject.h - LLVM dialect to an object file ------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_EMITOBJECT_H
#define HEXIN_BACKENDS_CPU_COMPILER_EMITOBJECT_H

#include "backends/cpu/compiler/LowerToLLVM.h"

namespace hexin::cpu {

/// Compiles what lowerToLLVM left in `module` for `arch` and returns the ELF object:
/// per kernel one exported function of the CPU kernel ABI
/// (runtime/device/KernelAbi.h). Fails with a diagnostic at the kernel that LLVM
/// could not compile without a function from a run-time library, other than those of
/// emitSupportObject. May run on several threads for modules of different contexts.
mlir::FailureOr<llvm::SmallString<0>> emitObject(mlir::ModuleOp module,
                                                 llvm::StringRef arch,
                                                 llvm::ArrayRef<KernelInfo> kernels);

/// The object that every image has beside its kernels (addSupport). Diagnoses at
/// `location`.
mlir::FailureOr<std::string> emitSupportObject(mlir::Location location,
                                               llvm::StringRef arch);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_EMITOBJECT_H
