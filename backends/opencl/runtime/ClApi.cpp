#include "backends/opencl/runtime/ClApi.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace hexin::opencl {

static Result<ClApi> load() {
  const char *chosen = std::getenv("HEXIN_OPENCL_LIBRARY");
  std::string path = chosen && *chosen ? chosen : "libOpenCL.so.1";
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return unavailable(
        "no OpenCL loader: cannot open '" + path + "' (" +
        (reason ? reason : "unknown reason") +
        "); install an OpenCL ICD loader and a driver, or set HEXIN_OPENCL_LIBRARY "
        "to the loader's path");
  }
  ClApi api;
  const char *missing = nullptr;
#define HEXIN_CL_LOOKUP(name)                                                            \
  api.name = reinterpret_cast<decltype(api.name)>(dlsym(library, #name));                \
  if (!api.name)                                                                         \
    missing = #name;
  HEXIN_CL_FUNCTIONS(HEXIN_CL_LOOKUP)
#undef HEXIN_CL_LOOKUP
  if (missing) {
    dlclose(library);
    return unavailable("'" + path + "' is no OpenCL 1.2 loader: it lacks " + missing);
  }
  return api;
}

const Result<ClApi> &ClApi::get() {
  static const Result<ClApi> api = load();
  return api;
}

} // namespace hexin::opencl
