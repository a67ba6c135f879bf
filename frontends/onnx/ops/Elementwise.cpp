// Operators that compute each element from one element of each operand.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

template <UnaryFn fn> void importUnary(OpBinder &b) {
  b.result(0, b.unary(fn, b.input(0)));
}

/// Integers are taken through f64, and truncated.
void importErf(OpBinder &b) {
  Value x = b.input(0);
  if (b.failed() || HxBuilder::isFloat(x))
    return b.result(0, b.unary(UnaryFn::erf, x));
  Value wide = b.cast(x, b.builder.getF64Type());
  b.result(0, b.cast(b.unary(UnaryFn::erf, wide), HxBuilder::elementType(x)));
}

/// Before opset 7 the second operand broadcast only when asked to, from `axis` on:
/// it gets trailing axes of size 1 here, so that right alignment does the rest.
Value alignedRhs(OpBinder &b) {
  Value rhs = b.input(1);
  if (b.opset() >= 7 || b.intAttr("broadcast", 0) == 0 || !b.hasAttribute("axis"))
    return rhs;
  int64_t lhsRank = HxBuilder::rank(b.input(0)), rhsRank = HxBuilder::rank(rhs);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), lhsRank + 1);
  int64_t numTrailing = lhsRank - rhsRank - axis;
  if (numTrailing < 0)
    b.error("an operand of rank " + Twine(rhsRank) + " does not fit at axis " +
            Twine(axis) + " of one of rank " + Twine(lhsRank));
  if (b.failed())
    return {};
  hx::Dims dims = b.dims(rhs);
  dims.append(numTrailing, b.shape.constant(1));
  return b.shape.reshape(rhs, dims);
}

template <BinaryFn fn> void importBinary(OpBinder &b) {
  Value rhs = alignedRhs(b);
  b.result(0, b.binary(fn, b.input(0), rhs));
}

void importMod(OpBinder &b) {
  bool isTruncating = b.intAttr("fmod", 0) != 0;
  b.result(
      0, b.binary(isTruncating ? BinaryFn::fmod : BinaryFn::mod, b.input(0), b.input(1)));
}

void importBitShift(OpBinder &b) {
  StringRef direction = b.stringAttr("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return b.error("attribute 'direction' is '" + direction +
                   "', expected LEFT or RIGHT");
  b.result(0, b.binary(direction == "LEFT" ? BinaryFn::shl : BinaryFn::shr, b.input(0),
                       b.input(1)));
}

Value foldInputs(OpBinder &b, BinaryFn fn) {
  Value result = b.input(0);
  for (Value operand : b.allInputs().drop_front())
    result = operand ? b.binary(fn, result, operand) : result;
  return result;
}

template <BinaryFn fn> void importVariadic(OpBinder &b) {
  b.result(0, foldInputs(b, fn));
}

void importMean(OpBinder &b) {
  Value sum = foldInputs(b, BinaryFn::add);
  b.result(0, b.div(sum, b.scalarLike(b.input(0), b.numInputs())));
}

enum class Swap { no, yes };

/// greater(a, b) is lt(b, a).
template <ComparePredicate predicate, Swap swap> void importCompare(OpBinder &b) {
  Value lhs = b.input(0), rhs = alignedRhs(b);
  if (swap == Swap::yes)
    std::swap(lhs, rhs);
  b.result(0, b.compare(predicate, lhs, rhs));
}

void importWhere(OpBinder &b) {
  b.result(0, b.select(b.input(0), b.input(1), b.input(2)));
}

void importReciprocal(OpBinder &b) {
  b.result(0, b.div(b.scalarLike(b.input(0), 1), b.input(0)));
}

void importIsInf(OpBinder &b) {
  bool positive = b.intAttr("detect_positive", 1) != 0;
  bool negative = b.intAttr("detect_negative", 1) != 0;
  Value x = b.input(0);
  if (!positive && !negative) // nothing is less than itself
    return b.result(0, b.compare(ComparePredicate::lt, x, x));
  b.result(0, b.unary(positive && negative ? UnaryFn::is_inf
                      : positive           ? UnaryFn::is_pos_inf
                                           : UnaryFn::is_neg_inf,
                      x));
}

/// The finite limit of a float type; integers need no bound.
Value finiteLimit(OpBinder &b, Value x, bool isUpper) {
  auto type = dyn_cast<FloatType>(HxBuilder::elementType(x));
  if (!type)
    return {};
  auto limit = llvm::APFloat::getLargest(type.getFloatSemantics(), /*Negative=*/!isUpper);
  return b.splat({}, FloatAttr::get(type, limit));
}

void importClip(OpBinder &b) {
  Value x = b.input(0);
  Value low, high;
  if (b.sinceVersion() >= 11) {
    low = b.has(1) ? b.shape.toScalar(b.input(1)) : Value();
    high = b.has(2) ? b.shape.toScalar(b.input(2)) : Value();
  } else {
    low = b.hasAttribute("min") ? b.scalarLike(x, b.floatAttr("min", 0)) : Value();
    high = b.hasAttribute("max") ? b.scalarLike(x, b.floatAttr("max", 0)) : Value();
  }
  if (!low)
    low = finiteLimit(b, x, /*isUpper=*/false);
  if (!high)
    high = finiteLimit(b, x, /*isUpper=*/true);
  if (low)
    x = b.binary(BinaryFn::max, x, low);
  if (high)
    x = b.binary(BinaryFn::min, x, high);
  b.result(0, x);
}

void importCast(OpBinder &b) {
  Type type = HxBuilder::elementType(b.input(0));
  if (b.node().opType == "CastLike") {
    type = HxBuilder::elementType(b.input(1));
  } else if (b.hasAttribute("to")) {
    type = b.toType(b.intAttr("to", 0), /*mayBeString=*/true);
  } else {
    return b.error("attribute 'to' is missing");
  }
  bool saturate = b.intAttr("saturate", 1) != 0;
  StringRef round = b.stringAttr("round_mode", "up");
  if (b.failed())
    return;
  if (type == HxBuilder::elementType(b.input(0)))
    return b.result(0, b.input(0));
  // round_mode concerns float8e8m0 alone.
  b.result(0, b.make<hx::CastOp>(type, b.input(0), saturate,
                                 isa<Float8E8M0FNUType>(type) ? round : "nearest"));
}

void importBitCast(OpBinder &b) {
  Type type = b.toType(b.intAttr("to", 0)), u8 = b.toType(2);
  // A bool is a byte that holds 0 or 1.
  Value x = HxBuilder::elementType(b.input(0)).isInteger(1) ? b.cast(b.input(0), u8)
                                                            : b.input(0);
  if (b.failed() || HxBuilder::elementType(x) == type)
    return b.result(0, x);
  b.result(0, type.isInteger(1) ? b.cast(x, type) : b.make<hx::BitcastOp>(type, x));
}

} // namespace

void registerElementwiseOps(OpTable &table) {
  table.add(
      "",
      {
          {"Abs", 6, 1, 1, importUnary<UnaryFn::abs>},
          {"Acos", 7, 1, 1, importUnary<UnaryFn::acos>},
          {"Acosh", 9, 1, 1, importUnary<UnaryFn::acosh>},
          {"Asin", 7, 1, 1, importUnary<UnaryFn::asin>},
          {"Asinh", 9, 1, 1, importUnary<UnaryFn::asinh>},
          {"Atan", 7, 1, 1, importUnary<UnaryFn::atan>},
          {"Atanh", 9, 1, 1, importUnary<UnaryFn::atanh>},
          {"BitwiseNot", 18, 1, 1, importUnary<UnaryFn::bit_not>},
          {"Ceil", 6, 1, 1, importUnary<UnaryFn::ceil>},
          {"Cos", 7, 1, 1, importUnary<UnaryFn::cos>},
          {"Cosh", 9, 1, 1, importUnary<UnaryFn::cosh>},
          {"Erf", 9, 1, 1, importErf},
          {"Exp", 6, 1, 1, importUnary<UnaryFn::exp>},
          {"Floor", 6, 1, 1, importUnary<UnaryFn::floor>},
          {"IsNaN", 9, 1, 1, importUnary<UnaryFn::is_nan>},
          {"Log", 6, 1, 1, importUnary<UnaryFn::log>},
          {"Neg", 6, 1, 1, importUnary<UnaryFn::neg>},
          {"Not", 1, 1, 1, importUnary<UnaryFn::logical_not>},
          {"Round", 11, 1, 1, importUnary<UnaryFn::round_even>},
          {"Sigmoid", 6, 1, 1, importUnary<UnaryFn::sigmoid>},
          {"Sign", 9, 1, 1, importUnary<UnaryFn::sign>},
          {"Sin", 7, 1, 1, importUnary<UnaryFn::sin>},
          {"Sinh", 9, 1, 1, importUnary<UnaryFn::sinh>},
          {"Sqrt", 6, 1, 1, importUnary<UnaryFn::sqrt>},
          {"Tan", 7, 1, 1, importUnary<UnaryFn::tan>},
          {"Tanh", 6, 1, 1, importUnary<UnaryFn::tanh>},
          {"IsInf", 10, 1, 1, importIsInf},
          {"Reciprocal", 6, 1, 1, importReciprocal},

          {"Add", 6, 2, 2, importBinary<BinaryFn::add>},
          {"Sub", 6, 2, 2, importBinary<BinaryFn::sub>},
          {"Mul", 6, 2, 2, importBinary<BinaryFn::mul>},
          {"Div", 6, 2, 2, importBinary<BinaryFn::div>},
          {"Pow", 1, 2, 2, importBinary<BinaryFn::pow>},
          {"And", 1, 2, 2, importBinary<BinaryFn::bit_and>},
          {"Or", 1, 2, 2, importBinary<BinaryFn::bit_or>},
          {"Xor", 1, 2, 2, importBinary<BinaryFn::bit_xor>},
          {"BitwiseAnd", 18, 2, 2, importBinary<BinaryFn::bit_and>},
          {"BitwiseOr", 18, 2, 2, importBinary<BinaryFn::bit_or>},
          {"BitwiseXor", 18, 2, 2, importBinary<BinaryFn::bit_xor>},
          {"Mod", 10, 2, 2, importMod},
          {"BitShift", 11, 2, 2, importBitShift},

          {"Max", 6, 1, OpRow::any, importVariadic<BinaryFn::max>},
          {"Min", 6, 1, OpRow::any, importVariadic<BinaryFn::min>},
          {"Sum", 6, 1, OpRow::any, importVariadic<BinaryFn::add>},
          {"Mean", 6, 1, OpRow::any, importMean},

          {"Equal", 1, 2, 2, importCompare<ComparePredicate::eq, Swap::no>},
          {"Less", 1, 2, 2, importCompare<ComparePredicate::lt, Swap::no>},
          {"LessOrEqual", 12, 2, 2, importCompare<ComparePredicate::le, Swap::no>},
          {"Greater", 1, 2, 2, importCompare<ComparePredicate::lt, Swap::yes>},
          {"GreaterOrEqual", 12, 2, 2, importCompare<ComparePredicate::le, Swap::yes>},

          {"Where", 9, 3, 3, importWhere},
          {"Clip", 6, 1, 1, importClip},
          {"Clip", 11, 1, 3, importClip},
          {"Cast", 6, 1, 1, importCast},
          {"CastLike", 15, 2, 2, importCast},
          {"BitCast", 26, 1, 1, importBitCast},
      });
}

} // namespace hexin::onnx
