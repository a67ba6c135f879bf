//===- Compression.h - bytes as a compressed frame, and back ---------------------===//
//
// A frame is one Zstandard frame (RFC 8878) that declares how many bytes it holds and
// ends in a checksum of them. What a frame may hold is bounded by its own length, so
// that a small file cannot ask for much memory.
//
// Writers are in Compress.cpp, readers in Decompress.cpp: a library that only reads has
// only that half. Thread-safe.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_COMPRESSION_H
#define HEXIN_RUNTIME_BASE_COMPRESSION_H

#include "hexin/status.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hexin {

/// A frame holds at most this many bytes, and at most this many times its own length.
inline constexpr uint64_t maxFrameContents = uint64_t(256) << 20;
inline constexpr uint64_t maxFrameRatio = 256;

/// `bytes` as a frame; nullopt where that would not be smaller or not be within the
/// limits, and the bytes are better kept as they are. Equal bytes give equal frames.
std::optional<std::vector<std::byte>> compress(std::span<const std::byte> bytes);

/// How many bytes `frame` says it holds. corruptData when it is no frame, says nothing,
/// or says more than the limits.
Result<uint64_t> frameContents(std::span<const std::byte> frame);

/// What `frame` holds. corruptData when it is damaged, cut off, followed by something,
/// or does not hold what it says.
Result<std::vector<std::byte>> decompress(std::span<const std::byte> frame);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_COMPRESSION_H
