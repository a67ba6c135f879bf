// resize: per axis a table of source positions with weights (ResizeTable.h),
// applied one axis after the other.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"
#include "runtime/reference/Lines.h"
#include "runtime/reference/ResizeTable.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hexin::reference {
namespace {

/// [outer, in, inner] to [outer, out, inner].
std::vector<double> applyTable(const ResizeTable &table, const std::vector<double> &src,
                               std::span<const int64_t> dims, size_t axis) {
  Lines lines(dims, axis);
  int64_t out = int64_t(table.taps.size());
  std::vector<double> dst(size_t(lines.outer * out * lines.inner), 0);
  for (int64_t o = 0; o < lines.outer; ++o)
    for (int64_t i = 0; i < out; ++i) {
      double *row = dst.data() + (o * out + i) * lines.inner;
      for (const ResizeTap &tap : table.taps[size_t(i)]) {
        const double *from = src.data() + (o * lines.length + tap.position) * lines.inner;
        for (int64_t k = 0; k < lines.inner; ++k)
          row[k] += tap.weight * from[k];
      }
    }
  return dst;
}

/// True for the elements of the result that some axis puts outside.
std::vector<bool> findOutside(const std::vector<ResizeTable> &tables, const Dims &dims,
                              size_t numElements) {
  std::vector<bool> isOutside(numElements, false);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (tables[axis].isIdentity)
      continue;
    int64_t inner = product(dims, axis + 1, dims.size());
    for (size_t i = 0; i < numElements; ++i)
      if (tables[axis].taps[i / size_t(inner) % size_t(dims[axis])].empty())
        isOutside[i] = true;
  }
  return isOutside;
}

/// Nearest only moves elements, whatever their type.
void moveNearest(const std::vector<ResizeTable> &tables, const Tensor &input,
                 Tensor &result) {
  auto dims = result.dims();
  Dims strides = rowMajorStrides(input.dims()), index(dims.size(), 0);
  size_t width = size_t(byteWidth(input.dtype()));
  for (int64_t i = 0; i < result.numElements(); ++i) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      const ResizeTable &table = tables[axis];
      int64_t at = index[axis];
      if (!table.isIdentity) {
        const auto &taps = table.taps[size_t(at)];
        at = taps.empty() ? 0 : taps[0].position;
      }
      offset += at * strides[axis];
    }
    std::memcpy(static_cast<char *>(result.data()) + size_t(i) * width,
                static_cast<const char *>(input.data()) + size_t(offset) * width, width);
    stepIndex(index, dims);
  }
}

/// To the result's type; integers round half to even and saturate.
void storeRounded(Tensor &result, std::vector<double> &values) {
  DType dtype = result.dtype();
  if (domainOf(dtype) == Domain::integer) {
    int bits = int(byteWidth(dtype)) * 8 - isSigned(dtype);
    double limit = dtype == DType::boolean ? 1 : std::ldexp(1.0, bits) - 1;
    double least = isSigned(dtype) ? -std::ldexp(1.0, bits) : 0;
    for (double &value : values)
      value = std::clamp(std::nearbyint(value), least, limit);
  }
  storeElements(dtype, result.data(), 0, result.numElements(), values.data());
}

Result<std::vector<ResizeAxis>> readAxes(const Call &call, const Dims &sizes,
                                         const ResizeOptions &options) {
  auto in = call.operand(0).dims();
  const Tensor &scales = call.operand(2), *roi = call.optional(3);
  int64_t rank = int64_t(in.size());
  if (int64_t(sizes.size()) != rank || scales.numElements() != rank ||
      domainOf(scales.dtype()) != Domain::floating)
    return invalidArgument("sizes and float scales need one entry per axis, " +
                           std::to_string(rank));
  bool isCrop = options.coordinates == "tf_crop_and_resize";
  if (isCrop && (!roi || roi->numElements() != 2 * rank ||
                 domainOf(roi->dtype()) != Domain::floating))
    return invalidArgument("tf_crop_and_resize needs a float roi of " +
                           std::to_string(2 * rank) + " entries");
  Wide<double> scaleValues(scales), roiValues(isCrop ? *roi : scales);
  std::vector<ResizeAxis> axes;
  for (int64_t i = 0; i < rank; ++i) {
    ResizeAxis axis{in[size_t(i)], sizes[size_t(i)], scaleValues[i], 0, 1};
    // Also what keeps an antialias filter shorter than a few times the axis.
    double length = axis.scale * double(axis.in);
    if (axis.out > 0 && axis.in > 0 && (!(length > 0.49) || !std::isfinite(length)))
      return invalidArgument("scale " + std::to_string(axis.scale) + " of axis " +
                             std::to_string(i) + " does not make " +
                             std::to_string(axis.out) + " of " + std::to_string(axis.in));
    // An f32 scale that stands for out/in means that ratio, not its rounding.
    double ratio = double(axis.out) / double(std::max<int64_t>(axis.in, 1));
    if (scales.dtype() == DType::f32 && float(ratio) == float(axis.scale))
      axis.scale = ratio;
    if (isCrop) {
      axis.roiStart = roiValues[i];
      axis.roiEnd = roiValues[rank + i];
    }
    axes.push_back(axis);
  }
  return axes;
}

Result<ResizeOptions> readOptions(const Call &call) {
  const Attributes &attributes = call.attributes;
  ResizeOptions options{attributes.getString("mode", "nearest"),
                        attributes.getString("coordinates", "half_pixel"),
                        attributes.getString("nearest", "round_prefer_floor"),
                        attributes.getFloat("cubicCoefficient", -0.75),
                        attributes.getInt("excludeOutside") != 0,
                        attributes.getInt("antialias") != 0};
  auto isOneOf = [](std::string_view word,
                    std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (!isOneOf(options.mode, {"nearest", "linear", "cubic"}))
    return unknownKeyword("mode", options.mode);
  if (!isOneOf(options.coordinates, {"half_pixel", "half_pixel_symmetric",
                                     "pytorch_half_pixel", "align_corners", "asymmetric",
                                     "tf_crop_and_resize", "tf_half_pixel_for_nn"}))
    return unknownKeyword("coordinates", options.coordinates);
  if (!isOneOf(options.nearest,
               {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}))
    return unknownKeyword("nearest", options.nearest);
  return options;
}

} // namespace

Results runResize(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(ResizeOptions options, readOptions(call));
  HEXIN_ASSIGN_OR_RETURN(Dims sizes, readIntegers(call.operand(1), "sizes"));
  HEXIN_ASSIGN_OR_RETURN(std::vector<ResizeAxis> axes, readAxes(call, sizes, options));
  bool isNearest = options.mode == "nearest";
  if (call.resultTypes[0] != input.dtype() &&
      (isNearest || domainOf(input.dtype()) != domainOf(call.resultTypes[0])))
    return invalidArgument("the result keeps the input's type " +
                           std::string(toString(input.dtype())));
  if (!isNearest && domainOf(input.dtype()) == Domain::opaque)
    return unsupported("interpolating " + std::string(toString(input.dtype())));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, sizes));
  if (result.numElements() == 0)
    return single(std::move(result));

  std::vector<ResizeTable> tables;
  for (const ResizeAxis &axis : axes) {
    HEXIN_ASSIGN_OR_RETURN(ResizeTable table, makeResizeTable(options, axis));
    tables.push_back(std::move(table));
  }
  bool isCrop = options.coordinates == "tf_crop_and_resize";
  std::vector<bool> isOutside;
  if (isCrop)
    isOutside = findOutside(tables, sizes, size_t(result.numElements()));
  double extrapolation = call.attributes.getFloat("extrapolationValue");

  if (isNearest) {
    moveNearest(tables, input, result);
    for (size_t i = 0; i < isOutside.size(); ++i)
      if (isOutside[i])
        storeElements(result.dtype(), result.data(), int64_t(i), 1, &extrapolation);
    return single(std::move(result));
  }
  std::vector<double> values(size_t(input.numElements()));
  loadElements(input.dtype(), input.data(), 0, 1, input.numElements(), values.data());
  Dims dims(input.dims().begin(), input.dims().end());
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (tables[axis].isIdentity)
      continue;
    values = applyTable(tables[axis], values, dims, axis);
    dims[axis] = sizes[axis];
  }
  for (size_t i = 0; i < isOutside.size(); ++i)
    if (isOutside[i])
      values[i] = extrapolation;
  storeRounded(result, values);
  return single(std::move(result));
}

} // namespace hexin::reference
