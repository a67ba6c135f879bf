//===- Product.h - a queued product, and its matrices ---------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_CUBLASLT_PRODUCT_H
#define HEXIN_TESTS_CUDA_DRIVER_CUBLASLT_PRODUCT_H

#include <cstddef>
#include <cstdint>

namespace standin::cublaslt {

enum : int { CUDA_R_32F = 0, CUDA_R_16F = 2, CUDA_R_16BF = 14, CUBLAS_COMPUTE_32F = 68 };

/// Matrices of a batch in device memory, column behind column.
struct Operand {
  uint64_t address = 0;
  int type = 0;
  uint64_t rows = 0, columns = 0;
  int64_t pitch = 0, stride = 0;
  std::byte *host = nullptr; ///< while it is computed with

  bool resolve(int32_t batch);
  std::byte *at(int32_t batch, uint64_t row, uint64_t column) const;
  float get(int32_t batch, uint64_t row, uint64_t column) const;
};

/// D = relu(op(A) x op(B) + bias), as far as asked for; sums are f32.
struct Product {
  Operand a, b, d;
  int32_t batch;
  bool transposeA, transposeB, hasRelu;
  uint64_t bias; ///< a value for each row of D; 0: none
  uint64_t workspace, workspaceBytes, depth;

  /// Ends the process, with a message, where no memory is.
  void run();

private:
  float element(int32_t i, uint64_t row, uint64_t column,
                const std::byte *biasHost) const;
};

} // namespace standin::cublaslt

#endif // HEXIN_TESTS_CUDA_DRIVER_CUBLASLT_PRODUCT_H
