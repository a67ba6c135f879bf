#include "runtime/exec/PlanCache.h"

#include <algorithm>
#include <iterator>

namespace hexin {

Segment *PlanCache::find(Segment *parent, const Key &key, uint64_t run) {
  Children &children = childrenOf(parent);
  auto found = children.find(key);
  if (found == children.end())
    return nullptr;
  Segment *segment = found->second.get();
  segment->lastRun = run;
  used_.splice(used_.begin(), used_, segment->inUseOrder);
  return segment;
}

Segment &PlanCache::insert(Segment *parent, Key key, std::unique_ptr<Segment> segment,
                           uint64_t run) {
  Segment &added = *segment;
  added.parent = parent;
  added.lastRun = run;
  bytes_ += added.bytes;
  used_.push_front(&added);
  added.inUseOrder = used_.begin();
  childrenOf(parent).emplace(std::move(key), std::move(segment));
  makeRoom(run);
  return added;
}

PlanCache::~PlanCache() {
  // One after the other: a loop's plan is a chain of thousands of segments, which are not
  // to be destroyed by each other, stack frame upon stack frame.
  std::vector<std::unique_ptr<Segment>> all;
  for (Segment *segment : used_)
    for (auto &[key, next] : segment->next)
      all.push_back(std::move(next));
}

void PlanCache::makeRoom(uint64_t run) {
  auto candidate = used_.end();
  while ((used_.size() > maxSegments_ || bytes_ > maxBytes_) &&
         candidate != used_.begin()) {
    --candidate;
    Segment *segment = *candidate;
    if (segment->lastRun == run)
      return; // and so are all before it
    if (!segment->next.empty())
      continue;
    Segment *parent = segment->parent;
    Children &siblings = childrenOf(parent);
    bytes_ -= segment->bytes;
    candidate = used_.erase(candidate);
    auto owner = std::find_if(siblings.begin(), siblings.end(), [&](const auto &entry) {
      return entry.second.get() == segment;
    });
    siblings.erase(owner);
    // Its parent, less recently used, may be the last in its plan now. Nothing else has
    // changed of what was passed over.
    if (parent && parent->next.empty())
      candidate = std::next(parent->inUseOrder);
  }
}

} // namespace hexin
