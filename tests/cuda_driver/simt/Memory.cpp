//===- Memory.cpp - addresses of lanes, checked ----------------------------------------===//
#include "tests/cuda_driver/simt/Memory.h"

#include <algorithm>
#include <bit>
#include <cstdio>

using namespace standin;

namespace {

constexpr unsigned sectorBytes = 32, numBanks = 32;
using Addresses = std::array<uint64_t, numLanes>;

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string_view nameOf(Space space) {
  switch (space) {
  case Space::Shared:
    return "shared";
  case Space::Local:
    return "local";
  case Space::Param:
    return "parameter";
  case Space::Const:
    return "constant";
  default:
    return "global";
  }
}

Addresses readAddresses(Warp &warp, const Instruction &i, unsigned slot, int64_t offset) {
  Addresses addresses;
  if (i.width[slot] == 4) {
    const uint32_t *base = warp.lanes<uint32_t>(i.slot[slot]);
    for (unsigned lane = 0; lane < numLanes; ++lane)
      addresses[lane] = uint32_t(base[lane] + uint32_t(offset));
  } else {
    const uint64_t *base = warp.lanes<uint64_t>(i.slot[slot]);
    for (unsigned lane = 0; lane < numLanes; ++lane)
      addresses[lane] = base[lane] + uint64_t(offset);
  }
  return addresses;
}

[[noreturn]] void faultOutside(Warp &warp, Space space, uint64_t address, unsigned bytes,
                               unsigned lane) {
  Block &block = warp.block;
  std::string what = std::to_string(bytes) + " bytes at address " + hex(address) +
                     " are not in " + std::string(nameOf(space)) + " memory";
  if (space == Space::Shared)
    what += ", of which the block has " + std::to_string(block.shared.size()) + " bytes";
  else if (space == Space::Local)
    what += ", of which the thread has " + std::to_string(warp.localBytes()) + " bytes";
  else if (space == Space::Global || space == Space::Const) {
    // Allocations begin at multiples of 256.
    for (uint64_t back = 0; back <= 1 << 16; back += 256)
      if (auto range = block.grid.memory.find((address & ~uint64_t(255)) - back)) {
        what += ": " + std::to_string(address - range->begin) +
                " bytes from the beginning of an allocation of " +
                std::to_string(range->bytes) + " bytes";
        break;
      }
  }
  warp.fault(result::illegalAddress, what, int(lane));
}

/// What all lanes are likely to be in; of no bytes where there is no such range.
DeviceMemory::Range rangeOf(Warp &warp, Space space, const DeviceMemory::Range &last) {
  Block &block = warp.block;
  switch (space) {
  case Space::Shared:
    return {0, block.shared.size(), block.shared.data()};
  case Space::Param: {
    // Read only; the parser lets nothing store there.
    auto &params = const_cast<std::vector<std::byte> &>(block.grid.launch.params);
    return {0, params.size(), params.data()};
  }
  case Space::Global:
  case Space::Const:
    return last;
  default:
    return {};
  }
}

/// One lane, in a space of its own or in global memory.
std::byte *locateLane(Warp &warp, Space space, uint64_t address, unsigned bytes,
                      unsigned lane, DeviceMemory::Range &last) {
  Block &block = warp.block;
  auto within = [&](std::byte *begin, uint64_t size) {
    if (address > size || bytes > size - address)
      faultOutside(warp, space, address, bytes, lane);
    return begin + address;
  };
  switch (space) {
  case Space::Shared:
  case Space::Param: {
    DeviceMemory::Range range = rangeOf(warp, space, last);
    return within(range.host, range.bytes);
  }
  case Space::Local:
    return within(warp.local(lane), warp.localBytes());
  default:
    if (address - last.begin >= last.bytes ||
        bytes > last.bytes - (address - last.begin)) {
      std::optional<DeviceMemory::Range> range = block.grid.memory.find(address);
      if (!range || bytes > range->bytes - (address - range->begin))
        faultOutside(warp, space, address, bytes, lane);
      last = *range;
    }
    return last.host + (address - last.begin);
  }
}

/// Sectors touched, and as few as would do for as many distinct values.
void countSectors(Counters &counters, const Addresses &addresses, uint32_t active,
                  unsigned bytes) {
  uint64_t sorted[numLanes];
  unsigned count = 0;
  bool isSorted = true;
  for (uint32_t rest = active; rest; rest &= rest - 1) {
    uint64_t address = addresses[std::countr_zero(rest)];
    isSorted &= count == 0 || sorted[count - 1] <= address;
    sorted[count++] = address;
  }
  if (!isSorted)
    std::sort(sorted, sorted + count);
  uint64_t sectors = 0, distinct = 0, before = ~uint64_t(0), beforeSector = ~uint64_t(0);
  for (unsigned k = 0; k < count; ++k) {
    uint64_t sector = sorted[k] / sectorBytes;
    distinct += sorted[k] != before;
    sectors += sector != beforeSector;
    before = sorted[k];
    beforeSector = sector;
  }
  counters.globalSectors += sectors;
  counters.idealGlobalSectors += (distinct * bytes + sectorBytes - 1) / sectorBytes;
}

} // namespace

Wavefronts standin::countWavefronts(const Addresses &addresses, uint32_t active,
                                    unsigned bytes) {
  // Accesses are aligned: each covers the same words of its row of banks, so that
  // columns of as many words stand for the banks.
  Wavefronts counted;
  const unsigned words = std::max(1u, bytes / 4), columns = numBanks / words;
  for (unsigned begin = 0; begin < numLanes; begin += columns) {
    std::array<std::array<uint64_t, numLanes>, numBanks> rows;
    std::array<uint8_t, numBanks> perColumn{};
    unsigned distinct = 0, deepest = 0;
    for (unsigned lane = begin; lane < begin + columns; ++lane) {
      if (!(active >> lane & 1))
        continue;
      uint64_t unit = addresses[lane] / (4 * words);
      unsigned column = unit % columns;
      auto *first = rows[column].data(), *end = first + perColumn[column];
      if (std::find(first, end, unit) != end)
        continue;
      *end = unit;
      ++distinct;
      deepest = std::max<unsigned>(deepest, ++perColumn[column]);
    }
    counted.taken += deepest;
    counted.ideal += (distinct * words + numBanks - 1) / numBanks;
  }
  return counted;
}

Places standin::locate(Warp &warp, const Instruction &i, uint32_t active, unsigned slot,
                       unsigned bytes, Reach reach) {
  Grid &grid = warp.block.grid;
  Addresses addresses = readAddresses(warp, i, slot, reach.offset);
  DeviceMemory::Range &last = grid.lastRange[&i - grid.code.instructions.data()];

  uint64_t low = ~uint64_t(0), high = 0, misaligned = 0;
  bool isContiguous = active == allLanes;
  for (unsigned lane = 0; lane < numLanes; ++lane) {
    bool isActive = active >> lane & 1;
    low = std::min(low, isActive ? addresses[lane] : ~uint64_t(0));
    high = std::max(high, isActive ? addresses[lane] : 0);
    misaligned |= isActive ? addresses[lane] & (bytes - 1) : 0;
    isContiguous &= addresses[lane] == addresses[0] + lane * bytes;
  }
  if (misaligned)
    for (unsigned lane = 0; lane < numLanes; ++lane)
      if ((active >> lane & 1) && (addresses[lane] & (bytes - 1)))
        warp.fault(result::misalignedAddress,
                   "address " + hex(addresses[lane]) + " is no multiple of the " +
                       std::to_string(bytes) + " bytes that are accessed there",
                   int(lane));

  Space space = reach.space;
  if (space == Space::Generic && spaceOf(low) == spaceOf(high)) {
    space = spaceOf(low);
    for (uint64_t &address : addresses)
      address -= windowOf(space);
    low -= windowOf(space);
    high -= windowOf(space);
  }
  Places places;
  places.isContiguous = isContiguous && space != Space::Local;
  DeviceMemory::Range range = rangeOf(warp, space, last);
  bool inRange = active && low >= range.begin && high - range.begin < range.bytes &&
                 bytes <= range.bytes - (high - range.begin);
  for (unsigned lane = 0; inRange && lane < numLanes; ++lane)
    places.host[lane] = reinterpret_cast<std::byte *>( // of inactive lanes anywhere
        reinterpret_cast<uintptr_t>(range.host) + (addresses[lane] - range.begin));
  if (!inRange) {
    const std::byte *first = nullptr;
    for (unsigned lane = 0; lane < numLanes; ++lane) {
      if (!(active >> lane & 1))
        continue;
      Space own = space == Space::Generic ? spaceOf(addresses[lane]) : space;
      uint64_t address = addresses[lane] - (space == Space::Generic ? windowOf(own) : 0);
      places.host[lane] = locateLane(warp, own, address, bytes, lane, last);
      first = lane == 0 ? places.host[0] : first;
      // Two allocations that are neighbours on the device need not be so on the host.
      places.isContiguous &= places.host[lane] == first + lane * bytes;
    }
  }

  if (space == Space::Global) {
    if (isContiguous) {
      grid.counters.globalSectors += (addresses[0] + numLanes * bytes - 1) / sectorBytes -
                                     addresses[0] / sectorBytes + 1;
      grid.counters.idealGlobalSectors += bytes; // 32 lanes in sectors of 32 bytes
    } else {
      countSectors(grid.counters, addresses, active, bytes);
    }
  } else if (space == Space::Shared) {
    // Lanes side by side, or all at one word, have no conflicts.
    if (isContiguous || (low == high && bytes <= 4)) {
      uint64_t passes = isContiguous && bytes > 4 ? bytes / 4 : 1;
      grid.counters.sharedWavefronts += passes;
      grid.counters.idealSharedWavefronts += passes;
    } else {
      Wavefronts counted = countWavefronts(addresses, active, bytes);
      grid.counters.sharedWavefronts += counted.taken;
      grid.counters.idealSharedWavefronts += counted.ideal;
    }
  }
  return places;
}
