#include "runtime/exec/ArenaLayout.h"

#include "runtime/base/Checked.h"

#include <algorithm>

namespace hexin {

Result<ArenaPlace> ArenaLayout::allocate(int64_t bytes) {
  auto rounded =
      checkedAlignUp(std::max<int64_t>(bytes, 1), static_cast<int64_t>(alignment_));
  if (!rounded || static_cast<uint64_t>(*rounded) > maxSlabBytes_)
    return resourceExhausted("a temporary of " + std::to_string(bytes) +
                             " bytes is larger than the device's largest buffer, " +
                             std::to_string(maxSlabBytes_) + " bytes");
  auto needed = static_cast<uint64_t>(*rounded);
  taken_ += needed;
  mostTaken_ = std::max(mostTaken_, taken_);
  ArenaPlace place = take(needed);
  if (isRecording_) {
    place.index = static_cast<uint32_t>(lifetimes_.size());
    lifetimes_.push_back({needed, now_++});
  }
  return place;
}

ArenaPlace ArenaLayout::take(uint64_t needed) {
  Slab *bestSlab = nullptr;
  size_t bestGap = 0;
  for (Slab &slab : slabs_)
    for (size_t i = 0; i < slab.gaps.size(); ++i)
      if (slab.gaps[i].bytes >= needed &&
          (!bestSlab || slab.gaps[i].bytes < bestSlab->gaps[bestGap].bytes)) {
        bestSlab = &slab;
        bestGap = i;
      }
  if (bestSlab) {
    Gap &gap = bestSlab->gaps[bestGap];
    ArenaPlace place{static_cast<uint32_t>(bestSlab - slabs_.data()), gap.offset, needed};
    gap.offset += needed;
    gap.bytes -= needed;
    if (gap.bytes == 0)
      bestSlab->gaps.erase(bestSlab->gaps.begin() + static_cast<ptrdiff_t>(bestGap));
    return place;
  }

  // Grow a slab, from its closing gap if it has one, or open another.
  auto startOf = [](const Slab &slab) {
    bool endsFree = !slab.gaps.empty() &&
                    slab.gaps.back().offset + slab.gaps.back().bytes == slab.bytes;
    return endsFree ? slab.gaps.back().offset : slab.bytes;
  };
  auto grown = std::find_if(slabs_.begin(), slabs_.end(), [&](const Slab &slab) {
    return !slab.isFrozen && startOf(slab) <= maxSlabBytes_ - needed;
  });
  if (grown == slabs_.end())
    grown = slabs_.emplace(slabs_.end());
  uint64_t start = startOf(*grown);
  if (start < grown->bytes)
    grown->gaps.pop_back();
  grown->bytes = start + needed;
  return ArenaPlace{static_cast<uint32_t>(grown - slabs_.begin()), start, needed};
}

void ArenaLayout::release(const ArenaPlace &place) {
  taken_ -= place.bytes;
  if (isRecording_ && place.index < lifetimes_.size())
    lifetimes_[place.index].end = now_;
  std::vector<Gap> &gaps = slabs_[place.slab].gaps;
  auto next = std::lower_bound(
      gaps.begin(), gaps.end(), place.offset,
      [](const Gap &gap, uint64_t offset) { return gap.offset < offset; });
  auto gap = gaps.insert(next, {place.offset, place.bytes});
  if (auto after = gap + 1;
      after != gaps.end() && gap->offset + gap->bytes == after->offset) {
    gap->bytes += after->bytes;
    gap = gaps.erase(after) - 1;
  }
  if (gap != gaps.begin()) {
    auto before = gap - 1;
    if (before->offset + before->bytes == gap->offset) {
      before->bytes += gap->bytes;
      gaps.erase(gap);
    }
  }
}

void ArenaLayout::freeze() {
  for (Slab &slab : slabs_)
    slab.isFrozen = true;
  lifetimes_ = {};
  isRecording_ = false;
}

std::vector<uint64_t> ArenaLayout::slabBytes() const {
  std::vector<uint64_t> bytes;
  for (const Slab &slab : slabs_)
    bytes.push_back(slab.bytes);
  return bytes;
}

} // namespace hexin
