//===- Roi.cpp - boxes of an image, each pooled to one size ----------------------===//
//
// One element: the bin of a box, in loops over its samples (align) or elements (bin).
// How boxes are cut is written operation by operation as in runtime/reference/Roi.cpp:
// the last bit of a coordinate decides how many samples there are. Whatever a box holds,
// loops are bounded by the image or `ratio`, and read inside of the image.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/elements/Rules.h"

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/elements/Formula.h"
#include "compiler/codegen/elements/WindowLoops.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Beyond this, positions and counts along an axis are out of any image.
constexpr double farAway = 1 << 30;

/// A box along one axis: its corners as stored, and the bin of it.
struct RoiAxis {
  Value low, high, bin;
  int64_t bins;
  Value inSize;
};

/// Where a position reads along an axis: two elements and their weights.
struct Corners {
  Value index[2], weight[2];
};

/// A box along one axis, cut into bins of samples.
class SampledAxis {
public:
  SampledAxis(Formula &f, hx::RoiPoolOp op, const RoiAxis &axis)
      : f(f), k(f.k), ratio(op.getRatio()), inSize(axis.inSize) {
    Value scale = f.c(op.getScale().convertToDouble());
    Value offset = f.c(op.getHalfPixel() ? 0.5 : 0);
    Value start = f.sub(f.mul(axis.low, scale), offset);
    Value length = f.sub(f.sub(f.mul(axis.high, scale), offset), start);
    if (!op.getHalfPixel())
      length = f.atLeast(length, f.c(1));
    bin = f.div(length, f.toFloat(k.index(axis.bins)));
    grid = ratio > 0 ? f.c(ratio) : f.atLeast(f.ceil(bin), f.c(0));
    first = f.add(start, f.mul(f.toFloat(axis.bin), bin));
  }

  /// Samples that may be in the image, all others being 0. Without a ratio they are at
  /// least 1/2 apart, and a box may have more of them than memory.
  IndexRange samples() {
    if (ratio > 0)
      return {k.index(0), k.index(ratio)};
    Value step = f.div(bin, grid), half = f.c(0.5);
    Value from = count(f.floor(f.sub(f.div(f.sub(f.c(-1), first), step), half)));
    Value to = count(f.ceil(f.add(f.div(f.sub(f.toFloat(inSize), first), step), half)));
    Value most = k.add(from, k.add(k.mul(inSize, k.index(2)), k.index(8)));
    return {from, k.min(k.min(to, most), count(grid))};
  }

  Value position(Value sample) {
    Value step = f.mul(f.add(f.toFloat(sample), f.c(0.5)), bin);
    return f.add(first, f.div(step, grid));
  }

  /// Inside of the image or at most one element before it.
  Value contains(Value at) {
    return arith::AndIOp::create(f.b, f.loc, f.isAtLeast(at, f.c(-1)),
                                 f.isAtLeast(f.toFloat(inSize), at));
  }

  /// Of a position that it contains.
  Corners corners(Value at) {
    at = f.atLeast(at, f.c(0));
    Value last = k.sub(inSize, k.index(1));
    Value low = k.min(f.toIndex(at), last);
    Value isLast = arith::CmpIOp::create(f.b, f.loc, arith::CmpIPredicate::eq, low, last);
    Value fraction = f.select(isLast, f.c(0), f.sub(at, f.toFloat(low)));
    return {{low, k.min(k.add(low, k.index(1)), last)},
            {f.sub(f.c(1), fraction), fraction}};
  }

  Value grid; ///< samples of a bin, as a float

private:
  /// Clamped to [0, farAway], 0 for NaN.
  Value count(Value x) { return f.toIndex(f.atMost(f.atLeast(x, f.c(0)), f.c(farAway))); }

  Formula &f;
  KernelBuilder &k;
  int64_t ratio;
  Value inSize, bin, first;
};

/// The elements of the bin of a box whose corners are rounded.
IndexRange elementsOf(Formula &f, hx::RoiPoolOp op, const RoiAxis &axis) {
  KernelBuilder &k = f.k;
  auto rounded = [&](Value corner) {
    // To the nearest, halves away from 0; clamped, NaN to the lower end.
    Value x = f.mul(corner, f.c(op.getScale().convertToDouble()));
    x = f.atMost(f.atLeast(x, f.c(-farAway)), f.c(farAway));
    Value whole = math::TruncOp::create(f.b, f.loc, x), rest = f.sub(x, whole);
    Value up = f.select(f.isAtLeast(rest, f.c(0.5)), f.c(1), f.c(0));
    Value down = f.select(f.isAtLeast(f.c(-0.5), rest), f.c(1), f.c(0));
    return f.toIndex(f.sub(f.add(whole, up), down));
  };
  Value start = rounded(axis.low);
  Value length = k.add(k.sub(rounded(axis.high), start), k.index(1));
  length = k.max(length, k.index(1));
  Value bins = k.index(axis.bins), next = k.add(axis.bin, k.index(1));
  Value from = k.add(start, k.div(k.mul(axis.bin, length), bins));
  Value to =
      k.add(start, k.div(k.add(k.mul(next, length), k.index(axis.bins - 1)), bins));
  auto clamped = [&](Value i) { return k.max(k.index(0), k.min(i, axis.inSize)); };
  return {clamped(from), clamped(to)};
}

class RoiElement {
public:
  RoiElement(ElementEmitter &emitter, hx::RoiPoolOp op, Index index)
      : emitter(emitter), op(op), k(emitter.kernel()),
        type(computeType(elementType(op.getResult()))), f(k, type),
        axes(4, op.getLayout()), channel(index[axes.channel]) {
    SmallVector<KExpr> in = emitter.sizes(op.getInput());
    Value stored = emitter.emit(op.getBatch(), {index[0]}, 1);
    image = position(k, stored, in[0], /*isInside=*/false, /*countsFromEnd=*/false);
    // No loop of an empty image reads anything.
    Value smallest = k.min(k.value(in[0]), k.min(k.value(in[axes.spatial(0)]),
                                                 k.value(in[axes.spatial(1)])));
    hasElements = k.less(k.index(0), smallest);
    for (unsigned s : {0u, 1u}) { // stored as x1, y1, x2, y2
      auto corner = [&](unsigned i) {
        return emitter.emit(op.getRois(), {index[0], k.index(i)}, 1);
      };
      axis[s] = {corner(1 - s), corner(3 - s), index[axes.spatial(s)], op.getSize()[s],
                 k.value(in[axes.spatial(s)])};
    }
  }

  Value emit() {
    return op.getFn() == hx::RoiPoolFn::bin_max ? poolElements() : poolSamples();
  }

private:
  Value lowest() { return reduceIdentity(k, hx::ReduceFn::max, type, 1); }
  Value larger(Value x, Value y) {
    return emitReduceStep(k, hx::ReduceFn::max, x, y, type);
  }
  Value read(Value y, Value x) {
    SmallVector<Value> at(4);
    at[0] = image;
    at[axes.channel] = channel;
    at[axes.spatial(0)] = y;
    at[axes.spatial(1)] = x;
    return emitter.emit(op.getInput(), at, 1);
  }
  IndexRange unlessEmpty(IndexRange range) {
    return {range.lower, f.select(hasElements, range.upper, range.lower)};
  }

  Value poolElements() {
    IndexRange ranges[] = {unlessEmpty(elementsOf(f, op, axis[0])),
                           elementsOf(f, op, axis[1])};
    Value largest = loopNest(k, ranges, {lowest()}, [&](Index at, ValueRange carried) {
      return SmallVector<Value>{larger(carried[0], read(at[0], at[1]))};
    })[0];
    Value isFull =
        arith::AndIOp::create(f.b, f.loc, k.less(ranges[0].lower, ranges[0].upper),
                              k.less(ranges[1].lower, ranges[1].upper));
    return f.select(isFull, largest, f.c(0));
  }

  Value poolSamples() {
    SampledAxis y(f, op, axis[0]), x(f, op, axis[1]);
    IndexRange ranges[] = {unlessEmpty(y.samples()), x.samples()};
    bool isMax = op.getFn() == hx::RoiPoolFn::align_max;
    // What is gathered, and how many samples were inside.
    Value init = isMax ? lowest() : f.c(0);
    SmallVector<Value> pooled =
        loopNest(k, ranges, {init, k.index(0)}, [&](Index sample, ValueRange carried) {
          Value atY = y.position(sample[0]), atX = x.position(sample[1]);
          Value isInside =
              arith::AndIOp::create(f.b, f.loc, y.contains(atY), x.contains(atX));
          return k.ifElse(
              isInside, carried.getTypes(),
              [&] {
                Value joined = join(y.corners(atY), x.corners(atX), carried[0], isMax);
                return SmallVector<Value>{joined, k.add(carried[1], k.index(1))};
              },
              [&] { return SmallVector<Value>(carried); });
        });
    Value total = f.mul(y.grid, x.grid);
    if (!isMax)
      return f.div(pooled[0], f.atLeast(total, f.c(1)));
    // Samples outside are 0, too.
    Value inside = f.toFloat(pooled[1]);
    Value isAll = arith::AndIOp::create(
        f.b, f.loc, k.less(k.index(0), pooled[1]),
        arith::CmpFOp::create(f.b, f.loc, arith::CmpFPredicate::OEQ, inside, total));
    return f.select(isAll, pooled[0], larger(pooled[0], f.c(0)));
  }

  /// One sample more.
  Value join(const Corners &y, const Corners &x, Value gathered, bool isMax) {
    Value sum;
    for (unsigned i = 0; i < 4; ++i) {
      Value weight = f.mul(y.weight[i / 2], x.weight[i % 2]);
      Value value = f.mul(weight, read(y.index[i / 2], x.index[i % 2]));
      if (isMax)
        gathered = larger(gathered, value);
      else
        sum = sum ? f.add(sum, value) : value;
    }
    return isMax ? gathered : f.add(gathered, sum);
  }

  ElementEmitter &emitter;
  hx::RoiPoolOp op;
  KernelBuilder &k;
  Type type;
  Formula f;
  WindowAxes axes;
  Value channel, image, hasElements;
  RoiAxis axis[2]; ///< y, x
};

} // namespace

Value emitElement(ElementEmitter &emitter, hx::RoiPoolOp op, Index index) {
  return RoiElement(emitter, op, index).emit();
}

} // namespace hexin::codegen
