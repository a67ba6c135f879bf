//===- HalfMatrices.h - products of small matrices of f16 or bf16 -------------------===//
//
// 32 threads in a row (a multiple of 32 first), a *warp*, hold matrices together and
// multiply them: [16, 16] x [16, 8] + [16, 8], summed in f32. For targets whose traits
// say team.halfMatrices; all threads of the warp come here, or none.
//
// What a thread holds of operands is 32-bit words of two elements, of no interest but to
// `multiplyMatrices`. Of sums, thread t has four:
//
//   row t / 4       columns 2 (t % 4), 2 (t % 4) + 1
//   row t / 4 + 8   the same columns
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_HALFMATRICES_H
#define HEXIN_COMPILER_CODEGEN_HALFMATRICES_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

inline constexpr unsigned warpThreads = 32;

/// Where thread `lane` of a warp finds its row of 16 x 16 elements, as below, in local
/// memory whose rows begin `pitch` elements apart.
mlir::Value matrixAt(KernelBuilder &k, mlir::Value lane, unsigned pitch);

/// A 16 x 16 left operand, vector<4xi32>, from local memory of f16 or bf16: `at` is where
/// this thread finds row `t % 16`, from column `8 (t / 16)` on; t is its number in the
/// warp. Rows begin at multiples of 16 bytes.
mlir::Value loadLeftMatrix(KernelBuilder &k, mlir::Value local, mlir::Value at);

/// Two 16 x 8 right operands side by side, vector<2xi32> each: `at` is where this thread
/// finds row `t % 16`, from column `8 (t / 16)` on.
std::array<mlir::Value, 2> loadRightMatrices(KernelBuilder &k, mlir::Value local,
                                             mlir::Value at);

/// The same two where memory has their columns as rows: `at` is where this thread finds
/// column `t % 16`, from row `8 (t / 16)` on.
std::array<mlir::Value, 2> loadRightColumns(KernelBuilder &k, mlir::Value local,
                                            mlir::Value at);

/// Sums of two products side by side, rounded to `type`, as a 16 x 16 left operand.
mlir::Value leftMatrixOf(KernelBuilder &k, mlir::Type type, mlir::Value first,
                         mlir::Value second);

/// left * right + sums, of matrices of `type` (f16 or bf16); sums: vector<4xf32>.
mlir::Value multiplyMatrices(KernelBuilder &k, mlir::Type type, mlir::Value left,
                             mlir::Value right, mlir::Value sums);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_HALFMATRICES_H
