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

void PlanCache::makeRoom(uint64_t run) {
  auto candidate = used_.end();
  while ((used_.size() > maxSegments_ || bytes_ > maxBytes_) &&
         candidate != used_.begin()) {
    --candidate;
    Segment *segment = *candidate;
    if (segment->lastRun == run || !segment->next.empty())
      continue;
    Children &siblings = childrenOf(segment->parent);
    bytes_ -= segment->bytes;
    candidate = used_.erase(candidate);
    auto owner = std::find_if(siblings.begin(), siblings.end(), [&](const auto &entry) {
      return entry.second.get() == segment;
    });
    siblings.erase(owner);
    candidate = used_.end(); // its parent may be the last in its plan now
  }
}

} // namespace hexin
