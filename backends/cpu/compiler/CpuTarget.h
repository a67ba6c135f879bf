//===- CpuTarget.h - the compile half of the cpu backend ----------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_CPUTARGET_H
#define HEXIN_BACKENDS_CPU_COMPILER_CPUTARGET_H

#include "compiler/target/Target.h"

namespace hexin {

/// Writes x86-64 ELF images (backends/cpu/abi/ImageCheck.h) for the archs
/// "x86-64-v4", "x86-64-v3" and "x86-64-v2", or those of them that
/// `options.archs` names. emitImage may run on several threads at once for
/// modules of different MLIR contexts.
std::unique_ptr<Target> createCpuTarget(const TargetOptions &options);

} // namespace hexin

#endif // HEXIN_BACKENDS_CPU_COMPILER_CPUTARGET_H
