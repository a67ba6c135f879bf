//===- StoredBits.h - the width of elements in files ------------------------===//
#ifndef HEXIN_RUNTIME_BASE_STOREDBITS_H
#define HEXIN_RUNTIME_BASE_STOREDBITS_H

#include "runtime/base/DType.h"

namespace hexin {

/// Bits of one element in a model's file or an artifact, where types below 8 bits are
/// packed. Others: 8 x byteWidth.
inline int64_t storedBits(DType dtype) {
  switch (dtype) {
  case DType::i4:
  case DType::u4:
  case DType::f4e2m1:
    return 4;
  case DType::i2:
  case DType::u2:
    return 2;
  default:
    return 8 * byteWidth(dtype);
  }
}

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_STOREDBITS_H
