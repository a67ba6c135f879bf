#include "backends/cpu/abi/LibraryOps.h"
#include "backends/cpu/onednn/Ops.h"
#include "backends/cpu/onednn/PostOps.h"

#include <algorithm>

namespace hexin::onednn {
namespace {

using dnnl::memory;
namespace library = cpu::library;

/// A matrix operand with `rank` axes; the last two swapped when it is transposed.
memory::desc matrix(const hexin_binding &binding, size_t rank, bool isTransposed) {
  Dims dims = dimsOf(binding);
  if (dims.size() < 2 || dims.size() > rank)
    throwInvalid("expected a matrix of rank 2 to " + std::to_string(rank) +
                 ", got rank " + std::to_string(dims.size()));
  dims.insert(dims.begin(), rank - dims.size(), 1);
  Dims strides = denseStrides(dims);
  if (isTransposed) {
    std::swap(dims[rank - 1], dims[rank - 2]);
    std::swap(strides[rank - 1], strides[rank - 2]);
  }
  return {dims, dataType(binding), strides};
}

/// [batch..., M, N] seen as [batch * M, N]; oneDNN is faster on two axes.
memory::desc flattened(const memory::desc &desc) {
  Dims dims = desc.get_dims();
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < dims.size(); ++i)
    rows *= dims[i];
  Dims flat = {rows, dims.back()};
  return {flat, desc.get_data_type(), denseStrides(flat)};
}

bool hasNoBatch(const memory::desc &desc) {
  Dims dims = desc.get_dims();
  return std::all_of(dims.begin(), dims.end() - 2, [](int64_t d) { return d == 1; });
}

/// Whether an operand of dst keeps its meaning when dst's rows are flattened.
bool canFlatten(const memory::desc &operand, const memory::desc &dst) {
  Dims dims = operand.get_dims(), full = dst.get_dims();
  bool isRow =
      std::all_of(dims.begin(), dims.end() - 1, [](int64_t d) { return d == 1; });
  return isRow || std::equal(dims.begin(), dims.end() - 1, full.begin());
}

struct MatMulProblem {
  memory::desc lhs, rhs, bias, dst;
  std::vector<memory::desc> operands;
};

/// Drops the batch axes where one product says the same.
void flattenBatch(MatMulProblem &p, bool isLhsTransposed) {
  bool can = p.dst.get_dims().size() > 2 && hasNoBatch(p.rhs) && !isLhsTransposed &&
             std::all_of(p.operands.begin(), p.operands.end(),
                         [&](const memory::desc &o) { return canFlatten(o, p.dst); });
  if (!can)
    return;
  p.lhs = flattened(p.lhs);
  p.dst = flattened(p.dst);
  for (memory::desc &o : p.operands)
    o = flattened(o);
  Dims dims = p.rhs.get_dims(), strides = p.rhs.get_strides();
  p.rhs = memory::desc(Dims(dims.end() - 2, dims.end()), p.rhs.get_data_type(),
                       Dims(strides.end() - 2, strides.end()));
}

} // namespace

void prepareMatMul(const hexin_command_desc &desc, PrepareContext &context, Op &op) {
  OpAttributes attributes(desc);
  bool hasBias = attributes.getInt(library::hasBias, 0) != 0;
  bool isLhsTransposed = attributes.getInt("transposeLhs", 0) != 0;
  int firstOperand = hasBias ? 3 : 2;
  int dstBinding = static_cast<int>(desc.binding_count) - 1;
  if (dstBinding < firstOperand)
    throwInvalid("expected lhs, rhs" + std::string(hasBias ? ", bias" : "") +
                 " and dst, got " + std::to_string(desc.binding_count) + " bindings");
  size_t rank = desc.bindings[dstBinding].rank;
  MatMulProblem p;
  p.dst = matrix(desc.bindings[dstBinding], rank, false);
  p.lhs = matrix(desc.bindings[0], rank, isLhsTransposed);
  bool isRhsTransposed = attributes.getInt("transposeRhs", 0) != 0;
  p.rhs = matrix(desc.bindings[1], rank, isRhsTransposed);
  for (int i = firstOperand; i < dstBinding; ++i)
    p.operands.push_back(operand(desc.bindings[i], rank, false));
  if (isEmpty(p.dst.get_dims()))
    return;
  if (isEmpty(p.lhs.get_dims()))
    throwUnsupported("a sum over no elements");
  flattenBatch(p, isLhsTransposed);
  if (hasBias) {
    Dims dims(p.dst.get_dims().size(), 1);
    dims.back() = p.dst.get_dims().back();
    if (numElements(dimsOf(desc.bindings[2])) != dims.back())
      throwInvalid("expected a bias of " + std::to_string(dims.back()) + " elements");
    p.bias = memory::desc(dims, dataType(desc.bindings[2]), denseStrides(dims));
  }
  PostOps postOps =
      parsePostOps(attributes.getString(library::postOps, ""), [&](size_t i) {
        if (i >= p.operands.size())
          throwInvalid("a post-op's operand is missing from the bindings");
        return p.operands[i];
      });
  dnnl::primitive_attr primitiveAttributes = baseAttributes();
  primitiveAttributes.set_post_ops(postOps.ops);

  const hexin_binding &rhs = desc.bindings[1];
  Dims panels = readPanels(attributes, rhs);
  memory::desc chosenRhs =
      rhs.host_data
          ? memory::desc(p.rhs.get_dims(), p.rhs.get_data_type(), memory::format_tag::any)
          : p.rhs;
  auto pd = hasBias ? dnnl::matmul::primitive_desc(engine(), p.lhs, chosenRhs, p.bias,
                                                   p.dst, primitiveAttributes)
                    : dnnl::matmul::primitive_desc(engine(), p.lhs, chosenRhs, p.dst,
                                                   primitiveAttributes);
  refuseReferenceCode(pd);
  op.setPrimitive(dnnl::matmul(pd), pd.scratchpad_desc());
  op.bind(DNNL_ARG_SRC, p.lhs, 0);
  if (rhs.host_data)
    op.bindConstant(DNNL_ARG_WEIGHTS,
                    packWeights({rhs, p.rhs, false, isRhsTransposed, panels},
                                pd.weights_desc(), context.cacheFolder, context.counts));
  else
    op.bind(DNNL_ARG_WEIGHTS, p.rhs, 1);
  if (hasBias)
    op.bind(DNNL_ARG_BIAS, p.bias, 2);
  for (size_t i = 0; i < postOps.binarySteps.size(); ++i)
    op.bind(DNNL_ARG_ATTR_MULTIPLE_POST_OP(postOps.binarySteps[i]) | DNNL_ARG_SRC_1,
            p.operands[i], firstOperand + static_cast<int>(i));
  op.bind(DNNL_ARG_DST, p.dst, dstBinding);
}

} // namespace hexin::onednn
