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
      : b(b), image(image), axes(axes), batchDims(row ? 0 : 1) {
    if (row)
      positions.push_back(column(row));
  }

  Value sum() {
    collect(0, {}, {});
    return total;
  }

private:
  /// [N, out...] as [N, out..., 1].
  Value column(Value x) { return b.shape.unsqueeze(x, {HxBuilder::rank(x)}); }

  void collect(size_t axis, Value isInside, Value weight) {
    if (axis == axes.size())
      return addSample(isInside, weight);
    for (const Tap &tap : axes[axis]) {
      if (b.failed())
        return;
      positions.push_back(column(tap.position));
      collect(axis + 1, both(BinaryFn::bit_and, isInside, tap.isInside),
              both(BinaryFn::mul, weight, tap.weight));
      positions.pop_back();
    }
  }

  Value both(BinaryFn fn, Value x, Value y) {
    return x && y ? b.binary(fn, x, y) : x ? x : y;
  }

  void addSample(Value isInside, Value weight) {
    if (b.failed())
      return;
    Value indices = b.concat(positions, HxBuilder::rank(positions[0]) - 1);
    Value sample =
        b.make<hx::GatherNdOp>(HxBuilder::elementType(image), image, indices, batchDims);
    if (isInside && !b.failed())
      sample = b.select(column(isInside), sample, b.scalarLike(sample, 0));
    if (weight && !b.failed())
      sample = b.mul(sample, column(weight));
    total = total ? b.add(total, sample) : sample;
  }

  OpBinder &b;
  Value image;
  ArrayRef<SmallVector<Tap>> axes;
  int64_t batchDims;
  SmallVector<Value> positions;
  Value total;
};

} // namespace

Value sampled(OpBinder &b, Value image, ArrayRef<SmallVector<Tap>> axes, Value row) {
  return b.failed() ? Value() : Sampler(b, image, axes, row).sum();
}

} // namespace hexin::onnx
