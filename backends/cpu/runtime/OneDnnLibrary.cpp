#include "backends/cpu/runtime/OneDnnLibrary.h"

#include <dlfcn.h>

namespace hexin::cpu {
namespace {

constexpr const char *fileName = "libhexin_onednn.so";

std::string pathBesideThisLibrary() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&loadOneDnn), &info) || !info.dli_fname)
    return fileName;
  std::string path = info.dli_fname;
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? fileName : path.substr(0, slash + 1) + fileName;
}

Result<const hexin_onednn_api *> load() {
  std::string path = pathBesideThisLibrary();
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return unavailable(std::string("the plan has a oneDNN command, and ") + path +
                       " cannot be loaded (" + (reason ? reason : "no reason given") +
                       "): install oneDNN 3, or compile the model without it");
  }
  auto query =
      reinterpret_cast<hexin_onednn_query_fn>(dlsym(library, "hexin_onednn_query"));
  const hexin_onednn_api *api = query ? query(HEXIN_ONEDNN_SHIM_VERSION) : nullptr;
  if (!api || api->struct_size < sizeof(hexin_onednn_api))
    return versionMismatch(path +
                           " does not fit this libhexin_backend_cpu.so: both must come "
                           "from one build");
  return api;
}

} // namespace

Result<const hexin_onednn_api *> loadOneDnn() {
  static const Result<const hexin_onednn_api *> api = load();
  return api;
}

} // namespace hexin::cpu
