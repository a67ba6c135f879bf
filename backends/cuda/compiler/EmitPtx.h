//===- EmitPtx.h - LLVM to PTX text ------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_EMITPTX_H
#define HEXIN_BACKENDS_CUDA_COMPILER_EMITPTX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace hexin::cuda {

/// What stands at the top of an image for `arch` ("ptx-sm_80").
std::string ptxHead(llvm::StringRef arch);

/// Whether this compiler writes PTX for `arch`.
bool isPtxArch(llvm::StringRef arch);

/// Compiles what lowerToNvvm left in `module` and returns the text without its head.
/// Fails with a diagnostic when a kernel holds what NVPTX is not known to translate
/// (Selectable.h). May run on several threads for modules of different contexts.
mlir::FailureOr<std::string> emitPtx(mlir::ModuleOp module, llvm::StringRef arch);

/// The same for LLVM IR; "" and the reason in `error` where it fails.
std::string emitPtx(llvm::Module &module, llvm::StringRef arch, std::string &error);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_EMITPTX_H
