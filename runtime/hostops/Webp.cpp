// WebP by libwebp: the first picture of a file.
#include "runtime/hostops/Picture.h"

#include <webp/decode.h>

#include <algorithm>

namespace hexin::hostops {

bool isWebp(Bytes bytes) {
  auto says = [&](size_t at, const char *text) {
    return std::equal(text, text + 4, bytes.begin() + at);
  };
  return bytes.size() > 15 && says(0, "RIFF") && says(8, "WEBP");
}

Outcome decodeWebp(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  int width = 0, height = 0;
  if (!WebPGetInfo(bytes.data(), bytes.size(), &width, &height) || width < 1 ||
      height < 1)
    return Outcome::damaged;
  Outcome outcome = prepare(picture, static_cast<uint64_t>(width),
                            static_cast<uint64_t>(height), maxPixels);
  if (outcome != Outcome::decoded)
    return outcome;
  return WebPDecodeRGBInto(bytes.data(), bytes.size(), picture.rgb.data(),
                           picture.rgb.size(), 3 * width)
             ? Outcome::decoded
             : Outcome::damaged;
}

} // namespace hexin::hostops
