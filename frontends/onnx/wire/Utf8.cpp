#include "frontends/onnx/wire/Utf8.h"

#include <cstddef>
#include <cstdint>

namespace hexin::onnx {

/// Bytes of the character at the start of `text`, 0 when it is not valid: too
/// long a form, a surrogate, or beyond U+10FFFF.
static size_t characterLength(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  if (first < 0x80)
    return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  bool isOverlong =
      (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  bool isSurrogate = first == 0xed && byte(1) > 0x9f;
  bool isBeyond = first == 0xf4 && byte(1) > 0x8f;
  return isOverlong || isSurrogate || isBeyond ? 0 : length;
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = characterLength(text);
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string toUtf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    size_t length = characterLength(text);
    if (length == 0) {
      result += '?';
      length = 1;
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result;
}

} // namespace hexin::onnx
