// BMP without compression: palettes of 1, 4 or 8 bits, and 16, 24 or 32 bits a pixel.
#include "runtime/hostops/Picture.h"

#include <bit>

namespace hexin::hostops {
namespace {

uint32_t numberAt(Bytes bytes, size_t at, size_t width) {
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i)
    value |= uint32_t(bytes[at + i]) << (8 * i);
  return value;
}

/// The bits of `pixel` under `mask`, stretched to a byte.
uint8_t channel(uint32_t pixel, uint32_t mask) {
  if (mask == 0)
    return 0;
  int shift = std::countr_zero(mask);
  uint64_t most = mask >> shift;
  return static_cast<uint8_t>(uint64_t((pixel & mask) >> shift) * 255 / most);
}

struct Header {
  uint32_t dataOffset, headerSize, bits, compression, colors;
  uint64_t width, height;
  bool isTopDown;
  uint32_t masks[3];
  size_t paletteAt, paletteEntry;
};

bool readHeader(Bytes bytes, Header &h) {
  if (bytes.size() < 26)
    return false;
  h.dataOffset = numberAt(bytes, 10, 4);
  h.headerSize = numberAt(bytes, 14, 4);
  h.compression = h.colors = 0;
  if (h.headerSize == 12) {
    h.width = numberAt(bytes, 18, 2);
    h.height = numberAt(bytes, 20, 2);
    h.bits = numberAt(bytes, 24, 2);
    h.isTopDown = false;
  } else {
    if (h.headerSize < 40 || bytes.size() < 54)
      return false;
    auto width = static_cast<int32_t>(numberAt(bytes, 18, 4));
    auto height = static_cast<int32_t>(numberAt(bytes, 22, 4));
    if (width <= 0 || height == 0)
      return false;
    h.width = static_cast<uint64_t>(width);
    h.isTopDown = height < 0;
    h.height = static_cast<uint64_t>(h.isTopDown ? -int64_t(height) : height);
    h.bits = numberAt(bytes, 28, 2);
    h.compression = numberAt(bytes, 30, 4);
    h.colors = numberAt(bytes, 46, 4);
  }
  bool hasMasks = h.compression == 3;
  if (hasMasks && bytes.size() < 66)
    return false;
  for (size_t i = 0; i < 3; ++i)
    h.masks[i] = hasMasks       ? numberAt(bytes, 54 + 4 * i, 4)
                 : h.bits == 16 ? 0x7C00u >> (5 * i)
                                : 0xFF0000u >> (8 * i);
  h.paletteAt = 14 + size_t(h.headerSize) + (hasMasks && h.headerSize == 40 ? 12 : 0);
  h.paletteEntry = h.headerSize == 12 ? 3 : 4;
  bool isPlain = h.compression == 0 || (hasMasks && (h.bits == 16 || h.bits == 32));
  return isPlain && (h.bits == 1 || h.bits == 4 || h.bits == 8 || h.bits == 16 ||
                     h.bits == 24 || h.bits == 32);
}

} // namespace

bool isBmp(Bytes bytes) {
  return bytes.size() > 26 && bytes[0] == 'B' && bytes[1] == 'M';
}

Outcome decodeBmp(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  Header h;
  if (!readHeader(bytes, h))
    return Outcome::damaged;
  if (h.height != 0 && h.width > maxPixels / h.height)
    return Outcome::tooLarge;
  uint64_t rowBytes = (h.width * h.bits + 31) / 32 * 4;
  if (h.dataOffset > bytes.size() ||
      (h.height != 0 && rowBytes > (bytes.size() - h.dataOffset) / h.height))
    return Outcome::damaged; // before memory is taken for what is not there
  Outcome outcome = prepare(picture, h.width, h.height, maxPixels);
  if (outcome != Outcome::decoded)
    return outcome;
  for (uint64_t y = 0; y < h.height; ++y) {
    size_t row = h.dataOffset + rowBytes * (h.isTopDown ? y : h.height - 1 - y);
    uint8_t *rgb = &picture.rgb[3 * h.width * y];
    for (uint64_t x = 0; x < h.width; ++x, rgb += 3) {
      if (h.bits <= 8) {
        size_t bit = x * h.bits;
        uint32_t index =
            bytes[row + bit / 8] >> (8 - h.bits - bit % 8) & ((1u << h.bits) - 1);
        size_t at = h.paletteAt + index * h.paletteEntry;
        if (at + 3 > h.dataOffset || (h.colors != 0 && index >= h.colors))
          return Outcome::damaged;
        for (size_t c = 0; c < 3; ++c)
          rgb[c] = bytes[at + 2 - c];
        continue;
      }
      uint32_t pixel = numberAt(bytes, row + x * (h.bits / 8), h.bits / 8);
      for (size_t c = 0; c < 3; ++c)
        rgb[c] = channel(pixel, h.masks[c]);
    }
  }
  return Outcome::decoded;
}

} // namespace hexin::hostops
