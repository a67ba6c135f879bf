#include "runtime/reference/ResizeTable.h"

#include <algorithm>
#include <cmath>

namespace hexin::reference {
namespace {

/// The source coordinate of result position `i`.
double sourceCoordinate(const ResizeOptions &options, const ResizeAxis &a, double i) {
  double last = double(a.in - 1);
  if (options.coordinates == "asymmetric")
    return i / a.scale;
  if (options.coordinates == "align_corners") {
    // The fractional length, as the node tests have it, not the integer one.
    double length = a.scale * double(a.in);
    return length == 1 ? 0 : i * last / (length - 1);
  }
  if (options.coordinates == "tf_crop_and_resize") {
    if (a.out == 1)
      return 0.5 * (a.roiStart + a.roiEnd) * last;
    return a.roiStart * last + i * (a.roiEnd - a.roiStart) * last / double(a.out - 1);
  }
  if (options.coordinates == "pytorch_half_pixel" && a.out == 1)
    return 0;
  // Operation by operation what ONNX's reference does: a coordinate that ought to be a
  // whole number decides what floor and ceil take.
  double x = (i + 0.5) / a.scale;
  if (options.coordinates == "half_pixel_symmetric") {
    double adjustment = double(a.out) / (a.scale * double(a.in));
    x = double(a.in) / 2 * (1 - adjustment) + x;
  }
  return options.coordinates == "tf_half_pixel_for_nn" ? x : x - 0.5;
}

int64_t nearestPosition(std::string_view rule, double x) {
  if (rule == "floor")
    return int64_t(std::floor(x));
  if (rule == "ceil")
    return int64_t(std::ceil(x));
  if (rule == "round_prefer_ceil")
    return int64_t(std::floor(x + 0.5));
  return int64_t(std::ceil(x - 0.5)); // round_prefer_floor
}

double filterWeight(const ResizeOptions &options, double x) {
  x = std::fabs(x);
  if (options.mode == "linear")
    return std::max(0.0, 1 - x);
  double a = options.cubicCoefficient;
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2)
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

/// The filter around `x`, stretched by antialias when the axis shrinks.
std::vector<ResizeTap> filterTaps(const ResizeOptions &options, const ResizeAxis &axis,
                                  double x) {
  double stretch = options.antialias ? std::min(axis.scale, 1.0) : 1.0;
  double reach = (options.mode == "linear" ? 1 : 2) / stretch;
  std::vector<ResizeTap> taps;
  double sum = 0;
  for (double at = std::floor(x - reach) + 1; at < x + reach; ++at) {
    double weight = filterWeight(options, (at - x) * stretch);
    bool isInside = at >= 0 && at < double(axis.in);
    if (options.excludeOutside && !isInside)
      continue;
    taps.push_back({int64_t(std::clamp(at, 0.0, double(axis.in - 1))), weight});
    sum += weight;
  }
  if (options.antialias || options.excludeOutside)
    for (ResizeTap &tap : taps)
      tap.weight /= sum;
  return taps;
}

} // namespace

Result<ResizeTable> makeResizeTable(const ResizeOptions &options,
                                    const ResizeAxis &axis) {
  ResizeTable table;
  bool isCrop = options.coordinates == "tf_crop_and_resize";
  table.isIdentity = axis.in == axis.out && axis.scale == 1 && !isCrop;
  if (table.isIdentity)
    return table;
  if (axis.in == 0 && axis.out > 0)
    return invalidArgument("an axis of size 0 cannot grow to " +
                           std::to_string(axis.out));
  table.taps.resize(size_t(axis.out));
  for (int64_t i = 0; i < axis.out; ++i) {
    double x = sourceCoordinate(options, axis, double(i));
    if (!(std::fabs(x) < 0x1p52))
      return invalidArgument("scale " + std::to_string(axis.scale) +
                             " leads to no finite coordinate");
    if (isCrop && (x < 0 || x > double(axis.in - 1)))
      continue;
    std::vector<ResizeTap> &taps = table.taps[size_t(i)];
    if (options.mode == "nearest")
      taps = {
          {std::clamp<int64_t>(nearestPosition(options.nearest, x), 0, axis.in - 1), 1}};
    else
      taps = filterTaps(options, axis, x);
  }
  return table;
}

} // namespace hexin::reference
