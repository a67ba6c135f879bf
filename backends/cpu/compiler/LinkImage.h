//===- LinkImage.h - an object becomes an image ------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_LINKIMAGE_H
#define HEXIN_BACKENDS_CPU_COMPILER_LINKIMAGE_H

#include <optional>
#include <string>
#include <string_view>

namespace hexin::cpu {

/// Links an ELF object into an image (backends/cpu/abi/ImageCheck.h) with lld, in
/// this process. nullopt and lld's messages in `error` when it refuses. May be
/// called from several threads; lld itself runs on one at a time. Uses a private
/// folder in the system's temporary folder, which it removes.
std::optional<std::string> linkImage(std::string_view object, std::string &error);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_LINKIMAGE_H
