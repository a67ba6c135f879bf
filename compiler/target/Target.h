//===- Target.h - the compile-side half of a backend ---------------------------===//
//
// A target says what code it takes and turns kernel modules into images. The
// shared codegen (compiler/codegen) writes the kernels; how they are tiled
// follows from CodegenTraits, never from the target's name.
//
// The form of kernel modules: compiler/codegen/KernelModule.h.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_TARGET_H
#define HEXIN_COMPILER_TARGET_TARGET_H

#include "compiler/codegen/KernelModule.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <string>
#include <vector>

namespace hexin {

class KernelCache;

struct Image {
  std::string arch;
  std::string bytes;
  uint64_t kernelsReused = 0; ///< whose code came out of the cache
};

class Target {
public:
  virtual ~Target() = default;

  virtual llvm::StringRef name() const = 0;

  /// One set of kernels is written per entry; best first.
  virtual llvm::ArrayRef<CodegenTraits> variants() const = 0;

  /// Turns a kernel module (written for `traits`; consumed) into a loadable
  /// image. Diagnoses at the kernel what it cannot take.
  virtual mlir::FailureOr<Image> emitImage(mlir::ModuleOp kernels,
                                           const CodegenTraits &traits) = 0;
};

/// Options that reach a target's factory.
struct TargetOptions {
  std::vector<std::string> archs; ///< empty = all
  /// Where compiled kernels are kept, or null. Outlives the target.
  const KernelCache *cache = nullptr;
  unsigned threads = 1; ///< that emitImage may use, its caller's included
};

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_TARGET_H
