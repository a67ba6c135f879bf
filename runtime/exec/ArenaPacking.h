//===- ArenaPacking.h - offsets of values whose lifetimes are all known --------------===//
//
// ArenaLayout places a value when it comes to life and cannot know what follows. Once a
// plan is complete all lifetimes are known, and placing the largest first, whenever they
// live, wastes less. Example, sizes over time: A 4 [0, 2), B 2 [1, 4), C 6 [3, 5). In the
// order of time A lies at 0, B at 4, C at 6: 12 in all. Largest first C lies at 0, A at
// 0, B at 6: 8, and that is what C and B need together.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_ARENAPACKING_H
#define HEXIN_RUNTIME_EXEC_ARENAPACKING_H

#include <cstdint>
#include <span>
#include <vector>

namespace hexin {

/// `bytes` that are taken from time `begin` until before time `end`.
struct ArenaLifetime {
  uint64_t bytes = 0;
  uint32_t begin = 0;
  uint32_t end = UINT32_MAX;
};

struct ArenaPacking {
  std::vector<uint64_t> offsets; ///< per lifetime; a multiple of what all bytes are
  uint64_t bytes = 0;            ///< of the one slab that holds all
};

/// The best of a few greedy packings; `enough`: a size that needs no better one.
ArenaPacking packLifetimes(std::span<const ArenaLifetime> lifetimes, uint64_t enough);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_ARENAPACKING_H
