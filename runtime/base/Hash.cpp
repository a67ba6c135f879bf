#include "runtime/base/Hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hexin {
namespace {

constexpr uint64_t prime1 = 0x9E3779B185EBCA87;
constexpr uint64_t prime2 = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t prime3 = 0x165667B19E3779F9;
constexpr uint64_t prime4 = 0x85EBCA77C2B2AE63;
constexpr uint64_t prime5 = 0x27D4EB2F165667C5;
constexpr size_t blockBytes = 32;

static_assert(std::endian::native == std::endian::little);

template <typename T> T loadAs(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

uint64_t mixLane(uint64_t lane, uint64_t word) {
  return std::rotl(lane + word * prime2, 31) * prime1;
}

} // namespace

Hasher::Hasher(uint64_t seed)
    : seed_(seed), lanes_{seed + prime1 + prime2, seed + prime2, seed, seed - prime1} {}

void Hasher::consumeBlocks(const std::byte *blocks, size_t count) {
  // Bytes may alias members: lanes of its own stay in registers.
  auto [a, b, c, d] = lanes_;
  for (const std::byte *end = blocks + count * blockBytes; blocks != end;
       blocks += blockBytes) {
    a = mixLane(a, loadAs<uint64_t>(blocks));
    b = mixLane(b, loadAs<uint64_t>(blocks + 8));
    c = mixLane(c, loadAs<uint64_t>(blocks + 16));
    d = mixLane(d, loadAs<uint64_t>(blocks + 24));
  }
  lanes_ = {a, b, c, d};
}

void Hasher::update(std::span<const std::byte> bytes) {
  totalBytes_ += bytes.size();
  if (pendingBytes_ > 0) {
    size_t taken = std::min(blockBytes - pendingBytes_, bytes.size());
    std::copy_n(bytes.data(), taken, pending_.data() + pendingBytes_);
    pendingBytes_ += taken;
    bytes = bytes.subspan(taken);
    if (pendingBytes_ < blockBytes)
      return;
    consumeBlocks(pending_.data(), 1);
    pendingBytes_ = 0;
  }
  consumeBlocks(bytes.data(), bytes.size() / blockBytes);
  bytes = bytes.last(bytes.size() % blockBytes);
  std::copy(bytes.begin(), bytes.end(), pending_.begin());
  pendingBytes_ = bytes.size();
}

uint64_t Hasher::digest() const {
  uint64_t hash;
  if (totalBytes_ >= blockBytes) {
    hash = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
           std::rotl(lanes_[3], 18);
    for (uint64_t lane : lanes_)
      hash = (hash ^ mixLane(0, lane)) * prime1 + prime4;
  } else {
    hash = seed_ + prime5;
  }
  hash += totalBytes_;

  const std::byte *tail = pending_.data();
  const std::byte *end = tail + pendingBytes_;
  for (; end - tail >= 8; tail += 8)
    hash = std::rotl(hash ^ mixLane(0, loadAs<uint64_t>(tail)), 27) * prime1 + prime4;
  for (; end - tail >= 4; tail += 4)
    hash = std::rotl(hash ^ loadAs<uint32_t>(tail) * prime1, 23) * prime2 + prime3;
  for (; tail < end; ++tail)
    hash = std::rotl(hash ^ std::to_integer<uint64_t>(*tail) * prime5, 11) * prime1;

  hash = (hash ^ (hash >> 33)) * prime2;
  hash = (hash ^ (hash >> 29)) * prime3;
  return hash ^ (hash >> 32);
}

uint64_t hash64(std::span<const std::byte> bytes, uint64_t seed) {
  Hasher hasher(seed);
  hasher.update(bytes);
  return hasher.digest();
}

uint64_t hash64(std::string_view text, uint64_t seed) {
  return hash64(std::as_bytes(std::span(text.data(), text.size())), seed);
}

} // namespace hexin
