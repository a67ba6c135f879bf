//===- Memory.h - addresses of lanes, checked ------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_MEMORY_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_MEMORY_H

#include "tests/cuda_driver/simt/Warp.h"

namespace standin {

/// A generic address of these spaces is the address within the space, plus the window.
/// That of global memory is 0.
constexpr uint64_t windowOf(Space space) {
  switch (space) {
  case Space::Shared:
    return uint64_t(0xA1) << 48;
  case Space::Local:
    return uint64_t(0xA2) << 48;
  case Space::Param:
    return uint64_t(0xA3) << 48;
  default:
    return 0;
  }
}
constexpr Space spaceOf(uint64_t generic) {
  for (Space space : {Space::Shared, Space::Local, Space::Param})
    if (generic >> 48 == windowOf(space) >> 48)
      return space;
  return Space::Global;
}

/// Where on the host each active lane finds its bytes; of the others nothing is said.
struct Places {
  std::array<std::byte *, numLanes> host;
  bool isContiguous = false; ///< all lanes are active and lie one behind the other
};

/// Resolves the address in `slot` for `bytes` bytes per lane, or faults: outside of
/// every allocation, or not a multiple of `bytes`. Counts sectors and wavefronts.
struct Reach {
  Space space;
  int64_t offset;
};
Places locate(Warp &warp, const Instruction &instruction, uint32_t active, unsigned slot,
              unsigned bytes, Reach reach);
/// The same, of an instruction with one address.
inline Places locate(Warp &warp, const Instruction &instruction, uint32_t active,
                     unsigned slot, unsigned bytes) {
  return locate(warp, instruction, active, slot, bytes,
                {instruction.space, instruction.offset});
}

/// Passes over the 32 banks that these accesses of `bytes` bytes to shared memory take.
/// Accesses of 8 and 16 bytes go in halves and quarters of the warp.
struct Wavefronts {
  uint64_t taken = 0, ideal = 0;
};
Wavefronts countWavefronts(const std::array<uint64_t, numLanes> &addresses,
                           uint32_t active, unsigned bytes);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_MEMORY_H
