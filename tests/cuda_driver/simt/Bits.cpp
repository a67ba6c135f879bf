//===- Bits.cpp - logic, shifts and fields -------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Lanes.h"

#include <algorithm>
#include <bit>

using namespace standin;

namespace {

template <class T> Handler logicHandler(std::string_view op) {
  if (op == "and")
    return apply<[](T a, T b) -> T { return a & b; }>;
  if (op == "or")
    return apply<[](T a, T b) -> T { return a | b; }>;
  if (op == "xor")
    return apply<[](T a, T b) -> T { return a ^ b; }>;
  if (op == "not")
    return apply<[](T a) -> T { return T(~a); }>;
  return apply<[](T a) -> T { return T(a == 0); }>; // cnot
}
template <> Handler logicHandler<bool>(std::string_view op) {
  if (op == "and")
    return apply<[](bool a, bool b) -> bool { return a && b; }>;
  if (op == "or")
    return apply<[](bool a, bool b) -> bool { return a || b; }>;
  if (op == "xor")
    return apply<[](bool a, bool b) -> bool { return a != b; }>;
  if (op == "not")
    return apply<[](bool a) -> bool { return !a; }>;
  return nullptr;
}

void decodeLogic(Decoder &d) {
  Type type = d.takeType();
  const std::string &op = d.opcode();
  d.handler(type == Type::Pred  ? logicHandler<bool>(op)
            : type == Type::B16 ? logicHandler<uint16_t>(op)
            : type == Type::B32 ? logicHandler<uint32_t>(op)
            : type == Type::B64 ? logicHandler<uint64_t>(op)
                                : nullptr);
  d.destination(0, type);
  d.sources(1, op == "not" || op == "cnot" ? 1 : 2, type);
}

/// The amount is clamped to the width.
template <class T> Handler shiftHandler(bool left) {
  constexpr unsigned width = 8 * sizeof(T);
  if (left)
    return apply<[](T a, uint32_t n) -> T {
      return n >= width ? T(0) : T(std::make_unsigned_t<T>(a) << n);
    }>;
  return apply<[](T a, uint32_t n) -> T {
    if (n >= width)
      return std::is_signed_v<T> && a < 0 ? T(-1) : T(0);
    return T(a >> n);
  }>;
}

void decodeShift(Decoder &d) {
  Type type = d.takeType();
  bool left = d.opcode() == "shl";
  if (left && !isBits(type))
    d.failCombination();
  unsigned bytes = bytesOf(type);
  d.handler(isSigned(type) ? bytes == 2   ? shiftHandler<int16_t>(left)
                             : bytes == 4 ? shiftHandler<int32_t>(left)
                             : bytes == 8 ? shiftHandler<int64_t>(left)
                                          : nullptr
            : isInteger(type) || isBits(type)
                ? bytes == 2   ? shiftHandler<uint16_t>(left)
                  : bytes == 4 ? shiftHandler<uint32_t>(left)
                  : bytes == 8 ? shiftHandler<uint64_t>(left)
                               : nullptr
                : nullptr);
  d.destination(0, type);
  d.source(1, type);
  d.source(2, Type::B32);
}

void decodeFunnelShift(Decoder &d) {
  unsigned direction = d.takeOneOf({"l", "r"}), mode = d.takeOneOf({"wrap", "clamp"});
  if (direction == Decoder::none || mode == Decoder::none || d.takeType() != Type::B32)
    d.failCombination();
  d.out.option = mode;
  static constexpr auto amount = [](const Instruction &i, uint32_t n) {
    return i.option == 0 ? n & 31 : std::min(n, 32u);
  };
  d.handler(direction == 0 ? apply<[](const Instruction &i, uint32_t a, uint32_t b,
                                      uint32_t n) -> uint32_t {
    return uint32_t(((uint64_t(b) << 32 | a) << amount(i, n)) >> 32);
  }>
                           : apply<[](const Instruction &i, uint32_t a, uint32_t b,
                                      uint32_t n) -> uint32_t {
                               return uint32_t((uint64_t(b) << 32 | a) >> amount(i, n));
                             }>);
  d.destination(0, Type::B32);
  d.sources(1, 3, Type::B32);
}

template <class T> T extractField(T a, uint32_t position, uint32_t length) {
  constexpr unsigned width = 8 * sizeof(T);
  using U = std::make_unsigned_t<T>;
  position &= 255;
  length &= 255;
  // Behind the value lies its sign, or 0.
  bool isNegative = std::is_signed_v<T> && a < 0;
  T extended = isNegative ? T(-1) : T(0);
  T shifted = position < width ? T(a >> position) : extended;
  if (length >= width)
    return shifted;
  if (length == 0)
    return 0;
  U field = U(shifted) & ((U(1) << length) - 1);
  unsigned last = std::min(position + length - 1, width - 1);
  bool sign = std::is_signed_v<T> && (U(a) >> last & 1);
  return T(sign ? field | ~((U(1) << length) - 1) : field);
}

template <class T> T insertField(T field, T into, uint32_t position, uint32_t length) {
  constexpr unsigned width = 8 * sizeof(T);
  position &= 255;
  length &= 255;
  if (position >= width || length == 0)
    return into;
  T mask = (length >= width ? T(~T(0)) : T((T(1) << length) - 1)) << position;
  return T((into & ~mask) | (T(field << position) & mask));
}

void decodeBitField(Decoder &d) {
  Type type = d.takeType();
  d.handler(type == Type::U32 ? apply<[](uint32_t a, uint32_t p, uint32_t n) -> uint32_t {
    return extractField(a, p, n);
  }>
            : type == Type::S32 ? apply<[](int32_t a, uint32_t p, uint32_t n) -> int32_t {
                return extractField(a, p, n);
              }>
            : type == Type::U64
                ? apply<[](uint64_t a, uint32_t p, uint32_t n) -> uint64_t {
                    return extractField(a, p, n);
                  }>
            : type == Type::S64 ? apply<[](int64_t a, uint32_t p, uint32_t n) -> int64_t {
                return extractField(a, p, n);
              }>
                                : nullptr);
  d.destination(0, type);
  d.source(1, type);
  d.sources(2, 2, Type::B32);
}

void decodeBitInsert(Decoder &d) {
  Type type = d.takeType();
  d.handler(type == Type::B32
                ? apply<[](uint32_t a, uint32_t b, uint32_t p, uint32_t n) -> uint32_t {
                    return insertField(a, b, p, n);
                  }>
            : type == Type::B64
                ? apply<[](uint64_t a, uint64_t b, uint32_t p, uint32_t n) -> uint64_t {
                    return insertField(a, b, p, n);
                  }>
                : nullptr);
  d.destination(0, type);
  d.sources(1, 2, type);
  d.sources(3, 2, Type::B32);
}

template <class T> T reverseBits(T value) {
  T reversed = 0;
  for (unsigned bit = 0; bit < 8 * sizeof(T); ++bit, value >>= 1)
    reversed = T(reversed << 1 | (value & 1));
  return reversed;
}

void decodeCount(Decoder &d) {
  Type type = d.takeType();
  const std::string &op = d.opcode();
  if (type != Type::B32 && type != Type::B64)
    d.failCombination();
  bool wide = type == Type::B64;
  if (op == "popc")
    d.handler(wide ? apply<[](uint64_t a) { return uint32_t(std::popcount(a)); }>
                   : apply<[](uint32_t a) { return uint32_t(std::popcount(a)); }>);
  else if (op == "clz")
    d.handler(wide ? apply<[](uint64_t a) { return uint32_t(std::countl_zero(a)); }>
                   : apply<[](uint32_t a) { return uint32_t(std::countl_zero(a)); }>);
  else
    d.handler(wide ? apply<[](uint64_t a) { return reverseBits(a); }>
                   : apply<[](uint32_t a) { return reverseBits(a); }>);
  d.destination(0, op == "brev" ? type : Type::B32);
  d.source(1, type);
}

/// Position of the highest bit that differs from the sign; -1: none.
template <class T> uint32_t findHighest(T a) {
  using U = std::make_unsigned_t<T>;
  U bits = U(std::is_signed_v<T> && a < 0 ? ~a : a);
  return uint32_t(int(8 * sizeof(T)) - 1 - std::countl_zero(bits));
}

void decodeFind(Decoder &d) {
  bool asShift = d.take("shiftamt");
  Type type = d.takeType();
  d.out.option = asShift ? 8 * bytesOf(type) - 1 : 0;
  static constexpr auto finish = [](const Instruction &i, uint32_t at) {
    return i.option && at != ~0u ? i.option - at : at;
  };
  d.handler(type == Type::U32   ? apply<[](const Instruction &i, uint32_t a) -> uint32_t {
    return finish(i, findHighest(a));
  }>
            : type == Type::S32 ? apply<[](const Instruction &i, int32_t a) -> uint32_t {
                return finish(i, findHighest(a));
              }>
            : type == Type::U64 ? apply<[](const Instruction &i, uint64_t a) -> uint32_t {
                return finish(i, findHighest(a));
              }>
            : type == Type::S64 ? apply<[](const Instruction &i, int64_t a) -> uint32_t {
                return finish(i, findHighest(a));
              }>
                                : nullptr);
  d.destination(0, Type::B32);
  d.source(1, type);
}

uint32_t lookUp(uint32_t table, uint32_t a, uint32_t b, uint32_t c) {
  uint32_t value = 0;
  for (unsigned row = 0; row < 8; ++row)
    if (table >> row & 1)
      value |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
  return value;
}

void decodeLookUp(Decoder &d) {
  if (d.takeType() != Type::B32)
    d.failCombination();
  uint64_t table = d.immediate(4);
  if (table > 255)
    d.fail("the table must be a number below 256");
  d.out.option = uint32_t(table);
  d.handler(apply<[](const Instruction &i, uint32_t a, uint32_t b, uint32_t c) {
    return lookUp(i.option, a, b, c);
  }>);
  d.destination(0, Type::B32);
  d.sources(1, 3, Type::B32);
}

uint32_t permuteByte(uint64_t bytes, unsigned selector) {
  uint32_t byte = uint32_t(bytes >> 8 * (selector & 7)) & 255;
  return selector & 8 ? byte & 128 ? 255 : 0 : byte;
}

uint32_t permute(uint32_t mode, uint32_t a, uint32_t b, uint32_t c) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t value = 0;
  for (unsigned at = 0; at < 4; ++at) {
    unsigned n = c & 3, selector = 0;
    switch (mode) {
    case 0:
      selector = n + at;
      break;
    case 1:
      selector = (n - at) & 7;
      break;
    case 2:
      selector = n;
      break;
    case 3:
      selector = std::max(n, at);
      break;
    case 4:
      selector = std::min(n, at);
      break;
    case 5:
      selector = (n & 1) * 2 + (at & 1);
      break;
    default:
      selector = c >> 4 * at & 15;
    }
    value |= permuteByte(bytes, selector) << 8 * at;
  }
  return value;
}

void decodePermute(Decoder &d) {
  if (d.takeType() != Type::B32)
    d.failCombination();
  unsigned mode = d.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  d.out.option = mode == Decoder::none ? 6 : mode;
  d.handler(apply<[](const Instruction &i, uint32_t a, uint32_t b, uint32_t c) {
    return permute(i.option, a, b, c);
  }>);
  d.destination(0, Type::B32);
  d.sources(1, 3, Type::B32);
}

constexpr OpcodeRow rows[] = {
    {"and", decodeLogic},     {"or", decodeLogic},        {"xor", decodeLogic},
    {"not", decodeLogic},     {"cnot", decodeLogic},      {"shl", decodeShift},
    {"shr", decodeShift},     {"shf", decodeFunnelShift}, {"bfe", decodeBitField},
    {"bfi", decodeBitInsert}, {"popc", decodeCount},      {"clz", decodeCount},
    {"brev", decodeCount},    {"bfind", decodeFind},      {"lop3", decodeLookUp},
    {"prmt", decodePermute},
};

} // namespace

std::span<const OpcodeRow> standin::bitRows() { return rows; }
