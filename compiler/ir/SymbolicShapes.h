//===- SymbolicShapes.h - the sizes of every value of a function ---------------===//
//
// Runs the ops' shape functions in order and keeps what they say. It is an
// analysis: build it anew after a pass that changed the IR; `infer` extends it
// while IR is being built. Types follow: after `infer`, an op's result types are
// static where the Dim is a constant and `?` elsewhere.
//
// Entry arguments may carry `hx.dim_names = ["N", "", ...]`; equal names are
// equal sizes.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_SYMBOLICSHAPES_H
#define HEXIN_COMPILER_IR_SYMBOLICSHAPES_H

#include "compiler/ir/ShapeContext.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace hexin::hx {

class SymbolicShapes {
public:
  explicit SymbolicShapes(mlir::MLIRContext *context) : table(context) {}

  /// Makes symbols for the arguments' dynamic sizes, then infers the body.
  mlir::LogicalResult run(mlir::func::FuncOp func);

  void addArgument(mlir::BlockArgument argument, llvm::ArrayRef<std::string> dimNames);

  /// Runs the shape function of one op (regions included) and refines the types
  /// of its results. Fails with a diagnostic at the op.
  mlir::LogicalResult infer(mlir::Operation *op);

  /// Checks the result types of one op against its shape function, with nothing
  /// known but the types of its operands and constants among them.
  static mlir::LogicalResult verify(mlir::Operation *op);

  SymbolTable &symbols() { return table; }
  bool has(mlir::Value value) const { return sizes.count(value) != 0; }
  /// Values that no shape function spoke of have the sizes of their type, and
  /// symbols of their own where that says `?`.
  Dims dims(mlir::Value value);
  std::optional<Dims> contents(mlir::Value value);
  /// Whether contents of `value` are known without reading it: in terms of sizes,
  /// constants and elements of other values.
  bool followsFromOthers(mlir::Value value);
  /// Elements of an operand that `op` reads on the host, as expressions over sizes
  /// and over the elements of the values where integer arithmetic on the host
  /// begins. They are the value's contents from then on. Fails with a diagnostic
  /// when their number is not known.
  mlir::FailureOr<Dims> hostElements(mlir::Operation *op, mlir::Value value);
  /// Number of elements as a Dim.
  Dim numElements(mlir::Value value);

  /// Forgets a value that is about to be erased.
  void erase(mlir::Value value);

private:
  friend class ShapeContextImpl;
  std::optional<Dims> demand(mlir::Value value, unsigned depth);
  mlir::LogicalResult inferRegions(mlir::Operation *op);
  mlir::LogicalResult inferRegion(mlir::Region &region);

  SymbolTable table;
  llvm::DenseMap<mlir::Value, Dims> sizes;
  llvm::DenseMap<mlir::Value, Dims> elements;
  llvm::DenseMap<mlir::Value, Dims> demanded; ///< on the way to a host read
  bool demandFailed = false;                  ///< with a diagnostic
  /// Verifying one op looks at nothing before it.
  bool looksBack = true;
};

/// Creates `OpT`, runs its shape function, and returns it with refined types.
/// `elementTypes` are the element types of the results.
template <typename OpT, typename... Args>
mlir::FailureOr<OpT>
createInferred(mlir::OpBuilder &builder, SymbolicShapes &shapes, mlir::Location loc,
               llvm::ArrayRef<mlir::Type> elementTypes, Args &&...args) {
  llvm::SmallVector<mlir::Type> types;
  for (mlir::Type elementType : elementTypes)
    types.push_back(mlir::RankedTensorType::get({}, elementType)); // placeholder
  auto op =
      OpT::create(builder, loc, mlir::TypeRange(types), std::forward<Args>(args)...);
  if (mlir::failed(shapes.infer(op)))
    return mlir::failure();
  return op;
}

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_SYMBOLICSHAPES_H
