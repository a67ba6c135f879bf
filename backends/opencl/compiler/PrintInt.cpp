//===- PrintInt.cpp - integer and i1 arithmetic, comparisons, select ---------===//
#include "backends/opencl/compiler/KernelPrinter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using vector::CombiningKind;

namespace hexin::opencl {

std::string maskOf(CType type, const std::string &comparison) {
  if (!type.isVector() || type.bits() <= 8)
    return comparison;
  return "convert_" + type.withScalar(Scalar::i1).name() + "(" + comparison + ")";
}

std::string laneOfMask(CType type, const std::string &x) {
  return type.isMask() ? "(char)-(" + x + ")" : x;
}

std::string scalarOfLane(CType type, const std::string &lane) {
  return type.isMask() ? lane + " & 1" : lane;
}

static std::string call(llvm::StringRef function, const std::string &a,
                        const std::string &b) {
  return (function + "(" + a + ", " + b + ")").str();
}

static std::string infix(const std::string &a, llvm::StringRef op, const std::string &b) {
  return (a + " " + op + " " + b).str();
}

/// i1 arithmetic is modulo 2, and true is -1 when read as signed.
static std::string combineMasks(CombiningKind kind, const std::string &a,
                                const std::string &b) {
  switch (kind) {
  case CombiningKind::ADD:
  case CombiningKind::XOR:
    return infix(a, "^", b);
  case CombiningKind::OR:
  case CombiningKind::MAXUI:
  case CombiningKind::MINSI:
    return infix(a, "|", b);
  default:
    return infix(a, "&", b);
  }
}

static std::string combineSigned(CType type, llvm::StringRef function,
                                 const std::string &a, const std::string &b) {
  std::string value = call(function, asSigned(type, a), asSigned(type, b));
  return type.isVector() ? "as_" + type.name() + "(" + value + ")"
                         : "(" + type.name() + ")" + value;
}

std::string combine(CombiningKind kind, CType type, const std::string &a,
                    const std::string &b, Helpers &helpers) {
  if (type.isMask())
    return combineMasks(kind, a, b);
  switch (kind) {
  case CombiningKind::ADD:
    return infix(a, "+", b);
  case CombiningKind::MUL:
    // ushort * ushort would be computed in int, where it can overflow.
    return infix(type.isInt() && !type.isVector() && type.bits() < 32 ? "(uint)" + a : a,
                 "*", b);
  case CombiningKind::AND:
    return infix(a, "&", b);
  case CombiningKind::OR:
    return infix(a, "|", b);
  case CombiningKind::XOR:
    return infix(a, "^", b);
  case CombiningKind::MINUI:
    return call("min", a, b);
  case CombiningKind::MAXUI:
    return call("max", a, b);
  case CombiningKind::MINSI:
    return combineSigned(type, "min", a, b);
  case CombiningKind::MAXSI:
    return combineSigned(type, "max", a, b);
  case CombiningKind::MINNUMF:
    return call("fmin", a, b);
  case CombiningKind::MAXNUMF:
    return call("fmax", a, b);
  case CombiningKind::MINIMUMF:
    return call(helpers.minMax(false, type), a, b);
  case CombiningKind::MAXIMUMF:
    return call(helpers.minMax(true, type), a, b);
  }
  return a;
}

static std::optional<CombiningKind> integerKind(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<CombiningKind>>(op)
      .Case([](arith::AddIOp) { return CombiningKind::ADD; })
      .Case([](arith::MulIOp) { return CombiningKind::MUL; })
      .Case([](arith::AndIOp) { return CombiningKind::AND; })
      .Case([](arith::OrIOp) { return CombiningKind::OR; })
      .Case([](arith::XOrIOp) { return CombiningKind::XOR; })
      .Case([](arith::MinUIOp) { return CombiningKind::MINUI; })
      .Case([](arith::MaxUIOp) { return CombiningKind::MAXUI; })
      .Case([](arith::MinSIOp) { return CombiningKind::MINSI; })
      .Case([](arith::MaxSIOp) { return CombiningKind::MAXSI; })
      .Default([](Operation *) { return std::nullopt; });
}

static std::optional<Division> divisionKind(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Division>>(op)
      .Case([](arith::DivSIOp) { return Division::divs; })
      .Case([](arith::DivUIOp) { return Division::divu; })
      .Case([](arith::RemSIOp) { return Division::rems; })
      .Case([](arith::RemUIOp) { return Division::remu; })
      .Case([](arith::FloorDivSIOp) { return Division::floordivs; })
      .Case([](arith::CeilDivSIOp) { return Division::ceildivs; })
      .Case([](arith::CeilDivUIOp) { return Division::ceildivu; })
      .Default([](Operation *) { return std::nullopt; });
}

static LogicalResult printDivision(Operation *op, Division kind, KernelPrinter &p) {
  Value a = op->getOperand(0), b = op->getOperand(1), result = op->getResult(0);
  CType type = p.typeOf(result);
  if (type.isMask())
    return op->emitOpError("divides i1; widen it first");
  APInt divisor;
  bool isSafe = matchPattern(b, m_ConstantInt(&divisor)) && !divisor.isZero() &&
                !divisor.isAllOnes();
  bool isUnsigned = kind == Division::divu || kind == Division::remu;
  bool isSigned = kind == Division::divs || kind == Division::rems;
  if (!isSafe || (!isUnsigned && !isSigned)) {
    p.define(result,
             p.helpers().divide(kind, type) + "(" + p.ref(a) + ", " + p.ref(b) + ")");
    return success();
  }
  llvm::StringRef symbol = kind == Division::divs || kind == Division::divu ? "/" : "%";
  std::string text = isUnsigned ? infix(p.ref(a), symbol, p.ref(b))
                                : infix(p.signedRef(a), symbol, p.signedRef(b));
  p.define(result,
           isSigned && type.isVector() ? "as_" + type.name() + "(" + text + ")" : text);
  return success();
}

static LogicalResult printShift(Operation *op, bool isLeft, bool isSigned,
                                KernelPrinter &p) {
  Value a = op->getOperand(0), b = op->getOperand(1), result = op->getResult(0);
  CType type = p.typeOf(result);
  if (type.isMask())
    return op->emitOpError("shifts i1; widen it first");
  if (isSigned) {
    std::string text = infix(p.signedRef(a), ">>", p.ref(b));
    p.define(result, type.isVector() ? "as_" + type.name() + "(" + text + ")" : text);
    return success();
  }
  p.define(result, infix(p.ref(a), isLeft ? "<<" : ">>", p.ref(b)));
  return success();
}

static void printCompare(arith::CmpIOp op, KernelPrinter &p) {
  using arith::CmpIPredicate;
  CType type = p.typeOf(op.getLhs());
  auto predicate = op.getPredicate();
  llvm::StringRef symbol;
  bool isSigned = false;
  switch (predicate) {
  case CmpIPredicate::eq:
    symbol = "==";
    break;
  case CmpIPredicate::ne:
    symbol = "!=";
    break;
  case CmpIPredicate::slt:
    isSigned = true;
    [[fallthrough]];
  case CmpIPredicate::ult:
    symbol = "<";
    break;
  case CmpIPredicate::sle:
    isSigned = true;
    [[fallthrough]];
  case CmpIPredicate::ule:
    symbol = "<=";
    break;
  case CmpIPredicate::sgt:
    isSigned = true;
    [[fallthrough]];
  case CmpIPredicate::ugt:
    symbol = ">";
    break;
  case CmpIPredicate::sge:
    isSigned = true;
    [[fallthrough]];
  case CmpIPredicate::uge:
    symbol = ">=";
    break;
  }
  std::string a = p.ref(op.getLhs()), b = p.ref(op.getRhs());
  if (type.isMask()) {
    // Scalar true is 1 in C and -1 in arith; a mask's true is -1 in both.
    if (isSigned != type.isVector())
      std::swap(a, b);
  } else if (isSigned) {
    a = p.signedRef(op.getLhs());
    b = p.signedRef(op.getRhs());
  }
  p.define(op.getResult(), maskOf(type, infix(a, symbol, b)));
}

static void printSelect(arith::SelectOp op, KernelPrinter &p) {
  Value cond = op.getCondition();
  std::string yes = p.ref(op.getTrueValue()), no = p.ref(op.getFalseValue());
  CType mask = p.typeOf(cond), type = p.typeOf(op.getResult());
  if (!mask.isVector()) {
    p.define(op.getResult(), p.ref(cond) + " ? " + yes + " : " + no);
    return;
  }
  std::string wide = type.bits() <= 8
                         ? p.ref(cond)
                         : "convert_" + type.signedName() + "(" + p.ref(cond) + ")";
  p.define(op.getResult(), "select(" + no + ", " + yes + ", " + wide + ")");
}

static LogicalResult printConstant(arith::ConstantOp op, KernelPrinter &p) {
  std::optional<std::string> literal =
      printLiteral(op.getValue(), p.typeOf(op.getResult()));
  if (!literal)
    return op.emitOpError("is a constant that cannot be written as a literal");
  p.bind(op.getResult(), *literal);
  return success();
}

static void printWideProduct(Operation *op, bool isSigned, KernelPrinter &p) {
  CType type = p.typeOf(op->getResult(0));
  Value a = op->getOperand(0), b = op->getOperand(1);
  p.define(op->getResult(0),
           combine(CombiningKind::MUL, type, p.ref(a), p.ref(b), p.helpers()));
  p.define(op->getResult(1), isSigned ? combineSigned(type, "mul_hi", p.ref(a), p.ref(b))
                                      : call("mul_hi", p.ref(a), p.ref(b)));
}

std::optional<LogicalResult> printIntOp(Operation *op, KernelPrinter &p) {
  if (std::optional<CombiningKind> kind = integerKind(op)) {
    Value result = op->getResult(0);
    p.define(result, combine(*kind, p.typeOf(result), p.ref(op->getOperand(0)),
                             p.ref(op->getOperand(1)), p.helpers()));
    return success();
  }
  if (std::optional<Division> kind = divisionKind(op))
    return printDivision(op, *kind, p);
  if (isa<arith::ShLIOp>(op))
    return printShift(op, true, false, p);
  if (isa<arith::ShRUIOp, arith::ShRSIOp>(op))
    return printShift(op, false, isa<arith::ShRSIOp>(op), p);
  if (isa<arith::SubIOp>(op)) {
    bool isMask = p.typeOf(op->getResult(0)).isMask();
    p.define(op->getResult(0), infix(p.ref(op->getOperand(0)), isMask ? "^" : "-",
                                     p.ref(op->getOperand(1))));
    return success();
  }
  if (isa<arith::MulSIExtendedOp, arith::MulUIExtendedOp>(op)) {
    if (p.typeOf(op->getResult(0)).isMask())
      return op->emitOpError("multiplies i1; widen it first");
    printWideProduct(op, isa<arith::MulSIExtendedOp>(op), p);
    return success();
  }
  if (auto add = dyn_cast<arith::AddUIExtendedOp>(op)) {
    if (p.typeOf(add.getSum()).isMask())
      return op->emitOpError("adds i1; widen it first");
    p.define(add.getSum(), infix(p.ref(add.getLhs()), "+", p.ref(add.getRhs())));
    p.define(add.getOverflow(),
             maskOf(p.typeOf(add.getSum()),
                    infix(p.ref(add.getSum()), "<", p.ref(add.getLhs()))));
    return success();
  }
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    printCompare(compare, p);
    return success();
  }
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    printSelect(select, p);
    return success();
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return printConstant(constant, p);
  if (isa<ub::PoisonOp>(op)) { // any value will do
    CType type = p.typeOf(op->getResult(0));
    p.bind(op->getResult(0), "((" + type.name() + ")(0))");
    return success();
  }
  return std::nullopt;
}

} // namespace hexin::opencl
