#include "runtime/base/FileCache.h"
#include "runtime/base/Hash.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hexin {
namespace fs = std::filesystem;

namespace {

/// Head of an entry; the key follows, and from the next multiple of 64 the value.
struct EntryHead {
  std::array<char, 8> magic;
  uint64_t keyBytes;
  uint64_t valueBytes;
  uint64_t hash; // of key and value
};
constexpr std::array<char, 8> entryMagic = {'H', 'X', 'C', 'A', 'C', 'H', 'E', '2'};
constexpr uint64_t valueAlignment = 64;
/// A temporary file this old was left by a process that died.
constexpr auto abandonedAfter = std::chrono::hours(1);

class File {
public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

  bool write(const void *from, size_t bytes) {
    const auto *at = static_cast<const char *>(from);
    while (bytes > 0) {
      ssize_t n = ::write(descriptor_, at, bytes);
      if (n <= 0)
        return false;
      at += n;
      bytes -= static_cast<size_t>(n);
    }
    return true;
  }

  bool rewind() { return ::lseek(descriptor_, 0, SEEK_SET) == 0; }

private:
  int descriptor_;
};

/// Where the value begins; nullopt when the key alone is larger than any file.
std::optional<uint64_t> valueOffset(uint64_t keyBytes) {
  if (keyBytes > UINT64_MAX / 2)
    return std::nullopt;
  uint64_t end = sizeof(EntryHead) + keyBytes;
  return (end + valueAlignment - 1) / valueAlignment * valueAlignment;
}

uint64_t hashEntry(std::string_view key, std::span<const std::byte> value) {
  return hash64(value, hash64(key));
}

fs::path temporaryPath(const fs::path &folder) {
  static std::atomic<uint64_t> counter{0};
  auto ticks = std::chrono::steady_clock::now().time_since_epoch().count();
  return folder / (std::to_string(::getpid()) + "-" + std::to_string(ticks) + "-" +
                   std::to_string(counter++) + std::string(FileCache::temporarySuffix));
}

} // namespace

fs::path FileCache::pathOf(std::string_view key) const {
  char name[17];
  std::snprintf(name, sizeof name, "%016llx",
                static_cast<unsigned long long>(hash64(key)));
  return folder_ / (name + std::string(entrySuffix));
}

FileCache::Mapped::~Mapped() {
  if (!file_.empty())
    ::munmap(const_cast<std::byte *>(file_.data()), file_.size());
}

std::optional<std::vector<std::byte>> FileCache::find(std::string_view key) const {
  std::optional<Mapped> mapped = map(key);
  if (!mapped)
    return std::nullopt;
  return std::vector<std::byte>(mapped->bytes().begin(), mapped->bytes().end());
}

std::optional<FileCache::Mapped> FileCache::map(std::string_view key) const {
  if (!isEnabled())
    return std::nullopt;
  fs::path path = pathOf(key);
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  auto fileBytes = static_cast<uint64_t>(status.st_size);
  auto damaged = [&]() -> std::optional<Mapped> {
    std::error_code ignored;
    fs::remove(path, ignored);
    return std::nullopt;
  };
  EntryHead head;
  if (fileBytes < sizeof head || fileBytes > maxBytes_)
    return damaged();
  void *start =
      ::mmap(nullptr, fileBytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  if (start == MAP_FAILED)
    return std::nullopt;
  Mapped mapped({static_cast<const std::byte *>(start), fileBytes});
  std::memcpy(&head, start, sizeof head);
  std::optional<uint64_t> offset = valueOffset(head.keyBytes);
  if (head.magic != entryMagic || !offset || *offset > fileBytes ||
      head.valueBytes != fileBytes - *offset)
    return damaged();
  std::string_view storedKey(static_cast<const char *>(start) + sizeof head,
                             head.keyBytes);
  mapped.value_ = mapped.file_.subspan(*offset);
  if (storedKey != key)
    return std::nullopt; // the entry of another key with the same hash
  if (hashEntry(storedKey, mapped.value_) != head.hash)
    return damaged();
  ::futimens(file.get(), nullptr); // used now; a read-only folder just keeps its order
  return mapped;
}

void FileCache::store(std::string_view key, std::span<const std::byte> value) const {
  EntryHead head{entryMagic, key.size(), value.size(), hashEntry(key, value)};
  uint64_t offset = valueOffset(key.size()).value_or(UINT64_MAX);
  if (!isEnabled() || offset > maxBytes_ || value.size() > maxBytes_ - offset)
    return;
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  fs::path temporary = temporaryPath(folder_);
  bool isWritten = false;
  {
    File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file)
      return;
    constexpr std::array<char, valueAlignment> gap{};
    isWritten = file.write(&head, sizeof head) && file.write(key.data(), key.size()) &&
                file.write(gap.data(), offset - sizeof head - key.size()) &&
                file.write(value.data(), value.size());
  }
  if (isWritten)
    putInPlace(temporary, key, offset + value.size());
  else
    fs::remove(temporary, ignored);
}

/// Makes the temporary file, of `bytes` bytes, the entry of `key`; else removes it.
bool FileCache::putInPlace(const fs::path &temporary, std::string_view key,
                           uint64_t bytes) const {
  fs::path path = pathOf(key);
  std::error_code failed, ignored;
  fs::rename(temporary, path, failed);
  if (failed) {
    fs::remove(temporary, ignored);
    return false;
  }
  auto taken = static_cast<int64_t>(bytes);
  if (room_->fetch_sub(taken) < taken)
    evict(path);
  return true;
}

std::optional<FileCache::Mapped>
FileCache::make(std::string_view key, uint64_t valueBytes,
                const std::function<bool(const Append &)> &fill) const {
  uint64_t offset = valueOffset(key.size()).value_or(UINT64_MAX);
  if (!isEnabled() || offset > maxBytes_ || valueBytes > maxBytes_ - offset)
    return std::nullopt;
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  fs::path temporary = temporaryPath(folder_);
  File file(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file)
    return std::nullopt;
  // Head and key come last, when the hash is known: zeros stand for them.
  const std::vector<std::byte> front(offset);
  Hasher hasher(hash64(key));
  uint64_t missing = valueBytes;
  auto append = [&](std::span<const std::byte> piece) {
    if (piece.size() > missing || !file.write(piece.data(), piece.size()))
      return false;
    hasher.update(piece); // while it is in the processor's cache
    missing -= piece.size();
    return true;
  };
  uint64_t fileBytes = offset + valueBytes;
  void *start = MAP_FAILED;
  if (file.write(front.data(), offset) && fill(append) && missing == 0 && file.rewind()) {
    EntryHead head{entryMagic, key.size(), valueBytes, hasher.digest()};
    if (file.write(&head, sizeof head) && file.write(key.data(), key.size()))
      start = ::mmap(nullptr, fileBytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
                     file.get(), 0);
  }
  if (start == MAP_FAILED) {
    fs::remove(temporary, ignored);
    return std::nullopt;
  }
  Mapped mapped({static_cast<const std::byte *>(start), fileBytes});
  mapped.value_ = mapped.file_.subspan(offset);
  putInPlace(temporary, key, fileBytes); // the mapping stays good where that fails
  return mapped;
}

void FileCache::remove(std::string_view key) const {
  std::error_code ignored;
  if (isEnabled())
    fs::remove(pathOf(key), ignored);
}

void FileCache::evict(const fs::path &keep) const {
  struct Entry {
    fs::path path;
    fs::file_time_type lastUse;
    uint64_t bytes;
  };
  std::vector<Entry> entries;
  uint64_t totalBytes = 0;
  std::error_code failed;
  for (fs::directory_iterator at(folder_, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code gone; // another process may evict at the same time
    fs::file_time_type lastUse = at->last_write_time(gone);
    uint64_t bytes = gone ? 0 : at->file_size(gone);
    if (gone)
      continue;
    if (at->path().extension() == temporarySuffix &&
        lastUse + abandonedAfter < fs::file_time_type::clock::now())
      fs::remove(at->path(), gone);
    if (at->path().extension() != entrySuffix)
      continue;
    totalBytes += bytes;
    if (at->path() != keep)
      entries.push_back({at->path(), lastUse, bytes});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.lastUse < b.lastUse; });
  // Below the bound, so that the next stores need not look again.
  uint64_t keptBytes = totalBytes > maxBytes_ ? maxBytes_ - maxBytes_ / 8 : totalBytes;
  for (const Entry &entry : entries) {
    if (totalBytes <= keptBytes)
      break;
    std::error_code gone;
    fs::remove(entry.path, gone);
    totalBytes -= entry.bytes;
  }
  room_->store(static_cast<int64_t>(maxBytes_) - static_cast<int64_t>(totalBytes));
}

} // namespace hexin
