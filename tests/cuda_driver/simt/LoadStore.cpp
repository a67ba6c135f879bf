//===- LoadStore.cpp - ld, ldu and st ---------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Memory.h"
#include "tests/cuda_driver/simt/RawLanes.h"

#include <cstring>

using namespace standin;

namespace {

/// Registers as wide as the elements; Instruction::option is the number of elements.
template <class T> Flow load(Warp &warp, const Instruction &i, uint32_t active) {
  Places places = locate(warp, i, active, i.numDst, sizeof(T) * i.option);
  if (places.isContiguous && i.option == 1) {
    std::memcpy(warp.lanes<T>(i.slot[0]), places.host[0], sizeof(T) * numLanes);
    return Flow::Next;
  }
  for (unsigned element = 0; element < i.option; ++element) {
    T *dst = warp.lanes<T>(i.slot[element]);
    for (unsigned lane = 0; lane < numLanes; ++lane)
      if (active >> lane & 1)
        std::memcpy(&dst[lane], places.host[lane] + element * sizeof(T), sizeof(T));
  }
  return Flow::Next;
}

template <class T> Flow store(Warp &warp, const Instruction &i, uint32_t active) {
  Places places = locate(warp, i, active, 0, sizeof(T) * i.option);
  if (places.isContiguous && i.option == 1) {
    std::memcpy(places.host[0], warp.lanes<T>(i.slot[1]), sizeof(T) * numLanes);
    return Flow::Next;
  }
  for (unsigned element = 0; element < i.option; ++element) {
    const T *src = warp.lanes<T>(i.slot[1 + element]);
    for (unsigned lane = 0; lane < numLanes; ++lane)
      if (active >> lane & 1)
        std::memcpy(places.host[lane] + element * sizeof(T), &src[lane], sizeof(T));
  }
  return Flow::Next;
}

/// Registers wider than the elements.
Flow loadExtended(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned bytes = bytesOf(i.type);
  Places places = locate(warp, i, active, i.numDst, bytes * i.option);
  for (unsigned element = 0; element < i.option; ++element)
    for (unsigned lane = 0; lane < numLanes; ++lane) {
      if (!(active >> lane & 1))
        continue;
      uint64_t value = 0;
      std::memcpy(&value, places.host[lane] + element * bytes, bytes);
      writeRaw(warp, i.slot[element], i.width[element], lane, extendRaw(value, i.type));
    }
  return Flow::Next;
}

Flow storeTruncated(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned bytes = bytesOf(i.type);
  Places places = locate(warp, i, active, 0, bytes * i.option);
  for (unsigned element = 0; element < i.option; ++element)
    for (unsigned lane = 0; lane < numLanes; ++lane) {
      if (!(active >> lane & 1))
        continue;
      uint64_t value = readRaw(warp, i.slot[1 + element], i.width[1 + element], lane);
      std::memcpy(places.host[lane] + element * bytes, &value, bytes);
    }
  return Flow::Next;
}

void takeShape(Decoder &d) {
  d.takeMemoryHints();
  std::optional<Space> space = d.trySpace();
  d.out.space = space.value_or(Space::Generic);
  unsigned vector = d.takeOneOf({"v2", "v4", "v8"});
  d.out.option = vector == Decoder::none ? 1 : 2u << vector;
  d.out.type = d.takeType();
  unsigned bytes = bytesOf(d.out.type);
  bool known = d.out.type != Type::Pred && bytes <= 8 && d.out.type != Type::F16x2 &&
               d.out.type != Type::BF16x2 && d.out.type != Type::TF32;
  if (!known || bytes * d.out.option > 32)
    d.failCombination();
  if (bytes * d.out.option > 16)
    d.requireTarget(100);
}

/// A vector's elements, or the one operand.
std::vector<Operand> elements(Decoder &d, size_t index) {
  const Operand &operand = d.operand(index);
  std::vector<Operand> all{operand};
  if (operand.kind == Operand::Kind::Vector)
    all = operand.parts;
  if (all.size() != d.out.option)
    d.fail("has " + std::to_string(all.size()) + " elements, expected " +
           std::to_string(d.out.option));
  return all;
}

bool areExact(const Instruction &i, unsigned first) {
  for (unsigned element = 0; element < i.option; ++element)
    if (i.width[first + element] != bytesOf(i.type))
      return false;
  return true;
}

void decodeLoad(Decoder &d) {
  takeShape(d);
  for (const Operand &element : elements(d, 0))
    d.destination(element, d.out.type, Decoder::Width::AtLeast);
  d.address(1, d.out.space);
  unsigned bytes = bytesOf(d.out.type);
  d.handler(!areExact(d.out, 0) ? loadExtended
            : bytes == 2        ? load<uint16_t>
            : bytes == 4        ? load<uint32_t>
                                : load<uint64_t>);
}

void decodeStore(Decoder &d) {
  takeShape(d);
  if (d.out.space == Space::Param || d.out.space == Space::Const)
    d.fail("this memory is read-only");
  d.address(0, d.out.space);
  for (const Operand &element : elements(d, 1))
    d.source(element, d.out.type, Decoder::Width::AtLeast);
  unsigned bytes = bytesOf(d.out.type);
  d.handler(!areExact(d.out, 1) ? storeTruncated
            : bytes == 2        ? store<uint16_t>
            : bytes == 4        ? store<uint32_t>
                                : store<uint64_t>);
}

/// prefetch, applypriority, discard: no effect on values.
void decodePrefetch(Decoder &d) {
  d.takeOneOf({"L1", "L2"});
  d.takeMemoryHints();
  Space space = d.trySpace().value_or(Space::Generic);
  d.address(0, space);
  d.handler([](Warp &, const Instruction &, uint32_t) { return Flow::Next; });
}

constexpr OpcodeRow rows[] = {{"ld", decodeLoad},
                              {"ldu", decodeLoad},
                              {"st", decodeStore},
                              {"prefetch", decodePrefetch}};

} // namespace

std::span<const OpcodeRow> standin::memoryRows() { return rows; }
