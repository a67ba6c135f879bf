//===- ExactFma.h - fused multiply-add without the instruction --------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_EXACTFMA_H
#define HEXIN_BACKENDS_CPU_COMPILER_EXACTFMA_H

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace hexin::cpu {

/// Rewrites the math.fma ops that need a single rounding (exactFmaAttrName) for
/// archs without the instruction: f32 in f64, f64 by splitting the factors into
/// halves. Exact where x * y + z is representable, which is what the functions of
/// compiler/codegen/math rely on; elsewhere within an ulp.
void emulateExactFma(mlir::ModuleOp module);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_EXACTFMA_H
