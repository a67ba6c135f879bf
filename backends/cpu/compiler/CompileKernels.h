//===- CompileKernels.h - kernels to objects, by the cache or by LLVM
//----------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_COMPILEKERNELS_H
#define HEXIN_BACKENDS_CPU_COMPILER_COMPILEKERNELS_H

#include "compiler/target/KernelCache.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace hexin::cpu {

struct CompiledKernels {
  std::vector<std::string> objects; ///< an ELF object per kernel, in module order
  uint64_t reused = 0;              ///< of them out of the cache
};

/// Compiles each kernel of `kernels` (form: compiler/codegen/KernelModule.h) for
/// `arch` into an object of its own. What `cache` (may be null) does not have is
/// spread over `threads` threads, each with MLIR and LLVM contexts of its own, and
/// stored. The module loses its locations. Fails with a diagnostic at the kernel.
mlir::FailureOr<CompiledKernels> compileKernels(mlir::ModuleOp kernels,
                                                llvm::StringRef arch,
                                                const KernelCache *cache,
                                                unsigned threads);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_COMPILEKERNELS_H
