//===- AsyncCopy.cpp - cp.async and its groups --------------------------------------------===//
//
// A copy happens as late as the program allows: when a wait demands its group, and not
// at all without one. Until then the source may change and the destination keeps what
// it had, so that a wait that is missing or comes too late shows in the data.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Memory.h"

#include <algorithm>
#include <cstring>

using namespace standin;

namespace {

/// Slots: destination, source, and perhaps a number of bytes or a predicate to ignore
/// the source. Instruction::option is the size.
enum class Extra : uint8_t { None, SourceBytes, Ignore };

template <Extra extra> Flow copy(Warp &warp, const Instruction &i, uint32_t active) {
  unsigned bytes = i.option;
  Places dst = locate(warp, i, active, 0, bytes);
  Places src = locate(warp, i, active, 1, bytes, {Space::Global, i.secondOffset});
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    if (!(active >> lane & 1))
      continue;
    uint32_t srcBytes = bytes;
    if (extra == Extra::SourceBytes)
      srcBytes = warp.lanes<uint32_t>(i.slot[2])[lane];
    else if (extra == Extra::Ignore)
      srcBytes = warp.predicate(i.slot[2]) >> lane & 1 ? 0 : bytes;
    if (srcBytes > bytes)
      warp.fault(result::illegalInstruction,
                 "a source of " + std::to_string(srcBytes) + " bytes, expected at most " +
                     std::to_string(bytes),
                 int(lane));
    warp.copies[lane].push_back({warp.copyGroup[lane], dst.host[lane], src.host[lane],
                                 uint8_t(bytes), uint8_t(srcBytes)});
  }
  return Flow::Next;
}

Flow commit(Warp &warp, const Instruction &, uint32_t active) {
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      ++warp.copyGroup[lane];
  return Flow::Next;
}

void finish(Warp &warp, unsigned lane, uint64_t firstThatWaits) {
  std::vector<AsyncCopy> &copies = warp.copies[lane];
  size_t done = 0;
  for (; done < copies.size() && copies[done].group < firstThatWaits; ++done) {
    const AsyncCopy &copy = copies[done];
    if (warp.block.grid.launch.sabotage.dropsAsyncCopies)
      continue;
    std::memcpy(copy.dst, copy.src, copy.srcBytes);
    std::memset(copy.dst + copy.srcBytes, 0, copy.bytes - copy.srcBytes);
  }
  copies.erase(copies.begin(), copies.begin() + done);
}

/// Instruction::option groups, the latest, may stay open.
Flow waitGroup(Warp &warp, const Instruction &i, uint32_t active) {
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      finish(warp, lane,
             warp.copyGroup[lane] - std::min<uint64_t>(warp.copyGroup[lane], i.option));
  return Flow::Next;
}

Flow waitAll(Warp &warp, const Instruction &, uint32_t active) {
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if (active >> lane & 1)
      finish(warp, lane, ++warp.copyGroup[lane]);
  return Flow::Next;
}

void decodeAsyncCopy(Decoder &d) {
  if (!d.take("async"))
    d.failCombination();
  if (d.take("bulk"))
    d.fail("bulk copies (sm_90) are not supported");
  d.requireTarget(80);
  if (d.take("commit_group"))
    return d.handler(commit);
  if (d.take("wait_all"))
    return d.handler(waitAll);
  if (d.take("wait_group")) {
    uint64_t open = d.immediate(0);
    d.out.option = uint32_t(std::min<uint64_t>(open, ~0u));
    return d.handler(waitGroup);
  }
  unsigned cache = d.takeOneOf({"ca", "cg"});
  bool toShared = d.take("shared") || d.take("shared::cta");
  if (cache == Decoder::none || !toShared || !d.take("global"))
    d.failCombination();
  d.takeMemoryHints();
  uint64_t bytes = d.immediate(2);
  if (cache == 0 ? bytes != 4 && bytes != 8 && bytes != 16 : bytes != 16)
    d.fail("cannot copy " + std::to_string(bytes) + " bytes: expected " +
           (cache == 0 ? "4, 8 or 16" : "16"));
  d.out.option = uint32_t(bytes);
  d.address(1, Space::Global);
  d.out.secondOffset = d.out.offset;
  Slot src{d.out.slot[0], d.out.width[0]};
  d.out.numSlots = 0;
  d.address(0, Space::Shared);
  d.addSlot(src);
  d.handler(copy<Extra::None>);
  if (d.numOperands() > 3) {
    const Operand &extra = d.operand(3);
    const Slot *found =
        extra.kind == Operand::Kind::Name ? d.builder.findRegister(extra.name) : nullptr;
    bool isPredicate = found && found->bytes == 0;
    d.source(extra, isPredicate ? Type::Pred : Type::B32);
    d.handler(isPredicate ? copy<Extra::Ignore> : copy<Extra::SourceBytes>);
  }
}

constexpr OpcodeRow rows[] = {{"cp", decodeAsyncCopy}};

} // namespace

std::span<const OpcodeRow> standin::asyncCopyRows() { return rows; }
