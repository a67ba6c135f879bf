//===- NarrowFloats.h - f16 and bf16 without helper calls -------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_NARROWFLOATS_H
#define HEXIN_BACKENDS_CPU_COMPILER_NARROWFLOATS_H

#include "mlir/Support/LLVM.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace hexin::cpu {

/// What an arch converts from f32 by instructions, and f16 back as well.
struct NarrowConversions {
  bool f16;  ///< F16C
  bool bf16; ///< AVX512_BF16, which takes subnormals for zeros, as its kernels do
};

/// Computes in f32 what a kernel computes in f16 or bf16, and writes conversions
/// as integer arithmetic wherever LLVM would call a function for them. All round
/// to nearest even, once; f64 goes to the narrow type without a second rounding.
mlir::LogicalResult lowerNarrowFloats(mlir::ModuleOp module, NarrowConversions has);

/// Of a module in the LLVM dialect, after the above: bf16, and f16 where the arch does
/// not convert it, become i16. What is left of them is moved and chosen only, but LLVM
/// widens a bf16 that it carries through a branch or a select, and calls a function to
/// narrow it again.
void storeNarrowFloatsAsIntegers(mlir::ModuleOp module, NarrowConversions has);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_NARROWFLOATS_H
