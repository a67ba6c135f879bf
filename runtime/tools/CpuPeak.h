//===- CpuPeak.h - what this CPU can do at most -----------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_CPUPEAK_H
#define HEXIN_RUNTIME_TOOLS_CPUPEAK_H

#include "hexin/status.h"

#include <string>

namespace hexin::cli {

/// Limits of a device.
struct Peak {
  std::string isa;      ///< the instructions that were used: "avx512", "avx2"
  double flops = 0;     ///< f32 operations in a second, two for a multiply-add
  double readBytes = 0; ///< read from memory in a second
};

/// Measured: multiply-adds from registers and bytes from beyond the caches, by `threads`
/// threads of their own that are not pinned. Takes a quarter of a second and 128 MiB a
/// thread. The best of several short runs: a peak is what nothing disturbed.
///   invalidArgument  no threads, or more than 1024
///   unsupported      no AVX2 with FMA
Result<Peak> measureCpuPeak(unsigned threads);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_CPUPEAK_H
