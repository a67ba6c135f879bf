//===- AsyncCopy.h - memory into local memory while a team computes ----------------===//
//
// Copies are gathered in groups, which finish in order:
//
//   copyToLocal ... copyToLocal, closeCopies     a group
//   awaitCopies(1), barrier                      all groups but the last are there
//
// On targets without such copies (CodegenTraits::team.asyncCopies), and where an address
// is not known to be aligned, each is a load and a store, which the barrier makes visible
// all the same.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ASYNCCOPY_H
#define HEXIN_COMPILER_CODEGEN_ASYNCCOPY_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// `count` elements as they stand in memory, to a multiple of their bytes in `dst`.
struct LocalCopy {
  mlir::Value src, position; ///< a binding, and where in it; read only if `inside`
  mlir::Value dst, at;       ///< local memory
  unsigned count = 1;
  mlir::Value inside; ///< i1: whether there is anything to read; else zeros are stored
};

void copyToLocal(KernelBuilder &k, const LocalCopy &copy);
/// The thread's copies since the last call are a group.
void closeCopies(KernelBuilder &k);
/// Waits until all of the thread's groups but the last `open` ones are done.
void awaitCopies(KernelBuilder &k, unsigned open);

/// Elements of local memory side by side, which lie at a multiple of their bytes.
mlir::Value loadLocal(KernelBuilder &k, mlir::Value local, mlir::Value at,
                      unsigned lanes);
void storeLocal(KernelBuilder &k, mlir::Value local, mlir::Value at, mlir::Value value);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ASYNCCOPY_H
