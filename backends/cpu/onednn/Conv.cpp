#include "backends/cpu/abi/LibraryOps.h"
#include "backends/cpu/onednn/Ops.h"
#include "backends/cpu/onednn/PostOps.h"
#include "backends/cpu/onednn/Window.h"

namespace hexin::onednn {
namespace {

using dnnl::memory;
namespace library = cpu::library;

Dims spatial(const memory::desc &activation) {
  Dims dims = activation.get_dims();
  return Dims(dims.begin() + 2, dims.end());
}

/// The pieces that both directions share.
struct ConvProblem {
  memory::desc src, weights, bias, dst;
  bool hasBias;
  Window window;
  PostOps postOps;
  dnnl::primitive_attr attributes;
  int firstOperand, dstBinding;
  Dims panels; ///< of constant weights
};

/// hx weights [M, C/g, taps...] (transposed: [C, M/g, taps...]) as oneDNN's
/// [g, M/g, C/g, taps...], without g when it is 1.
memory::desc weightsDesc(const hexin_binding &binding, int64_t groups,
                         bool isTransposed) {
  Dims dims = dimsOf(binding);
  if (dims.size() < 3 || groups < 1 || dims[0] % groups != 0)
    throwInvalid("weights of " + std::to_string(dims.empty() ? 0 : dims[0]) +
                 " channels do not split in " + std::to_string(groups) + " groups");
  dims[0] /= groups;
  dims.insert(dims.begin(), groups);
  Dims strides = denseStrides(dims);
  if (isTransposed) {
    std::swap(dims[1], dims[2]);
    std::swap(strides[1], strides[2]);
  }
  if (groups == 1) {
    dims.erase(dims.begin());
    strides.erase(strides.begin());
  }
  return {dims, dataType(binding), strides};
}

ConvProblem readProblem(const hexin_command_desc &desc, bool isTransposed) {
  OpAttributes attributes(desc);
  bool isNhwc = attributes.getString("layout", "nchw") == "nhwc";
  ConvProblem p;
  p.hasBias = attributes.getInt(library::hasBias, 0) != 0;
  p.firstOperand = p.hasBias ? 3 : 2;
  p.dstBinding = static_cast<int>(desc.binding_count) - 1;
  if (p.dstBinding < p.firstOperand)
    throwInvalid("expected src, weights" + std::string(p.hasBias ? ", bias" : "") +
                 " and dst, got " + std::to_string(desc.binding_count) + " bindings");
  p.src = activation(desc.bindings[0], isNhwc);
  p.dst = activation(desc.bindings[p.dstBinding], isNhwc);
  Dims weightDims = dimsOf(desc.bindings[1]);
  if (weightDims.size() < 3 || weightDims.size() != p.src.get_dims().size() ||
      weightDims.size() != p.dst.get_dims().size())
    throwInvalid("expected src, weights and dst of one rank, at least 3");
  p.weights = weightsDesc(desc.bindings[1], attributes.getInt("groups", 1), isTransposed);
  if (p.hasBias)
    p.bias = memory::desc({numElements(dimsOf(desc.bindings[2]))},
                          dataType(desc.bindings[2]), memory::format_tag::x);
  Dims taps(weightDims.begin() + 2, weightDims.end());
  p.window = isTransposed ? readWindow(attributes, taps, spatial(p.dst), spatial(p.src))
                          : readWindow(attributes, taps, spatial(p.src), spatial(p.dst));
  size_t numOperands = p.dstBinding - p.firstOperand;
  p.postOps = parsePostOps(attributes.getString(library::postOps, ""), [&](size_t i) {
    if (i >= numOperands)
      throwInvalid("a post-op's operand is missing from the bindings");
    return operand(desc.bindings[p.firstOperand + i], weightDims.size(), isNhwc);
  });
  p.panels = readPanels(attributes, desc.bindings[1]);
  p.attributes = baseAttributes();
  p.attributes.set_post_ops(p.postOps.ops);
  return p;
}

/// The weights as the primitive may choose them: freely when they are constant.
memory::desc weightsForPrimitive(const ConvProblem &p, const hexin_command_desc &desc) {
  return desc.bindings[1].host_data
             ? memory::desc(p.weights.get_dims(), p.weights.get_data_type(),
                            memory::format_tag::any)
             : p.weights;
}

template <typename PrimitiveDesc>
void finish(const ConvProblem &p, const hexin_command_desc &desc, const PrimitiveDesc &pd,
            const dnnl::primitive &primitive, PrepareContext &context, Op &op) {
  op.setPrimitive(primitive, pd.scratchpad_desc());
  op.bind(DNNL_ARG_SRC, p.src, 0);
  const hexin_binding &weights = desc.bindings[1];
  if (weights.host_data)
    op.bindConstant(DNNL_ARG_WEIGHTS,
                    packWeights({weights, p.weights, true, false, p.panels},
                                pd.weights_desc(), context.cacheFolder, context.counts));
  else
    op.bind(DNNL_ARG_WEIGHTS, p.weights, 1);
  if (p.hasBias)
    op.bind(DNNL_ARG_BIAS, p.bias, 2);
  for (size_t i = 0; i < p.postOps.binarySteps.size(); ++i) {
    int step = p.postOps.binarySteps[i];
    dnnl::algorithm kind;
    memory::desc operandDesc;
    p.postOps.ops.get_params_binary(step, kind, operandDesc);
    op.bind(DNNL_ARG_ATTR_MULTIPLE_POST_OP(step) | DNNL_ARG_SRC_1, operandDesc,
            p.firstOperand + static_cast<int>(i));
  }
  op.bind(DNNL_ARG_DST, p.dst, p.dstBinding);
}

} // namespace

void prepareConv(const hexin_command_desc &desc, PrepareContext &context, Op &op) {
  ConvProblem p = readProblem(desc, /*isTransposed=*/false);
  if (isEmpty(p.dst.get_dims()))
    return;
  const Window &w = p.window;
  dnnl::convolution_forward::primitive_desc pd(
      engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      p.src, weightsForPrimitive(p, desc), p.bias, p.dst, w.strides, w.dilations,
      w.padsBegin, w.padsEnd, p.attributes);
  refuseReferenceCode(pd);
  finish(p, desc, pd, dnnl::convolution_forward(pd), context, op);
}

void prepareConvTranspose(const hexin_command_desc &desc, PrepareContext &context,
                          Op &op) {
  ConvProblem p = readProblem(desc, /*isTransposed=*/true);
  if (isEmpty(p.dst.get_dims()))
    return;
  Window &w = p.window;
  // oneDNN has no output padding: what is appended is cut less at the end.
  Dims src = spatial(p.src), dst = spatial(p.dst), weights = p.weights.get_dims();
  for (size_t i = 0; i < src.size(); ++i) {
    int64_t taps = weights[weights.size() - src.size() + i];
    int64_t full = (src[i] - 1) * w.strides[i] + (taps - 1) * (w.dilations[i] + 1) + 1;
    w.padsEnd[i] = full - w.padsBegin[i] - dst[i];
    requireWithin(w.padsEnd[i], -maxExtent, "a pad");
  }
  dnnl::deconvolution_forward::primitive_desc pd(
      engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
      p.src, weightsForPrimitive(p, desc), p.bias, p.dst, w.strides, w.dilations,
      w.padsBegin, w.padsEnd, p.attributes);
  refuseReferenceCode(pd);
  finish(p, desc, pd, dnnl::deconvolution_forward(pd), context, op);
}

} // namespace hexin::onednn
