//===- PrintCasts.cpp - conversions between element types --------------------===//
#include "backends/opencl/compiler/KernelPrinter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::opencl {

static std::string convert(CType to, const std::string &x) {
  return "convert_" + to.name() + "(" + x + ")";
}

/// i1 -> integer: 0 and 1, or 0 and -1 when signed.
static std::string extendMask(CType from, CType to, bool isSigned, const std::string &x) {
  if (!from.isVector())
    return isSigned ? "(" + to.name() + ")-(" + x + ")" : "(" + to.name() + ")" + x;
  std::string lanes = isSigned ? x : x + " & (char)1";
  if (to.bits() > 8)
    lanes = "convert_" + to.signedName() + "(" + lanes + ")";
  return "as_" + to.name() + "(" + lanes + ")";
}

/// Integer or i1 -> integer, extending with sign or zeros, or dropping high bits.
static void printIntToInt(Operation *op, bool isSigned, KernelPrinter &p) {
  Value source = op->getOperand(0), result = op->getResult(0);
  CType from = p.typeOf(source), to = p.typeOf(result);
  std::string x = p.ref(source);
  if (from.bits() == to.bits()) {
    p.define(result, x);
  } else if (from.isMask()) {
    p.define(result, extendMask(from, to, isSigned, x));
  } else if (to.isMask()) {
    std::string lowBit =
        "(" + x + " & " + intLiteral(1, from) + ") != " + intLiteral(0, from);
    p.define(result, maskOf(from, lowBit));
  } else if (!to.isVector()) {
    p.define(result, isSigned && from.bits() < to.bits()
                         ? "(" + to.name() + ")" + p.signedRef(source)
                         : "(" + to.name() + ")" + x);
  } else if (isSigned && from.bits() < to.bits()) {
    p.define(result, "as_" + to.name() + "(convert_" + to.signedName() + "(" +
                         p.signedRef(source) + "))");
  } else {
    p.define(result, convert(to, x)); // keeps the low bits
  }
}

static void printIntToFloat(Operation *op, bool isSigned, KernelPrinter &p) {
  Value source = op->getOperand(0), result = op->getResult(0);
  CType from = p.typeOf(source), to = p.typeOf(result).computeType();
  std::string x;
  if (!from.isMask())
    x = isSigned ? p.signedRef(source) : p.ref(source);
  else if (from.isVector())
    x = isSigned ? p.ref(source) : p.ref(source) + " & (char)1";
  else
    x = isSigned ? "-(" + p.ref(source) + ")" : p.ref(source);
  p.defineComputed(result, convert(to, x));
}

static LogicalResult printFloatToInt(Operation *op, bool isSigned, KernelPrinter &p) {
  Value source = op->getOperand(0), result = op->getResult(0);
  CType to = p.typeOf(result);
  if (to.isMask())
    return op->emitOpError("makes an i1; compare with zero instead");
  std::string x = p.computeRef(source);
  if (!isSigned)
    p.define(result, convert(to, x));
  else
    p.define(result, (to.isVector() ? "as_" + to.name() : "(" + to.name() + ")") +
                         "(convert_" + to.signedName() + "(" + x + "))");
  return success();
}

static void printFloatToFloat(Operation *op, KernelPrinter &p) {
  Value source = op->getOperand(0), result = op->getResult(0);
  CType from = p.typeOf(source).computeType(), to = p.typeOf(result);
  std::string x = p.computeRef(source);
  if (to.isNarrowFloat()) // float or double -> bits, rounded once
    p.define(result, p.helpers().narrow(from, to) + "(" + x + ")");
  else
    p.define(result, from == to ? x : convert(to, x));
}

static LogicalResult printBitcast(Operation *op, KernelPrinter &p) {
  Value source = op->getOperand(0), result = op->getResult(0);
  CType from = p.typeOf(source), to = p.typeOf(result);
  if (from.isMask() || to.isMask())
    return op->emitOpError("reads the bits of i1, which has none in OpenCL C");
  p.define(result, from.name() == to.name()
                       ? p.ref(source)
                       : "as_" + to.name() + "(" + p.ref(source) + ")");
  return success();
}

std::optional<LogicalResult> printCastOp(Operation *op, KernelPrinter &p) {
  if (auto truncate = dyn_cast<arith::TruncFOp>(op))
    if (auto mode = truncate.getRoundingmode();
        mode && *mode != arith::RoundingMode::to_nearest_even)
      return op->emitOpError(
          "rounds otherwise than to nearest even, which is not supported");
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .Case<arith::ExtSIOp, arith::IndexCastOp>(
          [&](auto) { return printIntToInt(op, true, p), success(); })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp, arith::TruncIOp>(
          [&](auto) { return printIntToInt(op, false, p), success(); })
      .Case([&](arith::SIToFPOp) { return printIntToFloat(op, true, p), success(); })
      .Case([&](arith::UIToFPOp) { return printIntToFloat(op, false, p), success(); })
      .Case([&](arith::FPToSIOp) { return printFloatToInt(op, true, p); })
      .Case([&](arith::FPToUIOp) { return printFloatToInt(op, false, p); })
      .Case<arith::ExtFOp, arith::TruncFOp>(
          [&](auto) { return printFloatToFloat(op, p), success(); })
      .Case<arith::BitcastOp, vector::BitCastOp>(
          [&](auto) { return printBitcast(op, p); })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace hexin::opencl
