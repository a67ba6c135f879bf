//===- PrintControlFlow.cpp - scf.for, scf.if, scf.while ---------------------===//
//
// A value that a region hands on (loop-carried values, results of an if) is a
// C variable declared before the statement and assigned where scf yields.
//
//===----------------------------------------------------------------------===//
#include "backends/opencl/compiler/KernelPrinter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::opencl {

static SmallVector<std::string> declareAll(ValueRange values, ValueRange initials,
                                           KernelPrinter &p) {
  SmallVector<std::string> names;
  for (auto [index, value] : llvm::enumerate(values))
    names.push_back(p.declare(p.typeOf(value),
                              initials.empty() ? std::string() : p.ref(initials[index])));
  return names;
}

static void bindAll(ValueRange values, ArrayRef<std::string> names, KernelPrinter &p) {
  for (auto [value, name] : llvm::zip(values, names))
    p.bind(value, name);
}

static LogicalResult printFor(scf::ForOp op, KernelPrinter &p) {
  SmallVector<std::string> carried = declareAll(op.getResults(), op.getInitArgs(), p);
  bindAll(op.getRegionIterArgs(), carried, p);
  bindAll(op.getResults(), carried, p);
  Value variable = op.getInductionVar();
  CType type = p.typeOf(variable);
  bool isUnsigned = op.getUnsignedCmp();
  auto bound = [&](Value value) {
    return isUnsigned ? p.ref(value) : p.signedRef(value);
  };
  std::string name = p.fresh("i");
  std::string declaration = (isUnsigned ? type.name() : type.signedName()) + " " + name +
                            " = " + bound(op.getLowerBound());
  if (isUnsigned)
    p.bind(variable, name);
  else
    p.bindSigned(variable, name);

  // The loop over a kernel's items runs once: an OpenCL work item is one item.
  if (p.isItemRange(op.getLowerBound(), op.getUpperBound()) &&
      matchPattern(op.getStep(), m_One())) {
    p.open("");
    p.statement("const " + declaration + ";");
  } else {
    p.open("for (" + declaration + "; " + name + " < " + bound(op.getUpperBound()) +
           "; " + name + " += " + bound(op.getStep()) + ")");
  }
  if (failed(p.printBody(*op.getBody())))
    return failure();
  p.assign(carried, op.getBody()->getTerminator()->getOperands());
  p.close();
  return success();
}

static LogicalResult printIf(scf::IfOp op, KernelPrinter &p) {
  SmallVector<std::string> results = declareAll(op.getResults(), {}, p);
  bindAll(op.getResults(), results, p);
  p.open("if (" + p.ref(op.getCondition()) + ")");
  auto printBranch = [&](Block *block) {
    if (failed(p.printBody(*block)))
      return failure();
    p.assign(results, block->getTerminator()->getOperands());
    p.close();
    return success();
  };
  if (failed(printBranch(op.thenBlock())))
    return failure();
  if (!op.elseBlock() ||
      (results.empty() && op.elseBlock()->without_terminator().empty()))
    return success();
  p.open("else");
  return printBranch(op.elseBlock());
}

static LogicalResult printWhile(scf::WhileOp op, KernelPrinter &p) {
  SmallVector<std::string> carried =
      declareAll(op.getBeforeArguments(), op.getInits(), p);
  SmallVector<std::string> results = declareAll(op.getResults(), {}, p);
  bindAll(op.getBeforeArguments(), carried, p);
  bindAll(op.getAfterArguments(), results, p);
  bindAll(op.getResults(), results, p);
  p.open("while (true)");
  if (failed(p.printBody(*op.getBeforeBody())))
    return failure();
  scf::ConditionOp condition = op.getConditionOp();
  p.assign(results, condition.getArgs());
  p.statement("if (!(" + p.ref(condition.getCondition()) + "))");
  p.statement("  break;");
  if (failed(p.printBody(*op.getAfterBody())))
    return failure();
  p.assign(carried, op.getYieldOp().getOperands());
  p.close();
  return success();
}

std::optional<LogicalResult> printControlFlowOp(Operation *op, KernelPrinter &p) {
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .Case([&](scf::ForOp loop) { return printFor(loop, p); })
      .Case([&](scf::IfOp branch) { return printIf(branch, p); })
      .Case([&](scf::WhileOp loop) { return printWhile(loop, p); })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace hexin::opencl
