//===- HalfArithmetic.cpp - f16, bf16 and pairs of them ------------------------------===//
//
// Computed in f32 and rounded once more: f32 has more than twice the digits, so that
// this is the right rounding of + - * /, and fma goes through fmaToOdd.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Arithmetic.h"
#include "tests/cuda_driver/simt/Lanes.h"

using namespace standin;

namespace {

template <class H> H fusedMultiplyAdd(H a, H b, H c) {
  double sum = fmaToOdd(toFloat(a), toFloat(b), toFloat(c));
  constexpr Format format = std::is_same_v<H, Half> ? formatHalf : formatBHalf;
  return H{uint16_t(packFloat(format, sum, Rounding::Nearest))};
}

template <auto f, bool ftz, bool sat, class H, class... A> H half(H first, A... rest) {
  if (ftz)
    first = flush(first);
  H value;
  if constexpr (sizeof...(rest) == 2)
    value = f(first, (ftz ? flush(rest) : rest)...);
  else
    value = fromFloat<H>(f(toFloat(first), toFloat(ftz ? flush(rest) : rest)...));
  if (ftz)
    value = flush(value);
  return sat ? fromFloat<H>(saturate(toFloat(value))) : value;
}

template <class H> struct PairOf;
template <> struct PairOf<Half> {
  using Type = Half2;
};
template <> struct PairOf<BHalf> {
  using Type = BHalf2;
};

template <class H, unsigned arity, auto f, bool ftz, bool sat>
Handler shaped(bool isPair) {
  using P = typename PairOf<H>::Type;
  if constexpr (arity == 1)
    return isPair ? apply<[](P a) -> P {
      return {half<f, ftz, sat>(a.lo), half<f, ftz, sat>(a.hi)};
    }>
                  : apply<[](H a) -> H { return half<f, ftz, sat>(a); }>;
  else if constexpr (arity == 2)
    return isPair ? apply<[](P a, P b) -> P {
      return {half<f, ftz, sat>(a.lo, b.lo), half<f, ftz, sat>(a.hi, b.hi)};
    }>
                  : apply<[](H a, H b) -> H { return half<f, ftz, sat>(a, b); }>;
  else
    return isPair ? apply<[](P a, P b, P c) -> P {
      return {half<f, ftz, sat>(a.lo, b.lo, c.lo), half<f, ftz, sat>(a.hi, b.hi, c.hi)};
    }>
                  : apply<[](H a, H b, H c) -> H { return half<f, ftz, sat>(a, b, c); }>;
}

template <class H, unsigned arity, auto f>
Handler modified(bool isPair, const FloatModifiers &modifiers) {
  if (modifiers.ftz)
    return modifiers.sat ? shaped<H, arity, f, true, true>(isPair)
                         : shaped<H, arity, f, true, false>(isPair);
  return modifiers.sat ? shaped<H, arity, f, false, true>(isPair)
                       : shaped<H, arity, f, false, false>(isPair);
}

template <class H, bool propagates, bool xorSign>
Handler extremum(bool isMax, bool isPair, const FloatModifiers &modifiers) {
  if (isMax)
    return modified<H, 2, [](float a, float b) {
      return maximum<propagates, xorSign>(a, b);
    }>(isPair, modifiers);
  return modified<H, 2, [](float a, float b) {
    return minimum<propagates, xorSign>(a, b);
  }>(isPair, modifiers);
}

template <class H>
Handler handlerOf(std::string_view op, bool isPair, const FloatModifiers &m) {
  if (op == "add")
    return modified<H, 2, [](float a, float b) { return a + b; }>(isPair, m);
  if (op == "sub")
    return modified<H, 2, [](float a, float b) { return a - b; }>(isPair, m);
  if (op == "mul")
    return modified<H, 2, [](float a, float b) { return a * b; }>(isPair, m);
  if (op == "fma")
    return modified<H, 3, [](H a, H b, H c) { return fusedMultiplyAdd(a, b, c); }>(isPair,
                                                                                   m);
  if (m.sat)
    return nullptr;
  if (op == "min" || op == "max") {
    bool isMax = op == "max";
    if (m.propagatesNan)
      return m.xorSign ? extremum<H, true, true>(isMax, isPair, m)
                       : extremum<H, true, false>(isMax, isPair, m);
    return m.xorSign ? extremum<H, false, true>(isMax, isPair, m)
                     : extremum<H, false, false>(isMax, isPair, m);
  }
  if (op == "ex2")
    return modified<H, 1, [](float a) { return float(std::exp2(double(a))); }>(isPair, m);
  if (op == "tanh")
    return modified<H, 1, [](float a) { return float(std::tanh(double(a))); }>(isPair, m);
  return nullptr;
}

} // namespace

Handler standin::halfHandler(Decoder &d, Type type, const FloatModifiers &modifiers) {
  const std::string &op = d.opcode();
  bool isBrain = type == Type::BF16 || type == Type::BF16x2;
  bool isPair = type == Type::F16x2 || type == Type::BF16x2;
  if (op == "abs" || op == "neg") {
    if (modifiers.sat || (isBrain && modifiers.ftz))
      return nullptr;
    if (modifiers.ftz) {
      static constexpr auto flushed = [](Half2 a) -> Half2 {
        return {flush(a.lo), flush(a.hi)};
      };
      if (op == "abs")
        return isPair
                   ? apply<[](Half2 a) -> Half2 {
                       return {Half{uint16_t(flushed(a).lo.bits & 0x7fff)},
                               Half{uint16_t(flushed(a).hi.bits & 0x7fff)}};
                     }>
                   : apply<[](Half a) { return Half{uint16_t(flush(a).bits & 0x7fff)}; }>;
      return isPair
                 ? apply<[](Half2 a) -> Half2 {
                     return {Half{uint16_t(flushed(a).lo.bits ^ 0x8000)},
                             Half{uint16_t(flushed(a).hi.bits ^ 0x8000)}};
                   }>
                 : apply<[](Half a) { return Half{uint16_t(flush(a).bits ^ 0x8000)}; }>;
    }
    if (op == "abs")
      return isPair ? apply<[](uint32_t a) -> uint32_t { return a & 0x7fff7fff; }>
                    : apply<[](uint16_t a) -> uint16_t { return a & 0x7fff; }>;
    return isPair ? apply<[](uint32_t a) -> uint32_t { return a ^ 0x80008000; }>
                  : apply<[](uint16_t a) -> uint16_t { return a ^ 0x8000; }>;
  }
  if (isBrain) {
    bool isPlain = op == "add" || op == "sub" || op == "mul";
    bool hasFtz = op == "ex2"; // PTX has ex2.approx.ftz.bf16, and no other
    if ((modifiers.ftz && !hasFtz) || modifiers.sat)
      return nullptr;
    d.requireTarget(isPlain || op == "ex2" || op == "tanh" ? 90 : 80);
    return handlerOf<BHalf>(op, isPair, modifiers);
  }
  if (op == "min" || op == "max")
    d.requireTarget(80);
  return handlerOf<Half>(op, isPair, modifiers);
}
