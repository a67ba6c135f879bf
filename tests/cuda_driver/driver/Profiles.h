//===- Profiles.h - the GPUs that the stand-in poses as -----------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_PROFILES_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_PROFILES_H

#include <string_view>

namespace standin {

/// What differs between GPUs; what does not is in Attributes.def.
struct Profile {
  const char *arch; ///< "sm_80"
  const char *name;
  int capability; ///< 80
  int multiprocessors;
  int threadsPerMultiprocessor, blocksPerMultiprocessor;
  int sharedPerMultiprocessor; ///< bytes
  int l2Bytes;
  int clockKHz, memoryClockKHz, busBits;

  static constexpr int sharedReserved = 1024; ///< bytes of each block, for the system
  int sharedOptin() const { return sharedPerMultiprocessor - sharedReserved; }
};

/// Null when there is no such profile.
const Profile *findProfile(std::string_view arch);

/// What a block takes of a multiprocessor.
struct BlockNeeds {
  int threads = 0, registersPerThread = 0;
  long sharedBytes = 0; ///< static and dynamic
};

/// Blocks that are resident on one multiprocessor at once, by the published formula.
int residentBlocks(const Profile &profile, const BlockNeeds &needs);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_PROFILES_H
