//===- Team.h - threads that share the items of a kernel --------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_TEAM_H
#define HEXIN_BACKENDS_CPU_RUNTIME_TEAM_H

#include "backends/cpu/runtime/FunctionRef.h"

#include <algorithm>
#include <cstdint>

namespace hexin::cpu {

/// `thread`: a number below Team::threads() that no other part runs under meanwhile.
using RangeFn = FunctionRef<void(int64_t begin, int64_t end, unsigned thread)>;

/// The part of [0, items) that thread `index` of `count` takes: contiguous, sizes
/// differ by at most one. No products of items and threads: they could overflow.
struct Share {
  int64_t begin;
  int64_t end;
};
inline Share shareOf(int64_t items, unsigned index, unsigned count) {
  int64_t each = items / count, extra = items % count;
  int64_t begin = each * index + std::min<int64_t>(index, extra);
  return {begin, begin + each + (int64_t(index) < extra ? 1 : 0)};
}

/// How many of `threads` threads get at least `grain` of the items each.
inline unsigned threadsFor(int64_t items, int64_t grain, unsigned threads) {
  int64_t useful = items / std::max<int64_t>(grain, 1);
  return static_cast<unsigned>(std::clamp<int64_t>(useful, 1, threads));
}

/// ParallelFor, by whoever has the turn (Executor.h). One call at a time.
class Team {
public:
  virtual ~Team() = default;

  virtual unsigned threads() const = 0;

  /// Calls fn(begin, end, thread) for parts that make up [0, items), in parallel, each
  /// with at least `grain` items (but for a single part); returns when all are
  /// done. Which thread takes which part depends on nothing but the arguments.
  virtual void parallelFor(int64_t items, int64_t grain, RangeFn fn) = 0;
};

/// The calling thread alone.
class InlineTeam : public Team {
public:
  unsigned threads() const override { return 1; }
  void parallelFor(int64_t items, int64_t, RangeFn fn) override {
    if (items > 0)
      fn(0, items, 0);
  }
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_TEAM_H
