#include "runtime/device/Library.h"

#include "runtime/base/Log.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string_view>
#include <unistd.h>

namespace hexin {
namespace {

void appendFolders(std::string_view list, std::vector<std::string> &folders) {
  while (!list.empty()) {
    size_t end = std::min(list.find(':'), list.size());
    if (end > 0)
      folders.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

std::string ownFolder() {
  Dl_info info;
  if (!::dladdr(reinterpret_cast<void *>(&ownFolder), &info) || !info.dli_fname)
    return {};
  char *resolved = ::realpath(info.dli_fname, nullptr);
  if (!resolved)
    return {};
  std::string path(resolved);
  std::free(resolved);
  return path.substr(0, path.rfind('/'));
}

} // namespace

std::vector<std::string> libraryFolders(const char *variable) {
  std::vector<std::string> folders;
  if (const char *list = std::getenv(variable))
    appendFolders(list, folders);
  if (std::string own = ownFolder(); !own.empty()) {
    folders.push_back(own);
    folders.push_back(own + "/../lib");
  }
  return folders;
}

Result<void *> loadSymbol(const std::vector<std::string> &folders,
                          const std::string &fileName, const char *symbol) {
  std::string lookedIn;
  for (const std::string &folder : folders) {
    std::string path = folder + "/" + fileName;
    if (::access(path.c_str(), F_OK) != 0) {
      lookedIn += (lookedIn.empty() ? "" : ", ") + folder;
      continue;
    }
    void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
      return unavailable(std::string("cannot load it: ") + ::dlerror());
    void *address = ::dlsym(library, symbol);
    if (!address)
      return versionMismatch("'" + path + "' does not export " + symbol);
    log(LogLevel::info, "loaded '" + path + "'");
    return address;
  }
  return notFound(fileName + " is in none of: " + lookedIn);
}

} // namespace hexin
