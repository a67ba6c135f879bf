//===- Buffer.h - device memory ------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_BUFFER_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_BUFFER_H

#include "backends/cuda/runtime/CudaApi.h"

#include <cstdint>

/// Memory of one device, released by it.
struct hexin_buffer_t {
  hexin::cuda::CUdeviceptr address = 0;
  uint64_t bytes = 0;
  /// Of the device's buffers, never used again; of wrapped memory, which its owner may
  /// free and get again, the address and `isAddress`.
  uint64_t id = 0;
  static constexpr uint64_t isAddress = uint64_t(1) << 63;
  enum { plain, streamOrdered, wrapped } kind = plain;
};

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_BUFFER_H
