//===- Build.h - small builders that several passes need --------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_BUILD_H
#define HEXIN_COMPILER_TRANSFORMS_BUILD_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

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

/// Builds ops with inferred types in the place of `op`, which stays. After a failure
/// nothing more is made and every value is null.
class InferredBuilder {
public:
  InferredBuilder(mlir::Operation *op, SymbolicShapes &shapes)
      : b(op), shapes(shapes), loc(op->getLoc()), i64(b.getI64Type()) {}

  /// The one result of an OpT of `args`.
  template <typename OpT, typename... Args>
  mlir::Value make(mlir::Type elementType, Args &&...args) {
    if (hasFailed)
      return {};
    auto made =
        createInferred<OpT>(b, shapes, loc, elementType, std::forward<Args>(args)...);
    hasFailed = mlir::failed(made);
    return hasFailed ? mlir::Value() : (*made)->getResult(0);
  }
  mlir::Value ints(llvm::ArrayRef<int64_t> values) {
    return shapeConstant(b, loc, values);
  }

protected:
  mlir::OpBuilder b;
  SymbolicShapes &shapes;
  mlir::Location loc;
  mlir::Type i64;
  bool hasFailed = false;
};

/// Replaces every OpT below `func` that `matches`: RewriterT(op, shapes).run() gives all
/// uses of its results to what it builds.
template <typename OpT, typename RewriterT, typename FuncT>
mlir::LogicalResult rewriteInferred(FuncT func, llvm::function_ref<bool(OpT)> matches) {
  llvm::SmallVector<OpT> found;
  func.walk([&](OpT op) {
    if (matches(op))
      found.push_back(op);
  });
  if (found.empty())
    return mlir::success();
  SymbolicShapes shapes(func.getContext());
  if (mlir::failed(shapes.run(func)))
    return mlir::failure();
  for (OpT op : found)
    if (mlir::failed(RewriterT(op, shapes).run()))
      return mlir::failure();
  // At the end: the shapes know values by address.
  for (OpT op : found)
    op.erase();
  return mlir::success();
}

/// Erases ops below `root` that nothing uses, whole chains at once.
void eraseDead(mlir::Operation *root);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_BUILD_H
