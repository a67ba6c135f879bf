//===- OpenclTarget.h - kernels as OpenCL C 1.2 text -------------------------===//
//
// One image arch, "opencl-c-1.2": source text that the driver of the device
// compiles. Loops keep private register blocks and wide vectors and never use
// local memory, which CPU-like OpenCL devices emulate slowly.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_COMPILER_OPENCLTARGET_H
#define HEXIN_BACKENDS_OPENCL_COMPILER_OPENCLTARGET_H

#include "compiler/target/Target.h"

namespace hexin {

/// The "opencl" target. `options.archs` that name no arch of this target leave
/// it without variants.
std::unique_ptr<Target> createOpenclTarget(const TargetOptions &options);

} // namespace hexin

#endif // HEXIN_BACKENDS_OPENCL_COMPILER_OPENCLTARGET_H
