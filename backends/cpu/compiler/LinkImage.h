//===- LinkImage.h - objects become an image ---------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_LINKIMAGE_H
#define HEXIN_BACKENDS_CPU_COMPILER_LINKIMAGE_H

#include "llvm/ADT/ArrayRef.h"

#include <optional>
#include <string>

namespace hexin::cpu {

/// Links ELF objects into an image (backends/cpu/abi/ImageCheck.h) with lld, in
/// this process. nullopt and lld's messages in `error` when it refuses. May be
/// called from several threads; lld itself runs on one at a time. Uses a private
/// folder in the system's temporary folder, which it removes.
std::optional<std::string> linkImage(llvm::ArrayRef<std::string> objects,
                                     std::string &error);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_LINKIMAGE_H
