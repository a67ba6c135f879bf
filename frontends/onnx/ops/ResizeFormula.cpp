#include "frontends/onnx/ops/ResizeFormula.h"

#include "frontends/onnx/Checks.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ResizeMode;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// floor(x + bias) as a size; read back where the run computes it.
Dim sizeOf(OpBinder &b, Value x, double bias) {
  Type f64 = b.builder.getF64Type(), i64 = b.builder.getI64Type();
  Value size = b.unary(UnaryFn::floor, b.add(x, b.scalar(f64, bias)));
  size = b.reshape(b.cast(size, i64), b.ints({1}));
  if (b.failed())
    return b.shape.constant(0);
  FailureOr<Dims> elements = b.shape.read(size);
  if (mlir::failed(elements))
    b.markFailed();
  return mlir::failed(elements) ? b.shape.constant(0) : elements->front();
}

struct Tap {
  Value position; ///< i64 [out], inside the axis
  Value weight;   ///< f64 [out]; null: 1
};

/// One axis; all in f64.
class FormulaAxis {
public:
  FormulaAxis(OpBinder &b, const ResizeFormula &formula, Dim inSize, Dim outSize,
              Value scale)
      : b(b), f64(b.builder.getF64Type()), mode(formula.mode),
        coordinates(formula.coordinates), rule(formula.nearest), scale(scale),
        outSize(outSize) {
    in = b.shape.buildScalar(inSize, f64);
    out = b.shape.buildScalar(outSize, f64);
    last = b.sub(in, c(1));
  }

  /// Of every output position, [out]. `region`: start and end, of tf_crop_and_resize.
  Value coordinate(std::pair<Value, Value> region) {
    Value i = b.shape.iota({outSize}, 0, f64);
    Value isOne = b.compare(ComparePredicate::eq, out, c(1));
    if (coordinates == "asymmetric")
      return b.div(i, scale);
    if (coordinates == "align_corners") {
      Value span = b.sub(b.mul(in, scale), c(1));
      Value isPoint = b.compare(ComparePredicate::eq, span, c(0));
      return b.select(isPoint, b.mul(i, c(0)),
                      b.div(b.mul(i, last), b.select(isPoint, c(1), span)));
    }
    if (coordinates == "tf_crop_and_resize") {
      auto [start, end] = region;
      Value middle = b.mul(b.mul(c(0.5), b.add(start, end)), last);
      Value steps = b.select(isOne, c(1), b.sub(out, c(1)));
      Value step = b.div(b.mul(b.sub(end, start), last), steps);
      return b.add(b.select(isOne, middle, b.mul(start, last)), b.mul(i, step));
    }
    Value x = b.sub(b.div(b.add(i, c(0.5)), scale), c(0.5));
    if (coordinates == "half_pixel_symmetric") {
      Value adjustment = b.div(out, b.mul(scale, in));
      return b.add(x, b.mul(b.mul(in, c(0.5)), b.sub(c(1), adjustment)));
    }
    return coordinates == "pytorch_half_pixel" ? b.select(isOne, b.mul(i, c(0)), x) : x;
  }

  /// i1 [out]: beyond the input, where tf_crop_and_resize extrapolates.
  Value isOutside(Value x) {
    return b.binary(BinaryFn::bit_or, b.compare(ComparePredicate::lt, x, c(0)),
                    b.compare(ComparePredicate::lt, last, x));
  }

  SmallVector<Tap> taps(Value x) {
    if (mode == ResizeMode::nearest)
      return {{position(nearest(x)), Value()}};
    Value first = b.unary(UnaryFn::floor, x), t = b.sub(x, first), s = b.sub(c(1), t);
    SmallVector<Value> weights{s, t};
    if (mode == ResizeMode::cubic)
      weights = {far(b.add(t, c(1))), near(t), near(s), far(b.add(s, c(1)))};
    bool excludesOutside = b.intAttr("exclude_outside", 0) != 0;
    Value total;
    SmallVector<Tap> taps;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      double offset = static_cast<double>(i) - (mode == ResizeMode::cubic ? 1.0 : 0.0);
      Value at = b.add(first, c(offset));
      if (excludesOutside)
        weight = b.select(isOutside(at), c(0), weight);
      total = total ? b.add(total, weight) : weight;
      taps.push_back({position(at), weight});
    }
    if (excludesOutside)
      for (Tap &tap : taps)
        tap.weight = b.div(tap.weight, total);
    return taps;
  }

  /// How far beyond the input a filter that is stretched as the axis shrinks reaches.
  Dim margin() {
    if (b.intAttr("exclude_outside", 0) != 0)
      return b.shape.constant(0);
    return sizeOf(b, b.div(c(mode == ResizeMode::linear ? 1 : 2), stretch()), 1);
  }

  /// f64 [margin + in + margin, out]: that filter's weights, which add up to 1.
  Value filter(Value x, Dim inSize, Dim margin) {
    hx::SymbolTable &symbols = b.symbols();
    Dim rows = symbols.add(inSize, symbols.mul(margin, symbols.constant(2)));
    Value at = b.sub(b.shape.iota({rows, symbols.constant(1)}, 0, f64),
                     b.shape.buildScalar(margin, f64));
    Value d = b.unary(UnaryFn::abs, b.mul(b.sub(at, x), stretch()));
    Value weights;
    if (mode == ResizeMode::linear) {
      weights = b.binary(BinaryFn::max, c(0), b.sub(c(1), d));
    } else {
      Value outer = b.select(b.compare(ComparePredicate::lt, d, c(2)), far(d), c(0));
      weights = b.select(b.compare(ComparePredicate::le, d, c(1)), near(d), outer);
    }
    return b.div(weights, b.reduce(hx::ReduceFn::sum, weights, {0}, /*keepDims=*/true));
  }

private:
  Value c(double value) { return b.scalar(f64, value); }
  Value stretch() { return b.binary(BinaryFn::min, scale, c(1)); }

  Value position(Value x) {
    Value inside = b.binary(BinaryFn::max, c(0), b.binary(BinaryFn::min, x, last));
    return b.cast(inside, b.builder.getI64Type());
  }

  Value nearest(Value x) {
    if (rule == "floor")
      return b.unary(UnaryFn::floor, x);
    if (rule == "ceil")
      return b.unary(UnaryFn::ceil, x);
    if (rule == "round_prefer_ceil")
      return b.unary(UnaryFn::floor, b.add(x, c(0.5)));
    if (rule != "round_prefer_floor")
      b.error("nearest_mode '" + rule +
              "': expected round_prefer_floor, round_prefer_ceil, floor or ceil");
    return b.unary(UnaryFn::ceil, b.sub(x, c(0.5)));
  }

  double cubicCoefficient() { return b.floatAttr("cubic_coeff_a", -0.75); }
  /// ((a + 2) d - (a + 3)) d^2 + 1
  Value near(Value d) {
    double a = cubicCoefficient();
    return b.add(b.mul(b.sub(b.mul(c(a + 2), d), c(a + 3)), b.mul(d, d)), c(1));
  }
  /// ((a d - 5 a) d + 8 a) d - 4 a
  Value far(Value d) {
    double a = cubicCoefficient();
    Value inner = b.sub(b.mul(c(a), d), c(5 * a));
    return b.sub(b.mul(b.add(b.mul(inner, d), c(8 * a)), d), c(4 * a));
  }

  OpBinder &b;
  Type f64;
  ResizeMode mode;
  StringRef coordinates, rule;
  Value scale;
  Dim outSize;
  Value in, out, last;
};

/// What the node asks for, per entry of `axes`: f64 scalars, and sizes.
struct Scaling {
  SmallVector<Value> scales;
  Dims sizes;
};

/// Element `index` of a 1-D input, as an f64 scalar.
Value element(OpBinder &b, unsigned input, int64_t index) {
  Value one =
      b.shape.sliceAxis(b.input(input), 0, b.shape.constant(index), b.shape.constant(1));
  return b.cast(b.shape.toScalar(one), b.builder.getF64Type());
}

Scaling readScaling(OpBinder &b, ArrayRef<int64_t> axes, unsigned scalesInput) {
  Type f64 = b.builder.getF64Type();
  Scaling scaling;
  Dims dims = b.dims(b.input(0));
  auto inSize = [&](int64_t axis) { return b.shape.buildScalar(dims[axis], f64); };
  bool hasSizes = b.has(3) && b.shapes.numElements(b.input(3)) != b.shape.constant(0);
  Value given = b.input(hasSizes ? 3 : scalesInput);
  auto count =
      given ? hx::SymbolTable::constantValue(b.shapes.numElements(given)) : std::nullopt;
  if (count != static_cast<int64_t>(axes.size())) {
    b.error("expected " + Twine(axes.size()) + (hasSizes ? " sizes" : " scales"));
    return scaling;
  }
  if (!hasSizes) {
    for (auto [i, axis] : llvm::enumerate(axes)) {
      Value scale = element(b, scalesInput, static_cast<int64_t>(i));
      Value zero = b.scalar(f64, 0), end = b.scalar(f64, INFINITY);
      Value isRight =
          b.binary(BinaryFn::bit_and, b.compare(ComparePredicate::lt, zero, scale),
                   b.compare(ComparePredicate::lt, scale, end));
      Value size = b.select(isRight, b.mul(inSize(axis), scale), b.scalar(f64, -1));
      scaling.scales.push_back(scale);
      scaling.sizes.push_back(sizeOf(b, size, 0));
      hx::SymbolTable &symbols = b.symbols();
      check(b, symbols.lt(symbols.constant(-1), scaling.sizes.back()),
            "scale #" + Twine(i) + " is not a positive finite number");
    }
    return scaling;
  }
  scaling.sizes = b.readInts(3);
  if (b.failed())
    return scaling;
  for (auto [axis, size] : llvm::zip(axes, scaling.sizes))
    scaling.scales.push_back(b.div(b.shape.buildScalar(size, f64), inSize(axis)));
  StringRef policy = b.stringAttr("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch" || scaling.scales.empty())
    return scaling;
  if (policy != "not_larger" && policy != "not_smaller")
    b.error("keep_aspect_ratio_policy '" + policy + "' is unknown");
  for (int64_t axis : axes)
    check(b, b.symbols().lt(b.shape.constant(0), b.dims(b.input(0))[axis]),
          "axis " + Twine(axis) + " is empty and has no aspect ratio to keep (" + policy +
              ")");
  Value common = scaling.scales.front();
  for (Value scale : ArrayRef(scaling.scales).drop_front())
    common =
        b.binary(policy == "not_larger" ? BinaryFn::min : BinaryFn::max, common, scale);
  for (auto [axis, size, scale] : llvm::zip(axes, scaling.sizes, scaling.scales)) {
    scale = common;
    size = sizeOf(b, b.mul(inSize(axis), common), 0.5);
  }
  return scaling;
}

/// [out] along `axis` of a tensor of `rank`.
Value along(OpBinder &b, Value x, int64_t axis, int64_t rank) {
  if (b.failed())
    return {};
  Dims dims(static_cast<size_t>(rank), b.shape.constant(1));
  dims[axis] = b.dims(x)[0];
  return b.shape.reshape(x, dims);
}

/// `value`, its edges repeated, times the axis' filter.
Value filtered(OpBinder &b, FormulaAxis &filter, Value value, int64_t axis,
               Value coordinates) {
  if (b.failed())
    return {};
  int64_t rank = HxBuilder::rank(value);
  Dim margin = filter.margin(), size = b.dims(value)[axis];
  Dims pads(static_cast<size_t>(rank), b.shape.constant(0));
  pads[axis] = margin;
  Value shape = b.shape.build(pads);
  if (b.failed())
    return {};
  Value padded = b.pad(hx::PadMode::edge, value, shape, shape, b.scalarLike(value, 0));
  Value weights =
      b.cast(filter.filter(coordinates, size, margin), HxBuilder::elementType(value));
  SmallVector<int64_t> perm, back(static_cast<size_t>(rank));
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      perm.push_back(i);
  perm.push_back(axis);
  for (auto [to, from] : llvm::enumerate(perm))
    back[from] = static_cast<int64_t>(to);
  Value rows = b.transpose(padded, perm);
  if (rank == 1)
    rows = b.shape.unsqueeze(rows, {0});
  Value product = b.matmul(rows, weights);
  if (rank == 1)
    product = b.shape.squeeze(product, {0});
  return b.transpose(product, back);
}

} // namespace

void importResizeByFormula(OpBinder &b, ArrayRef<int64_t> axes,
                           const ResizeFormula &formula) {
  auto [mode, coordinates, nearest, scalesInput] = formula;

  bool isKnown = llvm::StringSwitch<bool>(coordinates)
                     .Cases({"half_pixel", "half_pixel_symmetric", "asymmetric",
                             "pytorch_half_pixel", "align_corners", "tf_crop_and_resize"},
                            true)
                     .Default(false);
  if (!isKnown)
    return b.error("coordinate_transformation_mode '" + coordinates + "' is unknown");
  bool isFiltered = b.intAttr("antialias", 0) != 0 && mode != ResizeMode::nearest;
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  Type type = HxBuilder::elementType(x);
  Type wide = type.isF64() ? type : Type(b.builder.getF32Type());
  bool isCrop = coordinates == "tf_crop_and_resize";
  auto roiSize = isCrop && b.has(1)
                     ? hx::SymbolTable::constantValue(b.shapes.numElements(b.input(1)))
                     : std::nullopt;
  auto numAxes = static_cast<int64_t>(axes.size());
  if (isCrop && roiSize != 2 * numAxes)
    return b.error("tf_crop_and_resize needs a roi of " + Twine(2 * numAxes) +
                   " numbers");
  Scaling scaling = readScaling(b, axes, scalesInput);
  Dims dims = b.dims(x);
  Value value = mode == ResizeMode::nearest ? x : b.cast(x, wide), outside;
  for (int64_t i = 0; i < numAxes && !b.failed(); ++i) {
    FormulaAxis axis(b, formula, dims[axes[i]], scaling.sizes[i], scaling.scales[i]);
    std::pair<Value, Value> region;
    if (isCrop)
      region = {element(b, 1, i), element(b, 1, numAxes + i)};
    Value at = axis.coordinate(region), sum;
    if (isFiltered)
      sum = filtered(b, axis, value, axes[i], at);
    for (const Tap &tap : isFiltered ? SmallVector<Tap>() : axis.taps(at)) {
      Value term = b.failed() ? Value() : b.gather(value, tap.position, axes[i]);
      if (tap.weight && !b.failed())
        term = b.mul(term, along(b, b.cast(tap.weight, wide), axes[i], rank));
      sum = sum ? b.add(sum, term) : term;
    }
    value = sum;
    if (isCrop && !b.failed()) {
      Value here = along(b, axis.isOutside(at), axes[i], rank);
      outside = outside ? b.binary(BinaryFn::bit_or, outside, here) : here;
    }
  }
  if (b.failed())
    return;
  if (outside)
    value = b.select(outside, b.scalarLike(value, b.floatAttr("extrapolation_value", 0)),
                     value);
  if (isa<IntegerType>(type) && mode != ResizeMode::nearest && !b.failed())
    value = b.make<hx::QuantizeOp>(type, value, b.scalar(wide, 1), Value(), 1, 0, true);
  b.result(0, b.failed() ? Value() : b.cast(value, type));
}

} // namespace hexin::onnx
