#include "runtime/base/Compression.h"

#include <memory>
#include <zstd.h>

namespace hexin {

/// The highest level that costs no time that a compile would notice (25 MB/s). Of little
/// one that makes a ninth less does not either (6 MB/s), and that is where it counts: the
/// code of small models is as large as they are.
static int levelFor(size_t bytes) {
  constexpr size_t little = 512 << 10;
  return bytes <= little ? 18 : 9;
}

std::optional<std::vector<std::byte>> compress(std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes.size() > maxFrameContents)
    return std::nullopt;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                               ZSTD_freeCCtx);
  if (!context)
    return std::nullopt;
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, levelFor(bytes.size()));
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<std::byte> frame(ZSTD_compressBound(bytes.size()));
  size_t length = ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(),
                                 bytes.size());
  if (ZSTD_isError(length) || length >= bytes.size() ||
      bytes.size() / length >= maxFrameRatio)
    return std::nullopt;
  frame.resize(length);
  return frame;
}

} // namespace hexin
