//===- Checks.h - what shape functions and verifiers check alike -----------------===//
//
// All report at the op (compiler/ir/Errors.h).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_OPS_CHECKS_H
#define HEXIN_COMPILER_IR_OPS_CHECKS_H

#include "compiler/ir/Errors.h"
#include "compiler/ir/Ops.h"
#include "compiler/ir/ShapeContext.h"

#include "mlir/IR/TypeUtilities.h"

namespace hexin::hx {

inline mlir::Type elementType(mlir::Value value) {
  return mlir::getElementTypeOrSelf(value.getType());
}

/// f64, f32, f16 or bf16: the types that arithmetic happens in.
bool isArithmeticFloat(mlir::Type type);
/// Integers of 8 bits and more.
bool isArithmeticInteger(mlir::Type type);

mlir::LogicalResult checkAxis(mlir::Operation *op, int64_t axis, size_t rank,
                              llvm::StringRef name = "axis");
mlir::LogicalResult checkRank(mlir::Operation *op, llvm::ArrayRef<Dim> dims, size_t rank,
                              const llvm::Twine &what);
/// That a list attribute or shape operand has one entry per axis.
mlir::LogicalResult checkCount(mlir::Operation *op, size_t count, size_t expected,
                               const llvm::Twine &what);
mlir::LogicalResult checkSameElementType(mlir::Operation *op, mlir::Value a,
                                         const llvm::Twine &whatA, mlir::Value b,
                                         const llvm::Twine &whatB);
mlir::LogicalResult checkElementType(mlir::Operation *op, mlir::Value value, bool isRight,
                                     const llvm::Twine &what,
                                     const llvm::Twine &expected);

/// A shape of constants as numbers; nullopt when one is not known.
std::optional<llvm::SmallVector<int64_t>> staticSizes(llvm::ArrayRef<Dim> dims);
/// The number of elements of a shape of constants that has at most
/// ShapeContext::maxContents of them.
std::optional<int64_t> smallCount(llvm::ArrayRef<Dim> dims);
/// The coordinates of element `index` of a row-major tensor.
llvm::SmallVector<int64_t> coordinatesOf(int64_t index, llvm::ArrayRef<int64_t> sizes);
/// The element at `coordinates`, which are right-aligned to `sizes`; axes of size 1
/// broadcast.
int64_t broadcastIndex(llvm::ArrayRef<int64_t> coordinates,
                       llvm::ArrayRef<int64_t> sizes);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_OPS_CHECKS_H
