//===- ProcAddress.cpp - functions by the names of the headers -----------------------===//
//
// cuGetProcAddress takes a name without its suffix and the CUDA version the caller was
// built for, and gives the newest function of that name which both know.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/driver/Call.h"

#include <cstring>

using namespace standin;

namespace {

struct Exported {
  const char *name;
  int since;
  void *function;
};

const Exported exported[] = {
#define STANDIN_FUNCTION(name, since, parameters)                                        \
  {#name, since, reinterpret_cast<void *>(&name)},
#include "tests/cuda_driver/driver/Functions.def"
#undef STANDIN_FUNCTION
};

/// The number of a "_vN" that follows `symbol` in `name`; 1: none; 0: another name.
int suffixOf(std::string_view name, std::string_view symbol) {
  if (!name.starts_with(symbol))
    return 0;
  name.remove_prefix(symbol.size());
  if (name.empty())
    return 1;
  return name.size() == 3 && name.starts_with("_v") ? name[2] - '0' : 0;
}

/// How cuda.h and cuGetProcAddress call a function whose name differs.
std::string_view exportedStem(std::string_view symbol) {
  return symbol == "cuGraphInstantiate" ? "cuGraphInstantiateWithFlags" : symbol;
}

} // namespace

namespace standin {

CUresult cuGetProcAddress_v2(const char *symbol, void **function, int cudaVersion,
                             cuuint64_t flags, CUdriverProcAddressQueryResult *status) {
  Call call("cuGetProcAddress", Needs::nothing);
  if (call.isRefused())
    return call.result();
  if (!symbol || !function || flags > 2)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no name, no room, or unknown flags");
  *function = nullptr;
  int newest = std::min(cudaVersion, call.driver.config.driverVersion);
  int best = 0;
  bool isKnown = false;
  for (const Exported &candidate : exported) {
    int suffix = suffixOf(candidate.name, exportedStem(symbol));
    isKnown |= suffix > 0;
    if (suffix > best && candidate.since <= newest) {
      best = suffix;
      *function = candidate.function;
    }
  }
  if (status)
    *status = best      ? CU_GET_PROC_ADDRESS_SUCCESS
              : isKnown ? CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT
                        : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  return best ? CUDA_SUCCESS
              : call.fail(CUDA_ERROR_NOT_FOUND, "no function '" + std::string(symbol) +
                                                    "' up to version " +
                                                    std::to_string(newest));
}

CUresult cuGetProcAddress(const char *symbol, void **function, int cudaVersion,
                          cuuint64_t flags) {
  return cuGetProcAddress_v2(symbol, function, cudaVersion, flags, nullptr);
}

} // namespace standin
