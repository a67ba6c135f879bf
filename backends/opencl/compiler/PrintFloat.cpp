//===- PrintFloat.cpp - float arithmetic and comparisons ---------------------===//
#include "backends/opencl/compiler/KernelPrinter.h"
#include "compiler/codegen/LowerMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using vector::CombiningKind;

namespace hexin::opencl {

static bool mayContract(arith::FastMathFlags flags) {
  return arith::bitEnumContainsAll(flags, arith::FastMathFlags::contract);
}

/// The add or subtract that takes `multiply` into a fused multiply-add: both
/// allow it, nobody else reads the product, and the type is not rounded between.
static Operation *fusingUser(arith::MulFOp multiply, KernelPrinter &p) {
  if (!mayContract(multiply.getFastmath()) || !multiply->hasOneUse() ||
      p.typeOf(multiply).isNarrowFloat())
    return nullptr;
  Operation *user = *multiply->user_begin();
  if (user->getBlock() != multiply->getBlock())
    return nullptr;
  bool isTaken = llvm::any_of(user->getOperands(), [&](Value operand) {
    return p.isPostponed(operand.getDefiningOp());
  });
  if (isTaken)
    return nullptr;
  if (auto add = dyn_cast<arith::AddFOp>(user))
    return mayContract(add.getFastmath()) ? user : nullptr;
  if (auto sub = dyn_cast<arith::SubFOp>(user))
    return mayContract(sub.getFastmath()) ? user : nullptr;
  return nullptr;
}

/// A multiply-add that may also be rounded twice goes through a macro.
static std::string fmaFunction(Operation *op, KernelPrinter &p) {
  bool isSingle = p.typeOf(op->getResult(0)).computeType().scalar == Scalar::f32;
  return isSingle && !op->hasAttr(exactFmaAttrName) ? p.helpers().looseFma() : "fma";
}

static void printSum(Operation *op, bool isSub, KernelPrinter &p) {
  Value a = op->getOperand(0), b = op->getOperand(1), result = op->getResult(0);
  auto fused = [&](Value product, const std::string &sign, const std::string &addend) {
    Operation *multiply = product.getDefiningOp();
    p.define(result, fmaFunction(op, p) + "(" + sign + p.ref(multiply->getOperand(0)) +
                         ", " + p.ref(multiply->getOperand(1)) + ", " + addend + ")");
  };
  if (p.isPostponed(a.getDefiningOp()))
    return fused(a, "", (isSub ? "-" : "") + p.ref(b));
  if (p.isPostponed(b.getDefiningOp()))
    return fused(b, isSub ? "-" : "", p.ref(a));
  p.defineComputed(result, p.computeRef(a) + (isSub ? " - " : " + ") + p.computeRef(b));
}

/// minimumf/maximumf with a constant that is no NaN and no zero of the losing
/// sign needs one comparison.
static bool hasPlainBound(Value bound, bool isMax) {
  APFloat value(0.0f);
  if (!matchPattern(bound, m_ConstantFloat(&value)) || value.isNaN())
    return false;
  return !value.isZero() || value.isNegative() != isMax;
}

static void printMinMax(Operation *op, CombiningKind kind, KernelPrinter &p) {
  Value result = op->getResult(0);
  CType type = p.typeOf(result).computeType();
  std::string a = p.computeRef(op->getOperand(0)), b = p.computeRef(op->getOperand(1));
  bool isMax = kind == CombiningKind::MAXIMUMF;
  if ((isMax || kind == CombiningKind::MINIMUMF) &&
      hasPlainBound(op->getOperand(1), isMax)) {
    std::string keepsBound = a + (isMax ? " <= " : " >= ") + b;
    p.defineComputed(result, type.isVector()
                                 ? "select(" + a + ", " + b + ", " + keepsBound + ")"
                                 : keepsBound + " ? " + b + " : " + a);
    return;
  }
  p.defineComputed(result, combine(kind, type, a, b, p.helpers()));
}

static void printCompare(arith::CmpFOp op, KernelPrinter &p) {
  using P = arith::CmpFPredicate;
  CType type = p.typeOf(op.getLhs()).computeType();
  std::string a = p.computeRef(op.getLhs()), b = p.computeRef(op.getRhs());
  auto is = [&](const char *symbol) { return "(" + a + " " + symbol + " " + b + ")"; };
  std::string no = type.isVector() ? "~" : "!";
  std::string unordered = "((" + a + " != " + a + ") | (" + b + " != " + b + "))";
  std::string different = "(" + is("<") + " | " + is(">") + ")";
  std::string text;
  switch (op.getPredicate()) {
  case P::AlwaysFalse:
    p.bind(op.getResult(), intLiteral(0, p.typeOf(op.getResult())));
    return;
  case P::AlwaysTrue:
    p.bind(op.getResult(), intLiteral(-1, p.typeOf(op.getResult())));
    return;
  case P::OEQ:
    text = is("==");
    break;
  case P::OGT:
    text = is(">");
    break;
  case P::OGE:
    text = is(">=");
    break;
  case P::OLT:
    text = is("<");
    break;
  case P::OLE:
    text = is("<=");
    break;
  case P::ONE:
    text = different;
    break;
  case P::ORD:
    text = no + unordered;
    break;
  case P::UEQ:
    text = no + different;
    break;
  case P::UGT:
    text = no + is("<=");
    break;
  case P::UGE:
    text = no + is("<");
    break;
  case P::ULT:
    text = no + is(">=");
    break;
  case P::ULE:
    text = no + is(">");
    break;
  case P::UNE:
    text = is("!=");
    break;
  case P::UNO:
    text = unordered;
    break;
  }
  p.define(op.getResult(), maskOf(type, text));
}

/// The OpenCL function of a math op, or null.
static const char *mathFunction(Operation *op) {
  return llvm::TypeSwitch<Operation *, const char *>(op)
      .Case([](math::SqrtOp) { return "sqrt"; })
      .Case([](math::AbsFOp) { return "fabs"; })
      .Case([](math::FloorOp) { return "floor"; })
      .Case([](math::CeilOp) { return "ceil"; })
      .Case([](math::TruncOp) { return "trunc"; })
      .Case([](math::RoundEvenOp) { return "rint"; })
      .Case([](math::CopySignOp) { return "copysign"; })
      .Default([](Operation *) { return nullptr; });
}

static void printCall(Operation *op, const std::string &function, KernelPrinter &p) {
  std::string text = function + "(";
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    text += (index ? ", " : "") + p.computeRef(operand);
  p.defineComputed(op->getResult(0), text + ")");
}

std::optional<LogicalResult> printFloatOp(Operation *op, KernelPrinter &p) {
  const char *function = mathFunction(op);
  if (isa<math::FmaOp, vector::FMAOp>(op) || function) {
    if (!p.typeOf(op->getResult(0)).isFloat())
      return op->emitOpError("computes on integers; only float types are taken here");
    printCall(op, function ? function : fmaFunction(op, p), p);
    return success();
  }
  auto infix = [&](const char *symbol) {
    p.defineComputed(op->getResult(0), p.computeRef(op->getOperand(0)) + symbol +
                                           p.computeRef(op->getOperand(1)));
    return success();
  };
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .Case([&](arith::AddFOp) { return printSum(op, false, p), success(); })
      .Case([&](arith::SubFOp) { return printSum(op, true, p), success(); })
      .Case([&](arith::MulFOp multiply) {
        if (fusingUser(multiply, p))
          return p.postpone(op), success();
        return infix(" * ");
      })
      .Case([&](arith::DivFOp) { return infix(" / "); })
      .Case([&](arith::NegFOp negate) {
        CType type = p.typeOf(negate);
        if (type.isNarrowFloat()) // flips the sign of a NaN too, as negf does
          return p.define(negate, p.ref(negate.getOperand()) + " ^ (ushort)0x8000u"),
                 success();
        return p.define(negate, "-" + p.ref(negate.getOperand())), success();
      })
      .Case([&](arith::MinimumFOp) {
        return printMinMax(op, CombiningKind::MINIMUMF, p), success();
      })
      .Case([&](arith::MaximumFOp) {
        return printMinMax(op, CombiningKind::MAXIMUMF, p), success();
      })
      .Case([&](arith::MinNumFOp) {
        return printMinMax(op, CombiningKind::MINNUMF, p), success();
      })
      .Case([&](arith::MaxNumFOp) {
        return printMinMax(op, CombiningKind::MAXNUMF, p), success();
      })
      .Case([&](arith::CmpFOp compare) { return printCompare(compare, p), success(); })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace hexin::opencl
