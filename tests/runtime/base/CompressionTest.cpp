#include "runtime/base/Compression.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace hexin {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytesOf(std::string_view text) {
  auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

Bytes numbered(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i)
    text += "float v" + std::to_string(i) + " = a[" + std::to_string(i * i) + "];\n";
  return bytesOf(text);
}

Bytes frameOf(const Bytes &contents) {
  auto frame = compress(contents);
  EXPECT_TRUE(frame);
  return frame ? *frame : Bytes();
}

/// A frame of one raw block, `declared` written in eight bytes.
Bytes rawFrame(uint64_t declared, std::string_view contents) {
  Bytes frame = bytesOf("\x28\xB5\x2F\xFD\xE0"); // one segment, no checksum
  for (int i = 0; i < 8; ++i)
    frame.push_back(static_cast<std::byte>(declared >> (8 * i)));
  uint32_t block = 1 | (static_cast<uint32_t>(contents.size()) << 3); // last, raw
  for (int i = 0; i < 3; ++i)
    frame.push_back(static_cast<std::byte>(block >> (8 * i)));
  Bytes tail = bytesOf(contents);
  frame.insert(frame.end(), tail.begin(), tail.end());
  return frame;
}

StatusCode codeOf(const Bytes &frame) { return decompress(frame).status().code(); }

TEST(Compression, GivesBackWhatWentIn) {
  for (int lines : {3, 100, 20000}) {
    Bytes contents = numbered(lines);
    Bytes frame = frameOf(contents);
    EXPECT_LT(frame.size(), contents.size());
    auto length = frameContents(frame);
    ASSERT_TRUE(length) << length.status().toString();
    EXPECT_EQ(*length, contents.size());
    auto again = decompress(frame);
    ASSERT_TRUE(again) << again.status().toString();
    EXPECT_EQ(*again, contents);
    EXPECT_EQ(frameOf(contents), frame);
  }
}

TEST(Compression, LeavesAloneWhatWouldNotGetSmaller) {
  EXPECT_FALSE(compress({}));
  EXPECT_FALSE(compress(bytesOf("x")));
  std::mt19937 random(1);
  Bytes noise(10000);
  for (std::byte &byte : noise)
    byte = static_cast<std::byte>(random());
  EXPECT_FALSE(compress(noise));
  // A reader would take it for a bomb.
  EXPECT_FALSE(compress(Bytes(1 << 20)));
}

TEST(Compression, NoticesEveryTruncationAndEveryBitThatFlips) {
  Bytes contents = numbered(40), frame = frameOf(contents);
  for (size_t length = 0; length < frame.size(); ++length) {
    Bytes cut(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_EQ(codeOf(cut), StatusCode::corruptData) << length;
  }
  for (size_t at = 0; at < frame.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = frame;
      bad[at] ^= static_cast<std::byte>(1 << bit);
      auto result = decompress(bad);
      // Some bits mean nothing; none gives other contents.
      if (result)
        EXPECT_EQ(*result, contents) << "byte " << at << ", bit " << bit;
      else
        EXPECT_EQ(result.status().code(), StatusCode::corruptData);
    }
}

TEST(Compression, TakesOneFrameAndNothingElse) {
  Bytes frame = frameOf(numbered(40));
  Bytes twice = frame;
  twice.insert(twice.end(), frame.begin(), frame.end());
  EXPECT_EQ(codeOf(twice), StatusCode::corruptData);
  Bytes longer = frame;
  longer.push_back(std::byte{0});
  EXPECT_EQ(codeOf(longer), StatusCode::corruptData);
  EXPECT_EQ(codeOf({}), StatusCode::corruptData);
  EXPECT_EQ(codeOf(numbered(3)), StatusCode::corruptData);
  // A frame to be skipped, an older format, and a frame that does not say its length.
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(codeOf(bytesOf("\x50\x2A\x4D\x18\x04\0\0\0abcd"sv)), StatusCode::corruptData);
  EXPECT_EQ(codeOf(bytesOf("\x27\xB5\x2F\xFD\0\0\0\0\0\0\0\0"sv)),
            StatusCode::corruptData);
  EXPECT_EQ(codeOf(bytesOf("\x28\xB5\x2F\xFD\0\x58\x19\0\0abc"sv)),
            StatusCode::corruptData);
}

TEST(Compression, TrustsNoDeclaredLength) {
  ASSERT_EQ(codeOf(rawFrame(5, "hello")), StatusCode::ok);
  EXPECT_EQ(codeOf(rawFrame(4, "hello")), StatusCode::corruptData);
  EXPECT_EQ(codeOf(rawFrame(6, "hello")), StatusCode::corruptData);
  EXPECT_EQ(codeOf(rawFrame(0, "hello")), StatusCode::corruptData);
  for (uint64_t bomb : {uint64_t(6000), maxFrameContents + 1, uint64_t(1) << 40,
                        ~uint64_t(0), ~uint64_t(0) - 1}) {
    Status status = decompress(rawFrame(bomb, "hello")).status();
    EXPECT_EQ(status.code(), StatusCode::corruptData) << bomb;
  }
  Status status = frameContents(rawFrame(uint64_t(1) << 40, "hello")).status();
  EXPECT_NE(status.message().find("declares 1099511627776"), std::string::npos)
      << status.message();
}

} // namespace
} // namespace hexin
