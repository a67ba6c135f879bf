// PNG by libpng. Transparency is dropped, not blended.
#include "runtime/hostops/Picture.h"

#include <png.h>

#include <algorithm>
#include <memory>

namespace hexin::hostops {

bool isPng(Bytes bytes) {
  static constexpr uint8_t signature[] = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  return bytes.size() > 8 && std::equal(signature, signature + 8, bytes.begin());
}

Outcome decodePng(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  std::unique_ptr<png_image, void (*)(png_image *)> freed(&image, png_image_free);
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    return Outcome::damaged;
  Outcome outcome = prepare(picture, image.width, image.height, maxPixels);
  std::vector<uint8_t> rgba;
  if (outcome == Outcome::decoded) {
    image.format = PNG_FORMAT_RGBA;
    rgba.resize(size_t(4) * image.width * image.height);
    if (!png_image_finish_read(&image, nullptr, rgba.data(), 0, nullptr))
      outcome = Outcome::damaged;
  }
  if (outcome == Outcome::decoded)
    for (size_t i = 0; i < rgba.size() / 4; ++i)
      std::copy_n(rgba.begin() + 4 * i, 3, picture.rgb.begin() + 3 * i);
  return outcome;
}

} // namespace hexin::hostops
