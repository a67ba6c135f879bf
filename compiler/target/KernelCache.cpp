#include "compiler/target/KernelCache.h"

#include "runtime/base/CacheDir.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

#include <list>
#include <mutex>
#include <span>
#include <unordered_map>

namespace hexin {
namespace {

/// Entries in the order of their last use, up to a bound.
class MemoryCache {
public:
  static MemoryCache &get() {
    static MemoryCache cache;
    return cache;
  }

  std::optional<std::string> find(const std::string &key) {
    std::lock_guard lock(mutex);
    auto it = byKey.find(key);
    if (it == byKey.end())
      return std::nullopt;
    entries.splice(entries.begin(), entries, it->second);
    return it->second->code;
  }

  void store(const std::string &key, llvm::StringRef code) {
    std::lock_guard lock(mutex);
    if (code.size() > maxBytes || byKey.count(key))
      return;
    entries.push_front({key, code.str()});
    byKey[key] = entries.begin();
    bytes += code.size();
    for (; bytes > maxBytes; entries.pop_back()) {
      bytes -= entries.back().code.size();
      byKey.erase(entries.back().key);
    }
  }

private:
  static constexpr uint64_t maxBytes = uint64_t(64) << 20;
  struct Entry {
    std::string key, code;
  };
  std::mutex mutex;
  std::list<Entry> entries;
  std::unordered_map<std::string, std::list<Entry>::iterator> byKey;
  uint64_t bytes = 0;
};

} // namespace

KernelCache KernelCache::open(const std::filesystem::path &cacheFolder) {
  bool onDisk = !cacheFolder.empty() && !codeVersion().empty();
  return KernelCache(onDisk ? cacheFolder / cache_folder::kernels
                            : std::filesystem::path());
}

std::string KernelCache::key(llvm::ArrayRef<llvm::StringRef> parts) {
  llvm::SHA256 hash;
  auto add = [&](llvm::StringRef part) {
    hash.update(std::to_string(part.size()) + ":");
    hash.update(part);
  };
  add(codeVersion());
  for (llvm::StringRef part : parts)
    add(part);
  return "hexin kernel 1\n" + llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::optional<std::string> KernelCache::find(const std::string &key) const {
  if (std::optional<std::string> code = MemoryCache::get().find(key))
    return code;
  std::optional<std::vector<std::byte>> bytes = files.find(key);
  if (!bytes)
    return std::nullopt;
  std::string code(reinterpret_cast<const char *>(bytes->data()), bytes->size());
  MemoryCache::get().store(key, code);
  return code;
}

void KernelCache::store(const std::string &key, llvm::StringRef code) const {
  MemoryCache::get().store(key, code);
  files.store(key, std::as_bytes(std::span(code.data(), code.size())));
}

} // namespace hexin
