#include "backends/cuda/runtime/LtMatMul.h"
#include "backends/cuda/abi/LibraryOps.h"
#include "backends/cuda/runtime/CudaError.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace hexin::cuda {

/// Bytes that the library's fast algorithms want addresses to be multiples of.
static constexpr uint32_t wideAlignment = 16;

// -- The library on a device ---------------------------------------------------------

Result<std::unique_ptr<LtContext>> LtContext::create(const CudaApi &api) {
  const Result<CublasLt> &lt = CublasLt::get();
  if (!lt)
    return lt.status();
  std::unique_ptr<LtContext> made(new LtContext(api, *lt));
  if (LtStatus code = lt->cublasLtCreate(&made->handle_)) {
    made->handle_ = nullptr;
    return unavailable(ltStatus(code, "cublaslt: opening the library").message());
  }
  return made;
}

LtContext::~LtContext() {
  if (handle_)
    lt_.cublasLtDestroy(handle_);
  if (workspace_)
    api_.cuMemFree_v2(workspace_);
}

Result<CUdeviceptr> LtContext::workspace() {
  std::lock_guard lock(mutex_);
  if (!workspace_)
    if (CUresult code = api_.cuMemAlloc_v2(&workspace_, maxWorkspaceBytes)) {
      workspace_ = 0;
      return cudaStatus(code, "cublaslt: a workspace of " +
                                  std::to_string(maxWorkspaceBytes) + " bytes");
    }
  return workspace_;
}

// -- Sizes ---------------------------------------------------------------------------

namespace {

/// One operand in memory, rows one behind the other.
struct Matrix {
  int64_t batch = 1, rows = 0, columns = 0;
};

/// What the library is asked for: batch x [m, k] x [k, n].
struct Problem {
  int64_t m = 0, n = 0, k = 0, batch = 1;
  bool transposeLhs = false, transposeRhs = false;
  bool lhsRepeats = false, rhsRepeats = false; ///< one matrix for the whole batch
};

Result<Matrix> matrixOf(const hexin_binding &binding) {
  std::span<const int64_t> dims(binding.dims, binding.rank);
  if (dims.size() < 2)
    return unsupported("cublaslt: an operand of rank " + std::to_string(dims.size()));
  auto batch = checkedNumElements(dims.first(dims.size() - 2));
  if (!batch || !checkedNumElements(dims))
    return outOfRange("cublaslt: the sizes of an operand overflow");
  return Matrix{*batch, dims[dims.size() - 2], dims.back()};
}

bool isSet(const hexin_command_desc &desc, std::string_view name) {
  for (uint32_t i = 0; i < desc.attribute_count; ++i)
    if (desc.attributes[i].name == name)
      return desc.attributes[i].i != 0;
  return false;
}

Result<Problem> problemOf(const hexin_command_desc &desc) {
  HEXIN_ASSIGN_OR_RETURN(Matrix lhs, matrixOf(desc.bindings[0]));
  HEXIN_ASSIGN_OR_RETURN(Matrix rhs, matrixOf(desc.bindings[1]));
  HEXIN_ASSIGN_OR_RETURN(Matrix dst, matrixOf(desc.bindings[desc.binding_count - 1]));
  Problem problem;
  problem.transposeLhs = isSet(desc, library::transposeLhs);
  problem.transposeRhs = isSet(desc, library::transposeRhs);
  problem.m = dst.rows;
  problem.n = dst.columns;
  problem.k = problem.transposeLhs ? lhs.rows : lhs.columns;
  problem.batch = dst.batch;
  if ((problem.transposeLhs ? lhs.columns : lhs.rows) != problem.m ||
      (problem.transposeRhs ? rhs.columns : rhs.rows) != problem.k ||
      (problem.transposeRhs ? rhs.rows : rhs.columns) != problem.n)
    return invalidArgument("cublaslt: the sizes of a product do not fit each other");
  // One right-hand side for all: the rows of the batch are those of one matrix.
  if (rhs.batch == 1 && lhs.batch == problem.batch && !problem.transposeLhs) {
    problem.m *= problem.batch; // no overflow: matrixOf(dst) would have said so
    problem.batch = 1;
    return problem;
  }
  problem.lhsRepeats = lhs.batch == 1 && problem.batch != 1;
  problem.rhsRepeats = rhs.batch == 1 && problem.batch != 1;
  if ((!problem.lhsRepeats && lhs.batch != problem.batch) ||
      (!problem.rhsRepeats && rhs.batch != problem.batch))
    return unsupported("cublaslt: batch axes that broadcast in part");
  if (problem.batch > INT32_MAX)
    return unsupported("cublaslt: a batch of " + std::to_string(problem.batch));
  return problem;
}

/// All operands have one type.
Result<int> typeOf(const hexin_command_desc &desc) {
  for (uint32_t i = 1; i < desc.binding_count; ++i)
    if (desc.bindings[i].dtype != desc.bindings[0].dtype)
      return unsupported("cublaslt: operands of several types");
  switch (static_cast<DType>(desc.bindings[0].dtype)) {
  case DType::f32:
    return static_cast<int>(ltF32);
  case DType::f16:
    return static_cast<int>(ltF16);
  case DType::bf16:
    return static_cast<int>(ltBf16);
  default:
    return unsupported("cublaslt: only f32, f16 and bf16 are asked of it");
  }
}

} // namespace

// -- Products ------------------------------------------------------------------------

Result<std::unique_ptr<LtMatMul>> LtMatMul::prepare(LtContext &context,
                                                    const hexin_command_desc &desc) {
  std::unique_ptr<LtMatMul> made(new LtMatMul(context));
  made->hasBias_ = isSet(desc, library::hasBias);
  made->hasRelu_ = isSet(desc, library::hasRelu);
  if (desc.binding_count != (made->hasBias_ ? 4u : 3u))
    return corruptData("cublaslt: a product with " + std::to_string(desc.binding_count) +
                       " bindings");
  HEXIN_RETURN_IF_ERROR(made->describe(desc));
  if (made->isEmpty_)
    return made;
  auto bytes =
      static_cast<uint32_t>(byteWidth(static_cast<DType>(desc.bindings[0].dtype)));
  HEXIN_ASSIGN_OR_RETURN(made->aligned_, made->choose(wideAlignment));
  HEXIN_ASSIGN_OR_RETURN(made->unaligned_, made->choose(bytes));
  if (std::max(made->aligned_.workspaceBytes, made->unaligned_.workspaceBytes) > 0) {
    HEXIN_ASSIGN_OR_RETURN(made->workspace_, context.workspace());
  }
  return made;
}

LtMatMul::~LtMatMul() {
  const CublasLt &lt = context_.lt();
  for (LtLayout layout : {a_, b_, d_})
    if (layout)
      lt.cublasLtMatrixLayoutDestroy(layout);
  if (desc_)
    lt.cublasLtMatmulDescDestroy(desc_);
}

/// The library's matrices lie column behind column, so ours are their transposes there:
/// dst^T = rhs^T x lhs^T. A is our rhs then, B our lhs, and D has a row for each of our
/// columns, which is what a bias of the library belongs to.
Status LtMatMul::describe(const hexin_command_desc &desc) {
  HEXIN_ASSIGN_OR_RETURN(Problem problem, problemOf(desc));
  HEXIN_ASSIGN_OR_RETURN(type_, typeOf(desc));
  const auto &[m, n, k, batch, transposeLhs, transposeRhs, lhsRepeats, rhsRepeats] =
      problem;
  isEmpty_ = m == 0 || n == 0 || batch == 0;
  if (isEmpty_)
    return Status::success();
  if (k == 0)
    return unsupported("cublaslt: a product without depth");
  if (hasBias_ &&
      (desc.bindings[2].rank < 1 ||
       checkedNumElements({desc.bindings[2].dims, desc.bindings[2].rank}) != n))
    return invalidArgument("cublaslt: a bias that has not a value for each column");

  const CublasLt &lt = context_.lt();
  if (LtStatus code = lt.cublasLtMatmulDescCreate(&desc_, ltComputeF32, ltF32)) {
    desc_ = nullptr;
    return ltStatus(code, "cublaslt: describing a product");
  }
  LtOperation a = transposeRhs ? ltTransposed : ltPlain;
  LtOperation b = transposeLhs ? ltTransposed : ltPlain;
  for (auto [attribute, value] :
       {std::pair(ltDescTransposeA, &a), {ltDescTransposeB, &b}})
    if (LtStatus code =
            lt.cublasLtMatmulDescSetAttribute(desc_, attribute, value, sizeof *value))
      return ltStatus(code, "cublaslt: transposing an operand");
  HEXIN_RETURN_IF_ERROR(setEpilogue());
  HEXIN_RETURN_IF_ERROR(makeLayout(a_, transposeRhs ? n : k, transposeRhs ? k : n, batch,
                                   rhsRepeats ? 0 : k * n));
  HEXIN_RETURN_IF_ERROR(makeLayout(b_, transposeLhs ? k : m, transposeLhs ? m : k, batch,
                                   lhsRepeats ? 0 : m * k));
  return makeLayout(d_, m, n, batch, m * n);
}

Status LtMatMul::setEpilogue() {
  if (!hasBias_ && !hasRelu_)
    return Status::success();
  uint32_t epilogue = (hasBias_ ? ltBias : 0u) | (hasRelu_ ? ltRelu : 0u);
  return ltStatus(context_.lt().cublasLtMatmulDescSetAttribute(
                      desc_, ltDescEpilogue, &epilogue, sizeof epilogue),
                  "cublaslt: setting an epilogue");
}

/// Of `rows` of ours, which are the library's columns.
Status LtMatMul::makeLayout(LtLayout &layout, int64_t rows, int64_t columns,
                            int64_t count, int64_t stride) {
  const CublasLt &lt = context_.lt();
  LtStatus code =
      lt.cublasLtMatrixLayoutCreate(&layout, type_, static_cast<uint64_t>(columns),
                                    static_cast<uint64_t>(rows), columns);
  if (code) {
    layout = nullptr;
    return ltStatus(code, "cublaslt: describing an operand");
  }
  if (count == 1)
    return Status::success();
  auto batch = static_cast<int32_t>(count);
  code = lt.cublasLtMatrixLayoutSetAttribute(layout, ltLayoutBatchCount, &batch,
                                             sizeof batch);
  if (!code)
    code = lt.cublasLtMatrixLayoutSetAttribute(layout, ltLayoutBatchStride, &stride,
                                               sizeof stride);
  return ltStatus(code, "cublaslt: describing a batch");
}

/// The library's first choice for operands and workspace at multiples of `alignment`.
Result<LtMatMul::Choice> LtMatMul::choose(uint32_t alignment) {
  const CublasLt &lt = context_.lt();
  LtPreference preference = nullptr;
  if (LtStatus code = lt.cublasLtMatmulPreferenceCreate(&preference))
    return ltStatus(code, "cublaslt: making a preference");
  uint64_t workspaceBytes = LtContext::maxWorkspaceBytes;
  LtStatus code = lt.cublasLtMatmulPreferenceSetAttribute(
      preference, ltPreferWorkspaceBytes, &workspaceBytes, sizeof workspaceBytes);
  for (int operand = 0; operand < 4 && !code; ++operand)
    code = lt.cublasLtMatmulPreferenceSetAttribute(
        preference, ltPreferAlignmentA + operand, &alignment, sizeof alignment);
  // Not read here, but the library concludes from it how a bias is aligned.
  uint64_t biasAddress = alignment;
  if (hasBias_ && !code)
    code = lt.cublasLtMatmulDescSetAttribute(desc_, ltDescBiasPointer, &biasAddress,
                                             sizeof biasAddress);
  LtHeuristic found{};
  int count = 0;
  if (!code)
    code = lt.cublasLtMatmulAlgoGetHeuristic(context_.handle(), desc_, a_, b_, d_, d_,
                                             preference, 1, &found, &count);
  lt.cublasLtMatmulPreferenceDestroy(preference);
  if (!code)
    code = count == 0 ? 15 : found.state; // none: not supported
  HEXIN_RETURN_IF_ERROR(ltStatus(code, "cublaslt: choosing an algorithm"));
  return Choice{found.algorithm, found.workspaceBytes};
}

Status LtMatMul::launch(std::span<const uint64_t> addresses, CUstream stream) {
  const CublasLt &lt = context_.lt();
  uint64_t lhs = addresses[0], rhs = addresses[1], dst = addresses[hasBias_ ? 3 : 2];
  if (hasBias_)
    if (LtStatus code = lt.cublasLtMatmulDescSetAttribute(
            desc_, ltDescBiasPointer, &addresses[2], sizeof(uint64_t)))
      return ltStatus(code, "cublaslt: setting a bias");
  auto isWide = [](uint64_t address) { return address % wideAlignment == 0; };
  bool isAligned =
      isWide(lhs) && isWide(rhs) && isWide(dst) && (!hasBias_ || isWide(addresses[2]));
  const Choice &choice = isAligned ? aligned_ : unaligned_;
  const float alpha = 1, beta = 0;
  auto pointer = [](uint64_t address) { return reinterpret_cast<void *>(address); };
  return ltStatus(lt.cublasLtMatmul(context_.handle(), desc_, &alpha, pointer(rhs), a_,
                                    pointer(lhs), b_, &beta, pointer(dst), d_,
                                    pointer(dst), d_, &choice.algorithm,
                                    pointer(workspace_), choice.workspaceBytes, stream),
                  "cublaslt: running a product");
}

} // namespace hexin::cuda
