//===- Hash.h - the 64-bit content hash of sections and weights -------------===//
//
// XXH64 (the published algorithm, so that other tools can check a file). Not
// cryptographic: it finds damage and equal contents, not attackers.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_HASH_H
#define HEXIN_RUNTIME_BASE_HASH_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hexin {

/// Hash of bytes that arrive in pieces; equals hash64 of their concatenation.
class Hasher {
public:
  explicit Hasher(uint64_t seed = 0);
  void update(std::span<const std::byte> bytes);
  uint64_t digest() const;

private:
  void consumeBlocks(const std::byte *blocks, size_t count);

  uint64_t seed_;
  std::array<uint64_t, 4> lanes_;
  std::array<std::byte, 32> pending_; // the last, incomplete block
  size_t pendingBytes_ = 0;
  uint64_t totalBytes_ = 0;
};

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t hash64(std::string_view text, uint64_t seed = 0);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_HASH_H
