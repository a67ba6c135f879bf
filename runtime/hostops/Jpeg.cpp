// JPEG by libjpeg-turbo: the exact inverse DCT and smooth upsampling, its defaults.
#include "runtime/hostops/Picture.h"

#include <csetjmp>
#include <cstdio>
// after <cstdio>: it uses FILE
#include <jpeglib.h>

namespace hexin::hostops {
namespace {

/// A file of a few bytes can ask for any number of passes over the whole picture.
constexpr int maxScans = 200;

struct Session {
  jpeg_decompress_struct decoder{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed;

  ~Session() { jpeg_destroy_decompress(&decoder); } // also one that was never made
};

Session &sessionOf(j_common_ptr decoder) {
  return *static_cast<Session *>(decoder->client_data);
}

void onError(j_common_ptr decoder) { std::longjmp(sessionOf(decoder).failed, 1); }
void onMessage(j_common_ptr, int) {}
void onOutput(j_common_ptr) {}
void onProgress(j_common_ptr decoder) {
  if (reinterpret_cast<j_decompress_ptr>(decoder)->input_scan_number > maxScans)
    onError(decoder);
}

/// Rows of C, M, Y, K, which Adobe stores inverted, to RGB.
void rgbOfInvertedCmyk(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; ++x, cmyk += 4, rgb += 3)
    for (int c = 0; c < 3; ++c)
      rgb[c] = static_cast<uint8_t>(cmyk[c] * cmyk[3] / 255);
}

/// Nothing in here has a destructor: errors jump out of it.
Outcome decodeInto(Session &session, Picture &picture, std::vector<uint8_t> &row,
                   uint64_t maxPixels, Bytes bytes) {
  jpeg_decompress_struct &decoder = session.decoder;
  if (setjmp(session.failed))
    return Outcome::damaged;
  jpeg_mem_src(&decoder, bytes.data(), bytes.size());
  if (jpeg_read_header(&decoder, TRUE) != JPEG_HEADER_OK)
    return Outcome::damaged;
  bool isCmyk =
      decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = isCmyk ? JCS_CMYK : JCS_RGB;
  Outcome prepared =
      prepare(picture, decoder.image_width, decoder.image_height, maxPixels);
  if (prepared != Outcome::decoded)
    return prepared;
  row.resize(isCmyk ? size_t(4) * picture.width : 0);
  jpeg_start_decompress(&decoder);
  while (decoder.output_scanline < decoder.output_height) {
    uint8_t *target =
        picture.rgb.data() + size_t(3) * picture.width * decoder.output_scanline;
    JSAMPROW rows[] = {isCmyk ? row.data() : target};
    jpeg_read_scanlines(&decoder, rows, 1);
    if (isCmyk)
      rgbOfInvertedCmyk(row.data(), target, picture.width);
  }
  jpeg_finish_decompress(&decoder);
  return Outcome::decoded;
}

} // namespace

bool isJpeg(Bytes bytes) {
  return bytes.size() > 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

Outcome decodeJpeg(Bytes bytes, uint64_t maxPixels, Picture &picture) {
  Session session;
  session.decoder.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = onError;
  session.errors.emit_message = onMessage;
  session.errors.output_message = onOutput;
  session.decoder.client_data = &session;
  std::vector<uint8_t> row;
  if (setjmp(session.failed))
    return Outcome::damaged;
  jpeg_create_decompress(&session.decoder);
  session.decoder.client_data = &session;
  session.progress.progress_monitor = onProgress;
  session.decoder.progress = &session.progress;
  return decodeInto(session, picture, row, maxPixels, bytes);
}

} // namespace hexin::hostops
