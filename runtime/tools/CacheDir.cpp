#include "runtime/tools/CacheDir.h"

#include "runtime/base/CacheDir.h"
#include "runtime/base/FileCache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace hexin::cli {
namespace {

namespace fs = std::filesystem;

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

/// True when `inner` is `outer` or lies below it.
bool isInside(const fs::path &inner, const fs::path &outer) {
  auto [innerEnd, outerEnd] =
      std::mismatch(inner.begin(), inner.end(), outer.begin(), outer.end());
  return outerEnd == outer.end();
}

Status checkRemovable(const fs::path &path) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(path, error);
  if (error)
    return ioError("cannot resolve the cache directory '" + path.string() +
                   "': " + error.message());
  std::string home = environment("HOME");
  fs::path realHome = home.empty() ? fs::path() : fs::weakly_canonical(home, error);
  if (real == real.root_path() || (!realHome.empty() && isInside(realHome, real)))
    return failedPrecondition("'" + real.string() +
                              "' is not only a cache; set HEXIN_CACHE_DIR to a directory "
                              "of its own");
  return Status::success();
}

bool isPlain(const fs::directory_entry &entry, fs::file_type type) {
  std::error_code gone;
  return entry.symlink_status(gone).type() == type;
}

bool isCache(const fs::directory_entry &entry) {
  const auto &names = cache_folder::all;
  return isPlain(entry, fs::file_type::directory) &&
         std::find(names.begin(), names.end(), entry.path().filename()) != names.end();
}

/// One cache; what is not its own is added to `left`.
Status clearOne(const fs::path &folder, std::vector<std::string> &left) {
  std::error_code error;
  fs::directory_iterator entries(folder, error), end;
  for (; !error && entries != end; entries.increment(error)) {
    if (!isPlain(*entries, fs::file_type::regular) ||
        !FileCache::isOwnName(entries->path().filename().string())) {
      left.push_back(entries->path().string());
      continue;
    }
    std::error_code failure;
    fs::remove(entries->path(), failure);
    if (failure)
      return ioError("cannot remove '" + entries->path().string() +
                     "': " + failure.message());
  }
  if (error)
    return ioError("cannot read the cache '" + folder.string() + "': " + error.message());
  std::error_code notEmpty;
  fs::remove(folder, notEmpty);
  return Status::success();
}

} // namespace

Result<CacheDirectory> findCacheDirectory() {
  if (std::string own = environment("HEXIN_CACHE_DIR"); !own.empty()) {
    if (own == "none")
      return failedPrecondition("caching is switched off by HEXIN_CACHE_DIR=none");
    return CacheDirectory{own, "HEXIN_CACHE_DIR"};
  }
  if (std::string xdg = environment("XDG_CACHE_HOME"); !xdg.empty())
    return CacheDirectory{xdg + "/hexin", "XDG_CACHE_HOME"};
  if (std::string home = environment("HOME"); !home.empty())
    return CacheDirectory{home + "/.cache/hexin", "HOME"};
  return failedPrecondition("there is no cache directory: none of HEXIN_CACHE_DIR, "
                            "XDG_CACHE_HOME and HOME is set");
}

Result<std::vector<CacheUsage>> measureCache(const std::string &path) {
  std::map<std::string, CacheUsage> usages;
  std::error_code error;
  if (!fs::exists(path, error))
    return std::vector<CacheUsage>();
  fs::recursive_directory_iterator entries(path, error), end;
  for (; !error && entries != end; entries.increment(error)) {
    // A file may vanish meanwhile: another process cleans up too.
    std::error_code gone;
    if (entries->is_symlink(gone) || !entries->is_regular_file(gone))
      continue;
    fs::path relative = entries->path().lexically_relative(path);
    std::string name = relative.has_parent_path() ? relative.begin()->string() : ".";
    uint64_t bytes = entries->file_size(gone);
    CacheUsage &usage = usages[name];
    usage.name = name;
    usage.files += 1;
    usage.bytes += gone ? 0 : bytes;
  }
  if (error)
    return ioError("cannot read the cache '" + path + "': " + error.message());
  std::vector<CacheUsage> list;
  for (const auto &[name, usage] : usages)
    list.push_back(usage);
  return list;
}

Result<std::vector<std::string>> clearCache(const std::string &path) {
  std::vector<std::string> left;
  std::error_code error;
  if (!fs::exists(path, error))
    return left;
  HEXIN_RETURN_IF_ERROR(checkRemovable(path));
  fs::directory_iterator entries(path, error), end;
  for (; !error && entries != end; entries.increment(error)) {
    if (isCache(*entries))
      HEXIN_RETURN_IF_ERROR(clearOne(entries->path(), left));
    else
      left.push_back(entries->path().string());
  }
  if (error)
    return ioError("cannot read the cache '" + path + "': " + error.message());
  std::sort(left.begin(), left.end());
  return left;
}

} // namespace hexin::cli
