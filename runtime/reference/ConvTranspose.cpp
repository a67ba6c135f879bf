// conv_transpose: the adjoint of conv. The weights, transposed, times a panel of
// input positions give what each position adds to its window of outputs.

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/reference/Panels.h"
#include "runtime/reference/Window.h"

#include <algorithm>

namespace hexin::reference {
namespace {

/// Sets window.out (the big side) and the pads, from `outputSize` or attributes.
Status resolveOutput(const Call &call, Window &window) {
  size_t rank = window.rank();
  std::string_view policy = call.attributes.getString("padPolicy", "explicit_pads");
  bool isSame = policy == "same_upper" || policy == "same_lower";
  if (!isSame && policy != "explicit_pads")
    return unknownKeyword("padPolicy", policy);
  Dims extra = call.attributes.getInts("outputPadding");
  extra.resize(std::max(extra.size(), rank), 0);
  Dims wanted;
  if (const Tensor *size = call.optional(3)) {
    HEXIN_ASSIGN_OR_RETURN(wanted, readIntegers(*size, "outputSize"));
    if (wanted.size() != rank)
      return invalidArgument("outputSize needs " + std::to_string(rank) +
                             " entries, got " + std::to_string(wanted.size()));
  } else if (isSame) {
    for (size_t i = 0; i < rank; ++i)
      wanted.push_back(window.in[i] * window.strides[i]);
  }
  for (size_t i = 0; i < rank; ++i) {
    if (extra[i] < 0 || extra[i] > int64_t(1) << 24)
      return invalidArgument("outputPadding=" + formatDims(extra) + " is out of bounds");
    int64_t whole = window.strides[i] * (window.in[i] - 1) + extra[i] + window.extent(i);
    if (!wanted.empty()) {
      if (wanted[i] < 0 || wanted[i] > int64_t(1) << 40)
        return invalidArgument("outputSize=" + formatDims(wanted) + " is out of bounds");
      // What is asked for beyond `whole` is zeros at the end.
      int64_t total = std::max<int64_t>(0, whole - wanted[i]);
      int64_t half = total / 2;
      window.padBegin[i] = policy == "same_upper" ? half : total - half;
      window.padEnd[i] = total - window.padBegin[i];
      window.out.push_back(wanted[i]);
      continue;
    }
    int64_t out = whole - window.padBegin[i] - window.padEnd[i];
    if (window.in[i] == 0)
      out = std::max<int64_t>(out, 0);
    if (out < 0)
      return invalidArgument("pads " + std::to_string(window.padBegin[i]) + ", " +
                             std::to_string(window.padEnd[i]) + " leave nothing of " +
                             std::to_string(whole) + " on spatial axis " +
                             std::to_string(i));
    window.out.push_back(out);
  }
  return Status::success();
}

/// For each tap, the element of an output channel that input `position` adds
/// to, or -1.
void locateTargets(const Window &w, const Dims &position, const Dims &outStrides,
                   Dims &targets) {
  Dims tap(w.rank(), 0);
  for (int64_t &target : targets) {
    target = 0;
    for (size_t i = 0; i < w.rank() && target >= 0; ++i) {
      int64_t at = position[i] * w.strides[i] + tap[i] * w.dilations[i] - w.padBegin[i];
      target = at < 0 || at >= w.out[i] ? -1 : target + at * outStrides[i];
    }
    stepIndex(tap, w.taps);
  }
}

struct Adjoint {
  Image in, out;
  Window window;
  bool isChannelsLast;
  int64_t groups, perGroup; ///< output channels of a group
  Dims dims;                ///< of the result

  int64_t depth() const { return in.channels / groups; }
  int64_t outChannels() const { return perGroup * groups; }
};

Status checkTypes(const Call &call) {
  for (size_t i = 0; i < 3; ++i)
    if (const Tensor *operand = call.optional(i))
      if (domainOf(operand->dtype()) != Domain::floating ||
          domainOf(call.resultTypes[0]) != Domain::floating)
        return unsupported("a transposed convolution of elements of type " +
                           std::string(toString(operand->dtype())));
  return Status::success();
}

Result<Adjoint> planAdjoint(const Call &call) {
  Adjoint a;
  auto weights = call.operand(1).dims();
  HEXIN_ASSIGN_OR_RETURN(a.isChannelsLast, readIsChannelsLast(call));
  HEXIN_ASSIGN_OR_RETURN(a.in, makeImage(call.operand(0).dims(), a.isChannelsLast));
  a.groups = call.attributes.getInt("groups", 1);
  if (weights.size() != a.in.spatial.size() + 2 || a.groups < 1 ||
      weights[0] != a.in.channels || weights[0] % a.groups != 0)
    return invalidArgument("weights of sizes " + formatDims(weights) + " and groups=" +
                           std::to_string(a.groups) + " do not fit an input of sizes " +
                           formatDims(call.operand(0).dims()));
  HEXIN_ASSIGN_OR_RETURN(a.window, readWindow(call, a.in.spatial, weights.subspan(2)));
  HEXIN_RETURN_IF_ERROR(resolveOutput(call, a.window));
  a.perGroup = weights[1];
  auto channels = checkedMul(a.perGroup, a.groups);
  if (!channels)
    return invalidArgument("groups=" + std::to_string(a.groups) + " times weights " +
                           formatDims(weights) + " overflow 64 bits");
  const Tensor *bias = call.optional(2);
  if (bias && (bias->dims().size() != 1 || bias->dims()[0] != *channels))
    return invalidArgument("the bias must have sizes [" + std::to_string(*channels) +
                           "], got " + formatDims(bias->dims()));
  a.dims = imageDims(a.in.batch, *channels, a.window.out, a.isChannelsLast);
  HEXIN_ASSIGN_OR_RETURN(a.out, makeImage(a.dims, a.isChannelsLast));
  return a;
}

/// Up to panelWidth input positions: where they are read and added.
struct Positions {
  int64_t count = 0;
  Dims sources = Dims(size_t(panelWidth));
  std::vector<Dims> targets; ///< per position and tap

  explicit Positions(int64_t taps)
      : targets(size_t(panelWidth), Dims(static_cast<size_t>(taps))) {}

  void locate(const Adjoint &a, Dims &position, int64_t numPositions) {
    count = numPositions;
    for (int64_t j = 0; j < count; ++j) {
      int64_t source = 0;
      for (size_t i = 0; i < a.window.rank(); ++i)
        source += position[i] * a.in.spatialStrides[i];
      sources[size_t(j)] = source;
      locateTargets(a.window, position, a.out.spatialStrides, targets[size_t(j)]);
      stepIndex(position, a.window.in);
    }
  }
};

/// Adds the products to `sums`. The operands and the result are not empty.
void scatterProducts(const Adjoint &a, const double *x, const double *weights,
                     double *sums) {
  int64_t taps = a.window.numTaps(), depth = a.depth(), rows = a.perGroup * taps;
  int64_t plane = a.in.plane();
  std::vector<double> panel(size_t(depth * panelWidth)), block(size_t(rows * panelWidth));
  Positions at(taps);
  for (int64_t n = 0; n < a.in.batch; ++n) {
    Dims position(a.window.rank(), 0);
    for (int64_t p = 0; p < plane; p += panelWidth) {
      at.locate(a, position, std::min(panelWidth, plane - p));
      for (int64_t g = 0; g < a.groups; ++g) {
        const double *image = x + n * a.in.batchStride + g * depth * a.in.channelStride;
        for (int64_t k = 0; k < depth; ++k)
          for (int64_t j = 0; j < panelWidth; ++j)
            panel[size_t(k * panelWidth + j)] =
                j < at.count ? image[k * a.in.channelStride + at.sources[size_t(j)]] : 0;
        multiplyPanel(weights + g * depth * rows, 1, rows, rows, depth, panel.data(),
                      block.data());
        for (int64_t row = 0; row < rows; ++row) {
          double *channel = sums + n * a.out.batchStride +
                            (g * a.perGroup + row / taps) * a.out.channelStride;
          for (int64_t j = 0; j < at.count; ++j)
            if (int64_t target = at.targets[size_t(j)][size_t(row % taps)]; target >= 0)
              channel[target] += block[size_t(row * panelWidth + j)];
        }
      }
    }
  }
}

void addBias(const Adjoint &a, const Tensor &bias, std::vector<double> &sums) {
  Wide<double> values(bias);
  size_t channelAxis = a.isChannelsLast ? a.dims.size() - 1 : 1;
  int64_t inner = product(a.dims, channelAxis + 1, a.dims.size());
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] += values[int64_t(i) / inner % a.outChannels()];
}

} // namespace

Results runConvTranspose(const Call &call) {
  const Tensor &input = call.operand(0), &weights = call.operand(1);
  HEXIN_RETURN_IF_ERROR(checkTypes(call));
  HEXIN_ASSIGN_OR_RETURN(Adjoint a, planAdjoint(call));
  HEXIN_ASSIGN_OR_RETURN(size_t numElements, workSize(a.dims, call));
  std::vector<double> sums(numElements, 0);
  // When nothing goes in or comes out, the other sizes may be anything.
  if (numElements > 0 && input.numElements() > 0)
    scatterProducts(a, Wide<double>(input).data(), Wide<double>(weights).data(),
                    sums.data());
  if (const Tensor *bias = call.optional(2))
    addBias(a, *bias, sums);
  HEXIN_ASSIGN_OR_RETURN(Tensor result, storeResult(call, 0, a.dims, sums.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
