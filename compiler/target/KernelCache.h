//===- KernelCache.h - compiled kernels that need not be compiled again
//--------------===//
//
// Content-addressed: the key is a hash of everything the code follows from, so an
// entry is right for ever and nothing is invalidated. In memory first (shared by
// all compiles of the process, bounded), then on disk (runtime/base/FileCache.h).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_KERNELCACHE_H
#define HEXIN_COMPILER_TARGET_KERNELCACHE_H

#include "runtime/base/FileCache.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <filesystem>
#include <optional>
#include <string>

namespace hexin {

/// Thread-safe.
class KernelCache {
public:
  /// Keeps entries in `folder` too; "" keeps them in memory only.
  explicit KernelCache(const std::filesystem::path &folder) : files(folder) {}

  /// The cache of a compile: the folder "kernels" of `cacheFolder`, or memory only
  /// when that is empty or this compiler's build has no identity (codeVersion).
  static KernelCache open(const std::filesystem::path &cacheFolder);

  /// The key of what follows from `parts` (a target's name, an arch, a kernel).
  static std::string key(llvm::ArrayRef<llvm::StringRef> parts);

  std::optional<std::string> find(const std::string &key) const;
  void store(const std::string &key, llvm::StringRef code) const;

private:
  FileCache files;
};

/// Names the build of this compiler: two builds of one name write the same code.
/// "" where the linker left no build id.
std::string codeVersion();

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_KERNELCACHE_H
