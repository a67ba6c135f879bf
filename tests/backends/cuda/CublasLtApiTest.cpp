//===- CublasLtApiTest.cpp - our prototypes and numbers against cublasLt.h -------------===//
//
// Compiled where cublasLt.h is found, as CudaApiTest.cpp where cuda.h is: the library's
// stand-in and what calls it are by one author. Prototypes, numbers and structs are
// checked by the compiler, names of errors by what ltStatus says.
//
//===----------------------------------------------------------------------===//
#include <cublasLt.h>

#include "backends/cuda/runtime/CublasLt.h"
#include "tests/backends/cuda/SameType.h"
#include "tests/cuda_driver/cublaslt/Product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace {

using namespace hexin::cuda;

#define HEXIN_SAME(name, parameters)                                                     \
  static_assert(                                                                         \
      hexin::test::IsAlikeFunction<decltype(CublasLt::name), decltype(&::name)>::value,  \
      #name);
HEXIN_CUBLASLT_FUNCTIONS(HEXIN_SAME)

#define HEXIN_EQUAL(ours, theirs)                                                        \
  static_assert(static_cast<long long>(ours) == static_cast<long long>(::theirs), #ours)
HEXIN_EQUAL(ltF32, CUDA_R_32F);
HEXIN_EQUAL(ltF16, CUDA_R_16F);
HEXIN_EQUAL(ltBf16, CUDA_R_16BF);
HEXIN_EQUAL(ltComputeF32, CUBLAS_COMPUTE_32F);
HEXIN_EQUAL(ltPlain, CUBLAS_OP_N);
HEXIN_EQUAL(ltTransposed, CUBLAS_OP_T);
HEXIN_EQUAL(ltNoEpilogue, CUBLASLT_EPILOGUE_DEFAULT);
HEXIN_EQUAL(ltRelu, CUBLASLT_EPILOGUE_RELU);
HEXIN_EQUAL(ltBias, CUBLASLT_EPILOGUE_BIAS);
HEXIN_EQUAL(ltRelu | ltBias, CUBLASLT_EPILOGUE_RELU_BIAS);
HEXIN_EQUAL(ltDescTransposeA, CUBLASLT_MATMUL_DESC_TRANSA);
HEXIN_EQUAL(ltDescTransposeB, CUBLASLT_MATMUL_DESC_TRANSB);
HEXIN_EQUAL(ltDescEpilogue, CUBLASLT_MATMUL_DESC_EPILOGUE);
HEXIN_EQUAL(ltDescBiasPointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
HEXIN_EQUAL(ltLayoutBatchCount, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
HEXIN_EQUAL(ltLayoutBatchStride, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
HEXIN_EQUAL(ltPreferWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
HEXIN_EQUAL(ltPreferAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
HEXIN_EQUAL(ltPreferAlignmentA + 1, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
HEXIN_EQUAL(ltPreferAlignmentA + 2, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
HEXIN_EQUAL(ltPreferAlignmentA + 3, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);

#define HEXIN_PLACE(ours, field, theirs, theirField)                                     \
  static_assert(offsetof(ours, field) == offsetof(::theirs, theirField) &&               \
                    sizeof(ours::field) == sizeof(::theirs::theirField),                 \
                #ours "::" #field)
static_assert(sizeof(LtHeuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
HEXIN_PLACE(LtAlgorithm, data, cublasLtMatmulAlgo_t, data);
HEXIN_PLACE(LtHeuristic, algorithm, cublasLtMatmulHeuristicResult_t, algo);
HEXIN_PLACE(LtHeuristic, workspaceBytes, cublasLtMatmulHeuristicResult_t, workspaceSize);
HEXIN_PLACE(LtHeuristic, state, cublasLtMatmulHeuristicResult_t, state);
HEXIN_PLACE(LtHeuristic, waves, cublasLtMatmulHeuristicResult_t, wavesCount);
HEXIN_PLACE(LtHeuristic, reserved, cublasLtMatmulHeuristicResult_t, reserved);

// The stand-in's own, which only what we use of it would betray.
HEXIN_EQUAL(standin::cublaslt::CUDA_R_32F, CUDA_R_32F);
HEXIN_EQUAL(standin::cublaslt::CUDA_R_16F, CUDA_R_16F);
HEXIN_EQUAL(standin::cublaslt::CUDA_R_16BF, CUDA_R_16BF);
HEXIN_EQUAL(standin::cublaslt::CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F);

TEST(CublasLtApi, NamesErrorsAsTheToolkit) {
#define HEXIN_NAMED(code)                                                                \
  EXPECT_THAT(ltStatus(code, "x").message(), testing::HasSubstr(#code " ("))
  HEXIN_NAMED(CUBLAS_STATUS_NOT_INITIALIZED);
  HEXIN_NAMED(CUBLAS_STATUS_ALLOC_FAILED);
  HEXIN_NAMED(CUBLAS_STATUS_INVALID_VALUE);
  HEXIN_NAMED(CUBLAS_STATUS_ARCH_MISMATCH);
  HEXIN_NAMED(CUBLAS_STATUS_EXECUTION_FAILED);
  HEXIN_NAMED(CUBLAS_STATUS_INTERNAL_ERROR);
  HEXIN_NAMED(CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_TRUE(ltStatus(CUBLAS_STATUS_SUCCESS, "x").ok());
}

TEST(CublasLtApi, IsOfAVersionThatWeAskFor) {
  EXPECT_GE(CUBLAS_VER_MAJOR, 12);
  EXPECT_LE(CUBLAS_VER_MAJOR, 13);
}

} // namespace
