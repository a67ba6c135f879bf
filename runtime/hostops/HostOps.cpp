// libhexin_hostops: the table that libhexin asks for.
#include "runtime/host/hexin_hostops.h"
#include "runtime/hostops/Picture.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

namespace hexin::hostops {
namespace {

//===----------------------------------------------------------------------===//
// Regular expressions
//===----------------------------------------------------------------------===//

int compileRegex(const char *pattern, size_t length, void **regex, char *error,
                 size_t errorSize) {
  try {
    RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_unique<RE2>(re2::StringPiece(pattern, length), options);
    if (compiled->ok()) {
      *regex = compiled.release();
      return 0;
    }
    std::snprintf(error, errorSize, "%s", compiled->error().c_str());
  } catch (const std::bad_alloc &) {
    std::snprintf(error, errorSize, "no memory for it");
  }
  return 1;
}

int matchRegex(const void *regex, const char *text, size_t length) {
  return RE2::FullMatch(re2::StringPiece(text, length), *static_cast<const RE2 *>(regex));
}

void releaseRegex(void *regex) { delete static_cast<RE2 *>(regex); }

//===----------------------------------------------------------------------===//
// Pictures
//===----------------------------------------------------------------------===//

struct Format {
  bool (*isOne)(Bytes);
  Outcome (*decode)(Bytes, uint64_t, Picture &);
};

constexpr Format formats[] = {{isJpeg, decodeJpeg}, {isPng, decodePng},
                              {isWebp, decodeWebp}, {isTiff, decodeTiff},
                              {isBmp, decodeBmp},   {isJpeg2000, decodeJpeg2000},
                              {isPnm, decodePnm}};

/// The pixels in the form that was asked for, in memory of malloc.
bool convert(const Picture &picture, hexin_pixel_format format, hexin_picture &result) {
  size_t count = size_t(picture.width) * picture.height;
  result.channels = format == HEXIN_PIXELS_GRAY ? 1 : 3;
  result.pixels = static_cast<uint8_t *>(std::malloc(count * result.channels));
  if (!result.pixels)
    return false;
  result.width = picture.width;
  result.height = picture.height;
  const uint8_t *rgb = picture.rgb.data();
  for (size_t i = 0; i < count; ++i, rgb += 3) {
    if (format == HEXIN_PIXELS_GRAY) { // ITU-R 601, rounded
      result.pixels[i] = static_cast<uint8_t>(
          (rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
      continue;
    }
    bool isBgr = format == HEXIN_PIXELS_BGR;
    result.pixels[3 * i] = rgb[isBgr ? 2 : 0];
    result.pixels[3 * i + 1] = rgb[1];
    result.pixels[3 * i + 2] = rgb[isBgr ? 0 : 2];
  }
  return true;
}

int decodePicture(const uint8_t *bytes, size_t length, hexin_pixel_format format,
                  uint64_t maxPixels, hexin_picture *result, char *error,
                  size_t errorSize) {
  *result = {};
  try {
    Bytes file(bytes, length);
    for (const Format &candidate : formats) {
      if (!candidate.isOne(file))
        continue;
      Picture picture;
      Outcome outcome = candidate.decode(file, maxPixels, picture);
      if (outcome == Outcome::tooLarge) {
        std::snprintf(error, errorSize, "a picture of more than %llu pixels",
                      static_cast<unsigned long long>(maxPixels));
        return 1;
      }
      bool isEmpty = picture.width == 0 || picture.height == 0;
      if (outcome == Outcome::damaged || isEmpty || convert(picture, format, *result))
        return 0;
      break;
    }
    if (std::ranges::none_of(formats, [&](const Format &f) { return f.isOne(file); }))
      return 0;
  } catch (const std::bad_alloc &) {
  }
  std::snprintf(error, errorSize, "no memory for a picture");
  return 1;
}

void releasePicture(hexin_picture *picture) {
  std::free(picture->pixels);
  *picture = {};
}

constexpr hexin_hostops table{
    sizeof(hexin_hostops), HEXIN_HOSTOPS_VERSION, compileRegex,  matchRegex,
    releaseRegex,          decodePicture,         releasePicture};

} // namespace

Outcome prepare(Picture &picture, uint64_t width, uint64_t height, uint64_t maxPixels) {
  if (width > UINT32_MAX || height > UINT32_MAX ||
      (height != 0 && width > maxPixels / height))
    return Outcome::tooLarge;
  picture.width = static_cast<uint32_t>(width);
  picture.height = static_cast<uint32_t>(height);
  picture.rgb.resize(size_t(3) * width * height);
  return Outcome::decoded;
}

} // namespace hexin::hostops

extern "C" __attribute__((visibility("default"))) const hexin_hostops *
hexin_hostops_table(void) {
  return &hexin::hostops::table;
}
