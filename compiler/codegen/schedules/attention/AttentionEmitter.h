//===- AttentionEmitter.h - what all ways to write an attention share -------------===//
//
//   out[row] = sum over t of exp(s[t] - m) * V[t] / sum over t of exp(s[t] - m)
//   s[t] = f(Q[row] . K[t]), m the largest of them
//
// Keys are walked a few at a time. What is summed so far is relative to the largest score
// so far; a larger one rescales it (online softmax):
//
//   m' = max(m, s), sums' = sums * exp(m - m') + sum over the few of exp(s - m') * V
//
// The products' rows are [batch..., row]; f may see them under other leading axes, in the
// same order (compiler/target/Attention.h).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_ATTENTIONEMITTER_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_ATTENTIONEMITTER_H

#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen {

/// Of compiler/target/Attention.h.
struct AttentionParts {
  hx::MatMulOp scores, output;
  hx::SoftmaxOp softmax;
  hx::SelectOp hiddenRows; ///< select(rows without keys, 0, weights), or null
  mlir::Value seen;        ///< the scores as f sees them
};

/// Null products where `group` is no attention.
AttentionParts attentionPartsOf(hx::GroupOp group);

class AttentionEmitter {
protected:
  explicit AttentionEmitter(ElementEmitter &emitter);

  template <typename OpT> Value op(Value x, Value y) { return OpT::create(b, loc, x, y); }
  Value exp(Value x);
  Value multiplyAdd(Value x, Value y, Value sum);
  /// What scores are taken relative to: 0 where all are -inf, which are then still
  /// without weight.
  Value baseOf(Value largest);
  /// What a row's sums are multiplied with in the end; a sum of no values is 0.
  Value inverse(Value sum);
  Value inRange(Value index, KExpr size) { return k.less(index, k.value(size)); }
  int64_t lastSize(Value value);

  /// The index of a row of the products as f sees it, without the key.
  llvm::SmallVector<Value> seenRow(llvm::ArrayRef<Value> batch, Value row);
  /// The softmax's input at a row and `lanes` keys from `key` on, given their products.
  Value weighed(llvm::ArrayRef<Value> seenRow, Value key, Value product,
                unsigned lanes = 1);
  /// `value` of a row, or 0 where it has no keys.
  Value shown(llvm::ArrayRef<Value> seenRow, Value value);
  static llvm::SmallVector<Value> with(llvm::ArrayRef<Value> batch, Value row,
                                       Value column);

  ElementEmitter &emitter;
  KernelBuilder &k;
  mlir::OpBuilder &b;
  mlir::Location loc;
  AttentionParts parts;
  KExpr numKeys;
  mlir::Type f32;
  Value lowest, zero;

private:
  Value score; ///< what a product is, while one is used
};

/// An item alone owns a row and walks its keys one at a time.
mlir::LogicalResult emitAttentionByRows(ElementEmitter &emitter);
/// An item owns a block of rows, where kernels may have a workspace.
bool takesAttentionByBlocks(const CodegenTraits &traits);
mlir::LogicalResult emitAttentionByBlocks(ElementEmitter &emitter);
/// Teams multiply in f32.
mlir::LogicalResult emitAttentionByTiles(ElementEmitter &emitter);
/// Teams multiply matrices of halfs; false where sizes, types or the target are not for
/// that.
bool takesAttentionByMatrices(ElementEmitter &emitter);
mlir::LogicalResult emitAttentionByMatrices(ElementEmitter &emitter);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_ATTENTIONEMITTER_H
