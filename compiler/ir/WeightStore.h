//===- WeightStore.h - the bytes behind hx.weight ------------------------------===//
//
// Weights are not attributes: the IR names them, this table owns or borrows
// their bytes (a range of a mapped file, or memory made by folding). Entries are
// immutable once added; adding equal bytes of equal type gives the same entry.
//
// Thread-safety: all members may be called from several threads (passes fold in
// parallel); entries stay where they are.
//
// The module holds a pointer to its store for as long as the compile lasts; see
// WeightStore::of. hexin-opt and tests run without one: folding then leaves weights
// alone.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_WEIGHTSTORE_H
#define HEXIN_COMPILER_IR_WEIGHTSTORE_H

#include "hexin/value.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

#include <memory>
#include <mutex>
#include <string>

namespace hexin::hx {

struct WeightEntry {
  Tensor tensor;     ///< row-major; wraps mapped or owned memory
  uint64_t hash = 0; ///< of dtype, sizes and bytes
};

class WeightStore {
public:
  /// Adds `tensor` under a name made unique from `hint`, or finds the entry with
  /// the same contents. Returns the entry's name.
  std::string add(llvm::StringRef hint, Tensor tensor);
  const WeightEntry *find(llvm::StringRef name) const;

  /// The store attached to the module that holds `op`, or null.
  static WeightStore *of(mlir::Operation *op);
  /// Attaches `store` to `module`; the caller keeps it alive and detaches it by
  /// attaching null.
  static void attach(mlir::ModuleOp module, WeightStore *store);

private:
  mutable std::mutex mutex;
  llvm::StringMap<WeightEntry> entries;
  llvm::DenseMap<uint64_t, llvm::SmallVector<std::string, 1>> byHash;
};

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_WEIGHTSTORE_H
