//===- Philox.h - counter-based random bits ----------------------------------===//
//
// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
// as 1, 2, 3" (2011): a block of four words for each counter, by ten rounds of
// multiplication under a key that grows by Weyl constants.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_PHILOX_H
#define HEXIN_RUNTIME_REFERENCE_PHILOX_H

#include <array>
#include <cstdint>

namespace hexin::reference {

using PhiloxBlock = std::array<uint32_t, 4>;

constexpr PhiloxBlock philox4x32(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t even = uint64_t(0xD2511F53) * counter[0];
    uint64_t odd = uint64_t(0xCD9E8D57) * counter[2];
    counter = {uint32_t(odd >> 32) ^ counter[1] ^ key[0], uint32_t(odd),
               uint32_t(even >> 32) ^ counter[3] ^ key[1], uint32_t(even)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_PHILOX_H
