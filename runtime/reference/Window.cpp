#include "runtime/reference/Window.h"

#include <algorithm>

namespace hexin::reference {
namespace {

/// Under this no product of two attributes and a size can overflow.
constexpr int64_t largestAttribute = int64_t(1) << 24;
constexpr int64_t largestSize = int64_t(1) << 36;

Result<Dims> readAttribute(const Call &call, std::string_view name, size_t count,
                           int64_t fallback, int64_t least) {
  Dims values = call.attributes.getInts(name);
  if (values.empty())
    values.assign(count, fallback);
  if (values.size() != count)
    return invalidArgument(std::string(name) + " needs " + std::to_string(count) +
                           " entries, got " + std::to_string(values.size()));
  for (int64_t value : values)
    if (value < least || value > largestAttribute)
      return invalidArgument(std::string(name) + "=" + formatDims(values) +
                             " must lie in " + std::to_string(least) + " to " +
                             std::to_string(largestAttribute));
  return values;
}

} // namespace

Result<bool> readIsChannelsLast(const Call &call) {
  std::string_view layout = call.attributes.getString("layout", "nchw");
  if (layout != "nchw" && layout != "nhwc")
    return unknownKeyword("layout", layout);
  return layout == "nhwc";
}

Result<Image> makeImage(std::span<const int64_t> dims, bool isChannelsLast) {
  if (dims.size() < 2)
    return invalidArgument("expected a batch and a channel axis, got sizes " +
                           formatDims(dims));
  Dims strides = rowMajorStrides(dims);
  size_t channel = isChannelsLast ? dims.size() - 1 : 1;
  size_t first = isChannelsLast ? 1 : 2, count = dims.size() - 2;
  Image image;
  image.batch = dims[0];
  image.batchStride = strides[0];
  image.channels = dims[channel];
  image.channelStride = strides[channel];
  for (size_t i = first; i < first + count; ++i) {
    image.spatial.push_back(dims[i]);
    image.spatialStrides.push_back(strides[i]);
  }
  return image;
}

Dims imageDims(int64_t batch, int64_t channels, std::span<const int64_t> spatial,
               bool isChannelsLast) {
  Dims dims{batch};
  if (!isChannelsLast)
    dims.push_back(channels);
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  if (isChannelsLast)
    dims.push_back(channels);
  return dims;
}

Result<Window> readWindow(const Call &call, std::span<const int64_t> in,
                          std::span<const int64_t> taps) {
  size_t rank = in.size();
  Window window;
  window.in.assign(in.begin(), in.end());
  window.taps.assign(taps.begin(), taps.end());
  if (taps.size() != rank)
    return invalidArgument("a window of sizes " + formatDims(taps) + " does not fit " +
                           std::to_string(rank) + " spatial axes");
  for (size_t i = 0; i < rank; ++i)
    if (taps[i] < 1 || taps[i] > largestAttribute || in[i] > largestSize)
      return invalidArgument("a window of sizes " + formatDims(taps) + " over " +
                             formatDims(in) + " is empty or too large");
  HEXIN_ASSIGN_OR_RETURN(window.strides, readAttribute(call, "strides", rank, 1, 1));
  HEXIN_ASSIGN_OR_RETURN(window.dilations, readAttribute(call, "dilations", rank, 1, 1));
  HEXIN_ASSIGN_OR_RETURN(Dims pads,
                         readAttribute(call, "pads", 2 * rank, 0, -largestAttribute));
  window.padBegin.assign(pads.begin(), pads.begin() + int64_t(rank));
  window.padEnd.assign(pads.begin() + int64_t(rank), pads.end());
  return window;
}

Result<Window> readForwardWindow(const Call &call, std::span<const int64_t> in,
                                 std::span<const int64_t> taps, bool ceilMode) {
  HEXIN_ASSIGN_OR_RETURN(Window window, readWindow(call, in, taps));
  std::string_view policy = call.attributes.getString("padPolicy", "explicit_pads");
  bool isSame = policy == "same_upper" || policy == "same_lower";
  if (!isSame && policy != "explicit_pads")
    return unknownKeyword("padPolicy", policy);
  for (size_t i = 0; i < in.size(); ++i) {
    int64_t stride = window.strides[i];
    if (isSame) {
      int64_t out = (in[i] + stride - 1) / stride;
      int64_t total = std::max<int64_t>(0, (out - 1) * stride + window.extent(i) - in[i]);
      int64_t half = total / 2;
      window.padBegin[i] = policy == "same_upper" ? half : total - half;
      window.padEnd[i] = total - window.padBegin[i];
      window.out.push_back(out);
      continue;
    }
    int64_t room = in[i] + window.padBegin[i] + window.padEnd[i] - window.extent(i);
    if (room < -stride)
      return invalidArgument("a window of extent " + std::to_string(window.extent(i)) +
                             " does not fit spatial axis " + std::to_string(i) +
                             " of size " + std::to_string(in[i]) + " with pads " +
                             std::to_string(window.padBegin[i]) + ", " +
                             std::to_string(window.padEnd[i]));
    int64_t out = 0;
    if (room >= 0)
      out = (ceilMode ? (room + stride - 1) / stride : room / stride) + 1;
    // A last window that starts in the end padding is dropped.
    if (ceilMode && out > 0 && (out - 1) * stride >= in[i] + window.padBegin[i])
      --out;
    window.out.push_back(out);
  }
  return window;
}

} // namespace hexin::reference
