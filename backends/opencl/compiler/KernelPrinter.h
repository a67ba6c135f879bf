//===- KernelPrinter.h - one kernel as OpenCL C statements -------------------===//
//
// Prints each op as one statement `type vN = expression;`. Constants are
// written where they are used. Families of ops live in Print*.cpp; this class
// holds what they share: names of values, scopes; no indentation, which would be a
// quarter of an image.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_COMPILER_KERNELPRINTER_H
#define HEXIN_BACKENDS_OPENCL_COMPILER_KERNELPRINTER_H

#include "backends/opencl/compiler/CType.h"
#include "backends/opencl/compiler/Helpers.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

namespace hexin::opencl {

class KernelPrinter {
public:
  /// Text goes to `os`; functions it calls are asked from `helpers`.
  KernelPrinter(llvm::raw_ostream &os, Helpers &helpers) : os_(os), helpers_(helpers) {}

  /// Prints `kernel` (form: compiler/target/Target.h) or diagnoses at the op
  /// that OpenCL C cannot say.
  mlir::LogicalResult printKernel(mlir::func::FuncOp kernel);

  Helpers &helpers() { return helpers_; }

  // -- Values. Types were checked before any op is printed. ------------------
  CType typeOf(mlir::Value value) const { return *getCType(value.getType()); }
  /// `value` as an operand, in the representation CType.h describes.
  std::string ref(mlir::Value value) const;
  /// An integer as the signed C type.
  std::string signedRef(mlir::Value value) const;
  /// As an array subscript: its value, signed or not.
  std::string subscript(mlir::Value value) const { return names_.lookup(value); }
  /// The float value of a narrow float; others as `ref`.
  std::string computeRef(mlir::Value value);

  // -- Statements --------------------------------------------------------------
  /// `type vN = expression;` and `result` is called vN from here on.
  void define(mlir::Value result, const std::string &expression);
  /// As define, for an expression in type.computeType(): rounds narrow floats.
  void defineComputed(mlir::Value result, const std::string &expression);
  /// `result` is another name of `text`.
  void bind(mlir::Value result, std::string text) { names_[result] = std::move(text); }
  /// Declares a variable of that type; returns its name.
  std::string declare(CType type, const std::string &initial = "");
  void statement(const std::string &text);
  void open(const std::string &text); ///< prints `text {`
  void close(const std::string &tail = "}");
  /// The parallel assignment targets[i] = values[i].
  void assign(llvm::ArrayRef<std::string> targets, mlir::ValueRange values);
  std::string fresh(llvm::StringRef prefix);

  /// Prints every op of a block but its terminator.
  mlir::LogicalResult printBody(mlir::Block &block);

  /// True when the loop just runs the kernel's own item.
  bool isItemRange(mlir::Value lower, mlir::Value upper) const {
    return lower == begin_ && upper == end_;
  }
  /// Marks a loop variable, which is a signed C variable.
  void bindSigned(mlir::Value value, std::string name);
  /// Records an op whose only user prints it.
  void postpone(mlir::Operation *op) { postponed_.insert(op); }
  bool isPostponed(mlir::Operation *op) const { return op && postponed_.contains(op); }

private:
  mlir::LogicalResult checkSignature(mlir::func::FuncOp kernel);
  mlir::LogicalResult checkTypes(mlir::func::FuncOp kernel);
  mlir::LogicalResult printOp(mlir::Operation *op);
  void printSignature(mlir::func::FuncOp kernel);

  llvm::raw_ostream &os_;
  Helpers &helpers_;
  llvm::DenseMap<mlir::Value, std::string> names_;
  llvm::DenseSet<mlir::Value> signedValues_;
  llvm::DenseSet<mlir::Operation *> postponed_;
  mlir::Value begin_, end_;
  unsigned nextId_ = 0;
};

// -- Op families: nullopt when `op` is not of the family. -----------------------
std::optional<mlir::LogicalResult> printIntOp(mlir::Operation *op, KernelPrinter &p);
std::optional<mlir::LogicalResult> printFloatOp(mlir::Operation *op, KernelPrinter &p);
std::optional<mlir::LogicalResult> printCastOp(mlir::Operation *op, KernelPrinter &p);
std::optional<mlir::LogicalResult> printVectorOp(mlir::Operation *op, KernelPrinter &p);
std::optional<mlir::LogicalResult> printMemoryOp(mlir::Operation *op, KernelPrinter &p);
std::optional<mlir::LogicalResult> printTeamOp(mlir::Operation *op, KernelPrinter &p);
std::optional<mlir::LogicalResult> printControlFlowOp(mlir::Operation *op,
                                                      KernelPrinter &p);

// -- Expressions that families share. --------------------------------------------
/// `x` as the signed type of `type` (integers).
std::string asSigned(CType type, const std::string &x);
/// The result of comparing operands of `type`, as an i1.
std::string maskOf(CType type, const std::string &comparison);
/// A scalar i1 as a lane of a mask, and back.
std::string laneOfMask(CType type, const std::string &x);
std::string scalarOfLane(CType type, const std::string &lane);
/// a (kind) b in `type` (for floats: a compute type).
std::string combine(mlir::vector::CombiningKind kind, CType type, const std::string &a,
                    const std::string &b, Helpers &helpers);

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_COMPILER_KERNELPRINTER_H
