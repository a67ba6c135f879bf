#include "backends/cpu/onednn/Ops.h"
#include "backends/cpu/onednn/Window.h"

namespace hexin::onednn {
namespace {

dnnl::algorithm poolAlgorithm(std::string_view fn) {
  if (fn == "max")
    return dnnl::algorithm::pooling_max;
  if (fn == "avg")
    return dnnl::algorithm::pooling_avg_exclude_padding;
  if (fn == "avg_include_pad")
    return dnnl::algorithm::pooling_avg_include_padding;
  throwUnsupported("oneDNN has no pooling '" + std::string(fn) + "'");
}

} // namespace

void preparePool(const hexin_command_desc &desc, PrepareContext &, Op &op) {
  OpAttributes attributes(desc);
  if (desc.binding_count != 2)
    throwUnsupported("oneDNN pooling takes src and dst, got " +
                     std::to_string(desc.binding_count) + " bindings (no indices)");
  bool isNhwc = attributes.getString("layout", "nchw") == "nhwc";
  auto src = activation(desc.bindings[0], isNhwc),
       dst = activation(desc.bindings[1], isNhwc);
  Dims taps = attributes.getInts("window");
  Dims srcDims = src.get_dims(), dstDims = dst.get_dims();
  if (taps.empty() || srcDims.size() != taps.size() + 2 ||
      dstDims.size() != srcDims.size())
    throwInvalid("expected src and dst of rank " + std::to_string(taps.size() + 2));
  if (isEmpty(dstDims))
    return;
  Dims large(srcDims.begin() + 2, srcDims.end()),
      small(dstDims.begin() + 2, dstDims.end());
  Window w = readWindow(attributes, taps, large, small);
  auto algorithm = poolAlgorithm(attributes.getString("fn", "max"));
  for (size_t i = 0; i < taps.size(); ++i) {
    int64_t reach = (taps[i] - 1) * (w.dilations[i] + 1) + 1;
    int64_t needed = (small[i] - 1) * w.strides[i] + reach - large[i] - w.padsBegin[i];
    if (needed <= w.padsEnd[i])
      continue;
    // A last window that hangs over the pads counts only what is inside them.
    if (algorithm == dnnl::algorithm::pooling_avg_include_padding)
      throwUnsupported("oneDNN counts all of an overhanging window (ceilMode)");
    requireWithin(needed, -maxExtent, "a pad");
    w.padsEnd[i] = needed;
  }
  dnnl::pooling_forward::primitive_desc pd(
      engine(), dnnl::prop_kind::forward_inference, algorithm, src, dst, w.strides, taps,
      w.dilations, w.padsBegin, w.padsEnd, baseAttributes());
  refuseReferenceCode(pd);
  op.setPrimitive(dnnl::pooling_forward(pd), pd.scratchpad_desc());
  op.bind(DNNL_ARG_SRC, src, 0);
  op.bind(DNNL_ARG_DST, dst, 1);
}

} // namespace hexin::onednn
