//===- CacheDir.h - where Hexin's caches lie on disk --------------------------===//
//
// One directory holds every cache of the user: device programs built from
// source, compiled kernels, libraries' packed weights. Each cache has a
// subdirectory of its own. Everything in there can be made again.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_CACHEDIR_H
#define HEXIN_RUNTIME_TOOLS_CACHEDIR_H

#include "hexin/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hexin::cli {

struct CacheDirectory {
  std::string path;
  std::string origin; ///< the environment variable or rule that it comes from
};

/// HEXIN_CACHE_DIR, else XDG_CACHE_HOME/hexin, else HOME/.cache/hexin.
/// failedPrecondition when none is set, or when caching is switched off
/// (HEXIN_CACHE_DIR=none).
Result<CacheDirectory> findCacheDirectory();

struct CacheUsage {
  std::string name; ///< subdirectory, "." for files beside them
  uint64_t files = 0;
  uint64_t bytes = 0;
};

/// What lies in the directory; nothing when it does not exist.
Result<std::vector<CacheUsage>> measureCache(const std::string &path);

/// Removes the files below `path` and then the empty directories; links are
/// removed, never followed. Refuses "/" and anything that holds the user's home.
/// Files that a running process has mapped stay usable for it.
Status clearCache(const std::string &path);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_CACHEDIR_H
