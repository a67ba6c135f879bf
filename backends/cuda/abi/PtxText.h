//===- PtxText.h - what both halves know of PTX images ------------------------------===//
//
// An image is PTX text: a head (.version, .target, .address_size) and one .entry per
// kernel, named as the kernel is. Arguments: runtime/device/KernelAbi.h. An entry's
// loop over items strides over the grid, so that any number of blocks runs all items.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_ABI_PTXTEXT_H
#define HEXIN_BACKENDS_CUDA_ABI_PTXTEXT_H

#include <string_view>

namespace hexin::cuda {

/// The arch string of images is this and what stands behind .target ("ptx-sm_80"). Text
/// for one arch runs on every later one: drivers compile it for their device.
inline constexpr std::string_view ptxArchPrefix = "ptx-";
inline constexpr std::string_view ptxBaselineArch = "ptx-sm_80";

/// Threads of a block that runs items one per thread (.maxntid): at most. A block of a
/// team kernel has exactly the team's threads (.reqntid).
inline constexpr int maxItemThreads = 256;
inline constexpr int maxTeamThreads = 1024;

inline constexpr int warpThreads = 32;

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_ABI_PTXTEXT_H
