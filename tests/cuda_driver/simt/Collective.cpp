//===- Collective.cpp - shfl, vote, match, redux, elect ------------------------------------===//
//
// Members of a mask come together before any of them goes on (Warp::gather).
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Warp.h"

#include <algorithm>
#include <bit>
#include <cstring>

using namespace standin;

namespace {

/// The mask that all active lanes give; their own bit must be in it.
uint32_t membersOf(Warp &warp, uint32_t slot, uint32_t active) {
  const uint32_t *masks = warp.lanes<uint32_t>(slot);
  uint32_t members = masks[std::countr_zero(active)];
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    if (masks[lane] != members)
      warp.fault(result::illegalInstruction,
                 "lanes that meet here give different masks of members", int(lane));
    if (!(members >> lane & 1))
      warp.fault(result::illegalInstruction, "the lane is no member of its own mask",
                 int(lane));
  }
  return members;
}

enum class Shuffle : uint32_t { Up, Down, Butterfly, Index };

/// Slots: d, p, a, b, c, members.
Flow shuffle(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t members = membersOf(warp, i.slot[5], active);
  if (!warp.gather(i, active, members))
    return Flow::Reschedule;
  uint32_t values[numLanes];
  std::memcpy(values, warp.lanes<uint32_t>(i.slot[2]), sizeof values);
  const uint32_t *bs = warp.lanes<uint32_t>(i.slot[3]);
  const uint32_t *cs = warp.lanes<uint32_t>(i.slot[4]);
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]), inRange = 0;
  bool broken = warp.block.grid.launch.sabotage.breaksShuffles;
  uint32_t results[numLanes];
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    results[lane] = values[lane];
    if (!(active >> lane & 1))
      continue;
    int b = int(bs[lane] & 31), clamp = int(cs[lane] & 31);
    int segment = int(cs[lane] >> 8 & 31), self = int(lane);
    int last = (self & segment) | (clamp & ~segment), first = self & segment;
    int from = self;
    bool reaches = true;
    switch (Shuffle(i.option)) {
    case Shuffle::Up:
      from = self - b;
      reaches = from >= last;
      break;
    case Shuffle::Down:
      from = self + b;
      reaches = from <= last;
      break;
    case Shuffle::Butterfly:
      from = self ^ b;
      reaches = from <= last;
      break;
    case Shuffle::Index:
      from = first | (b & ~segment);
      reaches = from <= last;
      break;
    }
    if (!reaches)
      from = self;
    if (!(members >> from & 1))
      warp.fault(result::illegalInstruction,
                 "reads lane " + std::to_string(from) + ", which is not in the mask",
                 int(lane));
    results[lane] = broken ? values[lane] : values[from];
    inRange |= uint32_t(reaches) << lane;
  }
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      dst[lane] = results[lane];
  uint32_t &predicate = warp.predicate(i.slot[1]);
  predicate = (predicate & ~active) | (inRange & active);
  return Flow::Next;
}

void decodeShuffle(Decoder &d) {
  if (!d.take("sync"))
    d.fail("needs .sync");
  unsigned mode = d.takeOneOf({"up", "down", "bfly", "idx"});
  if (mode == Decoder::none || bytesOf(d.takeType()) != 4)
    d.failCombination();
  d.out.option = mode;
  d.handler(shuffle);
  const Operand &dst = d.operand(0);
  if (dst.kind == Operand::Kind::Pair) {
    d.destination(dst.parts[0], Type::B32);
    d.destination(dst.parts[1], Type::Pred);
  } else {
    d.destination(0, Type::B32);
    d.addSlot(d.builder.scratch(0));
    d.out.numDst = 2;
  }
  d.sources(1, 4, Type::B32);
}

enum class Vote : uint32_t { All, Any, Uniform, Ballot };

/// Slots: d, predicate, members.
Flow vote(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t members = membersOf(warp, i.slot[2], active);
  if (!warp.gather(i, active, members))
    return Flow::Reschedule;
  uint32_t votes = warp.predicate(i.slot[1]);
  votes = (i.negated ? ~votes : votes) & members;
  if (Vote(i.option) == Vote::Ballot) {
    uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]);
    for (unsigned lane = 0; lane < numLanes; ++lane)
      if (active >> lane & 1)
        dst[lane] = votes;
    return Flow::Next;
  }
  bool held = Vote(i.option) == Vote::Any   ? votes != 0
              : Vote(i.option) == Vote::All ? votes == members
                                            : votes == 0 || votes == members;
  uint32_t &dst = warp.predicate(i.slot[0]);
  dst = (dst & ~active) | (held ? active : 0);
  return Flow::Next;
}

void decodeVote(Decoder &d) {
  if (!d.take("sync"))
    d.fail("needs .sync");
  unsigned mode = d.takeOneOf({"all", "any", "uni", "ballot"});
  Type type = d.takeType();
  if (mode == Decoder::none || type != (mode == 3 ? Type::B32 : Type::Pred))
    d.failCombination();
  d.out.option = mode;
  d.handler(vote);
  d.destination(0, type);
  d.source(1, Type::Pred);
  d.source(2, Type::B32);
}

/// Slots: d, p, a, members. Instruction::option: all.
template <class T> Flow match(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t members = membersOf(warp, i.slot[3], active);
  if (!warp.gather(i, active, members))
    return Flow::Reschedule;
  const T *values = warp.lanes<T>(i.slot[2]);
  std::array<uint32_t, numLanes> same{};
  for (unsigned lane = 0; lane < numLanes; ++lane)
    for (unsigned other = 0; other < numLanes; ++other)
      same[lane] |= uint32_t((members >> other & 1) && values[other] == values[lane])
                    << other;
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]), all = 0;
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    bool isAll = same[lane] == members;
    dst[lane] = i.option && !isAll ? 0 : same[lane];
    all |= uint32_t(isAll) << lane;
  }
  uint32_t &predicate = warp.predicate(i.slot[1]);
  predicate = (predicate & ~active) | (all & active);
  return Flow::Next;
}

void decodeMatch(Decoder &d) {
  unsigned mode = d.takeOneOf({"any", "all"});
  if (!d.take("sync") || mode == Decoder::none)
    d.failCombination();
  Type type = d.takeType();
  d.handler(type == Type::B32   ? match<uint32_t>
            : type == Type::B64 ? match<uint64_t>
                                : nullptr);
  d.out.option = mode;
  const Operand &dst = d.operand(0);
  if (dst.kind == Operand::Kind::Pair && mode == 1) {
    d.destination(dst.parts[0], Type::B32);
    d.destination(dst.parts[1], Type::Pred);
  } else {
    d.destination(0, Type::B32);
    d.addSlot(d.builder.scratch(0));
    d.out.numDst = 2;
  }
  d.source(1, type);
  d.source(2, Type::B32);
}

enum class Reduction : uint32_t { Add, Min, Max, And, Or, Xor };

/// Slots: d, a, members.
template <class T> Flow reduce(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t members = membersOf(warp, i.slot[2], active);
  if (!warp.gather(i, active, members))
    return Flow::Reschedule;
  const T *values = warp.lanes<T>(i.slot[1]);
  bool isFirst = true;
  T total = 0;
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(members >> lane & 1))
      continue;
    T value = values[lane];
    switch (isFirst ? Reduction::Add : Reduction(i.option)) {
    case Reduction::Add:
      total = T(uint32_t(total) + uint32_t(value));
      break;
    case Reduction::Min:
      total = std::min(total, value);
      break;
    case Reduction::Max:
      total = std::max(total, value);
      break;
    case Reduction::And:
      total &= value;
      break;
    case Reduction::Or:
      total |= value;
      break;
    case Reduction::Xor:
      total ^= value;
      break;
    }
    isFirst = false;
  }
  T *dst = warp.lanes<T>(i.slot[0]);
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      dst[lane] = total;
  return Flow::Next;
}

void decodeReduce(Decoder &d) {
  d.requireTarget(80);
  unsigned op = d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  if (!d.take("sync") || op == Decoder::none)
    d.failCombination();
  Type type = d.takeType();
  bool isLogic = op >= 3;
  if (isLogic ? type != Type::B32 : type != Type::U32 && type != Type::S32)
    d.failCombination();
  d.out.option = op;
  d.handler(type == Type::S32 ? reduce<int32_t> : reduce<uint32_t>);
  d.destination(0, type);
  d.source(1, type);
  d.source(2, Type::B32);
}

/// elect.sync d|p, members: the lowest member.
Flow elect(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t members = membersOf(warp, i.slot[2], active);
  if (!warp.gather(i, active, members))
    return Flow::Reschedule;
  uint32_t leader = uint32_t(std::countr_zero(members));
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]);
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      dst[lane] = leader;
  uint32_t &predicate = warp.predicate(i.slot[1]);
  predicate = (predicate & ~active) | (1u << leader & active);
  return Flow::Next;
}

void decodeElect(Decoder &d) {
  d.requireTarget(90);
  if (!d.take("sync"))
    d.failCombination();
  const Operand &dst = d.operand(0);
  if (dst.kind != Operand::Kind::Pair)
    d.fail("expected a destination d|p");
  d.handler(elect);
  d.destination(dst.parts[0], Type::B32);
  d.destination(dst.parts[1], Type::Pred);
  d.source(1, Type::B32);
}

Flow activeMask(Warp &warp, const Instruction &i, uint32_t active) {
  uint32_t *dst = warp.lanes<uint32_t>(i.slot[0]);
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      dst[lane] = active;
  return Flow::Next;
}

void decodeActiveMask(Decoder &d) {
  if (d.takeType() != Type::B32)
    d.failCombination();
  d.handler(activeMask);
  d.destination(0, Type::B32);
}

constexpr OpcodeRow rows[] = {
    {"shfl", decodeShuffle}, {"vote", decodeVote},   {"match", decodeMatch},
    {"redux", decodeReduce}, {"elect", decodeElect}, {"activemask", decodeActiveMask},
};

} // namespace

std::span<const OpcodeRow> standin::collectiveRows() { return rows; }
