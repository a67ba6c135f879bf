//===- BinaryCache.h - compiled programs on disk -----------------------------===//
//
// Maps a key (any text: it is kept and compared whole, so two keys never share
// an entry) to bytes. One file per entry, written to a temporary name and
// renamed, so that readers and other writers, in this or other processes, see
// whole entries only. A damaged entry is removed and not found; a folder that
// cannot be read or written is a cache that holds nothing: no call here fails.
// When the entries together exceed the bound, the least recently used go.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_BINARYCACHE_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_BINARYCACHE_H

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hexin::opencl {

/// Thread-safe (it has no state but the folder).
class BinaryCache {
public:
  /// An empty `folder` switches the cache off.
  explicit BinaryCache(std::filesystem::path folder, uint64_t maxBytes = uint64_t(256)
                                                                         << 20)
      : folder_(std::move(folder)), maxBytes_(maxBytes) {}

  bool isEnabled() const { return !folder_.empty(); }
  std::optional<std::vector<std::byte>> find(std::string_view key) const;
  void store(std::string_view key, std::span<const std::byte> value) const;
  /// Forgets an entry whose bytes turned out useless.
  void remove(std::string_view key) const;

  /// Where the entry of `key` lies.
  std::filesystem::path pathOf(std::string_view key) const;

private:
  void evict(const std::filesystem::path &keep) const;

  std::filesystem::path folder_;
  uint64_t maxBytes_;
};

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_BINARYCACHE_H
