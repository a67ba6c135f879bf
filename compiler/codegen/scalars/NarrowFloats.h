//===- NarrowFloats.h - 8-bit and 4-bit floats, from and to their bits -------===//
//
// Kernels hold f8, e8m0 and f4 elements as their bits, in i8: moves need no more.
// Decoding is exact; encoding rounds once, as runtime/base/Float16.h says.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCALARS_NARROWFLOATS_H
#define HEXIN_COMPILER_CODEGEN_SCALARS_NARROWFLOATS_H

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

namespace hexin::codegen {

/// f32 from bits (i8) of narrow type `from`.
mlir::Value decodeNarrow(Lanes &l, mlir::Value bits, mlir::Type from);

/// Bits (i8) of narrow type `to` from f32 or f64.
mlir::Value encodeNarrow(Lanes &l, mlir::Value x, mlir::Type to, CastRounding rounding);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCALARS_NARROWFLOATS_H
