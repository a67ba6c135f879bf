#include "backends/cuda/runtime/CublasLt.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace hexin::cuda {

static Result<CublasLt> tableOf(void *library, const std::string &path) {
  CublasLt table;
  const char *missing = nullptr;
#define HEXIN_CUBLASLT_LOOKUP(name, parameters)                                          \
  table.name = reinterpret_cast<decltype(table.name)>(dlsym(library, #name));            \
  if (!table.name && !missing)                                                           \
    missing = #name;
  HEXIN_CUBLASLT_FUNCTIONS(HEXIN_CUBLASLT_LOOKUP)
#undef HEXIN_CUBLASLT_LOOKUP
  if (!missing)
    return table;
  dlclose(library);
  return unavailable("cublaslt: '" + path + "' lacks " + missing +
                     "; cuBLASLt of CUDA 12 or 13 is needed");
}

static Result<CublasLt> load() {
  const char *chosen = std::getenv("HEXIN_CUBLASLT_LIBRARY");
  std::vector<std::string> paths = {"libcublasLt.so.13", "libcublasLt.so.12"};
  if (chosen && *chosen)
    paths = {chosen};
  std::string reason;
  for (const std::string &path : paths) {
    if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
      return tableOf(library, path);
    const char *why = dlerror();
    reason += (reason.empty() ? "" : "; ") + (why ? why : "cannot open '" + path + "'");
  }
  return unavailable("cublaslt: there is no such library (" + reason +
                     "); install it, or set HEXIN_CUBLASLT_LIBRARY to its path");
}

const Result<CublasLt> &CublasLt::get() {
  static const Result<CublasLt> table = load();
  return table;
}

Status ltStatus(LtStatus code, std::string_view what) {
  auto named = [&](const char *name) {
    return std::string(what) + ": " + name + " (" + std::to_string(code) + ")";
  };
  switch (code) {
  case 0:
    return Status::success();
  case 1:
    return unavailable(named("CUBLAS_STATUS_NOT_INITIALIZED"));
  case 3:
    return resourceExhausted(named("CUBLAS_STATUS_ALLOC_FAILED"));
  case 7:
    return internalError(named("CUBLAS_STATUS_INVALID_VALUE"));
  case 8:
    return unsupported(named("CUBLAS_STATUS_ARCH_MISMATCH"));
  case 13:
    return internalError(named("CUBLAS_STATUS_EXECUTION_FAILED"));
  case 14:
    return internalError(named("CUBLAS_STATUS_INTERNAL_ERROR"));
  case 15:
    return unsupported(named("CUBLAS_STATUS_NOT_SUPPORTED"));
  default:
    return internalError(named("cuBLAS error"));
  }
}

} // namespace hexin::cuda
