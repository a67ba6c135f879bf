//===- FileCache.h - bytes that can be made again, on disk ---------------------===//
//
// Maps a key (any text: it is kept and compared whole, so two keys never share
// an entry) to bytes. One file per entry, written to a temporary name and
// renamed, so that readers and other writers, in this or other processes, see
// whole entries only. A damaged entry is removed and not found; a folder that
// cannot be read or written is a cache that holds nothing: no call here fails.
// When the entries together exceed the bound, the least recently used go.
//
// Each user has a subfolder of the user's cache directory: opencl, onednn.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_FILECACHE_H
#define HEXIN_RUNTIME_BASE_FILECACHE_H

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace hexin {

/// Thread-safe (it has no state but the folder).
class FileCache {
public:
  /// What an entry holds, mapped from its file: shared between processes, and valid
  /// while this lives, whatever becomes of the entry.
  class Entry {
  public:
    Entry(Entry &&other) noexcept
        : file_(std::exchange(other.file_, {})), value_(other.value_) {}
    Entry &operator=(Entry &&other) noexcept {
      std::swap(file_, other.file_);
      std::swap(value_, other.value_);
      return *this;
    }
    ~Entry();

    /// Aligned to 64 bytes.
    std::span<const std::byte> bytes() const { return value_; }

  private:
    friend class FileCache;
    explicit Entry(std::span<const std::byte> file) : file_(file) {}

    std::span<const std::byte> file_;
    std::span<const std::byte> value_;
  };

  /// An empty `folder` switches the cache off.
  explicit FileCache(std::filesystem::path folder, uint64_t maxBytes = uint64_t(256)
                                                                       << 20)
      : folder_(std::move(folder)), maxBytes_(maxBytes) {}

  bool isEnabled() const { return !folder_.empty(); }
  std::optional<Entry> find(std::string_view key) const;
  /// Does nothing with a value that is larger than the bound.
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

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_FILECACHE_H
