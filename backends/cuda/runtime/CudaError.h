//===- CudaError.h - the driver's error codes as Status -----------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_CUDAERROR_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_CUDAERROR_H

#include "hexin/status.h"

#include <string>
#include <string_view>

namespace hexin::cuda {

/// "CUDA_ERROR_OUT_OF_MEMORY", or "CUDA error 12345" for codes we do not know.
std::string cudaErrorName(int code);

/// Success for CUDA_SUCCESS, else "<what>: CUDA_ERROR_... (2); <what to do>" with the
/// StatusCode that fits. deviceLost: the context is dead, and every later call in it
/// fails alike, until it is released by all who hold it.
Status cudaStatus(int code, std::string_view what);

/// What a driver answers to a text that is newer than itself.
inline constexpr int cudaUnsupportedPtxVersion = 222;
inline constexpr int cudaInvalidHandle = 400;

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_CUDAERROR_H
