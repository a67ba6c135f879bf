//===- HostTable.h - what libhexin_reference gives libhexin -------------------===//
//
// The kernels of the host (runtime/host, runtime/reference) are a library beside
// libhexin, which loads it by one symbol when a program has an instruction for the host.
// Both come from one build: the table holds C++ functions, and `build` must be equal.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_HOST_HOSTTABLE_H
#define HEXIN_RUNTIME_HOST_HOSTTABLE_H

#include "runtime/host/HostKernels.h"
#include "runtime/reference/Reference.h"

namespace hexin::host {

struct HostTable {
  const char *build; ///< HEXIN_BUILD_ID of the library
  decltype(&host::isHostOp) isHostOp;
  decltype(&host::run) run;
  decltype(&reference::run) runReference;
};

inline constexpr const char *referenceLibrary = "libhexin_reference.so";
inline constexpr const char *tableSymbol = "hexin_reference_table";
using TableFn = const HostTable *(*)();

} // namespace hexin::host

#endif // HEXIN_RUNTIME_HOST_HOSTTABLE_H
