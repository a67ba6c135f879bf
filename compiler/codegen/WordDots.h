//===- WordDots.h - products of small numbers, several to a word --------------------===//
//
// What CodegenTraits::wordDots says that the target has: of each two 32-bit lanes the
// numbers in them multiplied and all added up,
//
//   pairs   of 16 bits, signed:           sums + a0 b0 + a1 b1          (pmaddwd, paddd)
//   quads   of 8 bits, a unsigned, b signed: sums + a0 b0 + .. + a3 b3  (vpdpbusd)
//
// exact but for sums that wrap around. The lowest bits are the first number. And what
// CodegenTraits::bfloatDots says:
//
//   pairs   of bf16:                      sums + a0 b0 + a1 b1          (vdpbf16ps)
//
// in f32, rounded as the instruction does; what is subnormal counts as 0 there.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_WORDDOTS_H
#define HEXIN_COMPILER_CODEGEN_WORDDOTS_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// Numbers in a word.
constexpr unsigned numbersPerWord(WordDots dots) {
  return dots == WordDots::pairs ? 2 : 4;
}

/// `left` and `right`: vectors of 4, 8 or 16 i32; `sums` as well, or f32 for pairs of
/// bf16.
mlir::Value addWordDots(KernelBuilder &k, mlir::Value sums, mlir::Value left,
                        mlir::Value right);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_WORDDOTS_H
