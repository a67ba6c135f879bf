//===- ElementEmitter.h - one element (or a few) of any value of a group ----------===//
//
// The floor of codegen. `emit(value, index, lanes)` writes the code that computes
// element `index` of `value`; with lanes > 1, `lanes` neighbours along the last
// axis. Operands are read through the same call, so fusion is composition, and
// broadcast, slice, pad, transpose, gather are index arithmetic. What comes from
// outside of the group is loaded.
//
//   %t = hx.transpose %x {perm = [1, 0]}      emit(%r, [i, j], 1)
//   %r = hx.binary add %t, %b                  = load(x, j*cols + i) + load(b, j)
//
// Values computed at the same index in the same block are computed once.
//
// Axes are *virtual*: a schedule may merge neighbouring axes that every op of an
// elementwise group treats alike (`collapse`), so that most such groups become
// one or two loops.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ELEMENTEMITTER_H
#define HEXIN_COMPILER_CODEGEN_ELEMENTEMITTER_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

#include <functional>

namespace hexin::codegen {

class ElementEmitter {
public:
  ElementEmitter(KernelBuilder &kernel, hx::GroupOp group);

  /// Element(s) of a value of the group's body, in compute type.
  mlir::Value emit(mlir::Value value, llvm::ArrayRef<mlir::Value> index, unsigned lanes);

  /// Element(s) of an op's operand at the index of its result: axes of size 1, and
  /// leading ones that it lacks, are broadcast.
  mlir::Value readBroadcast(mlir::Value operand, mlir::Value result,
                            llvm::ArrayRef<mlir::Value> index, unsigned lanes);

  /// Lets the schedule compute `value` itself (the heavy op's result).
  using Provider =
      std::function<mlir::Value(llvm::ArrayRef<mlir::Value> index, unsigned lanes)>;
  void provide(mlir::Value value, Provider provider) {
    providers[value] = std::move(provider);
  }

  /// The group's k-th result as a value of the body.
  mlir::Value yielded(unsigned result = 0) const;
  /// Writes element(s) of the group's k-th result.
  void store(unsigned result, llvm::ArrayRef<mlir::Value> index, mlir::Value value);

  /// Virtual sizes of a body value.
  hx::Dims dims(mlir::Value value) const;
  llvm::SmallVector<KExpr> sizes(mlir::Value value);

  /// Merges axes when the body, but for `heavy`, is elementwise throughout.
  /// `keepLast` leaves the last axis alone. What `heavy` reads is not touched.
  void collapse(mlir::Operation *heavy = nullptr, bool keepLast = false);

  /// Lanes that every op of the group can be computed in along the last axis: the
  /// traits' width (halved when 64-bit types occur), or 1.
  unsigned lanes() const;
  /// The same for what `value` is computed from.
  unsigned lanesOf(mlir::Value value) const;

  /// The memref of an outer operand or of the group's result.
  mlir::Value memrefOf(mlir::Value bodyValue);
  mlir::Value memrefOfResult(unsigned result);
  /// Row-major position of `index`.
  mlir::Value linearize(mlir::Value value, llvm::ArrayRef<mlir::Value> index);

  /// False after `emit` met an op that it cannot write; a diagnostic names it.
  bool ok() const { return !hasFailed; }

  KernelBuilder &kernel() { return k; }
  hx::GroupOp groupOp() const { return group; }

private:
  mlir::Value emitOp(mlir::OpResult result, llvm::ArrayRef<mlir::Value> index,
                     unsigned lanes);
  mlir::Value loadOuter(mlir::BlockArgument argument, llvm::ArrayRef<mlir::Value> index,
                        unsigned lanes);
  bool isUsable(mlir::Value known) const;
  bool keepsLanes(mlir::Operation &op) const;

  KernelBuilder &k;
  mutable hx::GroupOp group; // ODS accessors are not const
  llvm::DenseMap<mlir::Value, Provider> providers;
  llvm::DenseMap<mlir::Value, hx::Dims> virtualDims;
  struct Known {
    llvm::SmallVector<mlir::Value> index;
    unsigned lanes;
    mlir::Value value;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Known, 2>> memo;
  bool hasFailed = false;
};

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ELEMENTEMITTER_H
