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

/// Removes the entries of Hexin's caches (cache_folder::all) in `path`, then their
/// folders if that empties them, and gives the paths of what else lies there: it is
/// left alone, links are neither removed nor followed. Refuses "/" and anything that
/// holds the user's home. Entries that a running process has mapped stay usable for it.
Result<std::vector<std::string>> clearCache(const std::string &path);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_CACHEDIR_H
