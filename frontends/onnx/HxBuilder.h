//===- HxBuilder.h - hx ops with inferred types, written like expressions -------===//
//
// Failure is sticky: after an op whose shapes contradict each other (a diagnostic
// has been emitted) every further call returns null and does nothing, so that
// import functions read like the formula they build. Who looks *into* a value
// that was built here (its rank, its sizes) asks failed() first.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_HXBUILDER_H
#define HEXIN_FRONTENDS_ONNX_HXBUILDER_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

namespace hexin::onnx {

using mlir::Value; // not hexin::Value, which only run-time code sees

class HxBuilder {
public:
  HxBuilder(mlir::OpBuilder &builder, hx::SymbolicShapes &shapes, mlir::Location loc)
      : builder(builder), shapes(shapes), loc(loc) {}

  bool failed() const { return hasFailed; }
  /// Whether it failed because of operand types, not sizes.
  bool failedOnTypes() const { return hasWrongTypes; }
  void markFailed() { hasFailed = true; }
  mlir::MLIRContext *context() const { return builder.getContext(); }

  /// Creates an op whose results have these element types; null when failed.
  template <typename OpT, typename... Args>
  OpT create(llvm::ArrayRef<mlir::Type> elementTypes, Args &&...args) {
    if (hasFailed)
      return {};
    auto op = hx::createInferred<OpT>(builder, shapes, loc, elementTypes,
                                      std::forward<Args>(args)...);
    hasFailed = mlir::failed(op);
    // Operands of types that do not go together are found here, at the node.
    if (!hasFailed && mlir::failed(mlir::verify(*op, /*verifyRecursively=*/false)))
      hasFailed = hasWrongTypes = true;
    return hasFailed ? OpT() : *op;
  }
  /// The same for an op of one result.
  template <typename OpT, typename... Args>
  Value make(mlir::Type elementType, Args &&...args) {
    OpT op = create<OpT>(elementType, std::forward<Args>(args)...);
    return op ? op->getResult(0) : Value();
  }

  /// Creates an op whose results have these types, of which sizes become better known.
  template <typename OpT, typename... Args>
  OpT createTyped(mlir::TypeRange types, Args &&...args) {
    if (hasFailed)
      return {};
    auto op = OpT::create(builder, loc, types, std::forward<Args>(args)...);
    // Its verifier comes first: shape functions take kinds of values for granted.
    if (mlir::failed(mlir::verify(op, /*verifyRecursively=*/false)))
      hasFailed = hasWrongTypes = true;
    hasFailed = hasFailed || mlir::failed(shapes.infer(op));
    return hasFailed ? OpT() : op;
  }
  template <typename OpT, typename... Args>
  Value makeTyped(mlir::Type type, Args &&...args) {
    OpT op = createTyped<OpT>(type, std::forward<Args>(args)...);
    return op ? op->getResult(0) : Value();
  }

  // Constants.
  Value constant(mlir::ElementsAttr value);
  Value ints(llvm::ArrayRef<int64_t> values); ///< 1-D i64
  /// `value` in a float or integer type, of rank 0.
  Value scalar(mlir::Type elementType, double value);
  /// `value` like `x`'s elements.
  Value scalarLike(Value x, double value);
  /// Every element `value` at static sizes; stored once.
  Value splat(llvm::ArrayRef<int64_t> sizes, mlir::Attribute value);
  /// A literal of strings; null when there are too many for one.
  Value strings(llvm::ArrayRef<std::string> values, llvm::ArrayRef<int64_t> sizes);

  // Elementwise.
  Value unary(hx::UnaryFn fn, Value x);
  Value binary(hx::BinaryFn fn, Value lhs, Value rhs);
  Value compare(hx::ComparePredicate predicate, Value lhs, Value rhs);
  Value select(Value condition, Value onTrue, Value onFalse);
  Value activation(hx::ActivationKind kind, Value x, double alpha = 0, double beta = 0);
  /// What is computed in and rounded once at the end: f32 for f16 and bf16, else `type`.
  mlir::Type wideType(mlir::Type type);
  /// `x` itself when it has the type already.
  Value cast(Value x, mlir::Type elementType);
  Value add(Value a, Value b) { return binary(hx::BinaryFn::add, a, b); }
  Value sub(Value a, Value b) { return binary(hx::BinaryFn::sub, a, b); }
  Value mul(Value a, Value b) { return binary(hx::BinaryFn::mul, a, b); }
  Value div(Value a, Value b) { return binary(hx::BinaryFn::div, a, b); }
  Value logicalNot(Value x) { return unary(hx::UnaryFn::logical_not, x); }

  // Movement; shape operands as the dialect wants them.
  Value reshape(Value x, Value shape);
  Value broadcastTo(Value x, Value shape);
  Value transpose(Value x, llvm::ArrayRef<int64_t> perm);
  Value concat(llvm::ArrayRef<Value> values, int64_t axis);
  Value slice(Value x, Value starts, Value sizes, llvm::ArrayRef<int64_t> steps);
  Value pad(hx::PadMode mode, Value x, Value low, Value high, Value value);
  Value gather(Value x, Value indices, int64_t axis, int64_t batchDims = 0);
  Value iota(Value sizes, int64_t axis, mlir::Type elementType);
  Value shapeOf(Value x);

  // The rest of what several families need.
  Value reduce(hx::ReduceFn fn, Value x, llvm::ArrayRef<int64_t> axes, bool keepDims);
  Value matmul(Value lhs, Value rhs, bool transposeLhs = false,
               bool transposeRhs = false);

  // What is known of a value.
  static mlir::Type elementType(Value x);
  static bool isFloat(Value x);
  static int64_t rank(Value x); ///< 0 for null
  hx::Dims dims(Value x) { return shapes.dims(x); }
  hx::SymbolTable &symbols() { return shapes.symbols(); }

  mlir::OpBuilder &builder;
  hx::SymbolicShapes &shapes;
  mlir::Location loc;

protected:
  bool hasFailed = false;
  bool hasWrongTypes = false;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_HXBUILDER_H
