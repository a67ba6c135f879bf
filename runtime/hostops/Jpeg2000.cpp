// JPEG 2000 by OpenJPEG: gray, RGB or YCC of any depth, one size for all components.
#include "runtime/hostops/Picture.h"

#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace hexin::hostops {
namespace {

struct Source {
  Bytes bytes;
  size_t at = 0;
};

OPJ_SIZE_T readBytes(void *buffer, OPJ_SIZE_T count, void *user) {
  auto &source = *static_cast<Source *>(user);
  size_t left = source.bytes.size() - source.at;
  if (left == 0)
    return static_cast<OPJ_SIZE_T>(-1);
  size_t taken = std::min<size_t>(count, left);
  std::memcpy(buffer, source.bytes.data() + source.at, taken);
  source.at += taken;
  return taken;
}

OPJ_OFF_T skipBytes(OPJ_OFF_T count, void *user) {
  auto &source = *static_cast<Source *>(user);
  if (count < 0 || static_cast<uint64_t>(count) > source.bytes.size() - source.at)
    return -1;
  source.at += static_cast<size_t>(count);
  return count;
}

OPJ_BOOL seekBytes(OPJ_OFF_T position, void *user) {
  auto &source = *static_cast<Source *>(user);
  if (position < 0 || static_cast<uint64_t>(position) > source.bytes.size())
    return OPJ_FALSE;
  source.at = static_cast<size_t>(position);
  return OPJ_TRUE;
}

uint8_t toByte(const opj_image_comp_t &component, size_t index) {
  int64_t value = component.data[index];
  if (component.sgnd)
    value += int64_t(1) << (component.prec - 1);
  int64_t most = (int64_t(1) << component.prec) - 1;
  value = std::clamp<int64_t>(value, 0, most);
  if (component.prec > 8)
    return static_cast<uint8_t>(value >> (component.prec - 8));
  return static_cast<uint8_t>(component.prec == 8 ? value : value * 255 / most);
}

uint8_t clampToByte(double value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

bool isSupported(const opj_image_t &image) {
  if (image.numcomps < 1 || image.numcomps > 4 || image.numcomps == 2)
    return false;
  for (uint32_t c = 0; c < image.numcomps; ++c)
    if (image.comps[c].w != image.comps[0].w || image.comps[c].h != image.comps[0].h ||
        image.comps[c].prec < 1 || image.comps[c].prec > 31)
      return false;
  return true;
}

bool hasData(const opj_image_t &image) {
  for (uint32_t c = 0; c < image.numcomps; ++c)
    if (!image.comps[c].data)
      return false;
  return true;
}

void convert(const opj_image_t &image, Picture &picture) {
  bool isGray = image.numcomps == 1, isYcc = image.color_space == OPJ_CLRSPC_SYCC;
  for (size_t i = 0; i < picture.rgb.size() / 3; ++i) {
    uint8_t *rgb = &picture.rgb[3 * i];
    for (uint32_t c = 0; c < 3; ++c)
      rgb[c] = toByte(image.comps[isGray ? 0 : c], i);
    if (isGray || !isYcc)
      continue;
    double y = rgb[0], cb = rgb[1] - 128.0, cr = rgb[2] - 128.0;
    rgb[0] = clampToByte(y + 1.402 * cr);
    rgb[1] = clampToByte(y - 0.344136 * cb - 0.714136 * cr);
    rgb[2] = clampToByte(y + 1.772 * cb);
  }
}

} // namespace

static bool isCodestream(Bytes bytes) {
  static constexpr uint8_t start[] = {0xFF, 0x4F, 0xFF, 0x51};
  return bytes.size() > 4 && std::equal(start, start + 4, bytes.begin());
}

bool isJpeg2000(Bytes bytes) {
  static constexpr uint8_t box[] = {0,   0,   0,    12,   'j',  'P',
                                    ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A};
  return isCodestream(bytes) ||
         (bytes.size() > 12 && std::equal(box, box + 12, bytes.begin()));
}

Outcome decodeJpeg2000(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  std::unique_ptr<opj_codec_t, void (*)(opj_codec_t *)> codec(
      opj_create_decompress(isCodestream(bytes) ? OPJ_CODEC_J2K : OPJ_CODEC_JP2),
      opj_destroy_codec);
  std::unique_ptr<opj_stream_t, void (*)(opj_stream_t *)> stream(
      opj_stream_default_create(OPJ_TRUE), opj_stream_destroy);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  if (!codec || !stream || !opj_setup_decoder(codec.get(), &parameters))
    return Outcome::damaged;
  Source source{bytes};
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), bytes.size());
  opj_stream_set_read_function(stream.get(), readBytes);
  opj_stream_set_skip_function(stream.get(), skipBytes);
  opj_stream_set_seek_function(stream.get(), seekBytes);

  opj_image_t *header = nullptr;
  bool hasHeader = opj_read_header(stream.get(), codec.get(), &header) != OPJ_FALSE;
  std::unique_ptr<opj_image_t, void (*)(opj_image_t *)> image(header, opj_image_destroy);
  if (!hasHeader || !image || !isSupported(*image))
    return Outcome::damaged;
  // The header says how large it gets; pixels come when it is decoded.
  Outcome outcome = prepare(picture, image->comps[0].w, image->comps[0].h, maxPixels);
  if (outcome != Outcome::decoded)
    return outcome;
  if (!opj_decode(codec.get(), stream.get(), image.get()) || !isSupported(*image) ||
      !hasData(*image) || image->comps[0].w != picture.width ||
      image->comps[0].h != picture.height)
    return Outcome::damaged;
  convert(*image, picture);
  return Outcome::decoded;
}

} // namespace hexin::hostops
