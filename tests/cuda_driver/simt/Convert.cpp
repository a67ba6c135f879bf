//===- Convert.cpp - cvt ---------------------------------------------------------------===//
//
// A conversion takes its source apart into sign, mantissa and exponent where it is not
// one of those that the host does alike, and is rounded once.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Float.h"
#include "tests/cuda_driver/simt/RawLanes.h"

#include <algorithm>
#include <bit>
#include <cmath>

using namespace standin;

namespace {

// Instruction::option: rounding | flags
constexpr unsigned roundingMask = 7, ftzFlag = 8, satFlag = 16, integerFlag = 32,
                   reluFlag = 64;

Rounding roundingOf(const Instruction &i) { return Rounding(i.option & roundingMask); }

double roundToInteger(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  case Rounding::NearestAway:
    return std::round(value);
  default:
    return std::nearbyint(value);
  }
}

double readFloat(uint64_t bits, Type type, bool ftz) {
  switch (type) {
  case Type::F16: // .ftz is of f32
    return toFloat(Half{uint16_t(bits)});
  case Type::BF16:
    return toFloat(BHalf{uint16_t(bits)});
  case Type::F64:
    return std::bit_cast<double>(bits);
  default: {
    float value = std::bit_cast<float>(uint32_t(bits));
    return ftz ? flush(value) : value;
  }
  }
}

Format formatOf(Type type) {
  switch (type) {
  case Type::F16:
    return formatHalf;
  case Type::BF16:
    return formatBHalf;
  case Type::F64:
    return formatDouble;
  case Type::TF32:
    return formatTf32;
  default:
    return formatSingle;
  }
}

uint64_t writeFloat(double value, Type type, const Instruction &i) {
  if (i.option & satFlag)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  if ((i.option & reluFlag) && !(value > 0) && value == value)
    value = 0;
  Rounding rounding = roundingOf(i);
  bool nearest = rounding == Rounding::Nearest;
  uint64_t bits = 0;
  if (type == Type::F64)
    bits = std::bit_cast<uint64_t>(value);
  else if (nearest && type == Type::F32)
    bits = std::bit_cast<uint32_t>(fromFloat<float>(float(value)));
  else
    bits = packFloat(formatOf(type), value, rounding);
  if (type == Type::TF32)
    bits <<= 13;
  if (type == Type::F32 && (i.option & ftzFlag))
    bits = std::bit_cast<uint32_t>(flush(std::bit_cast<float>(uint32_t(bits))));
  return bits;
}

uint64_t floatToInteger(double value, Type type, const Instruction &i) {
  if (value != value)
    return 0;
  value = roundToInteger(value, roundingOf(i));
  unsigned bits = 8 * bytesOf(type);
  double limit = std::ldexp(1.0, int(isSigned(type) ? bits - 1 : bits));
  uint64_t highest = ~uint64_t(0) >> (64 - bits + isSigned(type));
  if (value >= limit)
    return highest;
  if (isSigned(type))
    return value < -limit ? uint64_t(-1) << (bits - 1) : uint64_t(int64_t(value));
  return value <= 0 ? 0 : uint64_t(value);
}

uint64_t integerToFloat(uint64_t raw, Type source, Type type, const Instruction &i) {
  bool negative = isSigned(source) && int64_t(raw) < 0;
  uint64_t magnitude = negative ? 0 - raw : raw;
  uint64_t bits = packFloat(formatOf(type), negative, magnitude, 0, roundingOf(i));
  if (i.option & satFlag)
    return writeFloat(readFloat(bits, type, false), type, i);
  return bits;
}

uint64_t integerToInteger(uint64_t raw, Type source, Type type, const Instruction &i) {
  if (i.option & satFlag) {
    __int128 value = isSigned(source) ? __int128(int64_t(raw)) : __int128(raw);
    unsigned bits = 8 * bytesOf(type);
    __int128 low = isSigned(type) ? -(__int128(1) << (bits - 1)) : 0;
    __int128 high = (__int128(1) << (isSigned(type) ? bits - 1 : bits)) - 1;
    raw = uint64_t(value < low ? low : value > high ? high : value);
  }
  return raw;
}

Flow convert(Warp &warp, const Instruction &i, uint32_t active) {
  bool fromFloats = isFloat(i.sourceType), toFloats = isFloat(i.type);
  bool ftz = i.option & ftzFlag;
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    uint64_t raw = extendRaw(readRaw(warp, i.slot[1], i.width[1], lane), i.sourceType);
    uint64_t bits = 0;
    if (fromFloats) {
      double value = readFloat(raw, i.sourceType, ftz);
      if (!toFloats) {
        bits = floatToInteger(value, i.type, i);
      } else {
        if (i.option & integerFlag)
          value = roundToInteger(value, roundingOf(i));
        bits = writeFloat(value, i.type, i);
      }
    } else if (toFloats) {
      bits = integerToFloat(raw, i.sourceType, i.type, i);
    } else {
      bits = integerToInteger(raw, i.sourceType, i.type, i);
    }
    writeRaw(warp, i.slot[0], i.width[0], lane, extendRaw(bits, i.type));
  }
  return Flow::Next;
}

/// The frequent ones, whole warps at a time.
template <class To, class From, To (*f)(From)>
Flow convertAll(Warp &warp, const Instruction &i, uint32_t active) {
  const From *src = warp.lanes<From>(i.slot[1]);
  To values[numLanes];
  for (unsigned lane = 0; lane < numLanes; ++lane)
    values[lane] = f(src[lane]);
  To *dst = warp.lanes<To>(i.slot[0]);
  for (unsigned lane = 0; lane < numLanes; ++lane)
    dst[lane] = active >> lane & 1 ? values[lane] : dst[lane];
  return Flow::Next;
}
template <class To, class From> To cast(From value) { return To(value); }
template <class H> float widen(H value) { return fromFloat<float>(toFloat(value)); }

Handler fastHandler(const Instruction &i) {
  bool nearest = roundingOf(i) == Rounding::Nearest && i.option == 0;
  if (i.width[0] != bytesOf(i.type) || i.width[1] != bytesOf(i.sourceType) || !nearest)
    return nullptr;
  auto is = [&](Type to, Type from) { return i.type == to && i.sourceType == from; };
  if (is(Type::F16, Type::F32))
    return convertAll<Half, float, fromFloat<Half>>;
  if (is(Type::BF16, Type::F32))
    return convertAll<BHalf, float, fromFloat<BHalf>>;
  if (is(Type::F32, Type::F16))
    return convertAll<float, Half, widen<Half>>;
  if (is(Type::F32, Type::BF16))
    return convertAll<float, BHalf, widen<BHalf>>;
  if (is(Type::F32, Type::S32))
    return convertAll<float, int32_t, cast<float, int32_t>>;
  if (is(Type::F32, Type::U32))
    return convertAll<float, uint32_t, cast<float, uint32_t>>;
  if (is(Type::U64, Type::U32) || is(Type::S64, Type::U32))
    return convertAll<uint64_t, uint32_t, cast<uint64_t, uint32_t>>;
  if (is(Type::S64, Type::S32) || is(Type::U64, Type::S32))
    return convertAll<int64_t, int32_t, cast<int64_t, int32_t>>;
  if (bytesOf(i.type) == 4 && bytesOf(i.sourceType) == 8 && isInteger(i.type) &&
      isInteger(i.sourceType))
    return convertAll<uint32_t, uint64_t, cast<uint32_t, uint64_t>>;
  return nullptr;
}

/// Two f32 to a pair: the first operand becomes the high half.
Flow convertPair(Warp &warp, const Instruction &i, uint32_t active) {
  const uint32_t *high = warp.lanes<uint32_t>(i.slot[1]);
  const uint32_t *low = warp.lanes<uint32_t>(i.slot[2]);
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]);
  Type half = i.type == Type::F16x2 ? Type::F16 : Type::BF16;
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      dst[lane] =
          uint32_t(writeFloat(readFloat(high[lane], Type::F32, false), half, i) << 16 |
                   writeFloat(readFloat(low[lane], Type::F32, false), half, i));
  return Flow::Next;
}

void takeRounding(Decoder &d) {
  unsigned rounding = d.takeOneOf({"rn", "rz", "rm", "rp", "rna"});
  if (rounding == Decoder::none) {
    rounding = d.takeOneOf({"rni", "rzi", "rmi", "rpi"});
    if (rounding != Decoder::none)
      d.out.option |= integerFlag;
    else
      return;
  }
  d.out.option |= rounding;
}

/// cvt.pack.sat.{s8,u8}.s32.b32 d, a, b, c: a and b in the low half, c's low half above.
Flow packBytes(Warp &warp, const Instruction &i, uint32_t active) {
  const int32_t *a = warp.lanes<int32_t>(i.slot[1]), *b = warp.lanes<int32_t>(i.slot[2]);
  const uint32_t *c = i.numSlots > 3 ? warp.lanes<uint32_t>(i.slot[3]) : nullptr;
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]);
  unsigned bits = 8 * bytesOf(i.type);
  int32_t low = isSigned(i.type) ? -(1 << (bits - 1)) : 0;
  int32_t high = isSigned(i.type) ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  uint32_t mask = (1u << bits) - 1;
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    uint32_t pair = (uint32_t(std::clamp(a[lane], low, high)) & mask) << bits |
                    (uint32_t(std::clamp(b[lane], low, high)) & mask);
    dst[lane] = c ? c[lane] << 2 * bits | pair : pair;
  }
  return Flow::Next;
}

void decodePack(Decoder &d) {
  if (!d.take("sat"))
    d.failCombination();
  Type type = d.takeType();
  bool isByte = type == Type::S8 || type == Type::U8;
  bool isShort = type == Type::S16 || type == Type::U16;
  if ((!isByte && !isShort) || d.takeType() != Type::S32)
    d.failCombination();
  if (isByte && d.takeType() != Type::B32)
    d.failCombination();
  d.out.type = type;
  d.handler(packBytes);
  d.destination(0, Type::B32);
  d.sources(1, isByte ? 3 : 2, Type::B32);
}

void decodeConvert(Decoder &d) {
  if (d.take("pack"))
    return decodePack(d);
  takeRounding(d);
  Rounding rounding = roundingOf(d.out);
  bool isRounded = false;
  for (const std::string &modifier : d.statement.modifiers)
    isRounded |= modifier[0] == 'r' && modifier != "relu";
  if (d.take("ftz"))
    d.out.option |= ftzFlag;
  if (d.take("sat"))
    d.out.option |= satFlag;
  if (d.take("relu"))
    d.out.option |= reluFlag;
  Type type = d.takeType(), source = d.takeType();
  d.out.type = type;
  d.out.sourceType = source;

  if (type == Type::F16x2 || type == Type::BF16x2) {
    bool known = rounding == Rounding::Nearest || rounding == Rounding::Zero;
    if (source != Type::F32 || !isRounded || !known)
      d.failCombination();
    d.requireTarget(80);
    d.handler(convertPair);
    d.destination(0, type);
    d.sources(1, 2, Type::F32);
    return;
  }
  auto known = [](Type t) {
    return isInteger(t) || t == Type::F16 || t == Type::BF16 || t == Type::F32 ||
           t == Type::F64;
  };
  bool toTf32 = type == Type::TF32 && source == Type::F32;
  if (!known(source) || (!known(type) && !toTf32))
    d.failCombination();
  if (rounding == Rounding::NearestAway && !toTf32)
    d.failCombination();
  if (toTf32)
    d.requireTarget(rounding == Rounding::NearestAway ? 80 : 90);
  if (type == Type::BF16 || source == Type::BF16)
    d.requireTarget(80);
  if ((type == Type::BF16) != (source == Type::BF16) &&
      !(type == Type::BF16 && source == Type::F32))
    d.requireTarget(source == Type::BF16 && type == Type::F32 ? 80 : 90);
  bool loses =
      isFloat(type) && (!isFloat(source) || bytesOf(type) < bytesOf(source) || toTf32);
  if ((loses || (isFloat(source) && !isFloat(type))) && !isRounded)
    d.fail("needs a rounding");
  if (isFloat(source) && !isFloat(type) && !(d.out.option & integerFlag))
    d.fail("needs a rounding to an integer (.rni, .rzi, .rmi, .rpi)");
  d.destination(0, toTf32 ? Type::B32 : type, Decoder::Width::AtLeast);
  d.source(1, source, Decoder::Width::AtLeast);
  Handler fast = fastHandler(d.out);
  d.handler(fast ? fast : convert);
}

constexpr OpcodeRow rows[] = {{"cvt", decodeConvert}};

} // namespace

std::span<const OpcodeRow> standin::convertRows() { return rows; }
