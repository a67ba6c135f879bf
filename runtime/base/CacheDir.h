//===- CacheDir.h - where files that can be made again are kept ---------------------===//
#ifndef HEXIN_RUNTIME_BASE_CACHEDIR_H
#define HEXIN_RUNTIME_BASE_CACHEDIR_H

#include <array>
#include <string>

namespace hexin {

/// The caches: each is a FileCache in the subfolder of its name. Whoever clears the
/// cache folder touches nothing beside these.
namespace cache_folder {
inline constexpr const char *kernels = "kernels"; ///< the compiler's
inline constexpr const char *opencl = "opencl";   ///< device programs built from source
inline constexpr const char *onednn = "onednn";   ///< weights as the library packs them
inline constexpr const char *weights = "weights"; ///< weights in a kernel's own form
inline constexpr std::array all = {kernels, opencl, onednn, weights};
} // namespace cache_folder

/// The folder for SessionOptions::cacheDir: "none" gives "" (off), "" gives
/// $HEXIN_CACHE_DIR (which may also say "none"), else $XDG_CACHE_HOME/hexin, else
/// ~/.cache/hexin, else "". It need not exist.
std::string resolveCacheDir(const std::string &asked);

/// Makes `folder`; a warning, once per folder and process, when that fails or nothing
/// can be written there: caches then hold nothing, and everything is made anew each
/// time. Thread-safe; "" is fine.
void warnUnlessUsable(const std::string &folder);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_CACHEDIR_H
