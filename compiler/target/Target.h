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
#include "compiler/target/LibraryCall.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hexin::hx {
class GroupOp;
class SymbolicShapes;
} // namespace hexin::hx

namespace hexin {

class KernelCache;

struct Image {
  std::string arch;
  std::string bytes;
  uint64_t kernelsReused = 0; ///< whose code came out of the cache
  /// Whether devices map the bytes from the file (contract 15) and do not just read them
  /// once; what is only read is compressed.
  bool isMapped = false;
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

  /// The libraries that libraryCall may answer with; options name them.
  virtual llvm::ArrayRef<llvm::StringRef> libraries() const { return {}; }

  /// `group` as a call of the target's library that goes before our kernel; nullopt
  /// when there is none, and why in `reason` when a library has such ops at all
  /// ("onednn: no post-op for floor").
  virtual std::optional<LibraryCall>
  libraryCall(hx::GroupOp group, hx::SymbolicShapes &shapes, std::string &reason);
};

/// Options that reach a target's factory.
struct TargetOptions {
  std::vector<std::string> archs; ///< empty = all
  /// Libraries to do without, and libraries that go first wherever they can.
  std::vector<std::string> disabled, preferred;
  /// Where compiled kernels are kept, or null. Outlives the target.
  const KernelCache *cache = nullptr;
  unsigned threads = 1; ///< that emitImage may use, its caller's included
};

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_TARGET_H
