//===- Launch.h - runs a grid ------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_LAUNCH_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_LAUNCH_H

#include "tests/cuda_driver/ptx/Module.h"
#include "tests/cuda_driver/simt/DeviceMemory.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace standin {

/// What the stand-in is told to get wrong, so that tests show they would notice.
struct Sabotage {
  bool dropsBarriers = false, breaksShuffles = false, breaksFma = false,
       dropsAsyncCopies = false;
};

/// Sums over launches. Sectors are 32 bytes; wavefronts are passes over shared memory.
struct Counters {
  uint64_t launches = 0, warpInstructions = 0, threadInstructions = 0;
  uint64_t globalSectors = 0, idealGlobalSectors = 0;
  uint64_t sharedWavefronts = 0, idealSharedWavefronts = 0;
  uint64_t fma = 0, mma = 0; ///< warp instructions
};

struct Launch {
  const Module *module = nullptr;
  const Entry *entry = nullptr;
  const std::map<std::string, DeviceAddress> *globals = nullptr; ///< the module's, placed
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
  std::vector<std::byte> params; ///< entry->paramBytes
  int target = 80;               ///< compute capability of the device
  uint32_t multiprocessors = 1;
  uint64_t seed = 0; ///< order of blocks and warps; 0: as they are numbered
  Sabotage sabotage;
};

/// Why a grid died: a CUresult of cuda.h, and what happened where (kernel, PTX line,
/// block, warp, lane, address).
struct Fault {
  int code = 0;
  std::string message;
};

/// Runs all blocks to their end, or to the first fault. Adds to `counters`.
std::optional<Fault> run(const Launch &launch, DeviceMemory &memory, Counters &counters);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_LAUNCH_H
