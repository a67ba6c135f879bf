//===- ShapeContext.h - what an op's shape function reads and writes ----------===//
#ifndef HEXIN_COMPILER_IR_SHAPECONTEXT_H
#define HEXIN_COMPILER_IR_SHAPECONTEXT_H

#include "compiler/ir/Symbols.h"

#include "mlir/IR/Operation.h"

namespace hexin::hx {

/// The view of SymbolicShapes that a shape function gets. Sizes of operands and
/// the contents of small integer operands go in, those of results come out.
class ShapeContext {
public:
  virtual ~ShapeContext() = default;

  virtual SymbolTable &symbols() = 0;

  /// Sizes of a ranked tensor.
  virtual Dims dims(mlir::Value value) = 0;

  /// Row-major elements of an integer (or i1) tensor of at most `maxContents`
  /// elements whose values are known as expressions; nullopt when they are not.
  /// A float tensor has contents when its values are known to be integers (sizes
  /// that are scaled in f32 before they come back).
  virtual std::optional<Dims> contents(mlir::Value value) = 0;

  /// Elements of a host-read operand: its contents, or element symbols for them.
  /// Fails when the number of elements is not static.
  virtual mlir::FailureOr<Dims> hostElements(mlir::Operation *op, mlir::Value value) = 0;

  virtual void setDims(unsigned result, llvm::ArrayRef<Dim> dims) = 0;
  virtual void setContents(unsigned result, llvm::ArrayRef<Dim> elements) = 0;

  static constexpr int64_t maxContents = 256;

  // Conveniences in terms of the above.
  Dim constant(int64_t value) { return symbols().constant(value); }
  /// numpy broadcasting of two shapes; reports at `op`. A dim that may be 1 at
  /// run time gives SymbolTable::broadcast and a constraint.
  mlir::FailureOr<Dims> broadcast(mlir::Operation *op, llvm::ArrayRef<Dim> lhs,
                                  llvm::ArrayRef<Dim> rhs);
  /// Says that two sizes must agree: an error when they cannot, a run-time
  /// constraint when it is not known.
  mlir::LogicalResult requireEqual(mlir::Operation *op, Dim lhs, Dim rhs,
                                   const llvm::Twine &what);
  /// The same for dim >= lower.
  mlir::LogicalResult requireAtLeast(mlir::Operation *op, Dim dim, int64_t lower,
                                     const llvm::Twine &what);
};

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_SHAPECONTEXT_H
