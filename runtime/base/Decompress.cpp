#include "runtime/base/Compression.h"

#include <string>
#include <zstd.h>

namespace hexin {
namespace {

/// Little endian. The library may take older and empty kinds of frames, too: those have
/// other numbers.
bool hasMagic(std::span<const std::byte> frame) {
  constexpr uint32_t magic = ZSTD_MAGICNUMBER;
  if (frame.size() < 4)
    return false;
  for (int i = 0; i < 4; ++i)
    if (frame[i] != static_cast<std::byte>(magic >> (8 * i)))
      return false;
  return true;
}

} // namespace

Result<uint64_t> frameContents(std::span<const std::byte> frame) {
  unsigned long long length = hasMagic(frame)
                                  ? ZSTD_getFrameContentSize(frame.data(), frame.size())
                                  : ZSTD_CONTENTSIZE_ERROR;
  if (length == ZSTD_CONTENTSIZE_ERROR || length == ZSTD_CONTENTSIZE_UNKNOWN)
    return corruptData("expected a zstd frame that declares its contents' length, in " +
                       std::to_string(frame.size()) + " bytes");
  if (length > maxFrameContents || length / maxFrameRatio > frame.size())
    return corruptData("a zstd frame of " + std::to_string(frame.size()) +
                       " bytes declares " + std::to_string(length) + "; at most " +
                       std::to_string(maxFrameRatio) + " times its own length and " +
                       std::to_string(maxFrameContents) + " are allowed");
  return static_cast<uint64_t>(length);
}

Result<std::vector<std::byte>> decompress(std::span<const std::byte> frame) {
  HEXIN_ASSIGN_OR_RETURN(uint64_t length, frameContents(frame));
  // One frame and nothing behind it, whatever the library makes of several.
  size_t frameBytes = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frameBytes) || frameBytes != frame.size())
    return corruptData("a zstd frame is cut off, damaged or followed by other bytes: " +
                       std::string(ZSTD_isError(frameBytes)
                                       ? ZSTD_getErrorName(frameBytes)
                                       : std::to_string(frameBytes) + " of " +
                                             std::to_string(frame.size()) +
                                             " bytes belong to it"));
  std::vector<std::byte> contents(length);
  size_t written =
      ZSTD_decompress(contents.data(), contents.size(), frame.data(), frame.size());
  if (ZSTD_isError(written))
    return corruptData("a zstd frame is damaged: " +
                       std::string(ZSTD_getErrorName(written)));
  if (written != length)
    return corruptData("a zstd frame declares " + std::to_string(length) +
                       " bytes and holds " + std::to_string(written));
  return contents;
}

} // namespace hexin
