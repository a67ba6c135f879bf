//===- Window.h - windows over spatial axes, and where channels lie ---------===//
//
// What conv, conv_transpose and pool share: attributes strides, pads, dilations,
// padPolicy and layout, and output sizes as OPS.md's rules for windows say.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_WINDOW_H
#define HEXIN_RUNTIME_REFERENCE_WINDOW_H

#include "runtime/reference/Kernel.h"

namespace hexin::reference {

/// [N, C, spatial...] in either layout, as sizes and strides in elements.
struct Image {
  int64_t batch = 0, channels = 0;
  Dims spatial;
  int64_t batchStride = 0, channelStride = 0;
  Dims spatialStrides;

  int64_t plane() const { return product(spatial, 0, spatial.size()); }
};

/// Attribute `layout`: true for nhwc.
Result<bool> readIsChannelsLast(const Call &call);

/// `dims` as an image; an error below rank 2.
Result<Image> makeImage(std::span<const int64_t> dims, bool isChannelsLast);

/// The sizes in axis order.
Dims imageDims(int64_t batch, int64_t channels, std::span<const int64_t> spatial,
               bool isChannelsLast);

/// A window that slides over `in`: output o of an axis reads the positions
/// o * stride + tap * dilation - padBegin.
struct Window {
  Dims in, out, taps, strides, dilations, padBegin, padEnd;

  size_t rank() const { return in.size(); }
  int64_t numTaps() const { return product(taps, 0, taps.size()); }
  /// First to last tap, both included.
  int64_t extent(size_t axis) const { return dilations[axis] * (taps[axis] - 1) + 1; }
};

/// Attributes and sizes without pads resolved by the policy and without `out`.
Result<Window> readWindow(const Call &call, std::span<const int64_t> in,
                          std::span<const int64_t> taps);

/// Also `out`, and the pads that padPolicy stands for, in the forward direction.
Result<Window> readForwardWindow(const Call &call, std::span<const int64_t> in,
                                 std::span<const int64_t> taps, bool ceilMode);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_WINDOW_H
