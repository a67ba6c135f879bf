//===- CublasLt.h - cuBLASLt's functions, found at run time --------------------------===//
//
// As CudaApi.h: nothing is linked, no header of the toolkit is needed. The library is
// opened when a plan first asks for a product by it; where there is none, our kernels
// run instead. cuBLASLt works in the calling thread's current context.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CUDA_RUNTIME_CUBLASLT_H
#define HEXIN_BACKENDS_CUDA_RUNTIME_CUBLASLT_H

#include "backends/cuda/runtime/CudaApi.h"
#include "hexin/status.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hexin::cuda {

using LtStatus = int;    ///< cublasStatus_t; 0 is success
using LtHandle = void *; ///< cublasLtHandle_t, and so on
using LtMatmulDesc = void *;
using LtLayout = void *;
using LtPreference = void *;

/// Values of library_types.h, cublas_api.h and cublasLt.h, as far as we use them.
enum LtType : int { ltF32 = 0, ltF16 = 2, ltBf16 = 14 };
inline constexpr int ltComputeF32 = 68;
enum LtOperation : int32_t { ltPlain = 0, ltTransposed = 1 };
enum LtEpilogue : uint32_t { ltNoEpilogue = 1, ltRelu = 2, ltBias = 4 }; // 6: both
enum LtMatmulAttribute : int {
  ltDescTransposeA = 3,
  ltDescTransposeB = 4,
  ltDescEpilogue = 7,
  ltDescBiasPointer = 8,
};
enum LtLayoutAttribute : int { ltLayoutBatchCount = 5, ltLayoutBatchStride = 6 };
enum LtPreferenceAttribute : int {
  ltPreferWorkspaceBytes = 1,
  ltPreferAlignmentA = 5, // of B, C and D: the three behind
};

/// cublasLtMatmulAlgo_t, cublasLtMatmulHeuristicResult_t.
struct LtAlgorithm {
  uint64_t data[8];
};
struct LtHeuristic {
  LtAlgorithm algorithm;
  size_t workspaceBytes;
  LtStatus state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(LtHeuristic) == 96);

} // namespace hexin::cuda

// X(exported name, (parameters)); all give a cublasStatus_t.
#define HEXIN_CUBLASLT_FUNCTIONS(X)                                                      \
  X(cublasLtCreate, (LtHandle * handle))                                                 \
  X(cublasLtDestroy, (LtHandle handle))                                                  \
  X(cublasLtMatmulDescCreate, (LtMatmulDesc * desc, int computeType, int scaleType))     \
  X(cublasLtMatmulDescDestroy, (LtMatmulDesc desc))                                      \
  X(cublasLtMatmulDescSetAttribute,                                                      \
    (LtMatmulDesc desc, int attribute, const void *value, size_t bytes))                 \
  X(cublasLtMatrixLayoutCreate,                                                          \
    (LtLayout * layout, int type, uint64_t rows, uint64_t columns, int64_t pitch))       \
  X(cublasLtMatrixLayoutDestroy, (LtLayout layout))                                      \
  X(cublasLtMatrixLayoutSetAttribute,                                                    \
    (LtLayout layout, int attribute, const void *value, size_t bytes))                   \
  X(cublasLtMatmulPreferenceCreate, (LtPreference * preference))                         \
  X(cublasLtMatmulPreferenceDestroy, (LtPreference preference))                          \
  X(cublasLtMatmulPreferenceSetAttribute,                                                \
    (LtPreference preference, int attribute, const void *value, size_t bytes))           \
  X(cublasLtMatmulAlgoGetHeuristic,                                                      \
    (LtHandle handle, LtMatmulDesc desc, LtLayout a, LtLayout b, LtLayout c, LtLayout d, \
     LtPreference preference, int wanted, LtHeuristic *found, int *count))               \
  X(cublasLtMatmul,                                                                      \
    (LtHandle handle, LtMatmulDesc desc, const void *alpha, const void *a,               \
     LtLayout aLayout, const void *b, LtLayout bLayout, const void *beta, const void *c, \
     LtLayout cLayout, void *d, LtLayout dLayout, const LtAlgorithm *algorithm,          \
     void *workspace, size_t workspaceBytes, CUstream stream))

namespace hexin::cuda {

struct CublasLt {
#define HEXIN_CUBLASLT_MEMBER(name, parameters) LtStatus(*name) parameters = nullptr;
  HEXIN_CUBLASLT_FUNCTIONS(HEXIN_CUBLASLT_MEMBER)
#undef HEXIN_CUBLASLT_MEMBER

  /// The table, loaded once per process and kept. $HEXIN_CUBLASLT_LIBRARY replaces
  /// libcublasLt.so.13 and .12. Thread-safe. unavailable: no such library, or it lacks
  /// a function.
  static const Result<CublasLt> &get();
};

/// Success, or "<what>: CUBLAS_STATUS_... (15)"; unsupported and unavailable where our
/// kernels can do instead.
Status ltStatus(LtStatus code, std::string_view what);

} // namespace hexin::cuda

#endif // HEXIN_BACKENDS_CUDA_RUNTIME_CUBLASLT_H
