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

/// Folds element(i, lanes) over a row with `fn`: `ways` times `lanes` partial results,
/// joined at the end in a fixed tree, then the left-over elements in order. `type` is the
/// hx element type of what is folded.
mlir::Value
foldRow(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type, mlir::Value count,
        unsigned lanes, mlir::Value init,
        llvm::function_ref<mlir::Value(mlir::Value i, unsigned lanes)> element,
        unsigned ways = 1);

/// So many sums at a time, as each waits for its last addition.
inline constexpr unsigned manyWays = 4;

/// Joins the lanes of a vector accumulator.
mlir::Value joinLanes(KernelBuilder &k, hx::ReduceFn fn, mlir::Type type,
                      mlir::Value vector);

/// Who owns a row. On machines without warps: an item alone, or the threads of a team.
/// With warps: whole warps of a team, which may own several short rows.
struct RowOwners {
  unsigned threads = 0; ///< of a row; 0: an item alone
  unsigned lanes = 1;   ///< elements that are taken at once
  /// Of so many elements a thread, one after the other without a loop; a row that is
  /// known to be longer, or not known not to be, goes on in a loop.
  unsigned slots = 0;
  bool isLonger = true; ///< than the slots of all threads
  unsigned rows = 1;    ///< of a team
  unsigned ways = 1;    ///< of an item alone: see foldRow

  /// An item alone, with rows of `length` elements that can be taken `lanes` at once.
  static RowOwners alone(const CodegenTraits &traits, hx::Dim length, unsigned lanes);
  /// What suits rows of `length` elements that can be taken `lanes` at once.
  static RowOwners team(const CodegenTraits &traits, hx::Dim length, unsigned lanes);
};

/// The way of an owner through its row: of t threads that take l elements at once,
/// thread i takes those at i*l, (i + t)*l ..., so that neighbours read neighbours.
/// All threads go round their loops equally often: PoCL 3.1 gets others wrong.
class RowWalk {
public:
  RowWalk(KernelBuilder &k, const RowOwners &owners) : k(k), owners(owners) {}

  /// Opens the loop over `rows`, each of so many elements, and returns the row's number,
  /// which can be one behind the last: all that is here does nothing then.
  mlir::Value begin(KExpr rows, KExpr length);

  // -- slots ---------------------------------------------------------------------
  unsigned slots() const { return owners.slots; }
  unsigned lanes() const { return owners.lanes; }
  /// Where the elements of the thread's slot begin; the row may end before.
  mlir::Value slotStart(unsigned slot) { return starts[slot]; }
  mlir::Value hasSlot(unsigned slot) { return areThere[slot]; }

  /// `body` for what the slots leave; for an item alone that is all.
  void forEachBehindSlots(llvm::function_ref<void(mlir::Value i, unsigned lanes)> body);
  /// Folds what the slots leave on top of `init`; see foldRow. A team's folds have
  /// `lanes` sums.
  mlir::Value
  foldBehindSlots(hx::ReduceFn fn, mlir::Type type, mlir::Value init,
                  llvm::function_ref<mlir::Value(mlir::Value i, unsigned lanes)> element);
  /// The same for all of the row.
  mlir::Value
  foldShare(hx::ReduceFn fn, mlir::Type type, mlir::Value init,
            llvm::function_ref<mlir::Value(mlir::Value i, unsigned lanes)> element);
  /// The same of anything, by a team: body(i, what came out of it so far), `lanes`
  /// elements each.
  using Values = llvm::SmallVector<mlir::Value>;
  using Body = llvm::function_ref<Values(mlir::Value i, mlir::ValueRange carried)>;
  Values walkShare(Values init, Body body);
  /// What folds begin with.
  mlir::Value identity(hx::ReduceFn fn, mlir::Type type);

  // -- teams ---------------------------------------------------------------------
  /// All shares joined, in a fixed tree; every thread gets the result. Shares that had
  /// nothing to fold are the identity of `fn`.
  mlir::Value join(hx::ReduceFn fn, mlir::Type type, mlir::Value share);
  /// The same for anything that can be joined, whatever the order.
  using JoinTwo = llvm::function_ref<Values(const Values &x, const Values &y)>;
  Values join(Values share, JoinTwo joinTwo);
  /// `body` by one thread of those that own the row.
  void once(llvm::function_ref<void()> body);

private:
  Values walkBehindSlots(Values init, Body body);
  Values joinInWarps(Values share, JoinTwo joinTwo);
  Values joinInTree(Values share, JoinTwo joinTwo);
  /// Local memory for one element of each of `values`, per `count`; made once per type.
  Values localFor(const Values &values, unsigned count);
  bool hasWarps() const { return k.traits().warpThreads > 0; }
  bool isAlone() const { return owners.threads == 0; }

  KernelBuilder &k;
  RowOwners owners;
  mlir::Value count;   ///< of the row's elements; 0 behind the last row
  mlir::Value walker;  ///< the thread's number among those of its row
  mlir::Value isThere; ///< whether the row is; null: it is
  llvm::SmallVector<mlir::Value> starts, areThere;
  llvm::SmallVector<std::pair<mlir::Type, mlir::Value>> locals;
};

/// Why rows of that length, and so many elements in all, are not worth a team; or "".
std::string rowRefusal(std::optional<int64_t> length, std::optional<int64_t> total);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_ROWLOOP_H
