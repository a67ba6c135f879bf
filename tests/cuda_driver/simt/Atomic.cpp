//===- Atomic.cpp - atom and red ----------------------------------------------------------===//
//
// Lane after lane, lowest first: one of the orders that a GPU may take.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Float.h"
#include "tests/cuda_driver/simt/Memory.h"
#include "tests/cuda_driver/simt/RawLanes.h"

#include <algorithm>
#include <bit>
#include <cstring>

using namespace standin;

namespace {

enum class Operation : uint32_t { Add, Min, Max, And, Or, Xor, Exch, Cas, Inc, Dec };

template <class T> T integerResult(Operation op, T old, T b, T c) {
  using U = std::make_unsigned_t<T>;
  switch (op) {
  case Operation::Add:
    return T(U(old) + U(b));
  case Operation::Min:
    return std::min(old, b);
  case Operation::Max:
    return std::max(old, b);
  case Operation::And:
    return old & b;
  case Operation::Or:
    return old | b;
  case Operation::Xor:
    return old ^ b;
  case Operation::Exch:
    return b;
  case Operation::Cas:
    return old == b ? c : old;
  case Operation::Inc:
    return U(old) >= U(b) ? 0 : T(old + 1);
  case Operation::Dec:
    return old == 0 || U(old) > U(b) ? b : T(old - 1);
  }
  return old;
}

float add(float a, float b, bool ftz) {
  return ftz ? fromFloat<float>(flush(flush(a) + flush(b))) : fromFloat<float>(a + b);
}
template <class H> H addHalf(H a, H b) { return fromFloat<H>(toFloat(a) + toFloat(b)); }

uint64_t resultOf(const Instruction &i, uint64_t old, uint64_t b, uint64_t c) {
  auto op = Operation(i.option);
  uint32_t old32 = uint32_t(old), b32 = uint32_t(b);
  switch (i.type) {
  case Type::S32:
    return uint32_t(integerResult<int32_t>(op, int32_t(old), int32_t(b), int32_t(c)));
  case Type::U32:
  case Type::B32:
    return integerResult<uint32_t>(op, old32, b32, uint32_t(c));
  case Type::S64:
    return uint64_t(integerResult<int64_t>(op, int64_t(old), int64_t(b), int64_t(c)));
  case Type::B16:
    return integerResult<uint16_t>(op, uint16_t(old), uint16_t(b), uint16_t(c));
  case Type::F32: // flushes in global memory, not in shared
    return std::bit_cast<uint32_t>(add(std::bit_cast<float>(old32),
                                       std::bit_cast<float>(b32),
                                       i.space != Space::Shared));
  case Type::F64:
    return std::bit_cast<uint64_t>(std::bit_cast<double>(old) + std::bit_cast<double>(b));
  case Type::F16:
    return addHalf(Half{uint16_t(old)}, Half{uint16_t(b)}).bits;
  case Type::BF16:
    return addHalf(BHalf{uint16_t(old)}, BHalf{uint16_t(b)}).bits;
  case Type::F16x2:
    return addHalf(Half{uint16_t(old)}, Half{uint16_t(b)}).bits |
           uint32_t(addHalf(Half{uint16_t(old >> 16)}, Half{uint16_t(b >> 16)}).bits)
               << 16;
  case Type::BF16x2:
    return addHalf(BHalf{uint16_t(old)}, BHalf{uint16_t(b)}).bits |
           uint32_t(addHalf(BHalf{uint16_t(old >> 16)}, BHalf{uint16_t(b >> 16)}).bits)
               << 16;
  default:
    return integerResult<uint64_t>(op, old, b, c);
  }
}

Flow atomic(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned bytes = bytesOf(i.type), address = i.numDst;
  Places places = locate(warp, i, active, address, bytes);
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    uint64_t old = 0;
    std::memcpy(&old, places.host[lane], bytes);
    uint64_t b = readRaw(warp, i.slot[address + 1], i.width[address + 1], lane);
    uint64_t c = i.option == uint32_t(Operation::Cas)
                     ? readRaw(warp, i.slot[address + 2], i.width[address + 2], lane)
                     : 0;
    uint64_t value = resultOf(i, old, b, c);
    std::memcpy(places.host[lane], &value, bytes);
    if (i.numDst)
      writeRaw(warp, i.slot[0], i.width[0], lane, old);
  }
  return Flow::Next;
}

void decodeAtomic(Decoder &d) {
  bool isReduction = d.opcode() == "red";
  d.takeMemoryHints();
  d.out.space = d.trySpace().value_or(Space::Generic);
  unsigned number =
      d.takeOneOf({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  if (number == Decoder::none)
    d.fail("has no operation");
  auto op = Operation(number);
  bool noftz = d.take("noftz");
  Type type = d.takeType();
  bool isHalf = type == Type::F16 || type == Type::BF16 || type == Type::F16x2 ||
                type == Type::BF16x2;
  bool known = false;
  switch (op) {
  case Operation::Add:
    known = type == Type::U32 || type == Type::S32 || type == Type::U64 ||
            type == Type::F32 || type == Type::F64 || isHalf;
    break;
  case Operation::Min:
  case Operation::Max:
    known =
        type == Type::U32 || type == Type::S32 || type == Type::U64 || type == Type::S64;
    break;
  case Operation::Inc:
  case Operation::Dec:
    known = type == Type::U32;
    break;
  case Operation::Exch:
    known = (type == Type::B32 || type == Type::B64) && !isReduction;
    break;
  case Operation::Cas:
    known = (type == Type::B16 || type == Type::B32 || type == Type::B64) && !isReduction;
    break;
  default:
    known = type == Type::B32 || type == Type::B64;
  }
  if (!known || isHalf != noftz ||
      (d.out.space != Space::Generic && d.out.space != Space::Global &&
       d.out.space != Space::Shared))
    d.failCombination();
  if (type == Type::BF16 || type == Type::BF16x2)
    d.requireTarget(90);
  d.out.type = type;
  d.out.option = number;
  d.handler(atomic);
  size_t at = 0;
  if (!isReduction)
    d.destination(at++, type);
  d.address(at++, d.out.space);
  d.source(at++, type);
  if (op == Operation::Cas)
    d.source(at, type);
}

constexpr OpcodeRow rows[] = {{"atom", decodeAtomic}, {"red", decodeAtomic}};

} // namespace

std::span<const OpcodeRow> standin::atomicRows() { return rows; }
