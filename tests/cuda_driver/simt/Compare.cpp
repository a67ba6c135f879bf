//===- Compare.cpp - setp, set, selp and slct -----------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Float.h"
#include "tests/cuda_driver/simt/Lanes.h"

using namespace standin;

namespace {

/// Bits say for which outcomes a comparison holds.
enum Outcome : uint8_t { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };

struct ComparisonName {
  std::string_view name;
  uint8_t outcomes;
  bool forIntegers;
};
constexpr ComparisonName comparisons[] = {
    {"eq", Equal, true},
    {"ne", Less | Greater, true},
    {"lt", Less, true},
    {"le", Less | Equal, true},
    {"gt", Greater, true},
    {"ge", Greater | Equal, true},
    {"lo", Less, true},
    {"ls", Less | Equal, true},
    {"hi", Greater, true},
    {"hs", Greater | Equal, true},
    {"equ", Equal | Unordered, false},
    {"neu", Less | Greater | Unordered, false},
    {"ltu", Less | Unordered, false},
    {"leu", Less | Equal | Unordered, false},
    {"gtu", Greater | Unordered, false},
    {"geu", Greater | Equal | Unordered, false},
    {"num", Less | Equal | Greater, false},
    {"nan", Unordered, false},
};

template <class T> auto comparable(T value) { return value; }
float comparable(Half value) { return toFloat(value); }
float comparable(BHalf value) { return toFloat(value); }

/// A mask of the lanes for which the comparison of slots `a` and `b` holds.
template <class T>
uint32_t compare(Warp &warp, uint32_t slotA, uint32_t slotB, uint8_t outcomes, bool ftz) {
  const T *a = warp.lanes<T>(slotA), *b = warp.lanes<T>(slotB);
  uint32_t less = 0, equal = 0, greater = 0;
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    auto x = comparable(a[lane]), y = comparable(b[lane]);
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, Half>)
      if (ftz) {
        x = comparable(flush(a[lane]));
        y = comparable(flush(b[lane]));
      }
    less |= uint32_t(x < y) << lane;
    equal |= uint32_t(x == y) << lane;
    greater |= uint32_t(x > y) << lane;
  }
  uint32_t held = 0;
  if (outcomes & Less)
    held |= less;
  if (outcomes & Equal)
    held |= equal;
  if (outcomes & Greater)
    held |= greater;
  if (outcomes & Unordered)
    held |= ~(less | equal | greater);
  return held;
}

/// Both halves of a pair; the second mask is of the high ones.
template <class P>
std::array<uint32_t, 2> comparePairs(Warp &warp, const Instruction &i, unsigned slot) {
  const P *a = warp.lanes<P>(i.slot[slot]), *b = warp.lanes<P>(i.slot[slot + 1]);
  std::array<uint32_t, 2> held{};
  for (unsigned lane = 0; lane < numLanes; ++lane)
    for (unsigned part = 0; part < 2; ++part) {
      float x = toFloat(part ? a[lane].hi : a[lane].lo);
      float y = toFloat(part ? b[lane].hi : b[lane].lo);
      unsigned outcome = x < y ? Less : x == y ? Equal : x > y ? Greater : Unordered;
      held[part] |= uint32_t((i.option & outcome) != 0) << lane;
    }
  return held;
}

// Instruction::option: outcomes | boolean operation << 8 | ftz << 12 | has q << 13
constexpr unsigned booleanShift = 8, ftzBit = 1 << 12, secondBit = 1 << 13;

uint32_t combine(const Instruction &i, uint32_t held, uint32_t other) {
  if (i.negated)
    other = ~other;
  switch (i.option >> booleanShift & 3) {
  case 1:
    return held & other;
  case 2:
    return held | other;
  case 3:
    return held ^ other;
  default:
    return held;
  }
}

void keepMask(Warp &warp, uint32_t slot, uint32_t bits, uint32_t active) {
  uint32_t &dst = warp.predicate(slot);
  dst = (dst & ~active) | (bits & active);
}

template <class T> Flow setPredicate(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned a = i.numDst;
  uint32_t held =
      compare<T>(warp, i.slot[a], i.slot[a + 1], i.option & 15, i.option & ftzBit);
  bool combined = i.option >> booleanShift & 3;
  uint32_t other = combined ? warp.predicate(i.slot[a + 2]) : 0;
  keepMask(warp, i.slot[0], combine(i, held, other), active);
  if (i.option & secondBit)
    keepMask(warp, i.slot[1], combine(i, ~held, other), active);
  return Flow::Next;
}

template <class P> Flow setPredicates(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned a = i.numDst;
  std::array<uint32_t, 2> held = comparePairs<P>(warp, i, a);
  bool combined = i.option >> booleanShift & 3;
  uint32_t other = combined ? warp.predicate(i.slot[a + 2]) : 0;
  for (unsigned part = 0; part < i.numDst; ++part)
    keepMask(warp, i.slot[part], combine(i, held[part], other), active);
  return Flow::Next;
}

Handler predicateHandler(Type type) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return setPredicate<uint16_t>;
  case Type::S16:
    return setPredicate<int16_t>;
  case Type::B32:
  case Type::U32:
    return setPredicate<uint32_t>;
  case Type::S32:
    return setPredicate<int32_t>;
  case Type::B64:
  case Type::U64:
    return setPredicate<uint64_t>;
  case Type::S64:
    return setPredicate<int64_t>;
  case Type::F16:
    return setPredicate<Half>;
  case Type::BF16:
    return setPredicate<BHalf>;
  case Type::F32:
    return setPredicate<float>;
  case Type::F64:
    return setPredicate<double>;
  case Type::F16x2:
    return setPredicates<Half2>;
  case Type::BF16x2:
    return setPredicates<BHalf2>;
  default:
    return nullptr;
  }
}

/// Takes the comparison, the boolean operation and .ftz; then the type of the operands.
Type takeComparison(Decoder &d) {
  const ComparisonName *found = nullptr;
  for (const ComparisonName &row : comparisons)
    if (!found && d.take(row.name))
      found = &row;
  if (!found)
    d.fail("has no comparison");
  unsigned boolean = d.takeOneOf({"and", "or", "xor"});
  d.out.option = found->outcomes;
  if (boolean != Decoder::none)
    d.out.option |= (boolean + 1) << booleanShift;
  bool ftz = d.take("ftz");
  if (ftz)
    d.out.option |= ftzBit;
  Type type = d.takeType();
  if (!isFloat(type) && (!found->forIntegers || ftz))
    d.failCombination();
  if (isBits(type) &&
      (found->outcomes == Less || found->outcomes == Greater ||
       found->outcomes == (Less | Equal) || found->outcomes == (Greater | Equal)))
    d.fail("bits have no order: expected .eq or .ne");
  if (type == Type::BF16 || type == Type::BF16x2)
    d.requireTarget(90);
  return type;
}

void decodeSetPredicate(Decoder &d) {
  Type type = takeComparison(d);
  d.handler(predicateHandler(type));
  const Operand &dst = d.operand(0);
  if (dst.kind == Operand::Kind::Pair) {
    d.destination(dst.parts[0], Type::Pred);
    d.destination(dst.parts[1], Type::Pred);
    d.out.option |= secondBit;
  } else {
    d.destination(0, Type::Pred);
  }
  d.sources(1, 2, type);
  if (d.out.option >> booleanShift & 3)
    d.source(3, Type::Pred);
}

template <class T> Flow setValue(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t held =
      compare<T>(warp, i.slot[1], i.slot[2], i.option & 15, i.option & ftzBit);
  if (i.option >> booleanShift & 3)
    held = combine(i, held, warp.predicate(i.slot[3]));
  uint32_t yes = i.type == Type::F32 ? std::bit_cast<uint32_t>(1.0f) : ~0u;
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]);
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      dst[lane] = held >> lane & 1 ? yes : 0;
  return Flow::Next;
}

void decodeSet(Decoder &d) {
  d.out.type = d.takeType(); // of the result, which stands first
  Type type = takeComparison(d);
  if (d.out.type != Type::U32 && d.out.type != Type::S32 && d.out.type != Type::F32)
    d.failCombination();
  d.handler(type == Type::U32 || type == Type::B32   ? setValue<uint32_t>
            : type == Type::S32                      ? setValue<int32_t>
            : type == Type::U64 || type == Type::B64 ? setValue<uint64_t>
            : type == Type::S64                      ? setValue<int64_t>
            : type == Type::U16 || type == Type::B16 ? setValue<uint16_t>
            : type == Type::S16                      ? setValue<int16_t>
            : type == Type::F32                      ? setValue<float>
            : type == Type::F64                      ? setValue<double>
                                                     : nullptr);
  d.destination(0, d.out.type);
  d.sources(1, 2, type);
  if (d.out.option >> booleanShift & 3)
    d.source(3, Type::Pred);
}

void decodeSelect(Decoder &d) {
  Type type = d.takeType();
  if (d.operand(3).negated)
    d.fail("'!' belongs before a guard");
  unsigned bytes = type == Type::Pred ? 0 : bytesOf(type);
  d.handler(
      bytes == 2
          ? apply<[](uint16_t a, uint16_t b, bool p) -> uint16_t { return p ? a : b; }>
      : bytes == 4
          ? apply<[](uint32_t a, uint32_t b, bool p) -> uint32_t { return p ? a : b; }>
      : bytes == 8
          ? apply<[](uint64_t a, uint64_t b, bool p) -> uint64_t { return p ? a : b; }>
          : nullptr);
  d.destination(0, type);
  d.sources(1, 2, type);
  d.source(3, Type::Pred);
}

void decodeSelectBySign(Decoder &d) {
  bool ftz = d.take("ftz");
  Type type = d.takeType(), by = d.takeType();
  bool isFloatSign = by == Type::F32;
  if ((!isFloatSign && by != Type::S32) || (ftz && !isFloatSign))
    d.failCombination();
  d.out.option = isFloatSign | ftz << 1;
  static constexpr auto first = [](const Instruction &i, uint32_t c) {
    float value = std::bit_cast<float>(c);
    if (i.option & 2)
      value = flush(value);
    return i.option & 1 ? value >= 0 : int32_t(c) >= 0;
  };
  unsigned bytes = type == Type::Pred ? 0 : bytesOf(type);
  d.handler(
      bytes == 2   ? apply<[](const Instruction &i, uint16_t a, uint16_t b,
                              uint32_t c) -> uint16_t { return first(i, c) ? a : b; }>
      : bytes == 4 ? apply<[](const Instruction &i, uint32_t a, uint32_t b,
                              uint32_t c) -> uint32_t { return first(i, c) ? a : b; }>
      : bytes == 8 ? apply<[](const Instruction &i, uint64_t a, uint64_t b,
                              uint32_t c) -> uint64_t { return first(i, c) ? a : b; }>
                   : nullptr);
  d.destination(0, type);
  d.sources(1, 2, type);
  d.source(3, by);
}

constexpr OpcodeRow rows[] = {
    {"setp", decodeSetPredicate},
    {"set", decodeSet},
    {"selp", decodeSelect},
    {"slct", decodeSelectBySign},
};

} // namespace

std::span<const OpcodeRow> standin::compareRows() { return rows; }
