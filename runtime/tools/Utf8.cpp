#include "runtime/tools/Utf8.h"

#include <cstdint>

namespace hexin::cli {
namespace {

constexpr char32_t replacement = U'\uFFFD';

bool isScalar(char32_t code) {
  return code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

/// Takes one code point off `text`, or one byte as `replacement`.
char32_t takeCode(std::string_view &text) {
  auto byteAt = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byteAt(0);
  size_t length = first < 0x80   ? 1
                  : first < 0xC0 ? 0
                  : first < 0xE0 ? 2
                  : first < 0xF0 ? 3
                  : first < 0xF8 ? 4
                                 : 0;
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  char32_t code = length == 1 ? first : first & (0x7F >> length);
  bool isValid = length > 0 && length <= text.size();
  for (size_t i = 1; isValid && i < length; ++i) {
    isValid = (byteAt(i) & 0xC0) == 0x80;
    code = code << 6 | (byteAt(i) & 0x3F);
  }
  isValid = isValid && isScalar(code) && code >= smallest[length];
  text.remove_prefix(isValid ? length : 1);
  return isValid ? code : replacement;
}

} // namespace

std::u32string decodeUtf8(std::string_view text) {
  std::u32string codes;
  while (!text.empty())
    codes += takeCode(text);
  return codes;
}

std::string encodeUtf8(std::u32string_view codes) {
  std::string text;
  for (char32_t code : codes) {
    if (!isScalar(code))
      code = replacement;
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xC0 | code >> 6);
      text += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      text += static_cast<char>(0xE0 | code >> 12);
      text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      text += static_cast<char>(0xF0 | code >> 18);
      text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return text;
}

} // namespace hexin::cli
