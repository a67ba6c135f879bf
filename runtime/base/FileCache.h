//===- FileCache.h - bytes that can be made again, kept on disk -------------===//
//
// Maps a key (any text: it is kept and compared whole, so two keys never share
// an entry) to bytes. One file per entry, written to a temporary name and
// renamed, so that readers and other writers, in this or other processes, see
// whole entries only. A damaged entry is removed and not found; a folder that
// cannot be read or written is a cache that holds nothing: no call here fails.
//
// When the entries together exceed the bound, the least recently used go, down
// to seven eighths of it. A process looks at the folder at its first store and
// then whenever what it wrote since may exceed the bound: what other processes
// write meanwhile counts at the next look.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_FILECACHE_H
#define HEXIN_RUNTIME_BASE_FILECACHE_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace hexin {

/// Thread-safe. Copies are the same cache.
class FileCache {
public:
  static constexpr std::string_view entrySuffix = ".entry";
  static constexpr std::string_view temporarySuffix = ".tmp";

  /// What an entry holds, mapped from its file: shared between processes, and valid
  /// while this lives, whatever becomes of the entry.
  class Mapped {
  public:
    Mapped(Mapped &&other) noexcept
        : file_(std::exchange(other.file_, {})), value_(other.value_) {}
    Mapped &operator=(Mapped &&other) noexcept {
      std::swap(file_, other.file_);
      std::swap(value_, other.value_);
      return *this;
    }
    ~Mapped();

    /// Aligned to 64 bytes.
    std::span<const std::byte> bytes() const { return value_; }

  private:
    friend class FileCache;
    explicit Mapped(std::span<const std::byte> file) : file_(file) {}

    std::span<const std::byte> file_;
    std::span<const std::byte> value_;
  };

  /// An empty `folder` switches the cache off. The folder holds nothing but this
  /// cache and is made when something is stored.
  explicit FileCache(std::filesystem::path folder, uint64_t maxBytes = uint64_t(256)
                                                                       << 20)
      : folder_(std::move(folder)), maxBytes_(maxBytes) {}

  bool isEnabled() const { return !folder_.empty(); }
  std::optional<std::vector<std::byte>> find(std::string_view key) const;
  /// The same without a copy, for large values.
  std::optional<Mapped> map(std::string_view key) const;
  /// Does nothing with a value that is larger than the bound.
  void store(std::string_view key, std::span<const std::byte> value) const;
  /// Takes the next bytes of a value; false where the disk is full or they are too many.
  using Append = std::function<bool(std::span<const std::byte>)>;
  /// Writes a large value into its entry's file piece by piece and gives it mapped, so
  /// that it is never in memory as a whole: `fill` appends `valueBytes` bytes, best
  /// some 100 KB each time, and says whether they are to be kept. Nullopt, and nothing
  /// kept, where it says no, the disk is full, or the cache is off or smaller.
  std::optional<Mapped> make(std::string_view key, uint64_t valueBytes,
                             const std::function<bool(const Append &)> &fill) const;
  /// Forgets an entry whose bytes turned out useless.
  void remove(std::string_view key) const;

  /// Whether a file of this name, in the folder of a cache, is a cache's own: an
  /// entry or one that was being written.
  static bool isOwnName(std::string_view fileName) {
    auto isMadeOf = [](std::string_view text, std::string_view characters) {
      return !text.empty() &&
             text.find_first_not_of(characters) == std::string_view::npos;
    };
    std::string_view stem = fileName.substr(0, fileName.rfind('.'));
    if (fileName.ends_with(entrySuffix))
      return stem.size() == 16 && isMadeOf(stem, "0123456789abcdef");
    return fileName.ends_with(temporarySuffix) && isMadeOf(stem, "0123456789-");
  }

  /// Where the entry of `key` lies.
  std::filesystem::path pathOf(std::string_view key) const;

private:
  bool putInPlace(const std::filesystem::path &temporary, std::string_view key,
                  uint64_t bytes) const;
  void evict(const std::filesystem::path &keep) const;

  std::filesystem::path folder_;
  uint64_t maxBytes_;
  /// Bytes that may be stored before the folder is looked at again.
  std::shared_ptr<std::atomic<int64_t>> room_ = std::make_shared<std::atomic<int64_t>>(0);
};

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_FILECACHE_H
