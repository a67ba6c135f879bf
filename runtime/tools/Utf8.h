//===- Utf8.h - UTF-8 and code points ---------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_UTF8_H
#define HEXIN_RUNTIME_TOOLS_UTF8_H

#include <string>
#include <string_view>

namespace hexin::cli {

/// Code points of `text`; each byte that is not part of valid UTF-8 becomes
/// U+FFFD.
std::u32string decodeUtf8(std::string_view text);

/// UTF-8 of `codes`; surrogates and numbers above U+10FFFF become U+FFFD.
std::string encodeUtf8(std::u32string_view codes);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_UTF8_H
