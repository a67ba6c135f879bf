#include "runtime/base/CacheDir.h"

#include <cstdlib>

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

} // namespace hexin
