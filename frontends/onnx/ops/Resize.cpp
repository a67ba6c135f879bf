// Resize and Upsample, of all versions, as hx.resize with full-rank sizes and
// scales.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/ResizeFormula.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <cmath>

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// Sizes of the result and what maps coordinates, one entry per axis.
struct Target {
  Value sizes, scales;
};

Value doubles(OpBinder &b, ArrayRef<double> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    b.builder.getF64Type());
  return b.constant(DenseElementsAttr::get(type, values));
}

/// floor(size * scale), exactly: a float is an integer over a power of two.
std::optional<Dim> scaledSize(OpBinder &b, Dim size, double scale) {
  int exponent;
  double mantissa = std::frexp(scale, &exponent); // scale = mantissa * 2^exponent
  auto numerator = static_cast<int64_t>(std::ldexp(mantissa, 53));
  exponent -= 53;
  while (numerator != 0 && numerator % 2 == 0 && exponent < 0) {
    numerator /= 2;
    ++exponent;
  }
  if (exponent < -40 || exponent > 20 || numerator > int64_t(1) << 32)
    return std::nullopt;
  hx::SymbolTable &symbols = b.symbols();
  if (exponent >= 0)
    return symbols.mul(size, symbols.constant(numerator << exponent));
  return symbols.floorDiv(symbols.mul(size, symbols.constant(numerator)),
                          symbols.constant(int64_t(1) << -exponent));
}

/// Known scales, one per axis.
Target fromScales(OpBinder &b, Value x, ArrayRef<double> scales) {
  Dims sizes;
  for (auto [dim, scale] : llvm::zip(b.dims(x), scales)) {
    if (!(scale > 0) || std::isinf(scale)) {
      b.error("scale " + Twine(std::to_string(scale)) + ": expected a positive number");
      return {};
    }
    std::optional<Dim> size = scaledSize(b, dim, scale);
    if (!size) {
      b.unsupported("scale " + Twine(std::to_string(scale)) +
                    " is too large or too fine");
      return {};
    }
    sizes.push_back(*size);
  }
  return {b.shape.build(sizes), doubles(b, scales)};
}

/// scale = out / in per axis.
Target fromSizes(OpBinder &b, Value x, ArrayRef<Dim> sizes) {
  Dims dims = b.dims(x);
  auto in = ShapeMath::constants(dims), out = ShapeMath::constants(sizes);
  if (in && out && !llvm::is_contained(*in, 0)) {
    SmallVector<double> scales;
    for (auto [from, to] : llvm::zip(*in, *out))
      scales.push_back(static_cast<double>(to) / static_cast<double>(from));
    return {b.ints(*out), doubles(b, scales)};
  }
  Type f64 = b.builder.getF64Type();
  Value target = b.shape.build(sizes);
  return {target, b.div(b.cast(target, f64), b.cast(b.shape.build(dims), f64))};
}

/// One scale for all `axes` so that the result is not larger, or not smaller, than
/// the sizes asked for; rounded half up.
Target keepingAspect(OpBinder &b, Value x, ArrayRef<int64_t> axes, ArrayRef<Dim> wanted,
                     bool isNotLarger) {
  auto in = ShapeMath::constants(b.dims(x)), out = ShapeMath::constants(wanted);
  if (!in || !out) {
    b.unsupported(
        "keep_aspect_ratio_policy with sizes that are not known when compiling: fix "
        "the model's input sizes");
    return {};
  }
  double scale = 0;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if ((*in)[axis] <= 0) {
      b.contradiction("axis " + Twine(axis) + " is empty");
      return {};
    }
    double ratio = static_cast<double>((*out)[i]) / static_cast<double>((*in)[axis]);
    scale = i == 0        ? ratio
            : isNotLarger ? std::min(scale, ratio)
                          : std::max(scale, ratio);
  }
  SmallVector<int64_t> sizes(*in);
  SmallVector<double> scales(in->size(), 1.0);
  for (int64_t axis : axes) {
    sizes[axis] =
        static_cast<int64_t>(std::floor(scale * static_cast<double>((*in)[axis]) + 0.5));
    scales[axis] = scale;
  }
  return {b.ints(sizes), doubles(b, scales)};
}

hx::ResizeMode readMode(OpBinder &b) {
  StringRef mode = b.stringAttr("mode", "nearest");
  if (mode == "nearest")
    return hx::ResizeMode::nearest;
  if (mode == "linear" || mode == "bilinear" || mode == "trilinear")
    return hx::ResizeMode::linear;
  if (mode == "cubic" || mode == "bicubic")
    return hx::ResizeMode::cubic;
  b.error("mode '" + mode + "': expected nearest, linear or cubic");
  return hx::ResizeMode::nearest;
}

Value makeResize(OpBinder &b, Value x, const Target &target, StringRef coordinates,
                 StringRef nearest) {
  hx::ResizeMode mode = readMode(b);
  if (b.failed())
    return {};
  return b.make<hx::ResizeOp>(
      HxBuilder::elementType(x), mode, x, target.sizes, target.scales, Value(),
      coordinates, nearest, llvm::APFloat(b.floatAttr("cubic_coeff_a", -0.75)),
      b.intAttr("exclude_outside", 0) != 0, b.intAttr("antialias", 0) != 0,
      llvm::APFloat(b.floatAttr("extrapolation_value", 0)));
}

//===----------------------------------------------------------------------===//
// Upsample, and Resize 10
//===----------------------------------------------------------------------===//

Value resized(OpBinder &b, Value x, ArrayRef<double> scales, StringRef nearest) {
  return b.failed() ? Value()
                    : makeResize(b, x, fromScales(b, x, scales), "asymmetric", nearest);
}

/// Asymmetric coordinates; nearest rounds down, but Resize 10 rounds up along the axes
/// that it shrinks, as ONNX Runtime does.
void importWithScales(OpBinder &b, std::optional<SmallVector<double>> scales) {
  Value x = b.input(0);
  if (scales && static_cast<int64_t>(scales->size()) != HxBuilder::rank(x))
    return b.error("expected " + Twine(HxBuilder::rank(x)) + " scales, got " +
                   Twine(scales->size()));
  StringRef nearest = "floor";
  auto isSmaller = [](double scale) { return scale < 1; };
  if (b.node().opType == "Resize" && scales && llvm::any_of(*scales, isSmaller)) {
    SmallVector<double> smaller(*scales), larger(*scales);
    for (auto [less, more] : llvm::zip(smaller, larger))
      (isSmaller(less) ? more : less) = 1;
    x = resized(b, x, smaller, "ceil");
    if (llvm::all_of(larger, [](double scale) { return scale == 1; }))
      return b.result(0, x);
    return b.result(0, resized(b, x, larger, nearest));
  }
  if (scales)
    return b.result(0, resized(b, x, *scales, nearest));
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < HxBuilder::rank(x); ++axis)
    axes.push_back(axis);
  hx::ResizeMode mode = readMode(b);
  if (!b.failed())
    importResizeByFormula(b, axes, {mode, "asymmetric", nearest, /*scalesInput=*/1});
}

void importUpsampleAttributes(OpBinder &b) {
  if (b.sinceVersion() >= 7)
    return importWithScales(b, b.floatsAttr("scales"));
  importWithScales(b, SmallVector<double>{1, 1, b.floatAttr("height_scale", 1),
                                          b.floatAttr("width_scale", 1)});
}

void importUpsampleInput(OpBinder &b) {
  importWithScales(b, b.constantFloats(b.input(1)));
}

//===----------------------------------------------------------------------===//
// Resize 11 and later: X, roi?, scales?, sizes?
//===----------------------------------------------------------------------===//

bool isEmpty(OpBinder &b, Value value) {
  return !value || b.shapes.numElements(value) == b.shape.constant(0);
}

Target readTarget(OpBinder &b, ArrayRef<int64_t> axes) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  auto checkCount = [&](size_t count, StringRef what) {
    if (!b.failed() && count != axes.size())
      b.error("expected " + Twine(axes.size()) + " " + what + ", got " + Twine(count));
    return !b.failed();
  };
  if (!isEmpty(b, b.input(3))) {
    Dims wanted = b.readInts(3);
    if (!checkCount(wanted.size(), "sizes"))
      return {};
    StringRef policy = b.stringAttr("keep_aspect_ratio_policy", "stretch");
    if (policy == "not_larger" || policy == "not_smaller")
      return keepingAspect(b, x, axes, wanted, policy == "not_larger");
    if (policy != "stretch")
      b.error("keep_aspect_ratio_policy '" + policy + "' is unknown");
    Dims sizes = b.dims(x);
    for (auto [axis, size] : llvm::zip(axes, wanted))
      sizes[axis] = size;
    return fromSizes(b, x, sizes);
  }
  if (isEmpty(b, b.input(2))) {
    b.error("neither scales nor sizes are given");
    return {};
  }
  auto given = b.constantFloats(b.input(2));
  if (!given || !checkCount(given->size(), "scales"))
    return {};
  SmallVector<double> scales(rank, 1.0);
  for (auto [axis, scale] : llvm::zip(axes, *given))
    scales[axis] = scale;
  return fromScales(b, x, scales);
}

/// Whether only a run knows what hx.resize wants to know: the scales, or what a filter
/// stretches by.
bool isKnownByRun(OpBinder &b, StringRef coordinates) {
  if (coordinates == "tf_crop_and_resize")
    return true; // a region of floats
  auto isFixed = [&] {
    Dims sizes = isEmpty(b, b.input(3)) ? Dims() : b.readInts(3);
    return !b.failed() && ShapeMath::constants(sizes) &&
           ShapeMath::constants(b.dims(b.input(0)));
  };
  if (b.intAttr("antialias", 0) != 0 && !isFixed())
    return true;
  if (isEmpty(b, b.input(3)))
    return !isEmpty(b, b.input(2)) && !b.constantFloats(b.input(2));
  bool isStretch = b.stringAttr("keep_aspect_ratio_policy", "stretch") == "stretch";
  return !isStretch && !isFixed();
}

void importResize(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    axes.push_back(axis);
  axes = b.intsAttr("axes", axes);
  for (int64_t &axis : axes)
    axis = b.normalizeAxis(axis, rank);
  if (b.failed())
    return;
  StringRef coordinates = b.stringAttr("coordinate_transformation_mode", "half_pixel");
  if (isKnownByRun(b, coordinates)) {
    hx::ResizeMode mode = readMode(b);
    return b.failed() ? void()
                      : importResizeByFormula(
                            b, axes,
                            {mode, coordinates,
                             b.stringAttr("nearest_mode", "round_prefer_floor")});
  }
  Target target = readTarget(b, axes);
  b.result(0, makeResize(b, b.input(0), target, coordinates,
                         b.stringAttr("nearest_mode", "round_prefer_floor")));
}

} // namespace

void registerResizeOps(OpTable &table) {
  table.add("", {
                    {"Upsample", 1, 1, 1, importUpsampleAttributes},
                    {"Upsample", 7, 1, 1, importUpsampleAttributes},
                    {"Upsample", 9, 2, 2, importUpsampleInput},
                    {"Resize", 10, 2, 2, importUpsampleInput},
                    {"Resize", 11, 1, 4, importResize},
                });
}

} // namespace hexin::onnx
