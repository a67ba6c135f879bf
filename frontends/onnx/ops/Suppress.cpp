// NonMaxSuppression: as many rounds as boxes are wanted, each takes the best box that is
// left and drops what overlaps it, for all batches and classes side by side.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Loops.h"

#include <limits>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// Corners of boxes, low <= high; each [batch, 1, boxes].
struct Boxes {
  Value lowY, lowX, highY, highX;
};

/// boxes [batch, boxes, 4]: two corners in any order, or centre, width and height.
Boxes readBoxes(OpBinder &b) {
  auto column = [&](int64_t index) {
    Value part =
        b.shape.sliceAxis(b.input(0), 2, b.shape.constant(index), b.shape.constant(1));
    return b.shape.unsqueeze(b.shape.squeeze(part, {2}), {1});
  };
  Value c0 = column(0), c1 = column(1), c2 = column(2), c3 = column(3);
  if (b.failed())
    return {};
  if (b.intAttr("center_point_box", 0) == 0)
    return {b.binary(BinaryFn::min, c0, c2), b.binary(BinaryFn::min, c1, c3),
            b.binary(BinaryFn::max, c0, c2), b.binary(BinaryFn::max, c1, c3)};
  Value half = b.scalarLike(c0, 0.5);
  Value width = b.mul(c2, half), height = b.mul(c3, half);
  return {b.sub(c1, height), b.sub(c0, width), b.add(c1, height), b.add(c0, width)};
}

/// (high - low) of both axes multiplied.
Value area(HxBuilder &b, const Boxes &boxes) {
  return b.mul(b.sub(boxes.highY, boxes.lowY), b.sub(boxes.highX, boxes.lowX));
}

/// The box at `index` [batch, classes, 1] of each row, against all [batch, 1, boxes].
Boxes at(HxBuilder &b, ShapeMath &shape, const Boxes &boxes, Value index, Dims sizes) {
  auto pick = [&](Value corner) {
    if (b.failed())
      return Value();
    Value all = shape.broadcastTo(corner, sizes);
    return b.failed() ? Value()
                      : b.make<hx::GatherElementsOp>(HxBuilder::elementType(corner), all,
                                                     index, /*axis=*/2);
  };
  return {pick(boxes.lowY), pick(boxes.lowX), pick(boxes.highY), pick(boxes.highX)};
}

/// Whether intersection over union is above the threshold; boxes without an area
/// overlap nothing.
Value overlaps(HxBuilder &b, const Boxes &x, const Boxes &y, Value threshold) {
  auto extent = [&](Value lowA, Value highA, Value lowB, Value highB) {
    Value length =
        b.sub(b.binary(BinaryFn::min, highA, highB), b.binary(BinaryFn::max, lowA, lowB));
    return b.failed() ? length : b.binary(BinaryFn::max, length, b.scalarLike(length, 0));
  };
  Value common = b.mul(extent(x.lowY, x.highY, y.lowY, y.highY),
                       extent(x.lowX, x.highX, y.lowX, y.highX));
  Value areaX = area(b, x), areaY = area(b, y);
  Value joined = b.sub(b.add(areaX, areaY), common);
  if (b.failed())
    return {};
  Value zero = b.scalarLike(common, 0);
  auto isPositive = [&](Value value) {
    return b.compare(ComparePredicate::lt, zero, value);
  };
  Value areReal = b.binary(BinaryFn::bit_and, isPositive(areaX), isPositive(areaY));
  Value isAbove = b.compare(ComparePredicate::lt, threshold, b.div(common, joined));
  return b.binary(BinaryFn::bit_and, areReal, isAbove);
}

/// Input `index` as an f32 scalar, or null.
Value number(OpBinder &b, unsigned index) {
  return b.has(index) ? b.shape.toScalar(b.input(index)) : Value();
}

/// boxes [batch, boxes, 4], scores [batch, classes, boxes], most per class, thresholds.
/// Gives [selected, 3]: batch, class, box; by batch, class, then score.
void importNonMaxSuppression(OpBinder &b) {
  Value scores = b.input(1);
  if (HxBuilder::rank(b.input(0)) != 3 || HxBuilder::rank(scores) != 3)
    return b.contradiction("expected boxes [batch, boxes, 4] and scores [batch, classes, "
                           "boxes]");
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = symbols.constant(0);
  Dim most = b.has(2) ? readOne(b, b.input(2), "max_output_boxes_per_class") : zero;
  if (b.failed())
    return;
  Dims sizes = b.dims(scores);
  Dim rounds = symbols.max(symbols.min(most, sizes[2]), zero);
  Type type = HxBuilder::elementType(scores), i64 = b.builder.getI64Type();
  Value none = b.scalar(type, -std::numeric_limits<double>::infinity());
  Value threshold = number(b, 3), least = number(b, 4);
  if (!threshold)
    threshold = b.scalar(type, 0);
  Value isOut = b.unary(UnaryFn::is_nan, scores);
  if (least && !b.failed())
    isOut =
        b.binary(BinaryFn::bit_or, isOut, b.compare(ComparePredicate::le, scores, least));
  Boxes boxes = readBoxes(b);
  LoopParts parts;
  parts.tripCount = b.shape.buildScalar(rounds, i64);
  parts.ignoresCondition = true;
  parts.carried.push_back(b.select(isOut, none, scores));
  parts.numStacked = 2;
  if (b.failed())
    return;
  auto body = [&](Block &, Value,
                  ArrayRef<Value> carried) -> FailureOr<SmallVector<Value>> {
    Value left = carried[0];
    ShapeMath shape(b);
    Value best = b.make<hx::ArgReduceOp>(i64, ReduceFn::max, left, /*axis=*/2,
                                         /*keepDims=*/true, /*last=*/false);
    Value isThere = b.compare(ComparePredicate::lt, none,
                              b.reduce(ReduceFn::max, left, {2}, /*keepDims=*/true));
    Value drop = overlaps(b, at(b, shape, boxes, best, b.dims(left)), boxes, threshold);
    Value position = shape.iota(b.dims(left), 2, i64);
    drop =
        b.binary(BinaryFn::bit_or, drop, b.compare(ComparePredicate::eq, position, best));
    Value next = b.select(drop, none, left);
    SmallVector<Value> yielded{b.scalar(b.builder.getI1Type(), 1), next,
                               shape.squeeze(best, {2}), shape.squeeze(isThere, {2})};
    return b.failed() ? FailureOr<SmallVector<Value>>(failure()) : yielded;
  };
  SmallVector<Value> results = buildLoop(b, std::move(parts), body);
  if (b.failed())
    return;
  // [rounds, batch, classes] -> [batch, classes, rounds], flat.
  Dims stacked = b.dims(results[1]);
  Dim count = symbols.product(stacked);
  auto flat = [&](Value value) {
    return b.shape.reshape(b.transpose(value, {1, 2, 0}), {count});
  };
  Value chosen = flat(results[1]), isChosen = flat(results[2]);
  if (b.failed())
    return;
  Value places = b.make<hx::CompactOp>(i64, isChosen);
  Value perClass = b.shape.buildScalar(symbols.max(stacked[0], symbols.constant(1)), i64);
  Value row = b.div(places, perClass);
  Value classes = b.shape.buildScalar(symbols.max(stacked[2], symbols.constant(1)), i64);
  Value columns[] = {b.div(row, classes), b.binary(BinaryFn::mod, row, classes),
                     b.gather(chosen, places, 0)};
  for (Value &column : columns)
    column = b.shape.unsqueeze(column, {1});
  if (!b.failed())
    b.result(0, b.concat(columns, 1));
}

} // namespace

void registerSuppressOps(OpTable &table) {
  table.add("", {
                    {"NonMaxSuppression", 10, 2, 5, importNonMaxSuppression},
                });
}

} // namespace hexin::onnx
