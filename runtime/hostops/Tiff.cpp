// TIFF by libtiff: the first picture of a file, upright. Transparency is dropped.
#include "runtime/hostops/Picture.h"

#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace hexin::hostops {
namespace {

struct Source {
  Bytes bytes;
  uint64_t at = 0;
};

tmsize_t readBytes(thandle_t user, void *buffer, tmsize_t count) {
  auto &source = *static_cast<Source *>(user);
  if (count < 0 || source.at >= source.bytes.size())
    return 0;
  size_t taken =
      std::min<size_t>(static_cast<size_t>(count), source.bytes.size() - source.at);
  std::memcpy(buffer, source.bytes.data() + source.at, taken);
  source.at += taken;
  return static_cast<tmsize_t>(taken);
}

tmsize_t writeBytes(thandle_t, void *, tmsize_t) { return 0; }

toff_t seekBytes(thandle_t user, toff_t offset, int whence) {
  auto &source = *static_cast<Source *>(user);
  source.at = whence == SEEK_CUR   ? source.at + offset
              : whence == SEEK_END ? source.bytes.size() + offset
                                   : offset;
  return source.at;
}

int closeBytes(thandle_t) { return 0; }
toff_t sizeOfBytes(thandle_t user) { return static_cast<Source *>(user)->bytes.size(); }
int quiet(TIFF *, void *, const char *, const char *, va_list) { return 1; }

} // namespace

bool isTiff(Bytes bytes) {
  static constexpr uint8_t little[] = {'I', 'I', 42, 0}, big[] = {'M', 'M', 0, 42};
  return bytes.size() > 8 && (std::equal(little, little + 4, bytes.begin()) ||
                              std::equal(big, big + 4, bytes.begin()));
}

Outcome decodeTiff(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions *)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (!options)
    return Outcome::damaged;
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), quiet, nullptr);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), quiet, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t(4 * maxPixels));
  Source source{bytes};
  std::unique_ptr<TIFF, void (*)(TIFF *)> file(
      TIFFClientOpenExt("picture", "rm", &source, readBytes, writeBytes, seekBytes,
                        closeBytes, sizeOfBytes, nullptr, nullptr, options.get()),
      TIFFClose);
  uint32_t width = 0, height = 0;
  if (!file || !TIFFGetField(file.get(), TIFFTAG_IMAGEWIDTH, &width) ||
      !TIFFGetField(file.get(), TIFFTAG_IMAGELENGTH, &height))
    return Outcome::damaged;
  Outcome outcome = prepare(picture, width, height, maxPixels);
  if (outcome != Outcome::decoded)
    return outcome;
  std::vector<uint32_t> pixels(size_t(width) * height);
  if (!TIFFReadRGBAImageOriented(file.get(), width, height, pixels.data(),
                                 ORIENTATION_TOPLEFT, /*stopOnError=*/1))
    return Outcome::damaged;
  for (size_t i = 0; i < pixels.size(); ++i) {
    picture.rgb[3 * i] = static_cast<uint8_t>(TIFFGetR(pixels[i]));
    picture.rgb[3 * i + 1] = static_cast<uint8_t>(TIFFGetG(pixels[i]));
    picture.rgb[3 * i + 2] = static_cast<uint8_t>(TIFFGetB(pixels[i]));
  }
  return Outcome::decoded;
}

} // namespace hexin::hostops
