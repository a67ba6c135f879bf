//===- ByteMatrices.h - products of small matrices of 8-bit integers ----------------===//
//
// What HalfMatrices.h is for halfs, for the same targets: a warp multiplies [16, 32] x
// [32, 8] + [16, 8], exactly in i32. Operands are 32-bit words of four steps; a thread
// has the sums that it has there.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_BYTEMATRICES_H
#define HEXIN_COMPILER_CODEGEN_BYTEMATRICES_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// A 16 x 32 left operand, vector<4xi32>, from local memory of i8: `at` is where this
/// thread finds row `t % 16`, from step `16 (t / 16)` on; t is its number in the warp.
/// Rows begin at multiples of 16 bytes.
mlir::Value loadLeftBytes(KernelBuilder &k, mlir::Value local, mlir::Value at);

/// Two 32 x 8 right operands side by side, vector<2xi32> each, of which a column's steps
/// stand side by side: `at` is where this thread finds column `t % 8 + 8 (t / 16)`, from
/// step `16 (t / 8 % 2)` on.
std::array<mlir::Value, 2> loadRightBytes(KernelBuilder &k, mlir::Value local,
                                          mlir::Value at);

struct ByteSigns {
  bool leftIsUnsigned, rightIsUnsigned;
};

/// left * right + sums; sums: vector<4xi32>.
mlir::Value multiplyBytes(KernelBuilder &k, ByteSigns signs, mlir::Value left,
                          mlir::Value right, mlir::Value sums);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_BYTEMATRICES_H
