//===- CacheDir.h - where files that can be made again are kept ---------------------===//
#ifndef HEXIN_RUNTIME_BASE_CACHEDIR_H
#define HEXIN_RUNTIME_BASE_CACHEDIR_H

#include <string>

namespace hexin {

/// The folder for SessionOptions::cacheDir: "none" gives "" (off), "" gives
/// $HEXIN_CACHE_DIR (which may also say "none"), else $XDG_CACHE_HOME/hexin, else
/// ~/.cache/hexin, else "". It need not exist.
std::string resolveCacheDir(const std::string &asked);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_CACHEDIR_H
