//===- CompileKernels.h - kernels to code, one by one, by the cache or by a compiler ---===//
//
// For targets that compile kernels apart from each other and join what comes out.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_COMPILEKERNELS_H
#define HEXIN_COMPILER_TARGET_COMPILEKERNELS_H

#include "compiler/target/KernelCache.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <functional>
#include <string>
#include <vector>

namespace hexin {

/// Compiles one kernel for one arch. Called by several threads, each with an MLIR
/// context of its own.
struct KernelCompiler {
  llvm::StringRef target, arch; ///< what the code follows from, besides the kernel
  /// Loads every dialect that kernels use or become.
  void (*loadDialects)(mlir::MLIRContext &context);
  /// The code of the one kernel of `module` (consumed), never empty. Diagnoses failures.
  std::function<mlir::FailureOr<std::string>(mlir::ModuleOp module)> compile;
};

struct CompiledKernels {
  std::vector<std::string> codes; ///< one per kernel, in module order
  uint64_t reused = 0;            ///< of them out of the cache
};

/// Compiles each kernel of `kernels` (form: compiler/codegen/KernelModule.h) by
/// itself. What `cache` (may be null) does not have is spread over `threads` threads and
/// stored. The module loses its locations. Fails with a diagnostic at the kernel.
mlir::FailureOr<CompiledKernels> compileKernels(mlir::ModuleOp kernels,
                                                const KernelCompiler &compiler,
                                                const KernelCache *cache,
                                                unsigned threads);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_COMPILEKERNELS_H
