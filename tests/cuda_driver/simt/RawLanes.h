//===- RawLanes.h - lanes of any width, as 64 bits -----------------------------------===//
//
// For instructions whose registers may be wider than their type: loads, stores, cvt and
// mov between vectors and scalars.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_RAWLANES_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_RAWLANES_H

#include "tests/cuda_driver/simt/Warp.h"

namespace standin {

inline uint64_t readRaw(Warp &warp, uint32_t slot, unsigned width, unsigned lane) {
  switch (width) {
  case 2:
    return warp.lanes<uint16_t>(slot)[lane];
  case 4:
    return warp.lanes<uint32_t>(slot)[lane];
  default:
    return warp.lanes<uint64_t>(slot)[lane];
  }
}

inline void writeRaw(Warp &warp, uint32_t slot, unsigned width, unsigned lane,
                     uint64_t value) {
  switch (width) {
  case 2:
    warp.lanes<uint16_t>(slot)[lane] = uint16_t(value);
    break;
  case 4:
    warp.lanes<uint32_t>(slot)[lane] = uint32_t(value);
    break;
  default:
    warp.lanes<uint64_t>(slot)[lane] = value;
  }
}

/// Value of `type` in the low bits, extended as a wider register holds it.
inline uint64_t extendRaw(uint64_t value, Type type) {
  unsigned unused = 64 - 8 * bytesOf(type);
  if (isSigned(type))
    return uint64_t(int64_t(value << unused) >> unused);
  return value << unused >> unused;
}

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_RAWLANES_H
