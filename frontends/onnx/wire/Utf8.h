//===- Utf8.h - text from files that claims to be UTF-8 --------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_UTF8_H
#define HEXIN_FRONTENDS_ONNX_WIRE_UTF8_H

#include <string>
#include <string_view>

namespace hexin::onnx {

bool isUtf8(std::string_view text);

/// `text` with '?' for every byte that is not part of valid UTF-8: what goes into
/// messages and names that other languages read.
std::string toUtf8(std::string_view text);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_UTF8_H
