//===- ArenaLayout.h - where temporaries lie in a session's arena -----------------===//
//
// Simulates a run: values are placed in the order they come to life and released
// after their last use, each into the smallest gap that holds it. The result is
// offsets only; the slabs themselves belong to the session, which makes each as
// large as any plan has asked for, so that plans share them.
//
// A plan that continues after a data-dependent size starts from a copy of the
// layout so far, frozen: slabs that hold live values cannot grow any more, gaps
// in them are used, the rest goes into further slabs.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_ARENALAYOUT_H
#define HEXIN_RUNTIME_EXEC_ARENALAYOUT_H

#include "runtime/exec/ArenaPacking.h"

#include "hexin/status.h"

#include <cstdint>
#include <vector>

namespace hexin {

struct ArenaPlace {
  uint32_t slab = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0; ///< rounded up
  uint32_t index = 0; ///< of ArenaLayout::lifetimes, unless that was frozen
};

class ArenaLayout {
public:
  /// `alignment`: a power of two. No slab gets larger than `maxSlabBytes`.
  ArenaLayout(uint64_t alignment, uint64_t maxSlabBytes)
      : alignment_(alignment), maxSlabBytes_(maxSlabBytes) {}

  /// resourceExhausted when a slab cannot be as large as `bytes`.
  Result<ArenaPlace> allocate(int64_t bytes);
  void release(const ArenaPlace &place);
  void freeze();

  /// Bytes that each slab must have.
  std::vector<uint64_t> slabBytes() const;
  /// The most bytes that were taken at once: no layout needs less.
  uint64_t mostTaken() const { return mostTaken_; }
  /// Of all that was allocated so far; none from freezing on.
  const std::vector<ArenaLifetime> &lifetimes() const { return lifetimes_; }

private:
  struct Gap {
    uint64_t offset;
    uint64_t bytes;
  };
  struct Slab {
    std::vector<Gap> gaps; // by offset, apart from each other, below `bytes`
    uint64_t bytes = 0;
    bool isFrozen = false;
  };

  ArenaPlace take(uint64_t needed);

  uint64_t alignment_;
  uint64_t maxSlabBytes_;
  std::vector<Slab> slabs_;
  uint64_t taken_ = 0, mostTaken_ = 0;
  std::vector<ArenaLifetime> lifetimes_;
  uint32_t now_ = 0;
  bool isRecording_ = true;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_ARENALAYOUT_H
