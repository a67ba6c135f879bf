//===- Move.cpp - mov, cvta and isspacep ------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Lanes.h"
#include "tests/cuda_driver/simt/Memory.h"
#include "tests/cuda_driver/simt/RawLanes.h"

using namespace standin;

namespace {

Flow movePredicate(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t &dst = warp.predicate(i.slot[0]);
  dst = (dst & ~active) | (warp.predicate(i.slot[1]) & active);
  return Flow::Next;
}

/// {a, b, ...} <-> a wide one; the first element is the lowest.
Flow repack(Warp &warp, const Instruction &i, uint32_t active) {
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    unsigned __int128 whole = 0;
    unsigned shift = 0;
    for (unsigned s = i.numDst; s < i.numSlots; ++s) {
      whole |= static_cast<unsigned __int128>(readRaw(warp, i.slot[s], i.width[s], lane))
               << shift;
      shift += 8 * i.width[s];
    }
    for (unsigned d = 0; d < i.numDst; ++d) {
      writeRaw(warp, i.slot[d], i.width[d], lane, uint64_t(whole));
      whole >>= 8 * i.width[d];
    }
  }
  return Flow::Next;
}

void decodeRepack(Decoder &d, Type type) {
  auto partOf = [&](const Operand &vector) {
    unsigned bytes = bytesOf(type) / unsigned(vector.parts.size());
    if (bytes * vector.parts.size() != bytesOf(type))
      d.fail("a vector of " + std::to_string(vector.parts.size()) +
             " elements does not fill the type");
    return bytes == 2   ? Type::B16
           : bytes == 4 ? Type::B32
           : bytes == 8 ? Type::B64
                        : (d.failCombination(), Type::None);
  };
  const Operand &dst = d.operand(0), &src = d.operand(1);
  if (dst.kind == Operand::Kind::Vector) {
    Type part = partOf(dst);
    for (const Operand &element : dst.parts)
      d.destination(element, part);
  } else {
    d.destination(0, type);
  }
  if (src.kind == Operand::Kind::Vector) {
    Type part = partOf(src);
    for (const Operand &element : src.parts)
      d.source(element, part);
  } else {
    d.source(1, type);
  }
  d.handler(repack);
}

Handler moveHandler(unsigned bytes) {
  return bytes == 2   ? apply<[](uint16_t a) -> uint16_t { return a; }>
         : bytes == 4 ? apply<[](uint32_t a) -> uint32_t { return a; }>
         : bytes == 8 ? apply<[](uint64_t a) -> uint64_t { return a; }>
                      : nullptr;
}

void decodeMove(Decoder &d) {
  Type type = d.takeType();
  if (d.operand(0).kind == Operand::Kind::Vector ||
      d.operand(1).kind == Operand::Kind::Vector)
    return decodeRepack(d, type);
  d.destination(0, type);
  d.source(1, type);
  d.handler(type == Type::Pred ? movePredicate : moveHandler(bytesOf(type)));
}

void decodeConvertAddress(Decoder &d) {
  bool toSpace = d.take("to");
  std::optional<Space> space = d.trySpace();
  Type type = d.takeType();
  if (!space || bytesOf(type) != 8)
    d.failCombination();
  d.out.space = *space;
  d.destination(0, Type::B64);
  d.source(1, Type::B64);
  if (windowOf(*space) == 0)
    return d.handler(moveHandler(8)); // global addresses are generic ones
  d.handler(toSpace ? apply<[](const Instruction &i, uint64_t a) -> uint64_t {
    return a - windowOf(i.space);
  }>
                    : apply<[](const Instruction &i, uint64_t a) -> uint64_t {
                        return a + windowOf(i.space);
                      }>);
}

void decodeIsSpace(Decoder &d) {
  std::optional<Space> space = d.trySpace();
  if (!space)
    d.failCombination();
  d.out.space = *space;
  d.handler(apply<[](const Instruction &i, uint64_t a) -> bool {
    return spaceOf(a) == i.space;
  }>);
  d.destination(0, Type::Pred);
  d.source(1, Type::B64);
}

constexpr OpcodeRow rows[] = {
    {"mov", decodeMove},
    {"cvta", decodeConvertAddress},
    {"isspacep", decodeIsSpace},
};

} // namespace

std::span<const OpcodeRow> standin::moveRows() { return rows; }
