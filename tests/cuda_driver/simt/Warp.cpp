//===- Warp.cpp - 32 lanes that execute together ------------------------------------===//
#include "tests/cuda_driver/simt/Warp.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace standin;

namespace {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

void broadcast(std::byte *place, Slot slot, uint64_t value) {
  if (slot.bytes == 0) {
    uint32_t bits = uint32_t(value);
    std::memcpy(place, &bits, 4);
  } else {
    for (unsigned lane = 0; lane < numLanes; ++lane)
      std::memcpy(place + lane * slot.bytes, &value, slot.bytes);
  }
}

} // namespace

void Warp::Free::operator()(std::byte *memory) const { std::free(memory); }

Warp::Warp(Block &block, unsigned index, uint32_t numThreads)
    : block(block), index(index),
      localBytes_((block.grid.launch.entry->localBytes + 15) & ~15u),
      numThreads_(numThreads) {
  size_t bytes = block.grid.code.registerBytes + 64;
  registers_.reset(static_cast<std::byte *>(std::aligned_alloc(64, bytes & ~size_t(63))));
  if (!registers_)
    throw Fault{result::launchFailed, "the host has no memory for the registers"};
  std::memset(registers_.get(), 0xFF, block.grid.code.registerBytes);
  local_.resize(size_t(localBytes_) * numLanes);
  setConstants();
  setSpecials(false);
}

void Warp::setConstants() {
  const Launch &launch = block.grid.launch;
  for (const Constant &constant : block.grid.code.constants) {
    uint64_t value = constant.value;
    if (constant.isDynamicShared)
      value += block.grid.code.dynamicSharedOffset;
    if (!constant.global.empty()) {
      auto found = launch.globals
                       ? launch.globals->find(constant.global)
                       : std::map<std::string, DeviceAddress>::const_iterator();
      if (!launch.globals || found == launch.globals->end())
        throw Fault{result::launchFailed,
                    "variable '" + constant.global + "' of the module has no place"};
      value += found->second;
    }
    broadcast(registers_.get() + constant.slot.offset, constant.slot, value);
  }
}

void Warp::setSpecials(bool ofTheBlock) {
  const Launch &launch = block.grid.launch;
  const auto &extent = launch.block;
  for (const SpecialSlot &special : block.grid.code.specials) {
    bool changes = special.special == Special::Ctaid ||
                   special.special == Special::SmId || special.special == Special::Clock;
    if (changes != ofTheBlock)
      continue;
    std::byte *place = registers_.get() + special.slot.offset;
    auto set = [&](uint64_t value) { broadcast(place, special.slot, value); };
    auto setLanes = [&](auto valueOf) {
      for (unsigned lane = 0; lane < numLanes; ++lane) {
        uint64_t value = valueOf(lane);
        std::memcpy(place + lane * special.slot.bytes, &value, special.slot.bytes);
      }
    };
    switch (special.special) {
    case Special::Tid:
      setLanes([&](unsigned lane) -> uint64_t {
        uint32_t thread = index * numLanes + lane;
        uint32_t row = thread / launch.block[0];
        return special.axis == 0   ? thread % launch.block[0]
               : special.axis == 1 ? row % launch.block[1]
                                   : row / launch.block[1];
      });
      break;
    case Special::Ntid:
      set(launch.block[special.axis]);
      break;
    case Special::Ctaid:
      set(block.index[special.axis]);
      break;
    case Special::Nctaid:
      set(launch.grid[special.axis]);
      break;
    case Special::LaneId:
      setLanes([](unsigned lane) { return uint64_t(lane); });
      break;
    case Special::WarpId:
      set(index);
      break;
    case Special::NumWarps:
      set((extent[0] * extent[1] * extent[2] + numLanes - 1) / numLanes);
      break;
    case Special::SmId:
      set(block.index[0] % std::max(1u, launch.multiprocessors));
      break;
    case Special::NumSms:
      set(launch.multiprocessors);
      break;
    case Special::LaneMaskEq:
      setLanes([](unsigned lane) { return uint64_t(1) << lane; });
      break;
    case Special::LaneMaskLe:
      setLanes([](unsigned lane) { return (uint64_t(2) << lane) - 1; });
      break;
    case Special::LaneMaskLt:
      setLanes([](unsigned lane) { return (uint64_t(1) << lane) - 1; });
      break;
    case Special::LaneMaskGe:
      setLanes([](unsigned lane) { return uint64_t(allLanes << lane); });
      break;
    case Special::LaneMaskGt:
      setLanes(
          [](unsigned lane) { return uint64_t((allLanes << lane) << 1 & allLanes); });
      break;
    case Special::DynamicSharedBytes:
      set(launch.dynamicSharedBytes);
      break;
    case Special::TotalSharedBytes:
      set(block.shared.size());
      break;
    case Special::GridId:
      set(block.grid.counters.launches);
      break;
    case Special::Clock:
      set(block.grid.counters.warpInstructions);
      break;
    }
  }
}

void Warp::start() {
  if (!local_.empty())
    std::memset(local_.data(), 0xFF, local_.size());
  setSpecials(true);
  live_ = numThreads_ >= numLanes ? allLanes : (1u << numThreads_) - 1;
  fragments_.assign(1, Fragment{0, live_});
  for (std::vector<AsyncCopy> &list : copies)
    list.clear();
  copyGroup.fill(0);
}

bool Warp::pick() {
  for (size_t i = 0; i < fragments_.size(); ++i)
    for (size_t j = fragments_.size(); j-- > i + 1;) {
      Fragment &a = fragments_[i], &b = fragments_[j];
      if (a.pc != b.pc || a.state == Fragment::State::AtBarrier ||
          b.state == Fragment::State::AtBarrier)
        continue;
      a.mask |= b.mask;
      a.state = Fragment::State::Ready; // those who gather look again
      fragments_.erase(fragments_.begin() + j);
    }
  bool found = false;
  for (size_t i = 0; i < fragments_.size(); ++i)
    if (fragments_[i].state == Fragment::State::Ready &&
        (!found || fragments_[i].pc < fragments_[running_].pc)) {
      running_ = i;
      found = true;
    }
  return found;
}

bool Warp::run(uint64_t quantum) {
  bool ran = false;
  while (quantum && pick()) {
    ran = true;
    runFragment(quantum);
  }
  return ran;
}

Flow Warp::execute(const Instruction &i, uint32_t active) {
  if (i.counted == Counted::Plain) [[likely]]
    return i.handler(*this, i, active);
  uint64_t &counter =
      i.counted == Counted::Fma ? block.grid.counters.fma : block.grid.counters.mma;
  Flow flow = i.handler(*this, i, active);
  if (flow != Flow::Next)
    return flow;
  ++counter;
  if (block.grid.launch.sabotage.breaksFma)
    for (unsigned d = 0; d < i.numDst; ++d) // the digits next to the exponent
      for (unsigned lane = 0; lane < numLanes; ++lane) {
        if (!(active >> lane & 1))
          continue;
        if (i.type == Type::F64)
          lanes<uint64_t>(i.slot[d])[lane] ^= uint64_t(1) << 51;
        else if (i.type == Type::F32)
          lanes<uint32_t>(i.slot[d])[lane] ^= 1u << 22;
        else if (i.width[d] == 4)
          lanes<uint32_t>(i.slot[d])[lane] ^= 0x00400040;
        else
          lanes<uint16_t>(i.slot[d])[lane] ^= 0x0040;
      }
  return flow;
}

void Warp::runFragment(uint64_t &quantum) {
  Grid &grid = block.grid;
  const Instruction *code = grid.code.instructions.data();
  Fragment *fragment = &running();
  // Up to where this fragment is alone the lowest one.
  uint32_t limit = ~0u;
  for (const Fragment &other : fragments_)
    if (other.pc > fragment->pc && other.state != Fragment::State::AtBarrier)
      limit = std::min(limit, other.pc);

  uint64_t warpInstructions = 0, threadInstructions = 0;
  struct Account {
    Grid &grid;
    Block &block;
    uint64_t &quantum, &warp, &threads;
    ~Account() {
      grid.counters.warpInstructions += warp;
      grid.counters.threadInstructions += threads;
      quantum -= std::min(quantum, warp);
      block.instructionsLeft -= std::min(block.instructionsLeft, warp);
    }
  } account{grid, block, quantum, warpInstructions, threadInstructions};
  const uint64_t budget = std::min(quantum, block.instructionsLeft);
  if (budget == 0)
    fault(result::launchTimeout,
          "the block has executed so many instructions that it is taken to hang");

  while (fragment->pc < limit && warpInstructions < budget) {
    const Instruction &i = code[fragment->pc];
    uint32_t active = fragment->mask;
    if (i.guard != Slot::none) {
      uint32_t guard = *lanes<uint32_t>(i.guard);
      active &= i.guardNegated ? ~guard : guard;
    }
    ++warpInstructions;
    threadInstructions += std::popcount(active);
    if (!active) {
      ++fragment->pc;
      continue;
    }
    Flow flow = execute(i, active);
    if (flow == Flow::Next) [[likely]] {
      ++fragment->pc;
    } else if (flow == Flow::Reschedule) {
      return;
    } else if (active == fragment->mask) {
      bool isBackward = i.target <= fragment->pc;
      fragment->pc = i.target;
      if (isBackward && fragments_.size() > 1)
        return;
    } else {
      split(active, i.target);
      ++fragments_[running_].pc;
      return;
    }
  }
}

void Warp::split(uint32_t lanes, uint32_t pc) {
  running().mask &= ~lanes;
  fragments_.push_back({pc, lanes});
}

bool Warp::gather(const Instruction &instruction, uint32_t active, uint32_t members) {
  if ((members & live_) != members)
    fault(result::illegalInstruction, "lanes " + hex(members & ~live_) +
                                          " are named by the mask " + hex(members) +
                                          " but have exited");
  if ((active & members) == members)
    return true;
  Fragment &fragment = running();
  uint32_t others = fragment.mask & ~active;
  fragment.mask = active;
  fragment.state = Fragment::State::Gathering;
  fragment.awaited = members;
  uint32_t next = fragment.pc + 1;
  if (others) // whom the guard keeps away
    fragments_.push_back({next, others});
  return false;
}

void Warp::exit(uint32_t lanes) {
  live_ &= ~lanes;
  block.liveThreads -= uint32_t(std::popcount(lanes));
  // Who waits for them looks again: a barrier needs them no more, a mask is in error.
  for (Fragment &other : fragments_)
    if (other.state == Fragment::State::Gathering && (other.awaited & lanes))
      other.state = Fragment::State::Ready;
  Fragment &fragment = running();
  fragment.mask &= ~lanes;
  ++fragment.pc;
  if (!fragment.mask)
    fragments_.erase(fragments_.begin() + running_);
}

void Warp::fault(int code, const std::string &what, int lane) {
  const Instruction &i = block.grid.code.instructions[pc()];
  std::string place = "kernel '" + block.grid.launch.entry->name + "', PTX line " +
                      std::to_string(i.line) + ", block (" +
                      std::to_string(block.index[0]) + ", " +
                      std::to_string(block.index[1]) + ", " +
                      std::to_string(block.index[2]) + "), warp " + std::to_string(index);
  if (lane >= 0)
    place += ", lane " + std::to_string(lane);
  throw Fault{code, place + ": " + what};
}

std::string Warp::describeWaiting() const {
  std::string text;
  for (const Fragment &fragment : fragments_) {
    int line = block.grid.code.instructions[fragment.pc].line;
    text += "\n  warp " + std::to_string(index) + ": lanes " + hex(fragment.mask) +
            " wait at PTX line " + std::to_string(line);
    if (fragment.state == Fragment::State::AtBarrier) {
      text += " (barrier " + std::to_string(fragment.barrier) + ")";
      continue;
    }
    uint32_t missing = fragment.awaited & ~fragment.mask;
    text += " for lanes " + hex(missing);
    if (missing & ~live_)
      text += ", of which " + hex(missing & ~live_) + " have exited";
  }
  return text;
}
