//===- Picture.h - what every decoder gives ------------------------------------===//
#ifndef HEXIN_RUNTIME_HOSTOPS_PICTURE_H
#define HEXIN_RUNTIME_HOSTOPS_PICTURE_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hexin::hostops {

using Bytes = std::span<const uint8_t>;

/// [height, width, 3], red first.
struct Picture {
  uint32_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

/// damaged: or of a form that we do not decode. tooLarge: found before memory was taken.
enum class Outcome { decoded, damaged, tooLarge };

/// Takes memory for a picture of these sizes.
Outcome prepare(Picture &picture, uint64_t width, uint64_t height, uint64_t maxPixels);

// Whether the bytes begin like a file of the format, and its decoder.
bool isJpeg(Bytes bytes);
Outcome decodeJpeg(Bytes bytes, uint64_t maxPixels, Picture &picture);
bool isPng(Bytes bytes);
Outcome decodePng(Bytes bytes, uint64_t maxPixels, Picture &picture);
bool isWebp(Bytes bytes);
Outcome decodeWebp(Bytes bytes, uint64_t maxPixels, Picture &picture);
bool isJpeg2000(Bytes bytes);
Outcome decodeJpeg2000(Bytes bytes, uint64_t maxPixels, Picture &picture);
bool isTiff(Bytes bytes);
Outcome decodeTiff(Bytes bytes, uint64_t maxPixels, Picture &picture);
bool isBmp(Bytes bytes);
Outcome decodeBmp(Bytes bytes, uint64_t maxPixels, Picture &picture);
bool isPnm(Bytes bytes);
Outcome decodePnm(Bytes bytes, uint64_t maxPixels, Picture &picture);

} // namespace hexin::hostops

#endif // HEXIN_RUNTIME_HOSTOPS_PICTURE_H
