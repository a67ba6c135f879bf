// conv, conv_integer: implicit products. Columns are output positions; a panel
// of them is gathered as [C/g x taps][panelWidth], so any stride, dilation and
// layout costs the same.

#include "runtime/base/DType.h"
#include "runtime/reference/Panels.h"
#include "runtime/reference/Window.h"

#include <algorithm>

namespace hexin::reference {
namespace {

struct Convolution {
  Image input;
  Window window;
  bool isChannelsLast;
  int64_t groups, channelsPerGroup, outChannels;

  int64_t outPerGroup() const { return outChannels / groups; }
  int64_t depth() const { return channelsPerGroup * window.numTaps(); }
};

Result<Convolution> planConvolution(const Call &call) {
  Convolution c;
  auto weights = call.operand(1).dims();
  HEXIN_ASSIGN_OR_RETURN(c.isChannelsLast, readIsChannelsLast(call));
  HEXIN_ASSIGN_OR_RETURN(c.input, makeImage(call.operand(0).dims(), c.isChannelsLast));
  if (weights.size() != c.input.spatial.size() + 2)
    return invalidArgument("weights of sizes " + formatDims(weights) +
                           " do not fit an input of sizes " +
                           formatDims(call.operand(0).dims()));
  HEXIN_ASSIGN_OR_RETURN(
      c.window, readForwardWindow(call, c.input.spatial, weights.subspan(2), false));
  c.groups = call.attributes.getInt("groups", 1);
  c.outChannels = weights[0];
  c.channelsPerGroup = weights[1];
  if (c.groups < 1 || c.outChannels % c.groups != 0 || c.input.channels % c.groups != 0 ||
      c.input.channels / c.groups != c.channelsPerGroup)
    return invalidArgument("groups=" + std::to_string(c.groups) +
                           " does not fit C=" + std::to_string(c.input.channels) +
                           " and weights " + formatDims(weights));
  return c;
}

/// What of the result is computed: images, channels, positions.
struct Extent {
  int64_t batchBegin, batchEnd, channelBegin, channelEnd;
  Dims begin, sizes; ///< spatial
};

Result<Extent> readExtent(const Call &call, const Convolution &c) {
  Dims dims = imageDims(c.input.batch, c.outChannels, c.window.out, c.isChannelsLast);
  if (!call.options.box)
    return Extent{0,           c.input.batch, 0, c.outChannels, Dims(c.window.rank(), 0),
                  c.window.out};
  const OutputBox &box = *call.options.box;
  HEXIN_RETURN_IF_ERROR(checkBox(box, dims));
  size_t channel = c.isChannelsLast ? dims.size() - 1 : 1;
  size_t first = c.isChannelsLast ? 1 : 2;
  Extent e{box.begin[0], box.end[0], box.begin[channel], box.end[channel], {}, {}};
  for (size_t i = first; i < first + c.window.rank(); ++i) {
    e.begin.push_back(box.begin[i]);
    e.sizes.push_back(box.end[i] - box.begin[i]);
  }
  return e;
}

/// For each tap and each of `count` output positions (from `position` on, which
/// is advanced), the input element it reads within a channel, or -1 for padding.
void locateTaps(const Convolution &c, const Extent &e, Dims &position, int64_t count,
                Dims &offsets) {
  const Window &w = c.window;
  for (int64_t j = 0; j < panelWidth; ++j) {
    Dims tap(w.rank(), 0);
    for (int64_t t = 0; t < w.numTaps(); ++t) {
      int64_t offset = 0;
      bool isInside = j < count;
      for (size_t i = 0; i < w.rank() && isInside; ++i) {
        int64_t at = (e.begin[i] + position[i]) * w.strides[i] + tap[i] * w.dilations[i] -
                     w.padBegin[i];
        isInside = at >= 0 && at < w.in[i];
        offset += at * c.input.spatialStrides[i];
      }
      offsets[size_t(t * panelWidth + j)] = isInside ? offset : -1;
      stepIndex(tap, w.taps);
    }
    if (j < count)
      stepIndex(position, e.sizes);
  }
}

/// input and weights as wide elements; bias has one entry per channel or none.
template <typename W>
Result<Tensor> convolve(const Call &call, const Convolution &c, const W *input,
                        const W *weights, std::span<const W> bias) {
  HEXIN_ASSIGN_OR_RETURN(Extent e, readExtent(call, c));
  int64_t channels = e.channelEnd - e.channelBegin;
  int64_t plane = product(e.sizes, 0, e.sizes.size());
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         call.allocate(0, imageDims(e.batchEnd - e.batchBegin, channels,
                                                    e.sizes, c.isChannelsLast)));
  if (result.numElements() == 0)
    return result;
  int64_t taps = c.window.numTaps(), depth = c.depth(), perGroup = c.outPerGroup();
  std::vector<W> panel(size_t(depth * panelWidth)), block(size_t(perGroup * panelWidth));
  Dims offsets(size_t(taps * panelWidth));

  for (int64_t n = e.batchBegin; n < e.batchEnd; ++n) {
    Dims position(c.window.rank(), 0);
    for (int64_t p = 0; p < plane; p += panelWidth) {
      int64_t width = std::min(panelWidth, plane - p);
      locateTaps(c, e, position, width, offsets);
      for (int64_t g = e.channelBegin / perGroup; g * perGroup < e.channelEnd; ++g) {
        const W *image = input + n * c.input.batchStride +
                         g * c.channelsPerGroup * c.input.channelStride;
        for (int64_t k = 0, row = 0; k < c.channelsPerGroup; ++k)
          for (int64_t i = 0; i < taps * panelWidth; ++i, ++row) {
            int64_t offset = offsets[size_t(i)];
            panel[size_t(row)] =
                offset < 0 ? W(0) : image[k * c.input.channelStride + offset];
          }
        int64_t first = std::max(e.channelBegin, g * perGroup);
        int64_t last = std::min(e.channelEnd, (g + 1) * perGroup);
        multiplyPanel(weights + first * depth, depth, 1, last - first, depth,
                      panel.data(), block.data());
        for (int64_t m = first; m < last; ++m) {
          W *values = block.data() + (m - first) * panelWidth;
          for (int64_t j = 0; j < width && !bias.empty(); ++j)
            values[j] += bias[size_t(m)];
          int64_t row = n - e.batchBegin, channel = m - e.channelBegin;
          if (!c.isChannelsLast) {
            storeElements(result.dtype(), result.data(),
                          (row * channels + channel) * plane + p, width, values);
            continue;
          }
          for (int64_t j = 0; j < width; ++j)
            storeElements(result.dtype(), result.data(),
                          (row * plane + p + j) * channels + channel, 1, values + j);
        }
      }
    }
  }
  return result;
}

} // namespace

Results runConv(const Call &call) {
  const Tensor &input = call.operand(0), &weights = call.operand(1);
  const Tensor *bias = call.optional(2);
  HEXIN_ASSIGN_OR_RETURN(Convolution c, planConvolution(call));
  for (const Tensor *operand : {&input, &weights, bias ? bias : &input}) {
    HEXIN_RETURN_IF_ERROR(checkSameDomain(call, *operand));
    if (domainOf(operand->dtype()) == Domain::opaque)
      return unsupported("a convolution of elements of type " +
                         std::string(toString(operand->dtype())));
  }
  if (bias && (bias->dims().size() != 1 || bias->dims()[0] != c.outChannels))
    return invalidArgument("the bias must have sizes [" + std::to_string(c.outChannels) +
                           "], got " + formatDims(bias->dims()));
  auto compute = [&](auto zero) {
    using W = decltype(zero);
    std::vector<W> biasValues(bias ? size_t(c.outChannels) : 0);
    if (bias)
      loadElements(bias->dtype(), bias->data(), 0, 1, c.outChannels, biasValues.data());
    return convolve<W>(call, c, Wide<W>(input).data(), Wide<W>(weights).data(),
                       biasValues);
  };
  Result<Tensor> result = domainOf(input.dtype()) == Domain::floating
                              ? compute(double())
                              : compute(uint64_t());
  HEXIN_RETURN_IF_ERROR(result.status());
  return single(*std::move(result));
}

Results runConvInteger(const Call &call) {
  const Tensor &input = call.operand(0), &weights = call.operand(1);
  const Tensor *inputZero = call.optional(2), *weightsZero = call.optional(3);
  for (size_t i = 0; i < call.operands.size(); ++i)
    if (call.operands[i] && domainOf(call.operands[i]->dtype()) != Domain::integer)
      return invalidArgument("operand " + std::to_string(i) +
                             " must be an integer, got " +
                             std::string(toString(call.operands[i]->dtype())));
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, input));
  HEXIN_ASSIGN_OR_RETURN(Convolution c, planConvolution(call));
  if (inputZero && inputZero->numElements() != 1)
    return invalidArgument("the input's zero point must be one element, got sizes " +
                           formatDims(inputZero->dims()));
  if (weightsZero && weightsZero->numElements() != 1 &&
      weightsZero->numElements() != c.outChannels)
    return invalidArgument(
        "the weights' zero point must be one element or one per output "
        "channel, got sizes " +
        formatDims(weightsZero->dims()));

  std::vector<uint64_t> x(size_t(input.numElements())), w(size_t(weights.numElements()));
  loadElements(input.dtype(), input.data(), 0, 1, input.numElements(), x.data());
  loadElements(weights.dtype(), weights.data(), 0, 1, weights.numElements(), w.data());
  // Padding holds the zero point: zero after the subtraction.
  if (inputZero) {
    Wide<int64_t> zero(*inputZero);
    for (uint64_t &value : x)
      value -= uint64_t(zero[0]);
  }
  if (weightsZero) {
    Wide<int64_t> zero(*weightsZero);
    bool isPerChannel = weightsZero->numElements() > 1;
    for (size_t i = 0; i < w.size(); ++i)
      w[i] -= uint64_t(zero[isPerChannel ? int64_t(i) / c.depth() : 0]);
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         convolve<uint64_t>(call, c, x.data(), w.data(), {}));
  return single(std::move(result));
}

} // namespace hexin::reference
