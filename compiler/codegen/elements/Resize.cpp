//===- Resize.cpp - separable interpolation ---------------------------------===//
//
// Along each axis whose size changes, an output index becomes a coordinate of the
// input, and that a few taps (position and weight): 1 for nearest, 2 for linear, 4
// for cubic. The element is the sum over all combinations of taps, axis by axis.
//
//   linear, 4 -> 8, half_pixel, i = 2:  x = (2 + 0.5) / 2 - 0.5 = 0.75
//                                       taps (0, 0.25) (1, 0.75)
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/elements/Rules.h"

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/elements/Formula.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

struct Tap {
  Value position;
  Value weight; ///< null: 1
};

/// One axis that changes from `inSize` to `outSize` elements (indices).
class ResizedAxis {
public:
  ResizedAxis(KernelBuilder &k, hx::ResizeOp op, size_t axis, Value inSize, Value outSize)
      : op(op), axis(axis), inSize(inSize), outSize(outSize), k(k),
        f(k, isExact(op) ? Type(k.builder().getF64Type()) : Type()) {}

  SmallVector<Tap> taps(Value outIndex) {
    Value x = coordinate(outIndex);
    if (op.getMode() == hx::ResizeMode::nearest)
      return {{clamped(f.toIndex(nearest(x))), Value()}};
    Value base = f.floor(x);
    Value t = f.sub(x, base);
    Value first = f.toIndex(base);
    if (op.getMode() == hx::ResizeMode::linear)
      return linearTaps(first, t);
    return cubicTaps(first, t);
  }

private:
  /// Whether coordinates are in f64: in f32 those of half_pixel_symmetric that ought to
  /// be whole lie beside, and nearest takes another element.
  static bool isExact(hx::ResizeOp op) {
    return op.getMode() == hx::ResizeMode::nearest &&
           op.getCoordinates() == "half_pixel_symmetric";
  }

  /// The input's coordinate of an output index.
  Value coordinate(Value outIndex) {
    OpBuilder &b = k.builder();
    Value in = f.toFloat(inSize), out = f.toFloat(outSize), i = f.toFloat(outIndex);
    Value scale = f.div(out, in);
    auto scales = op.getScales().getDefiningOp<hx::ConstantOp>();
    if (scales)
      scale = f.c(cast<DenseElementsAttr>(scales.getValue())
                      .getValues<APFloat>()[axis]
                      .convertToDouble());
    StringRef coordinates = op.getCoordinates();
    if (coordinates == "asymmetric")
      return f.div(i, scale);
    if (coordinates == "align_corners") {
      Value span = f.sub(scales ? f.mul(in, scale) : out, f.c(1));
      Value isOne =
          arith::CmpFOp::create(b, k.loc(), arith::CmpFPredicate::OEQ, span, f.c(0));
      Value safe = f.select(isOne, f.c(1), span);
      Value at = f.div(f.mul(i, f.sub(in, f.c(1))), safe);
      return f.select(isOne, f.c(0), at);
    }
    Value x = f.div(f.add(i, f.c(0.5)), scale);
    if (coordinates == "half_pixel_symmetric") { // in the reference's order
      Value adjustment = f.div(out, f.mul(in, scale));
      Value centre = f.div(in, f.c(2));
      x = f.add(f.mul(centre, f.sub(f.c(1), adjustment)), x);
    }
    if (coordinates == "tf_half_pixel_for_nn")
      return x;
    x = f.sub(x, f.c(0.5));
    if (coordinates == "pytorch_half_pixel") {
      Value isOne = arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::sle, outSize,
                                          k.index(1));
      return f.select(isOne, f.c(0), x);
    }
    return x;
  }

  Value clamped(Value i) {
    return k.max(k.index(0), k.min(i, k.sub(inSize, k.index(1))));
  }

  Value nearest(Value x) {
    StringRef rounding = op.getNearest();
    if (rounding == "floor")
      return f.floor(x);
    if (rounding == "ceil")
      return f.ceil(x);
    if (rounding == "round_prefer_ceil")
      return f.floor(f.add(x, f.c(0.5)));
    return f.ceil(f.sub(x, f.c(0.5)));
  }

  SmallVector<Tap> linearTaps(Value first, Value t) {
    Value left = clamped(first), leftWeight = f.sub(f.c(1), t);
    Value right = clamped(k.add(first, k.index(1)));
    return {{left, leftWeight}, {right, t}};
  }

  /// Cubic convolution with coefficient a: two near taps, two far ones.
  SmallVector<Tap> cubicTaps(Value first, Value t) {
    Value a = f.c(op.getCubicCoefficient().convertToDouble());
    auto nearTap = [&](Value d) { // ((a+2)d - (a+3)) d^2 + 1
      return f.add(
          f.mul(f.sub(f.mul(f.add(a, f.c(2)), d), f.add(a, f.c(3))), f.mul(d, d)),
          f.c(1));
    };
    auto farTap = [&](Value d) { // ((a d - 5a) d + 8a) d - 4a
      Value inner = f.sub(f.mul(a, d), f.mul(f.c(5), a));
      inner = f.add(f.mul(inner, d), f.mul(f.c(8), a));
      return f.sub(f.mul(inner, d), f.mul(f.c(4), a));
    };
    Value weights[4] = {farTap(f.add(t, f.c(1))), nearTap(t), nearTap(f.sub(f.c(1), t)),
                        farTap(f.sub(f.c(2), t))};
    SmallVector<Tap> taps;
    for (int64_t tap = 0; tap < 4; ++tap) {
      Value at = k.add(first, k.index(tap - 1));
      Value weight = weights[tap];
      if (op.getExcludeOutside()) {
        Value inside = arith::CmpIOp::create(k.builder(), k.loc(),
                                             arith::CmpIPredicate::ult, at, inSize);
        weight = f.select(inside, weight, f.c(0));
      }
      taps.push_back({clamped(at), weight});
    }
    if (op.getExcludeOutside())
      normalise(taps);
    return taps;
  }

  void normalise(MutableArrayRef<Tap> taps) {
    Value total = taps[0].weight;
    for (const Tap &tap : taps.drop_front())
      total = f.add(total, tap.weight);
    for (Tap &tap : taps)
      tap.weight = f.div(tap.weight, total);
  }

  hx::ResizeOp op;
  size_t axis;
  Value inSize, outSize;
  KernelBuilder &k;
  Formula f;
};

} // namespace

bool isStretched(hx::ResizeOp op, size_t axis) {
  auto scales = op.getScales().getDefiningOp<hx::ConstantOp>();
  return scales && !cast<DenseElementsAttr>(scales.getValue())
                        .getValues<APFloat>()[axis]
                        .isExactlyValue(1);
}

Value emitElement(ElementEmitter &emitter, hx::ResizeOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  Formula f(k);
  hx::Dims in = emitter.dims(op.getInput()), out = emitter.dims(op.getResult());
  SmallVector<SmallVector<Tap>> taps(index.size());
  for (size_t axis = 0; axis < index.size(); ++axis) {
    if (in[axis] == out[axis] && !isStretched(op, axis)) {
      taps[axis] = {{index[axis], Value()}};
      continue;
    }
    Value inSize = k.value(k.size(in[axis])), outSize = k.value(k.size(out[axis]));
    taps[axis] = ResizedAxis(k, op, axis, inSize, outSize).taps(index[axis]);
  }

  Type sourceType = elementType(op.getInput());
  SmallVector<Value> at(index.size());
  std::function<Value(size_t)> sum = [&](size_t axis) -> Value {
    if (axis == index.size())
      return emitCast(k, emitter.emit(op.getInput(), at, lanes), sourceType, f.type);
    Value total;
    for (const Tap &tap : taps[axis]) {
      at[axis] = tap.position;
      Value term = sum(axis + 1);
      if (tap.weight)
        term = f.mul(term, k.splat(tap.weight, lanes));
      total = total ? f.add(total, term) : term;
    }
    return total;
  };
  Value result = sum(0);
  Type type = elementType(op.getResult());
  if (isa<FloatType>(type))
    return emitCast(k, result, f.type, type);
  // Integers: round half to even, saturate.
  return emitQuantize(k, result, Value(), type);
}

} // namespace hexin::codegen
