//===- KernelCheck.h - a launch as it was asked for, checked --------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_KERNELCHECK_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_KERNELCHECK_H

#include "tests/cuda_driver/driver/Call.h"

namespace standin {

struct LaunchRequest {
  CUfunction function = nullptr;
  std::array<uint32_t, 3> grid{}, block{};
  uint32_t sharedBytes = 0;
  void **params = nullptr; ///< a pointer to each value, or null ...
  void **extra = nullptr;  ///< ... for one buffer with all of them
  bool isCooperative = false;
};

/// Checks a launch against the device's and the kernel's limits, and takes the values
/// of its parameters. False: refused.
bool makeKernelAction(Call &call, const LaunchRequest &request, KernelAction &out);

/// The blocks of `function` that one multiprocessor holds at once.
int residentBlocks(const Function &function, int blockThreads, size_t dynamicShared);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_KERNELCHECK_H
