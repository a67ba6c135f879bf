//===- LibraryOps.h - library commands of cuda, as artifacts hold them ---------===//
//
// What the compile half writes in a library variant and LtMatMul.h reads. Bindings in
// this order:
//   cublaslt.matmul   lhs [batch..., M, K], rhs [batch..., K, N], bias [N] if has_bias,
//                     dst [batch..., M, N]; all of one type: f32, f16 or bf16
// dst = relu(lhs x rhs + bias), each part where its attribute is not 0. Sums are f32.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_ABI_LIBRARYOPS_H
#define HEXIN_BACKENDS_CUDA_ABI_LIBRARYOPS_H

namespace hexin::cuda::library {

constexpr char matmul[] = "cublaslt.matmul";

// Of cublaslt.matmul, 0 or 1; absent means 0.
constexpr char transposeLhs[] = "transpose_lhs"; ///< lhs is [batch..., K, M]
constexpr char transposeRhs[] = "transpose_rhs"; ///< rhs is [batch..., N, K]
constexpr char hasBias[] = "has_bias";
constexpr char hasRelu[] = "has_relu";

} // namespace hexin::cuda::library

#endif // HEXIN_BACKENDS_CUDA_ABI_LIBRARYOPS_H
