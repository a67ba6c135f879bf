//===- CublasLt.cpp - a cuBLASLt that computes in the stand-in's memory ---------------===//
//
// The functions that the backend asks for, by the names, numbers and rules of
// cublasLt.h, written down apart from backends/cuda/runtime/CublasLt.h so that a wrong
// one there is found: column-major matrices, strided batches, alignments and workspace
// that an algorithm was chosen for. A product is queued in its stream as a host
// function, so it runs when the stand-in's schedule says, in captured graphs too.
//
// HEXIN_FAKE_CUBLASLT="create:1", "heuristic:15", "matmul:13": that call fails so.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/Standin.h"
#include "tests/cuda_driver/cublaslt/Product.h"
#include "tests/cuda_driver/driver/CudaAbi.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace standin::cublaslt;

namespace {

enum : int {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
};
enum : uint32_t { CUBLASLT_EPILOGUE_RELU = 2, CUBLASLT_EPILOGUE_BIAS = 4 };

std::atomic<int> live{0}; ///< objects that were not destroyed
std::atomic<int> products{0};

template <int kind> struct Object {
  Object() { ++live; }
  ~Object() {
    magic = 0;
    --live;
  }
  int magic = 0x17000 + kind;
  bool isValid() const { return magic == 0x17000 + kind; }
};
struct Handle : Object<1> {};
struct Desc : Object<2> {
  int32_t transposeA = 0, transposeB = 0;
  uint32_t epilogue = 1;
  uint64_t bias = 0;
};
struct Layout : Object<3> {
  int type = 0;
  uint64_t rows = 0, columns = 0;
  int64_t pitch = 0, stride = 0;
  int32_t batch = 1;
};
struct Preference : Object<4> {
  uint64_t workspaceBytes = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};

struct Algo {
  uint64_t data[8]; ///< `known`, alignment, bytes of workspace
};
constexpr uint64_t known = 0x17AC0DE;
struct HeuristicResult {
  Algo algo;
  size_t workspaceSize;
  int state;
  float wavesCount;
  int reserved[4];
};

/// The status that a switch wants of `call`, or 0.
int planted(const char *call) {
  const char *text = std::getenv("HEXIN_FAKE_CUBLASLT");
  std::string prefix = std::string(call) + ":";
  return text && std::strncmp(text, prefix.c_str(), prefix.size()) == 0
             ? std::atoi(text + prefix.size())
             : 0;
}

template <typename T> bool take(T &field, const void *value, size_t bytes) {
  if (!value || bytes != sizeof field)
    return false;
  std::memcpy(&field, value, bytes);
  return true;
}

int result(bool isGood) {
  return isGood ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

template <typename T> bool isValid(const T *object) {
  return object && object->isValid();
}

template <typename T> int destroy(T *object) {
  if (!isValid(object))
    return CUBLAS_STATUS_INVALID_VALUE;
  delete object;
  return CUBLAS_STATUS_SUCCESS;
}

std::mutex productsMutex;
/// Kept for good: a graph may run them again.
std::vector<std::unique_ptr<Product>> queued; // guarded by productsMutex

Operand operandOf(const void *pointer, const Layout &layout) {
  return {reinterpret_cast<uint64_t>(pointer),
          layout.type,
          layout.rows,
          layout.columns,
          layout.pitch,
          layout.stride};
}

bool fits(const Desc &desc, const Layout &a, const Layout &b, const Layout &c,
          const Layout &d) {
  uint64_t rows = desc.transposeA ? a.columns : a.rows;
  uint64_t depth = desc.transposeA ? a.rows : a.columns;
  uint64_t columns = desc.transposeB ? b.rows : b.columns;
  for (const Layout *each : {&a, &b, &c, &d})
    if (each->type != d.type || each->batch != d.batch || each->rows == 0 ||
        each->columns == 0 || uint64_t(each->pitch) < each->rows)
      return false;
  return rows == d.rows && columns == d.columns &&
         depth == (desc.transposeB ? b.columns : b.rows) && c.rows == d.rows &&
         c.columns == d.columns && (d.batch == 1 || d.stride != 0);
}

} // namespace

extern "C" {

STANDIN_EXPORT int fakeCublasLtLive() { return live; }
STANDIN_EXPORT int fakeCublasLtProducts() { return products; }

STANDIN_EXPORT int cublasLtCreate(Handle **handle) {
  if (int code = planted("create"))
    return code;
  *handle = new Handle;
  return CUBLAS_STATUS_SUCCESS;
}
STANDIN_EXPORT int cublasLtDestroy(Handle *handle) { return destroy(handle); }

STANDIN_EXPORT int cublasLtMatmulDescCreate(Desc **desc, int computeType, int scaleType) {
  if (computeType != CUBLAS_COMPUTE_32F || scaleType != CUDA_R_32F)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  *desc = new Desc;
  return CUBLAS_STATUS_SUCCESS;
}
STANDIN_EXPORT int cublasLtMatmulDescDestroy(Desc *desc) { return destroy(desc); }

STANDIN_EXPORT int cublasLtMatmulDescSetAttribute(Desc *desc, int attribute,
                                                  const void *value, size_t bytes) {
  if (!isValid(desc))
    return CUBLAS_STATUS_INVALID_VALUE;
  switch (attribute) {
  case 3: // CUBLASLT_MATMUL_DESC_TRANSA
    return result(take(desc->transposeA, value, bytes));
  case 4: // CUBLASLT_MATMUL_DESC_TRANSB
    return result(take(desc->transposeB, value, bytes));
  case 7: // CUBLASLT_MATMUL_DESC_EPILOGUE
    return result(take(desc->epilogue, value, bytes));
  case 8: // CUBLASLT_MATMUL_DESC_BIAS_POINTER
    return result(take(desc->bias, value, bytes));
  default:
    return CUBLAS_STATUS_INVALID_VALUE;
  }
}

STANDIN_EXPORT int cublasLtMatrixLayoutCreate(Layout **layout, int type, uint64_t rows,
                                              uint64_t columns, int64_t pitch) {
  if (type != CUDA_R_32F && type != CUDA_R_16F && type != CUDA_R_16BF)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  *layout = new Layout;
  (*layout)->type = type;
  (*layout)->rows = rows;
  (*layout)->columns = columns;
  (*layout)->pitch = pitch;
  return CUBLAS_STATUS_SUCCESS;
}
STANDIN_EXPORT int cublasLtMatrixLayoutDestroy(Layout *layout) { return destroy(layout); }

STANDIN_EXPORT int cublasLtMatrixLayoutSetAttribute(Layout *layout, int attribute,
                                                    const void *value, size_t bytes) {
  if (!isValid(layout))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (attribute == 5) // CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT
    return result(take(layout->batch, value, bytes));
  if (attribute == 6) // CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET
    return result(take(layout->stride, value, bytes));
  return CUBLAS_STATUS_INVALID_VALUE;
}

STANDIN_EXPORT int cublasLtMatmulPreferenceCreate(Preference **preference) {
  *preference = new Preference;
  return CUBLAS_STATUS_SUCCESS;
}
STANDIN_EXPORT int cublasLtMatmulPreferenceDestroy(Preference *preference) {
  return destroy(preference);
}

STANDIN_EXPORT int cublasLtMatmulPreferenceSetAttribute(Preference *preference,
                                                        int attribute, const void *value,
                                                        size_t bytes) {
  if (!isValid(preference))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (attribute == 1) // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
    return result(take(preference->workspaceBytes, value, bytes));
  if (attribute >= 5 &&
      attribute <= 8) // CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_{A,B,C,D}_BYTES
    return result(take(preference->alignment[attribute - 5], value, bytes));
  return CUBLAS_STATUS_INVALID_VALUE;
}

STANDIN_EXPORT int cublasLtMatmulAlgoGetHeuristic(Handle *handle, Desc *desc, Layout *a,
                                                  Layout *b, Layout *c, Layout *d,
                                                  Preference *preference, int wanted,
                                                  HeuristicResult *found, int *count) {
  if (int code = planted("heuristic"))
    return code;
  if (!isValid(handle) || !isValid(desc) || !isValid(a) || !isValid(b) || !isValid(c) ||
      !isValid(d) || !isValid(preference) || wanted < 1 || !fits(*desc, *a, *b, *c, *d))
    return CUBLAS_STATUS_INVALID_VALUE;
  uint32_t alignment = 256;
  for (uint32_t each : preference->alignment)
    alignment = std::min(alignment, each);
  found->algo = {{known, alignment, alignment >= 16 ? 4096u : 0u}};
  found->workspaceSize = found->algo.data[2];
  found->state = CUBLAS_STATUS_SUCCESS;
  found->wavesCount = 1;
  *count = found->workspaceSize <= preference->workspaceBytes;
  return *count ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

STANDIN_EXPORT int cublasLtMatmul(Handle *handle, Desc *desc, const void *alpha,
                                  const void *a, Layout *aLayout, const void *b,
                                  Layout *bLayout, const void *beta, const void *c,
                                  Layout *cLayout, void *d, Layout *dLayout,
                                  const Algo *algo, void *workspace,
                                  size_t workspaceBytes, standin::CUstream stream) {
  if (int code = planted("matmul"))
    return code;
  if (!isValid(handle) || !isValid(desc) || !isValid(aLayout) || !isValid(bLayout) ||
      !isValid(cLayout) || !isValid(dLayout) || !algo || algo->data[0] != known ||
      !fits(*desc, *aLayout, *bLayout, *cLayout, *dLayout) ||
      *static_cast<const float *>(alpha) != 1 || *static_cast<const float *>(beta) != 0 ||
      algo->data[2] > workspaceBytes || c != d)
    return CUBLAS_STATUS_INVALID_VALUE;
  bool hasBias = desc->epilogue & CUBLASLT_EPILOGUE_BIAS;
  for (const void *each : {a, b, static_cast<const void *>(d),
                           reinterpret_cast<const void *>(hasBias ? desc->bias : 0)})
    if (reinterpret_cast<uint64_t>(each) % algo->data[1] != 0)
      return CUBLAS_STATUS_INVALID_VALUE;
  auto product = std::make_unique<Product>(
      Product{operandOf(a, *aLayout), operandOf(b, *bLayout), operandOf(d, *dLayout),
              dLayout->batch, desc->transposeA != 0, desc->transposeB != 0,
              (desc->epilogue & CUBLASLT_EPILOGUE_RELU) != 0, hasBias ? desc->bias : 0,
              reinterpret_cast<uint64_t>(workspace), algo->data[2],
              desc->transposeA ? aLayout->rows : aLayout->columns});
  auto run = [](void *data) {
    static_cast<Product *>(data)->run();
    ++products;
  };
  if (standin::cuLaunchHostFunc(stream, run, product.get()))
    return CUBLAS_STATUS_EXECUTION_FAILED;
  std::lock_guard lock(productsMutex);
  queued.push_back(std::move(product));
  return CUBLAS_STATUS_SUCCESS;
}

} // extern "C"
