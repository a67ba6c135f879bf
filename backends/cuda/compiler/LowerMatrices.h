//===- LowerMatrices.h - products of small matrices as NVVM's -----------------------===//
#ifndef HEXIN_BACKENDS_CUDA_COMPILER_LOWERMATRICES_H
#define HEXIN_BACKENDS_CUDA_COMPILER_LOWERMATRICES_H

#include "mlir/IR/Value.h"
#include "mlir/Support/LLVM.h"

namespace mlir {
class OpBuilder;
namespace func {
class FuncOp;
} // namespace func
namespace nvgpu {
class LdMatrixOp;
} // namespace nvgpu
} // namespace mlir

namespace hexin::cuda {

/// Replaces `op` by an ldmatrix from `address` in shared memory.
mlir::LogicalResult lowerLoadMatrix(mlir::OpBuilder &b, mlir::nvgpu::LdMatrixOp op,
                                    mlir::Value address);

/// Replaces the products of matrices of `kernel` (compiler/codegen/HalfMatrices.h).
/// Both fail with a diagnostic at an op of another shape or type.
mlir::LogicalResult lowerMatrixProducts(mlir::func::FuncOp kernel);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_COMPILER_LOWERMATRICES_H
