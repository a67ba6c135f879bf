//===- Build.h - small builders that several passes need --------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_BUILD_H
#define HEXIN_COMPILER_TRANSFORMS_BUILD_H

#include "compiler/ir/Ops.h"

#include "mlir/IR/Builders.h"

namespace hexin::hx {

inline mlir::RankedTensorType tensorTypeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// A 1-D i64 hx.constant.
mlir::Value shapeConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          llvm::ArrayRef<int64_t> values);

/// Sizes permuted: result[i] = values[perm[i]].
llvm::SmallVector<int64_t> permuted(llvm::ArrayRef<int64_t> values,
                                    llvm::ArrayRef<int64_t> perm);
llvm::SmallVector<int64_t> inversePermutation(llvm::ArrayRef<int64_t> perm);

/// hx.transpose, or the value itself when `perm` changes nothing.
mlir::Value transposed(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                       llvm::ArrayRef<int64_t> perm);

/// A host-read 1-D operand with its entries permuted.
mlir::Value permutedShapeOperand(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::Value operand, llvm::ArrayRef<int64_t> perm);

/// `value` with `type`'s sizes, by hx.reshape; at most one size is dynamic.
mlir::Value reshaped(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                     llvm::ArrayRef<int64_t> sizes);

/// Erases ops below `root` that nothing uses, whole chains at once.
void eraseDead(mlir::Operation *root);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_BUILD_H
