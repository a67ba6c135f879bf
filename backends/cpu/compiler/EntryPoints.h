//===- EntryPoints.h - the CPU kernel ABI around kernel bodies --------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_ENTRYPOINTS_H
#define HEXIN_BACKENDS_CPU_COMPILER_ENTRYPOINTS_H

#include "backends/cpu/compiler/LowerToLLVM.h"

namespace llvm {
class Module;
} // namespace llvm

namespace hexin::cpu {

/// Makes each kernel's function internal and inlined into an exported function of
/// the CPU kernel ABI with the kernel's name. Bindings do not alias each other where
/// one is written.
mlir::LogicalResult addEntryPoints(llvm::Module &module,
                                   llvm::ArrayRef<KernelInfo> kernels);

/// Adds what an image has once: the constant that names the ABI's version, and the
/// three memory functions that LLVM may call on its own (the linker drops those that
/// nothing calls).
void addSupport(llvm::Module &module);

/// Whether `name` is one of those functions.
bool isSupportFunction(llvm::StringRef name);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_ENTRYPOINTS_H
