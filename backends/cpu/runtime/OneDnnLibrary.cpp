#include "backends/cpu/runtime/OneDnnLibrary.h"

#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>
#include <vector>

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

/// While it lives, gcc's OpenMP library that is loaded and starts up finds a bound on
/// how long its threads spin: as long as ours (ThreadPool.cpp), not 3 ms at every
/// barrier, which takes the cores from everybody else (and, on a busy machine, from
/// ourselves: 5 times slower). There is no call for it, only a variable. Does nothing
/// when the user has a say in it. setenv could free what getenv reads on another
/// thread; both lists here stay valid.
class BoundedSpinning {
public:
  BoundedSpinning() : before(environ) {
    if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT") || !before)
      return;
    static char entry[] = "GOMP_SPINCOUNT=1000";
    static std::vector<char *> extended; // read after this ends, perhaps
    extended.assign(1, entry);
    for (char **variable = before; *variable; ++variable)
      extended.push_back(*variable);
    extended.push_back(nullptr);
    environ = during = extended.data();
  }
  ~BoundedSpinning() {
    if (during && environ == during) // else somebody has set a variable meanwhile
      environ = before;
  }

private:
  char **before, **during = nullptr;
};

Result<const hexin_onednn_api *> load() {
  std::string path = pathBesideThisLibrary();
  BoundedSpinning bounded;
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
