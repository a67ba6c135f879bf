//===- CudaTarget.h - kernels as PTX text -----------------------------------------===//
//
// Image archs are "ptx-" and the oldest GPU that takes the text: "ptx-sm_80". Nothing of
// a CUDA toolkit is used; drivers compile the text for their device.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_CUDATARGET_H
#define HEXIN_BACKENDS_CUDA_COMPILER_CUDATARGET_H

#include "compiler/target/Target.h"

namespace hexin {

/// The "cuda" target. `options.archs` that name no arch of this target leave it without
/// variants.
std::unique_ptr<Target> createCudaTarget(const TargetOptions &options);

} // namespace hexin

#endif // HEXIN_BACKENDS_CUDA_COMPILER_CUDATARGET_H
