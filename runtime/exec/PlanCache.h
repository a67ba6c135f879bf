//===- PlanCache.h - the plans a session keeps -----------------------------------===//
//
// The least recently used segments go first when the budget is passed, from the
// ends of plans inwards, and never one that the run at hand has used. Not
// thread-safe: a session uses it inside its turn.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_PLANCACHE_H
#define HEXIN_RUNTIME_EXEC_PLANCACHE_H

#include "runtime/exec/Plan.h"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

namespace hexin {

class PlanCache {
public:
  using Key = std::vector<int64_t>;

  PlanCache(size_t maxSegments, uint64_t maxBytes)
      : maxSegments_(maxSegments), maxBytes_(maxBytes) {}
  PlanCache(const PlanCache &) = delete;
  ~PlanCache();

  /// The segment after `parent` (null: the first of a plan) for `key`, or null.
  /// Allocates nothing. What is found counts as used by run `run`.
  Segment *find(Segment *parent, const Key &key, uint64_t run);

  /// Adds a segment that find() did not have, and makes room.
  Segment &insert(Segment *parent, Key key, std::unique_ptr<Segment> segment,
                  uint64_t run);

  size_t size() const { return used_.size(); }

private:
  using Children = std::map<Key, std::unique_ptr<Segment>>;
  Children &childrenOf(Segment *parent) { return parent ? parent->next : first_; }
  void makeRoom(uint64_t run);

  size_t maxSegments_;
  uint64_t maxBytes_;
  uint64_t bytes_ = 0;
  std::list<Segment *> used_; // most recently used first
  Children first_;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_PLANCACHE_H
