#include "runtime/base/CacheDir.h"

#include "runtime/base/Log.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <unistd.h>

namespace hexin {
namespace {

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

} // namespace

std::string resolveCacheDir(const std::string &asked) {
  std::string folder = asked.empty() ? environment("HEXIN_CACHE_DIR") : asked;
  if (folder == "none")
    return "";
  if (!folder.empty())
    return folder;
  if (std::string xdg = environment("XDG_CACHE_HOME"); !xdg.empty())
    return xdg + "/hexin";
  if (std::string home = environment("HOME"); !home.empty())
    return home + "/.cache/hexin";
  return "";
}

void warnUnlessUsable(const std::string &folder) {
  if (folder.empty())
    return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && !std::filesystem::is_directory(folder, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0)
    error = std::error_code(errno, std::generic_category());
  if (!error)
    return;
  static std::mutex mutex;
  static auto *warned = new std::set<std::string>;
  {
    std::lock_guard lock(mutex);
    if (!warned->insert(folder).second)
      return;
  }
  log(LogLevel::warning, "the cache folder '" + folder +
                             "' cannot be written: " + error.message() +
                             "; what is built is not kept. Name another with "
                             "HEXIN_CACHE_DIR, or 'none' to switch caching off");
}

} // namespace hexin
