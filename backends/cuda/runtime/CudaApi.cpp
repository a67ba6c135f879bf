#include "backends/cuda/runtime/CudaApi.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace hexin::cuda {

static Result<CudaApi> load() {
  const char *chosen = std::getenv("HEXIN_CUDA_LIBRARY");
  std::string path = chosen && *chosen ? chosen : "libcuda.so.1";
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return unavailable("no CUDA driver: cannot open '" + path + "' (" +
                       (reason ? reason : "unknown reason") +
                       "); install NVIDIA's driver, or set HEXIN_CUDA_LIBRARY to the "
                       "path of its libcuda.so.1");
  }
  CudaApi api;
  const char *missing = nullptr;
#define HEXIN_CUDA_LOOKUP(name, parameters)                                              \
  api.name = reinterpret_cast<decltype(api.name)>(dlsym(library, #name));
#define HEXIN_CUDA_NEED(name, parameters)                                                \
  if (!api.name && !missing)                                                             \
    missing = #name;
  HEXIN_CUDA_FUNCTIONS(HEXIN_CUDA_LOOKUP)
  HEXIN_CUDA_FUNCTIONS(HEXIN_CUDA_NEED)
  HEXIN_CUDA_OPTIONAL_FUNCTIONS(HEXIN_CUDA_LOOKUP)
#undef HEXIN_CUDA_NEED
#undef HEXIN_CUDA_LOOKUP
  if (missing) {
    dlclose(library);
    return unavailable("'" + path + "' is no CUDA driver that we can use: it lacks " +
                       missing + "; CUDA 12.0 (driver 525) or later is needed");
  }
  return api;
}

bool CudaApi::hasGraphs() const {
  return cuStreamBeginCapture_v2 && cuStreamEndCapture && cuGraphDestroy &&
         cuGraphInstantiateWithFlags && cuGraphLaunch && cuGraphExecDestroy;
}

const Result<CudaApi> &CudaApi::get() {
  static const Result<CudaApi> api = load();
  return api;
}

} // namespace hexin::cuda
