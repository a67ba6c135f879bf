#include "runtime/base/Hash.h"

#include <gtest/gtest.h>

#include <vector>

namespace hexin {
namespace {

TEST(Hash, GivesThePublishedValues) {
  EXPECT_EQ(hash64(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hash64("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(hash64("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(hash64("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1u);
}

TEST(Hash, DoesNotDependOnThePieces) {
  std::vector<std::byte> bytes(1000);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(i * 7);
  for (size_t piece : {1, 7, 31, 32, 33, 64, 999}) {
    Hasher hasher;
    for (size_t at = 0; at < bytes.size(); at += piece)
      hasher.update(std::span<const std::byte>(bytes).subspan(
          at, std::min(piece, bytes.size() - at)));
    EXPECT_EQ(hasher.digest(), hash64(bytes)) << piece;
  }
}

} // namespace
} // namespace hexin
