// PNM: bitmaps, gray and colour maps, as text (P1 to P3) or bytes (P4 to P6).
#include "runtime/hostops/Picture.h"

namespace hexin::hostops {
namespace {

bool isSpace(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }

class Reader {
public:
  explicit Reader(Bytes bytes) : bytes(bytes) {}

  bool skipSpace() {
    while (at < bytes.size() && (isSpace(bytes[at]) || bytes[at] == '#'))
      if (bytes[at++] == '#')
        while (at < bytes.size() && bytes[at] != '\n')
          ++at;
    return at < bytes.size();
  }

  bool number(uint32_t &value) {
    if (!skipSpace() || bytes[at] < '0' || bytes[at] > '9')
      return false;
    uint64_t read = 0;
    while (at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9' &&
           read <= UINT32_MAX)
      read = 10 * read + (bytes[at++] - '0');
    value = static_cast<uint32_t>(read);
    return read <= UINT32_MAX;
  }

  /// One digit: bitmaps as text need no space between them.
  bool digit(uint32_t &value) {
    if (!skipSpace() || (bytes[at] != '0' && bytes[at] != '1'))
      return false;
    value = bytes[at++] - '0';
    return true;
  }

  bool skipOne() { return at++ < bytes.size(); }
  uint64_t left() const { return at < bytes.size() ? bytes.size() - at : 0; }
  uint8_t operator[](uint64_t offset) const { return bytes[at + offset]; }

private:
  Bytes bytes;
  size_t at = 2;
};

uint8_t scaled(uint32_t value, uint32_t most) {
  return static_cast<uint8_t>(most == 255 ? value
                                          : (uint64_t(value) * 255 + most / 2) / most);
}

} // namespace

bool isPnm(Bytes bytes) {
  return bytes.size() > 6 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
         (isSpace(bytes[2]) || bytes[2] == '#');
}

Outcome decodePnm(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  int kind = bytes[1] - '0';
  bool isText = kind <= 3, isBits = kind % 3 == 1;
  uint64_t channels = kind % 3 == 0 ? 3 : 1;
  Reader reader(bytes);
  uint32_t width = 0, height = 0, most = 1;
  if (!reader.number(width) || !reader.number(height) ||
      (!isBits && !reader.number(most)) || most < 1 || most > 65535)
    return Outcome::damaged;
  if (height != 0 && width > maxPixels / height)
    return Outcome::tooLarge;
  uint64_t sampleBytes = most > 255 ? 2 : 1;
  uint64_t rowBytes = isBits ? (uint64_t(width) + 7) / 8 : width * channels * sampleBytes;
  if (!isText && !reader.skipOne())
    return Outcome::damaged;
  // As text each sample takes a byte or more: what is not there takes no memory.
  uint64_t needed = isText ? uint64_t(width) * height * channels : rowBytes * height;
  if (needed > reader.left())
    return Outcome::damaged;
  Outcome outcome = prepare(picture, width, height, maxPixels);
  if (outcome != Outcome::decoded)
    return outcome;
  for (uint64_t y = 0; y < height; ++y)
    for (uint64_t x = 0; x < width; ++x)
      for (uint64_t c = 0; c < 3; ++c) {
        uint8_t *target = &picture.rgb[3 * (y * width + x) + c];
        if (c >= channels) {
          *target = target[-1];
          continue;
        }
        uint32_t value = 0;
        uint64_t at = (x * channels + c) * sampleBytes;
        if (isText) {
          if (!(isBits ? reader.digit(value) : reader.number(value)))
            return Outcome::damaged;
        } else if (isBits) {
          value = reader[y * rowBytes + x / 8] >> (7 - x % 8) & 1;
        } else {
          value = reader[y * rowBytes + at];
          if (sampleBytes == 2)
            value = value << 8 | reader[y * rowBytes + at + 1];
        }
        if (value > most)
          return Outcome::damaged;
        *target = isBits ? (value ? 0 : 255) : scaled(value, most);
      }
  return Outcome::decoded;
}

} // namespace hexin::hostops
