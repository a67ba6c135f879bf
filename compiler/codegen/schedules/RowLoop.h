//===- RowLoop.h - loops over one row, by an item alone or by a team --------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

namespace hexin::codegen {

/// body(i, lanes) for i = 0, lanes, 2*lanes ... below `count`; what is left one
/// element at a time.
void forEachInRow(KernelBuilder &k, mlir::Value count, unsigned lanes,
                  llvm::function_ref<void(mlir::Value i, unsigned lanes)> body);

/// Folds element(i, lanes) over a row with `fn`: `lanes` partial results, joined at
/// the end in a fixed tree, then the left-over elements in order. `type` is the hx
/// element type of what is folded.
mlir::Value
foldRow(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type, mlir::Value count,
        unsigned lanes, mlir::Value init,
        llvm::function_ref<mlir::Value(mlir::Value i, unsigned lanes)> element);

/// Joins the lanes of a vector accumulator.
mlir::Value joinLanes(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type,
                      mlir::Value vector);

/// Whoever owns rows: an item alone walks them in vectors; of a team of t threads,
/// thread i takes elements i, i + t, i + 2t ..., so that neighbours read neighbours.
/// All threads go round their loops equally often: PoCL 3.1 gets others wrong.
class RowWalk {
public:
  /// `threads`: of the team; 0: an item alone, in vectors of `lanes`.
  RowWalk(KernelBuilder &k, unsigned threads, unsigned lanes)
      : k(k), threads(threads), lanes(threads > 0 ? 1 : lanes) {}

  /// Opens the loop over `items` rows; as KernelBuilder::beginItems.
  mlir::Value begin(KExpr items);
  void forEach(mlir::Value count,
               llvm::function_ref<void(mlir::Value i, unsigned lanes)> body);
  /// This walker's share of the row folded on top of `init`; see foldRow.
  mlir::Value
  foldShare(hx::ReduceFn fn, mlir::Type type, mlir::Value count, mlir::Value init,
            llvm::function_ref<mlir::Value(mlir::Value i, unsigned lanes)> element);
  /// All shares joined, in a fixed tree; every thread gets the result. Shares that had
  /// nothing to fold are the identity of `fn`. One type per walk.
  mlir::Value join(hx::ReduceFn fn, mlir::Type type, mlir::Value share);
  /// `body` by one thread of the team.
  void once(llvm::function_ref<void()> body);

private:
  KernelBuilder &k;
  unsigned threads, lanes;
  mlir::Value shares; ///< local memory, one element per thread
};

/// Threads that serve rows of `length` elements, a power of two: two or more elements
/// each, where there are so many.
unsigned rowThreads(const CodegenTraits &traits, std::optional<int64_t> length);

/// Why rows of that length, and so many elements in all, are not worth a team; or "".
std::string rowRefusal(std::optional<int64_t> length, std::optional<int64_t> total);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H
