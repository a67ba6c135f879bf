// Sampling at computed coordinates, and the coordinates of an affine map.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

enum class Padding { zeros, border, reflection };

/// What an axis adds to a sample: where it reads and how much that counts.
struct Tap {
  Value position;         ///< i64, inside the axis
  Value isInside;         ///< null: always
  Value weight = Value(); ///< null: 1
};

/// One spatial axis of the input; coordinates are floats like the grid's, all of the
/// shape [N, out...].
class SampledAxis {
public:
  SampledAxis(OpBinder &b, Type type, Dim size, Padding padding, bool alignCorners)
      : b(b), type(type), padding(padding), alignCorners(alignCorners) {
    length = b.shape.buildScalar(size, type);
    last = b.shape.buildScalar(b.symbols().sub(size, b.symbols().constant(1)), type);
    low = alignCorners ? c(0) : c(-0.5);
    high = alignCorners ? last : b.sub(length, c(0.5));
  }

  /// -1 and 1 are the middles of the first and last element, or their outer edges.
  Value fromNormalized(Value x) {
    Value fromZero = b.add(x, c(1));
    return alignCorners ? b.mul(b.mul(fromZero, c(0.5)), last)
                        : b.mul(b.sub(b.mul(fromZero, length), c(1)), c(0.5));
  }

  /// A coordinate beyond the borders comes back to them.
  Value bounded(Value x) {
    if (padding == Padding::zeros)
      return x;
    Value isBeyond = b.binary(BinaryFn::bit_or, b.compare(ComparePredicate::lt, x, low),
                              b.compare(ComparePredicate::lt, high, x));
    return b.select(isBeyond, padding == Padding::border ? clamped(x) : reflected(x), x);
  }

  SmallVector<Tap> nearest(Value x) {
    return {at(bounded(b.unary(UnaryFn::round_even, x)))};
  }

  SmallVector<Tap> linear(Value x) {
    x = bounded(x);
    Value first = b.unary(UnaryFn::floor, x), t = b.sub(x, first);
    Tap left = at(first), right = at(b.add(first, c(1)));
    left.weight = b.sub(c(1), t);
    right.weight = t;
    return {left, right};
  }

  /// Cubic convolution with coefficient -0.75.
  SmallVector<Tap> cubic(Value x) {
    x = bounded(x);
    Value first = b.unary(UnaryFn::floor, x), t = b.sub(x, first), s = b.sub(c(1), t);
    Value weights[] = {far(b.add(t, c(1))), near(t), near(s), far(b.add(s, c(1)))};
    SmallVector<Tap> taps;
    for (int64_t i = 0; i < 4; ++i) {
      taps.push_back(at(b.add(first, c(static_cast<double>(i - 1)))));
      taps.back().weight = weights[i];
    }
    return taps;
  }

private:
  Value c(double value) { return b.scalar(type, value); }
  Value clamped(Value x) {
    return b.binary(BinaryFn::max, c(0), b.binary(BinaryFn::min, x, last));
  }

  /// Back and forth between the borders; an axis of one element has no room for that.
  Value reflected(Value x) {
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
  Tap at(Value x) {
    Tap tap;
    if (padding == Padding::reflection)
      x = b.unary(UnaryFn::trunc, bounded(x));
    Value inside = clamped(x);
    if (padding == Padding::zeros)
      tap.isInside = b.compare(ComparePredicate::eq, inside, x);
    tap.position = b.cast(inside, b.builder.getI64Type());
    return tap;
  }

  /// ((a + 2) d - (a + 3)) d^2 + 1
  Value near(Value d) {
    return b.add(b.mul(b.sub(b.mul(c(1.25), d), c(2.25)), b.mul(d, d)), c(1));
  }
  /// ((a d - 5 a) d + 8 a) d - 4 a
  Value far(Value d) {
    Value inner = b.add(b.mul(c(-0.75), d), c(3.75));
    return b.add(b.mul(b.sub(b.mul(inner, d), c(6)), d), c(3));
  }

  OpBinder &b;
  Type type;
  Padding padding;
  bool alignCorners;
  Value length, last, low, high;
};

/// The sum over all combinations of taps. `image` is [N, spatial..., C]; the result
/// [N, out..., C].
class Sampler {
public:
  Sampler(OpBinder &b, Value image, ArrayRef<SmallVector<Tap>> axes)
      : b(b), image(image), axes(axes) {}

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
    Value sample = b.make<hx::GatherNdOp>(HxBuilder::elementType(image), image, indices,
                                          /*batchDims=*/1);
    if (isInside && !b.failed())
      sample = b.select(column(isInside), sample, b.scalarLike(sample, 0));
    if (weight && !b.failed())
      sample = b.mul(sample, column(weight));
    total = total ? b.add(total, sample) : sample;
  }

  OpBinder &b;
  Value image;
  ArrayRef<SmallVector<Tap>> axes;
  SmallVector<Value> positions;
  Value total;
};

/// The axes [0, 2, 3, ..., 1], or back.
SmallVector<int64_t> channelsMoved(int64_t rank, bool toLast) {
  SmallVector<int64_t> perm{0};
  if (!toLast)
    perm.push_back(rank - 1);
  for (int64_t axis = toLast ? 2 : 1; axis < rank - (toLast ? 0 : 1); ++axis)
    perm.push_back(axis);
  if (toLast)
    perm.push_back(1);
  return perm;
}

/// X [N, C, spatial...], grid [N, out..., number of spatial axes], the last axis first.
void importGridSample(OpBinder &b) {
  Value x = b.input(0), grid = b.input(1);
  int64_t rank = HxBuilder::rank(x), numAxes = rank - 2;
  Dims dims = b.dims(x), gridDims = b.dims(grid);
  if (rank < 3 || HxBuilder::rank(grid) != rank)
    return b.contradiction("X has rank " + Twine(rank) + " and the grid rank " +
                           Twine(HxBuilder::rank(grid)) +
                           ": expected the same of 3 or more");
  checkRange(b, gridDims.back(), numAxes, numAxes, "the size of the grid's last axis");
  if (b.failed())
    return;
  StringRef mode = b.stringAttr("mode", "linear");
  bool isNearest = mode == "nearest", isCubic = mode == "cubic" || mode == "bicubic";
  if (!isNearest && !isCubic && mode != "linear" && mode != "bilinear")
    return b.error("mode '" + mode + "': expected nearest, linear or cubic");
  StringRef name = b.stringAttr("padding_mode", "zeros");
  if (name != "zeros" && name != "border" && name != "reflection")
    return b.error("padding_mode '" + name + "': expected zeros, border or reflection");
  Padding padding = name == "zeros"    ? Padding::zeros
                    : name == "border" ? Padding::border
                                       : Padding::reflection;
  bool alignCorners = b.intAttr("align_corners", 0) != 0;
  if (!isNearest && numAxes > (isCubic ? 3 : 6))
    return b.unsupported(mode + " over " + Twine(numAxes) + " axes");

  Type type = HxBuilder::elementType(x), gridType = HxBuilder::elementType(grid);
  Type wide = type.isF64() || gridType.isF64() ? Type(b.builder.getF64Type())
                                               : Type(b.builder.getF32Type());
  SmallVector<int64_t> lastAxis{HxBuilder::rank(grid) - 1};
  SmallVector<SmallVector<Tap>> axes;
  for (int64_t i = 0; i < numAxes && !b.failed(); ++i) {
    Value coordinate = b.shape.sliceAxis(
        grid, lastAxis[0], b.shape.constant(numAxes - 1 - i), b.shape.constant(1));
    coordinate = b.cast(b.shape.squeeze(coordinate, lastAxis), wide);
    SampledAxis axis(b, wide, dims[2 + i], padding, alignCorners);
    coordinate = axis.fromNormalized(coordinate);
    axes.push_back(isNearest ? axis.nearest(coordinate)
                   : isCubic ? axis.cubic(coordinate)
                             : axis.linear(coordinate));
  }
  Value image = b.transpose(isNearest ? x : b.cast(x, wide), channelsMoved(rank, true));
  if (b.failed())
    return;
  Value sampled = Sampler(b, image, axes).sum();
  b.result(0, b.cast(b.transpose(sampled, channelsMoved(rank, false)), type));
}

/// theta [N, k, k + 1] times the coordinates of every point of `size`, [N, C,
/// spatial...], between -1 and 1.
void importAffineGrid(OpBinder &b) {
  Value theta = b.input(0);
  Dims size = b.readInts(1);
  if (b.failed())
    return;
  int64_t numAxes = static_cast<int64_t>(size.size()) - 2;
  if (numAxes != 2 && numAxes != 3)
    return b.error("size has " + Twine(size.size()) +
                   " entries, expected [N, C, H, W] or [N, C, D, H, W]");
  if (HxBuilder::rank(theta) != 3)
    return b.contradiction("theta has rank " + Twine(HxBuilder::rank(theta)) +
                           ", expected 3");
  Type type = HxBuilder::elementType(theta);
  bool alignCorners = b.intAttr("align_corners", 0) != 0;
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1);
  Dims spatial(size.begin() + 2, size.end()), column = spatial;
  column.push_back(one);
  SmallVector<Value> coordinates; // the last axis first, then 1
  for (int64_t axis = numAxes - 1; axis >= 0; --axis) {
    Value i = b.shape.iota(column, axis, type);
    if (alignCorners) { // from -1 to 1; one point stands at -1
      Dim steps = symbols.max(symbols.sub(spatial[axis], one), one);
      Value step = b.div(b.scalar(type, 2), b.shape.buildScalar(steps, type));
      coordinates.push_back(b.sub(b.mul(i, step), b.scalar(type, 1)));
    } else {
      Value step = b.div(b.scalar(type, 2), b.shape.buildScalar(spatial[axis], type));
      Value first = b.sub(b.mul(step, b.scalar(type, 0.5)), b.scalar(type, 1));
      coordinates.push_back(b.add(b.mul(i, step), first));
    }
  }
  coordinates.push_back(b.shape.broadcastTo(b.scalar(type, 1), column));
  Value points = b.concat(coordinates, numAxes);
  Dim numPoints = b.shape.product(spatial);
  points = b.shape.reshape(points, {one, numPoints, symbols.constant(numAxes + 1)});
  Value mapped = b.matmul(points, theta, /*transposeLhs=*/false, /*transposeRhs=*/true);
  if (b.failed())
    return;
  Dims result{b.dims(mapped)[0]};
  result.append(spatial);
  result.push_back(symbols.constant(numAxes));
  b.result(0, b.shape.reshape(mapped, result));
}

} // namespace

void registerGridSampleOps(OpTable &table) {
  table.add("", {
                    {"GridSample", 16, 2, 2, importGridSample},
                    {"AffineGrid", 20, 2, 2, importAffineGrid},
                });
}

} // namespace hexin::onnx
