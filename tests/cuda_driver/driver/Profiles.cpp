//===- Profiles.cpp - the GPUs that the stand-in poses as ---------------------------===//
//
// Numbers of the compute capabilities from the CUDA programming guide's table; those of
// the boards (clocks, L2, bus) from their data sheets.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/driver/Profiles.h"

#include <algorithm>
#include <limits>

using namespace standin;

namespace {

constexpr int KiB = 1024, MiB = 1024 * KiB;

// clang-format off
const Profile profiles[] = {
    // arch, name, capability, multiprocessors, threads, blocks, shared, L2, clock, memory clock, bus
    {"sm_80",  "Stand-in A100",     80, 108, 2048, 32, 164 * KiB,  40 * MiB, 1410000,  1215000, 5120},
    {"sm_86",  "Stand-in RTX 3090", 86,  82, 1536, 16, 100 * KiB,   6 * MiB, 1695000,  9751000,  384},
    {"sm_89",  "Stand-in RTX 4090", 89, 128, 1536, 24, 100 * KiB,  72 * MiB, 2520000, 10501000,  384},
    {"sm_90",  "Stand-in H100",     90, 132, 2048, 32, 228 * KiB,  50 * MiB, 1980000,  2619000, 5120},
    {"sm_100", "Stand-in B200",    100, 148, 2048, 32, 228 * KiB, 126 * MiB, 1965000,  3996000, 8192},
    {"sm_120", "Stand-in RTX 5090",120, 170, 1536, 24, 100 * KiB,  96 * MiB, 2407000, 14001000,  512},
};
// clang-format on

long roundUp(long value, long unit) { return (value + unit - 1) / unit * unit; }

} // namespace

const Profile *standin::findProfile(std::string_view arch) {
  for (const Profile &profile : profiles)
    if (arch == profile.arch)
      return &profile;
  return nullptr;
}

int standin::residentBlocks(const Profile &profile, const BlockNeeds &needs) {
  constexpr long warpSize = 32, registersPerMultiprocessor = 65536, quarters = 4;
  constexpr long registerUnit = 256, sharedUnit = 128;
  long warps = roundUp(needs.threads, warpSize) / warpSize;
  if (needs.threads <= 0 || needs.threads > 1024 || needs.registersPerThread > 255)
    return 0;

  long limit = std::min<long>(profile.blocksPerMultiprocessor,
                              profile.threadsPerMultiprocessor / (warps * warpSize));
  if (needs.registersPerThread > 0) {
    // Registers are given to whole warps, from the quarter that runs the warp.
    long perWarp = roundUp(needs.registersPerThread * warpSize, registerUnit);
    long residentWarps = registersPerMultiprocessor / quarters / perWarp * quarters;
    limit = std::min(limit, residentWarps / warps);
  }
  long shared = roundUp(needs.sharedBytes + Profile::sharedReserved, sharedUnit);
  limit = std::min(limit, profile.sharedPerMultiprocessor / shared);
  return int(std::max(limit, 0L));
}
