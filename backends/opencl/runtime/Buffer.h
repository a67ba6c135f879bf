//===- Buffer.h - device memory ----------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_BUFFER_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_BUFFER_H

#include "backends/opencl/runtime/ClApi.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

/// A buffer. On devices that share the host's memory it lives in host memory
/// (CL_MEM_USE_HOST_PTR); there, once the host asked for its address, it stays
/// mapped for reading and writing except while submitted work uses it, which is
/// what OpenCL demands for the address to be valid. `mapped` and `epoch` are
/// guarded by the device's queue mutex.
struct hexin_buffer_t {
  struct FreeHostMemory {
    void operator()(void *memory) const { std::free(memory); }
  };

  uint64_t id = 0; ///< never used again, unlike a cl_mem
  uint64_t bytes = 0;
  std::unique_ptr<void, FreeHostMemory> ownedMemory; ///< outlives `mem`
  void *hostMemory = nullptr; ///< where it lives on the host, or null
  hexin::opencl::ClMem mem;
  bool mapped = false;
  uint64_t epoch = 0; ///< the last submission that unmapped it
};

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_BUFFER_H
