//===- PtxArchs.h - the archs that PTX images may be written for --------------------===//
#ifndef HEXIN_BACKENDS_CUDA_ABI_PTXARCHS_H
#define HEXIN_BACKENDS_CUDA_ABI_PTXARCHS_H

#include "backends/cuda/abi/PtxText.h"

#include <string_view>

namespace hexin::cuda {

/// Numbers of a driver's CUDA version: 12.4 is 12040.
inline constexpr int oldestCudaVersion = 12000;

/// An arch that images may be for. Devices run those that are not above their own
/// compute capability, when the driver reads the version of PTX they are written in.
struct PtxArch {
  std::string_view name;
  int capability;  ///< oldest: 80 is 8.0
  int cudaVersion; ///< of the oldest driver that reads such text
};

/// Best first.
inline constexpr PtxArch ptxArchs[] = {
    {"ptx-sm_120", 120, 12080},               // PTX 8.7
    {"ptx-sm_90", 90, oldestCudaVersion},     // PTX 8.0
    {ptxBaselineArch, 80, oldestCudaVersion}, // PTX 8.0
};

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_ABI_PTXARCHS_H
