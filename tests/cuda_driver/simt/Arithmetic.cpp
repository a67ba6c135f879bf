//===- Arithmetic.cpp - add to sqrt, of integers and of f32 and f64 ------------------===//
//
// Halfs are in HalfArithmetic.cpp, behind halfHandler.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Arithmetic.h"

#include "tests/cuda_driver/simt/Lanes.h"

#include <algorithm>
#include <cfenv>
#include <limits>

using namespace standin;

namespace {

template <class T>
using Wide = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<
        sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;
template <class T> using Unsigned = std::make_unsigned_t<T>;

template <class T> T mulHi(T a, T b) {
  return T((Wide<T>(a) * Wide<T>(b)) >> (8 * sizeof(T)));
}
template <class T> T mulLo(T a, T b) {
  // 16-bit factors would be promoted to int, where the product can overflow.
  return T(uint64_t(a) * uint64_t(b));
}
template <class T> T wrapAdd(T a, T b) { return T(uint64_t(a) + uint64_t(b)); }
template <class T> T wrapSub(T a, T b) { return T(uint64_t(a) - uint64_t(b)); }
template <class T> T saturating(int64_t value) {
  return T(std::clamp<int64_t>(value, std::numeric_limits<T>::min(),
                               std::numeric_limits<T>::max()));
}
/// What PTX leaves open is all ones, as GPUs answer.
template <class T> T divide(T a, T b) {
  if (b == 0)
    return T(~T(0));
  if (std::is_signed_v<T> && b == T(-1))
    return wrapSub<T>(0, a);
  return T(a / b);
}
template <class T> T remainder(T a, T b) {
  if (b == 0)
    return a;
  if (std::is_signed_v<T> && b == T(-1))
    return 0;
  return T(a % b);
}

template <class T> Handler integerHandler(std::string_view op) {
  if (op == "add")
    return apply<[](T a, T b) -> T { return wrapAdd(a, b); }>;
  if (op == "sub")
    return apply<[](T a, T b) -> T { return wrapSub(a, b); }>;
  if (op == "mul.lo")
    return apply<[](T a, T b) -> T { return mulLo(a, b); }>;
  if (op == "mul.hi")
    return apply<[](T a, T b) -> T { return mulHi(a, b); }>;
  if (op == "mad.lo")
    return apply<[](T a, T b, T c) -> T { return wrapAdd(mulLo(a, b), c); }>;
  if (op == "mad.hi")
    return apply<[](T a, T b, T c) -> T { return wrapAdd(mulHi(a, b), c); }>;
  if (op == "div")
    return apply<[](T a, T b) -> T { return divide(a, b); }>;
  if (op == "rem")
    return apply<[](T a, T b) -> T { return remainder(a, b); }>;
  if (op == "min")
    return apply<[](T a, T b) -> T { return a < b ? a : b; }>;
  if (op == "max")
    return apply<[](T a, T b) -> T { return b < a ? a : b; }>;
  if (op == "sad")
    return apply<[](T a, T b, T c) -> T {
      return wrapAdd(c, a < b ? wrapSub(b, a) : wrapSub(a, b));
    }>;
  if constexpr (std::is_signed_v<T>) {
    if (op == "abs")
      return apply<[](T a) -> T { return a < 0 ? wrapSub<T>(0, a) : a; }>;
    if (op == "neg")
      return apply<[](T a) -> T { return wrapSub<T>(0, a); }>;
  }
  if constexpr (sizeof(T) <= 4) {
    if (op == "mul.wide")
      return apply<[](T a, T b) -> Wide<T> { return Wide<T>(a) * Wide<T>(b); }>;
    if (op == "mad.wide")
      return apply<[](T a, T b, Wide<T> c) -> Wide<T> {
        return wrapAdd<Wide<T>>(Wide<T>(a) * Wide<T>(b), c);
      }>;
  }
  if constexpr (std::is_same_v<T, int32_t>) {
    if (op == "add.sat")
      return apply<[](T a, T b) -> T { return saturating<T>(int64_t(a) + b); }>;
    if (op == "sub.sat")
      return apply<[](T a, T b) -> T { return saturating<T>(int64_t(a) - b); }>;
    if (op == "mad.hi.sat")
      return apply<[](T a, T b, T c) -> T {
        return saturating<T>(int64_t(mulHi(a, b)) + c);
      }>;
  }
  return nullptr;
}

Handler integerHandler(std::string_view op, Type type) {
  switch (type) {
  case Type::U16:
    return integerHandler<uint16_t>(op);
  case Type::U32:
    return integerHandler<uint32_t>(op);
  case Type::U64:
    return integerHandler<uint64_t>(op);
  case Type::S16:
    return integerHandler<int16_t>(op);
  case Type::S32:
    return integerHandler<int32_t>(op);
  case Type::S64:
    return integerHandler<int64_t>(op);
  default:
    return nullptr;
  }
}

/// f with .ftz and .sat around it, and the canonical NaN of f32.
template <auto f, bool ftz, bool sat, class... A> float single(A... a) {
  float value = ftz ? f(flush(a)...) : f(a...);
  if (ftz)
    value = flush(value);
  return sat ? saturate(value) : fromFloat<float>(value);
}

template <auto f, bool ftz, bool sat> Handler singleHandler() {
  if constexpr (std::is_invocable_v<decltype(f), float>)
    return apply<[](float a) { return single<f, ftz, sat>(a); }>;
  else if constexpr (std::is_invocable_v<decltype(f), float, float>)
    return apply<[](float a, float b) { return single<f, ftz, sat>(a, b); }>;
  else
    return apply<[](float a, float b, float c) { return single<f, ftz, sat>(a, b, c); }>;
}

template <auto f> Handler singleHandler(bool ftz, bool sat) {
  if (ftz)
    return sat ? singleHandler<f, true, true>() : singleHandler<f, true, false>();
  return sat ? singleHandler<f, false, true>() : singleHandler<f, false, false>();
}
/// For operations that have no .sat.
template <auto f> Handler singleHandler(bool ftz) {
  return ftz ? singleHandler<f, true, false>() : singleHandler<f, false, false>();
}

Handler singleHandler(std::string_view op, bool ftz, bool sat) {
  if (op == "add")
    return singleHandler<[](float a, float b) { return a + b; }>(ftz, sat);
  if (op == "sub")
    return singleHandler<[](float a, float b) { return a - b; }>(ftz, sat);
  if (op == "mul")
    return singleHandler<[](float a, float b) { return a * b; }>(ftz, sat);
  if (op == "fma" || op == "mad")
    return singleHandler<[](float a, float b, float c) { return std::fma(a, b, c); }>(
        ftz, sat);
  if (sat)
    return nullptr;
  if (op == "div")
    return singleHandler<[](float a, float b) { return a / b; }>(ftz);
  if (op == "rcp")
    return singleHandler<[](float a) { return 1 / a; }>(ftz);
  if (op == "sqrt")
    return singleHandler<[](float a) { return std::sqrt(a); }>(ftz);
  // The rest is approximate on a GPU: here libm's f64 answer, rounded.
  if (op == "rsqrt")
    return singleHandler<[](float a) { return float(1 / std::sqrt(double(a))); }>(ftz);
  if (op == "ex2")
    return singleHandler<[](float a) { return float(std::exp2(double(a))); }>(ftz);
  if (op == "lg2")
    return singleHandler<[](float a) { return float(std::log2(double(a))); }>(ftz);
  if (op == "sin")
    return singleHandler<[](float a) { return float(std::sin(double(a))); }>(ftz);
  if (op == "cos")
    return singleHandler<[](float a) { return float(std::cos(double(a))); }>(ftz);
  if (op == "tanh")
    return singleHandler<[](float a) { return float(std::tanh(double(a))); }>(ftz);
  return nullptr;
}

Handler doubleHandler(std::string_view op) {
  if (op == "add")
    return apply<[](double a, double b) { return a + b; }>;
  if (op == "sub")
    return apply<[](double a, double b) { return a - b; }>;
  if (op == "mul")
    return apply<[](double a, double b) { return a * b; }>;
  if (op == "fma" || op == "mad")
    return apply<[](double a, double b, double c) { return std::fma(a, b, c); }>;
  if (op == "div")
    return apply<[](double a, double b) { return a / b; }>;
  if (op == "rcp")
    return apply<[](double a) { return 1 / a; }>;
  if (op == "sqrt")
    return apply<[](double a) { return std::sqrt(a); }>;
  if (op == "rsqrt")
    return apply<[](double a) { return 1 / std::sqrt(a); }>;
  if (op == "min")
    return apply<[](double a, double b) { return minimum<false, false>(a, b); }>;
  if (op == "max")
    return apply<[](double a, double b) { return maximum<false, false>(a, b); }>;
  if (op == "abs")
    return apply<[](double a) { return std::fabs(a); }>;
  if (op == "neg")
    return apply<[](double a) { return -a; }>;
  return nullptr;
}

template <bool propagates, bool xorSign> Handler extremumHandler(bool isMax, bool ftz) {
  if (isMax)
    return singleHandler<[](float a, float b) {
      return maximum<propagates, xorSign>(a, b);
    }>(ftz);
  return singleHandler<[](float a, float b) {
    return minimum<propagates, xorSign>(a, b);
  }>(ftz);
}

Handler signHandler(std::string_view op, bool ftz) {
  // abs and neg touch the sign only, of a NaN too.
  if (op == "abs")
    return ftz ? apply<[](float a) { return std::fabs(flush(a)); }>
               : apply<[](float a) { return std::fabs(a); }>;
  return ftz ? apply<[](float a) { return -flush(a); }>
             : apply<[](float a) { return -a; }>;
}

/// .rz, .rm and .rp: the plain handler, in the host's rounding mode.
Flow roundDirected(Warp &warp, const Instruction &i, uint32_t active) {
  static constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  std::fesetround(modes[i.option]);
  Flow flow = i.inner(warp, i, active);
  std::fesetround(FE_TONEAREST);
  return flow;
}

unsigned arityOf(std::string_view op) {
  if (op == "fma" || op.starts_with("mad") || op == "sad")
    return 3;
  static constexpr std::string_view unary[] = {"abs", "neg", "rcp", "sqrt", "rsqrt",
                                               "ex2", "lg2", "sin", "cos",  "tanh"};
  return std::find(std::begin(unary), std::end(unary), op) != std::end(unary) ? 1 : 2;
}

void decodeInteger(Decoder &d, Type type) {
  std::string op = d.opcode();
  bool wide = false;
  if (op == "mul" || op == "mad") {
    unsigned part = d.takeOneOf({"lo", "hi", "wide"});
    if (part == Decoder::none)
      d.fail("needs .lo, .hi or .wide");
    wide = part == 2;
    op += part == 0 ? ".lo" : part == 1 ? ".hi" : ".wide";
  }
  if (d.take("sat"))
    op += ".sat";
  d.handler(integerHandler(op, type));
  Type result = !wide ? type : bytesOf(type) == 2 ? Type::B32 : Type::B64;
  unsigned arity = arityOf(op);
  d.destination(0, result);
  d.sources(1, std::min(arity, 2u), type);
  if (arity == 3)
    d.source(3, result);
}

void decodeFloat(Decoder &d, Type type) {
  const std::string &op = d.opcode();
  unsigned rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  bool approximate = d.take("approx"), full = d.take("full");
  bool ftz = d.take("ftz"), sat = d.take("sat");
  bool isExtremum = op == "min" || op == "max";
  bool propagates = d.take("NaN");
  bool xorSign = d.take("xorsign");
  if (xorSign && !d.take("abs"))
    d.fail(".xorsign needs .abs");
  if ((propagates || xorSign) && !isExtremum)
    d.failCombination();
  bool needsHow =
      op == "fma" || op == "mad" || op == "div" || op == "rcp" || op == "sqrt";
  if (needsHow && rounding == Decoder::none && !approximate && !full)
    d.fail("needs a rounding, .approx or .full");
  bool isApproximate = op == "ex2" || op == "lg2" || op == "sin" || op == "cos" ||
                       op == "tanh" || op == "rsqrt";
  if (isApproximate != (approximate && !needsHow))
    d.failCombination();
  if (op == "tanh")
    d.requireTarget(75);

  if (type == Type::F32) {
    if (isExtremum) {
      bool isMax = op == "max";
      d.handler(propagates ? xorSign ? extremumHandler<true, true>(isMax, ftz)
                                     : extremumHandler<true, false>(isMax, ftz)
                : xorSign  ? extremumHandler<false, true>(isMax, ftz)
                           : extremumHandler<false, false>(isMax, ftz));
      if (propagates || xorSign)
        d.requireTarget(xorSign ? 86 : 80);
    } else if (op == "abs" || op == "neg") {
      d.handler(signHandler(op, ftz));
    } else {
      d.handler(singleHandler(op, ftz, sat));
    }
  } else if (type == Type::F64) {
    if (ftz ? !(approximate && (op == "rcp" || op == "rsqrt")) : sat)
      d.failCombination();
    if (propagates || xorSign)
      d.failCombination();
    d.handler(doubleHandler(op));
  } else {
    d.handler(halfHandler(d, type, {ftz, sat, propagates, xorSign}));
  }
  if (rounding != Decoder::none && rounding != 0) {
    if (type != Type::F32 && type != Type::F64)
      d.failCombination();
    d.out.inner = d.out.handler;
    d.out.option = rounding;
    d.handler(roundDirected);
  }
  if (op == "fma" || op == "mad")
    d.out.counted = Counted::Fma;
  d.out.type = type;
  d.destination(0, type);
  d.sources(1, arityOf(op), type);
}

void decodeArithmetic(Decoder &d) {
  if (d.take("cc"))
    d.fail("arithmetic with a carry is not supported");
  // Of cvt-like mixed types there is none here: one type says all.
  Type type = d.takeType();
  d.out.type = type;
  if (isInteger(type))
    decodeInteger(d, type);
  else if (isFloat(type) && type != Type::TF32)
    decodeFloat(d, type);
  else
    d.failCombination();
}

void decodeCopySign(Decoder &d) {
  Type type = d.takeType();
  // The first operand gives the sign.
  d.handler(
      type == Type::F32   ? apply<[](float a, float b) { return std::copysign(b, a); }>
      : type == Type::F64 ? apply<[](double a, double b) { return std::copysign(b, a); }>
                          : nullptr);
  d.destination(0, type);
  d.sources(1, 2, type);
}

void decodeTestp(Decoder &d) {
  unsigned property =
      d.takeOneOf({"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  if (property == Decoder::none)
    d.failCombination();
  d.out.option = property;
  Type type = d.takeType();
  static constexpr auto test = [](const Instruction &i, auto a) {
    int kind = std::fpclassify(a);
    switch (i.option) {
    case 0:
      return kind != FP_NAN && kind != FP_INFINITE;
    case 1:
      return kind == FP_INFINITE;
    case 2:
      return kind != FP_NAN;
    case 3:
      return kind == FP_NAN;
    case 4:
      return kind == FP_NORMAL;
    default:
      return kind == FP_SUBNORMAL;
    }
  };
  d.handler(type == Type::F32
                ? apply<[](const Instruction &i, float a) -> bool { return test(i, a); }>
            : type == Type::F64
                ? apply<[](const Instruction &i, double a) -> bool { return test(i, a); }>
                : nullptr);
  d.destination(0, Type::Pred);
  d.source(1, type);
}

/// dp4a: four products of bytes and an addend.
template <class A, class B> Handler dotHandler() {
  return apply<[](uint32_t a, uint32_t b, uint32_t c) -> uint32_t {
    for (unsigned byte = 0; byte < 4; ++byte)
      c += uint32_t(int32_t(A(a >> 8 * byte)) * int32_t(B(b >> 8 * byte)));
    return c;
  }>;
}

void decodeDot(Decoder &d) {
  Type a = d.takeType(), b = d.takeType();
  auto known = [](Type type) { return type == Type::S32 || type == Type::U32; };
  if (!known(a) || !known(b))
    d.failCombination();
  bool signedA = a == Type::S32, signedB = b == Type::S32;
  d.handler(signedA
                ? signedB ? dotHandler<int8_t, int8_t>() : dotHandler<int8_t, uint8_t>()
            : signedB ? dotHandler<uint8_t, int8_t>()
                      : dotHandler<uint8_t, uint8_t>());
  d.destination(0, Type::B32);
  d.sources(1, 3, Type::B32);
}

constexpr OpcodeRow rows[] = {
    {"add", decodeArithmetic}, {"sub", decodeArithmetic},  {"mul", decodeArithmetic},
    {"mad", decodeArithmetic}, {"fma", decodeArithmetic},  {"div", decodeArithmetic},
    {"rem", decodeArithmetic}, {"min", decodeArithmetic},  {"max", decodeArithmetic},
    {"abs", decodeArithmetic}, {"neg", decodeArithmetic},  {"sad", decodeArithmetic},
    {"rcp", decodeArithmetic}, {"sqrt", decodeArithmetic}, {"rsqrt", decodeArithmetic},
    {"ex2", decodeArithmetic}, {"lg2", decodeArithmetic},  {"sin", decodeArithmetic},
    {"cos", decodeArithmetic}, {"tanh", decodeArithmetic}, {"copysign", decodeCopySign},
    {"testp", decodeTestp},    {"dp4a", decodeDot},
};

} // namespace

std::span<const OpcodeRow> standin::arithmeticRows() { return rows; }
