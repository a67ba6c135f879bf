#include "frontends/onnx/ops/Sampling.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

SampledAxis::SampledAxis(OpBinder &b, Type type, Dim size, Padding padding,
                         bool alignCorners)
    : b(b), type(type), padding(padding), alignCorners(alignCorners) {
  length = b.shape.buildScalar(size, type);
  last = b.shape.buildScalar(b.symbols().sub(size, b.symbols().constant(1)), type);
  low = alignCorners ? c(0) : c(-0.5);
  high = alignCorners ? last : b.sub(length, c(0.5));
}

Value SampledAxis::fromNormalized(Value x) {
  Value fromZero = b.add(x, c(1));
  return alignCorners ? b.mul(b.mul(fromZero, c(0.5)), last)
                      : b.mul(b.sub(b.mul(fromZero, length), c(1)), c(0.5));
}

SmallVector<Tap> SampledAxis::nearest(Value x) {
  return {at(bounded(b.unary(UnaryFn::round_even, x)))};
}

SmallVector<Tap> SampledAxis::linear(Value x) {
  x = bounded(x);
  Value first = b.unary(UnaryFn::floor, x), t = b.sub(x, first);
  Tap left = at(first), right = at(b.add(first, c(1)));
  left.weight = b.sub(c(1), t);
  right.weight = t;
  return {left, right};
}

SmallVector<Tap> SampledAxis::cubic(Value x) {
  x = bounded(x);
  Value first = b.unary(UnaryFn::floor, x), t = b.sub(x, first), s = b.sub(c(1), t);
  // ((a + 2) d - (a + 3)) d^2 + 1
  auto near = [&](Value d) {
    return b.add(b.mul(b.sub(b.mul(c(1.25), d), c(2.25)), b.mul(d, d)), c(1));
  };
  // ((a d - 5 a) d + 8 a) d - 4 a
  auto far = [&](Value d) {
    Value inner = b.add(b.mul(c(-0.75), d), c(3.75));
    return b.add(b.mul(b.sub(b.mul(inner, d), c(6)), d), c(3));
  };
  Value weights[] = {far(b.add(t, c(1))), near(t), near(s), far(b.add(s, c(1)))};
  SmallVector<Tap> taps;
  for (int64_t i = 0; i < 4; ++i) {
    taps.push_back(at(b.add(first, c(static_cast<double>(i - 1)))));
    taps.back().weight = weights[i];
  }
  return taps;
}

/// A coordinate beyond the borders comes back to them.
Value SampledAxis::bounded(Value x) {
  if (padding == Padding::zeros)
    return x;
  Value isBeyond = b.binary(BinaryFn::bit_or, b.compare(ComparePredicate::lt, x, low),
                            b.compare(ComparePredicate::lt, high, x));
  return b.select(isBeyond, padding == Padding::border ? clamped(x) : reflected(x), x);
}

Value SampledAxis::clamped(Value x) {
  return b.binary(BinaryFn::max, c(0), b.binary(BinaryFn::min, x, last));
}

/// Back and forth between the borders; an axis of one element has no room for that.
Value SampledAxis::reflected(Value x) {
  Value room = b.sub(high, low);
  room = b.select(b.compare(ComparePredicate::eq, room, c(0)), c(1), room);
  Value distance = b.unary(UnaryFn::abs, b.sub(x, low));
  Value turns = b.unary(UnaryFn::floor, b.div(distance, room));
  Value rest = b.sub(distance, b.mul(turns, room));
  Value isOdd =
      b.compare(ComparePredicate::eq, b.binary(BinaryFn::fmod, turns, c(2)), c(1));
  return b.select(isOdd, b.sub(high, rest), b.add(low, rest));
}

/// A whole coordinate as a position; taps beyond the borders are padded one by one.
Tap SampledAxis::at(Value x) {
  Tap tap;
  if (padding == Padding::reflection)
    x = b.unary(UnaryFn::trunc, bounded(x));
  Value inside = clamped(x);
  if (padding == Padding::zeros)
    tap.isInside = b.compare(ComparePredicate::eq, inside, x);
  tap.position = b.cast(inside, b.builder.getI64Type());
  return tap;
}

namespace {

class Sampler {
public:
  Sampler(OpBinder &b, Value image, ArrayRef<SmallVector<Tap>> axes, Value row)
      : b(b), sizes(b.dims(image)), axes(axes) {
    Dim numRows = b.shape.product(ArrayRef(sizes).slice(1, axes.size()));
    Dim batch = row ? b.symbols().constant(1) : sizes[0];
    rows = b.shape.reshape(
        image, {batch, row ? b.symbols().mul(sizes[0], numRows) : numRows, sizes.back()});
    collect(0, row, Value(), Value());
  }

  Value sum(Value scale) {
    if (b.failed())
      return {};
    for (Value &weight : weights)
      weight = both(BinaryFn::mul, weight, scale);
    return b.make<hx::GatherSumOp>(HxBuilder::elementType(rows), rows,
                                   b.concat(positions, 0), b.concat(weights, 0));
  }

  /// The one tap, which may be of any type.
  Value nearest() {
    if (b.failed())
      return {};
    Value zero = b.scalarLike(positions[0], 0);
    Value isOutside = b.compare(ComparePredicate::lt, positions[0], zero);
    Value position = b.shape.squeeze(b.select(isOutside, zero, positions[0]), {0});
    Value sample = b.make<hx::GatherOp>(HxBuilder::elementType(rows), rows, position,
                                        /*axis=*/1, /*batchDims=*/1);
    isOutside = b.shape.unsqueeze(b.shape.squeeze(isOutside, {0}), {2});
    return b.failed() ? Value() : b.select(isOutside, b.scalarLike(sample, 0), sample);
  }

private:
  /// All combinations of the taps of the axes from `axis` on; `position` counts the
  /// elements along the axes before it.
  void collect(size_t axis, Value position, Value isInside, Value weight) {
    if (b.failed())
      return;
    if (axis == axes.size()) {
      positions.push_back(isInside ? b.select(isInside, position, minusOne()) : position);
      weights.push_back(weight);
      return;
    }
    for (const Tap &tap : axes[axis]) {
      Value along = tap.position;
      if (position) {
        Value size = b.shape.buildScalar(sizes[1 + axis], HxBuilder::elementType(along));
        along = b.add(b.mul(position, size), along);
      }
      collect(axis + 1, along, both(BinaryFn::bit_and, isInside, tap.isInside),
              both(BinaryFn::mul, weight, tap.weight));
    }
  }

  Value both(BinaryFn fn, Value x, Value y) {
    return x && y ? b.binary(fn, x, y) : x ? x : y;
  }
  Value minusOne() { return b.scalar(b.builder.getI64Type(), -1); }

  OpBinder &b;
  hx::Dims sizes;
  ArrayRef<SmallVector<Tap>> axes;
  Value rows; ///< of the image, all spatial axes in one
  SmallVector<Value> positions, weights;
};

} // namespace

Value sampled(OpBinder &b, Value image, ArrayRef<SmallVector<Tap>> axes, Value row,
              Value scale) {
  if (b.failed())
    return {};
  Sampler sampler(b, image, axes, row);
  return axes[0][0].weight ? sampler.sum(scale) : sampler.nearest();
}

} // namespace hexin::onnx
