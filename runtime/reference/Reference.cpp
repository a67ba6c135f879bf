#include "runtime/reference/Reference.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

#include <new>
#include <stdexcept>

namespace hexin::reference {
namespace {

constexpr size_t anyNumber = ~size_t(0);

struct KernelRow {
  std::string_view name;
  Results (*run)(const Call &);
  size_t required; ///< the first so many operands must be there
  size_t operands; ///< with the optional ones
  size_t results = 1;
  bool computesBox = false; ///< looks at RunOptions::box itself
};

constexpr KernelRow kernels[] = {
    {"shape_of", runShapeOf, 1, 1},
    {"iota", runIota, 1, 1},
    {"unary", runUnary, 1, 1},
    {"binary", runBinary, 2, 2},
    {"compare", runCompare, 2, 2},
    {"select", runSelect, 3, 3},
    {"cast", runCast, 1, 1},
    {"activation", runActivation, 1, 1},
    {"bitcast", runBitcast, 1, 1},
    {"reshape", runReshape, 2, 2},
    {"transpose", runTranspose, 1, 1},
    {"broadcast_to", runBroadcastTo, 2, 2},
    {"slice", runSlice, 3, 3},
    {"concat", runConcat, 1, anyNumber},
    {"pad", runPad, 4, 4},
    {"gather", runGather, 2, 2},
    {"gather_elements", runGatherElements, 2, 2},
    {"gather_nd", runGatherNd, 2, 2},
    {"scatter_elements", runScatterElements, 3, 3},
    {"scatter_nd", runScatterNd, 3, 3},
    {"check_lengths", runCheckLengths, 2, 2},
    {"matmul", runMatMul, 2, 2, 1, true},
    {"matmul_integer", runMatMulInteger, 2, 4, 1, true},
    {"matmul_few_bits", runMatMulFewBits, 3, 4},
    {"conv", runConv, 2, 3, 1, true},
    {"conv_integer", runConvInteger, 2, 4, 1, true},
    {"conv_transpose", runConvTranspose, 2, 4},
    {"pool", runPool, 1, 1, 2},
    {"reduce", runReduce, 1, 1},
    {"arg_reduce", runArgReduce, 1, 1},
    {"cumulative", runCumulative, 1, 1},
    {"sort", runSort, 1, 1, 2},
    {"top_k", runTopK, 2, 2, 2},
    {"sorted_search", runSortedSearch, 2, 2},
    {"compact", runCompact, 1, 1},
    {"tree_ensemble", runTreeEnsemble, 6, 6},
    {"couple_pairs", runCouplePairs, 1, 1},
    {"softmax", runSoftmax, 1, 1},
    {"log_softmax", runLogSoftmax, 1, 1},
    {"batch_norm", runBatchNorm, 5, 5},
    {"layer_norm", runLayerNorm, 2, 3},
    {"quantize", runQuantize, 2, 3},
    {"dequantize", runDequantize, 2, 3},
    {"dynamic_quantize", runDynamicQuantize, 1, 1, 3},
    {"lstm", runLstm, 1, 8, 3},
    {"recurrence", runRecurrence, 2, 5, 2},
    {"resize", runResize, 3, 4},
    {"gather_sum", runGatherSum, 3, 3},
    {"roi_pool", runRoiPool, 3, 3},
    {"random_bits", runRandomBits, 2, 2},
    {"pack_panels", runPackPanels, 1, 1},
    {"unpack_panels", runUnpackPanels, 1, 1},
};

const KernelRow *find(std::string_view op) {
  for (const KernelRow &row : kernels)
    if (row.name == op)
      return &row;
  return nullptr;
}

Status checkCall(const KernelRow &row, const Call &call) {
  size_t given = call.operands.size();
  if (given < row.required || given > row.operands)
    return invalidArgument("expected " + std::to_string(row.required) +
                           (row.operands == row.required ? ""
                            : row.operands == anyNumber
                                ? " or more"
                                : " to " + std::to_string(row.operands)) +
                           " operands, got " + std::to_string(given));
  for (size_t i = 0; i < given; ++i) {
    if (!call.operands[i] && (i < row.required || row.operands == anyNumber))
      return invalidArgument("operand " + std::to_string(i) + " is required but absent");
    if (call.operands[i] && !call.operands[i]->data() &&
        call.operands[i]->numElements() > 0)
      return invalidArgument("operand " + std::to_string(i) + " has no memory");
  }
  if (call.resultTypes.empty() || call.resultTypes.size() > row.results)
    return invalidArgument("expected 1 to " + std::to_string(row.results) +
                           " result types, got " +
                           std::to_string(call.resultTypes.size()));
  for (DType dtype : call.resultTypes)
    if (byteWidth(dtype) == 0)
      return unsupported("a result of type " + std::string(toString(dtype)));
  return Status::success();
}

/// The elements of `whole` inside `box`.
Result<Tensor> cut(const Call &call, const Tensor &whole, const OutputBox &box) {
  HEXIN_RETURN_IF_ERROR(checkBox(box, whole.dims()));
  Dims strides = rowMajorStrides(whole.dims());
  Dims dims(strides.size());
  int64_t start = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    dims[i] = box.end[i] - box.begin[i];
    start += box.begin[i] * strides[i];
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor part, call.allocate(0, dims));
  copyStrided(part.data(), whole.data(), start, dims, strides, byteWidth(whole.dtype()));
  return part;
}

Results runChecked(const KernelRow &row, const Call &call) {
  HEXIN_RETURN_IF_ERROR(checkCall(row, call));
  HEXIN_ASSIGN_OR_RETURN(std::vector<Tensor> results, row.run(call));
  if (call.options.box && !row.computesBox) {
    HEXIN_ASSIGN_OR_RETURN(results[0], cut(call, results[0], *call.options.box));
  }
  return results;
}

} // namespace

Results run(std::string_view op, const Attributes &attributes,
            std::span<const Tensor *const> operands, std::span<const DType> resultTypes,
            const RunOptions &options) {
  const KernelRow *row = find(op);
  if (!row)
    return unsupported("there is no reference kernel for hx." + std::string(op));
  Status status;
  try {
    Results results = runChecked(*row, {attributes, operands, resultTypes, options});
    if (results.ok())
      return results;
    status = results.status();
  } catch (const std::bad_alloc &) {
    status = resourceExhausted("no memory for the kernel's work buffers");
  } catch (const std::length_error &) {
    status = resourceExhausted("a work buffer would be larger than any memory");
  }
  return status.withContext("hx." + std::string(op));
}

bool supports(std::string_view op) { return find(op) != nullptr; }

std::vector<std::string_view> ops() {
  std::vector<std::string_view> names;
  for (const KernelRow &row : kernels)
    names.push_back(row.name);
  return names;
}

} // namespace hexin::reference
