#include "frontends/onnx/ops/microsoft/Scores.h"
#include "frontends/onnx/Checks.h"

#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Products.h"

#include <cmath>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

static Type scoreType(OpBinder &b, Value x) {
  Type type = HxBuilder::elementType(x);
  return type.isF64() ? type : Type(b.builder.getF32Type());
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

void ScoreBias::hide(Value condition) {
  allowed = allowed ? b.binary(BinaryFn::bit_and, allowed, condition) : condition;
}

void ScoreBias::lower(Value condition, double amount) {
  if (b.failed())
    return;
  Type f32 = b.builder.getF32Type();
  add(b.select(condition, b.scalar(f32, 0), b.scalar(f32, amount)));
}

void ScoreBias::add(Value bias) {
  if (b.failed())
    return;
  if (HxBuilder::rank(bias) > 4)
    return b.contradiction("attention_bias has rank " + Twine(HxBuilder::rank(bias)) +
                           ", expected at most 4");
  bias = b.cast(bias, scoreType(b, bias));
  sum = sum ? b.add(sum, bias) : bias;
}

Value ScoreBias::keyPositions() {
  return b.shape.iota({numKeys}, 0, b.builder.getI64Type());
}

Value ScoreBias::queryPositions(Value past) {
  return b.add(b.shape.iota({numQueries, b.shape.constant(1)}, 0, b.builder.getI64Type()),
               past);
}

void ScoreBias::hideFuture(Value past) {
  hide(b.compare(ComparePredicate::le, keyPositions(), queryPositions(past)));
}

void ScoreBias::hideBefore(Value past, int64_t window) {
  Value first =
      b.sub(queryPositions(past), b.scalar(b.builder.getI64Type(), double(window)));
  hide(b.compare(ComparePredicate::lt, first, keyPositions()));
}

Value ScoreBias::total() const {
  if (!allowed || b.failed())
    return sum;
  Type type = sum ? HxBuilder::elementType(sum) : Type(b.builder.getF32Type());
  return b.select(allowed, sum ? sum : b.scalar(type, 0), b.scalar(type, -INFINITY));
}

/// Of a mask of rank 1: how many keys each sample has, and at which it begins. A run may
/// be the first to know which of the two forms it has.
static void addLengths(OpBinder &b, ScoreBias &bias, Value mask, Dim batch,
                       double amount) {
  Type i64 = b.builder.getI64Type();
  hx::SymbolTable &symbols = b.symbols();
  Dim size = b.dims(mask)[0], none = b.shape.constant(0);
  Dim twice = symbols.mul(batch, b.shape.constant(2));
  Dim cumulated =
      symbols.add(symbols.mul(batch, b.shape.constant(3)), b.shape.constant(2));
  Dim isAnyForm = symbols.eq(size, cumulated);
  for (Dim form : {batch, twice})
    isAnyForm = symbols.select(symbols.eq(size, form), b.shape.constant(1), isAnyForm);
  check(
      b, isAnyForm,
      "the mask has {0} elements for a batch of {1}: expected 1, 2 or 3 (and 2 more) for "
      "each sample",
      {size, batch});
  if (b.failed())
    return;
  Dim hasStarts = symbols.select(symbols.eq(size, batch), none, symbols.eq(size, twice));
  auto numbers = [&](Dim first) {
    Value part = size == batch ? mask : b.shape.sliceAxis(mask, 0, first, batch);
    return b.cast(b.shape.unsqueeze(part, {1, 2, 3}), i64);
  };
  Value positions = bias.keyPositions();
  Value isInside = b.compare(ComparePredicate::lt, positions, numbers(none));
  if (hasStarts != none) {
    Value starts = b.mul(numbers(symbols.select(hasStarts, batch, none)),
                         b.shape.buildScalar(hasStarts, i64));
    isInside = b.binary(BinaryFn::bit_and, isInside,
                        b.compare(ComparePredicate::le, starts, positions));
  }
  bias.lower(isInside, amount);
}

void addKeyMask(OpBinder &b, ScoreBias &bias, Value mask, Dim batch, Dim numQueries,
                Dim numKeys, Dim past) {
  double amount = b.floatAttr("mask_filter_value", -10000.0f);
  if (b.failed())
    return;
  int64_t rank = HxBuilder::rank(mask);
  if (rank == 1)
    return addLengths(b, bias, mask, batch, amount);
  if (rank < 2 || rank > 4)
    return b.contradiction("the mask has rank " + Twine(rank) + ", expected 1 to 4");
  if (rank == 4) { // of all positions there are
    mask = b.shape.sliceAxis(mask, 2, past, numQueries);
    mask =
        b.failed() ? Value() : b.shape.sliceAxis(mask, 3, b.shape.constant(0), numKeys);
  } else {
    checkEqual(b, b.dims(mask).back(), "the last axis of the mask", numKeys,
               "the number of keys");
    mask = b.shape.unsqueeze(mask,
                             rank == 2 ? ArrayRef<int64_t>{1, 2} : ArrayRef<int64_t>{1});
  }
  if (b.failed())
    return;
  bias.lower(b.compare(ComparePredicate::lt, b.scalarLike(mask, 0), mask), amount);
}

//===----------------------------------------------------------------------===//
// Scores, softmax, products
//===----------------------------------------------------------------------===//

static Value scaledQuery(OpBinder &b, Value query, double scale) {
  Dim size = b.dims(query)[3];
  auto features = hx::SymbolTable::constantValue(size);
  if (scale == 0 && !features) {
    Value number =
        b.cast(b.shape.buildScalar(size, b.builder.getI64Type()), b.builder.getF32Type());
    return b.mul(query,
                 b.cast(b.unary(UnaryFn::rsqrt, number), HxBuilder::elementType(query)));
  }
  return scaled(b, query,
                scale != 0 ? scale : 1 / std::sqrt(static_cast<double>(*features)));
}

/// Softmax over the last axis, of which a score without a value takes its part.
static Value softmaxWithSink(OpBinder &b, Value scores, Value sink) {
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(scores);
  if (!sink)
    return b.make<hx::SoftmaxOp>(type, scores, /*axis=*/3);
  Dims dims = b.dims(scores), column = dims;
  column[3] = b.shape.constant(1);
  sink = b.cast(sink, type);
  if (HxBuilder::rank(sink) == 1)
    sink = b.shape.unsqueeze(sink, {1, 2});
  Value all = b.concat({scores, b.shape.broadcastTo(sink, column)}, 3);
  Value weights = b.failed() ? Value() : b.make<hx::SoftmaxOp>(type, all, /*axis=*/3);
  return b.failed() ? Value()
                    : b.shape.sliceAxis(weights, 3, b.shape.constant(0), dims[3]);
}

Attended attend(OpBinder &b, const Scoring &in, const ScoreBias &bias) {
  Value added = bias.total();
  if (b.failed())
    return {};
  for (Value x : {in.query, in.key, in.value})
    if (HxBuilder::rank(x) != 4) {
      b.contradiction("heads of rank " + Twine(HxBuilder::rank(x)) + ", expected 4");
      return {};
    }
  Type given = HxBuilder::elementType(in.query), type = scoreType(b, in.query);
  Value query = scaledQuery(b, in.query, in.scale);
  Value scores = withGroupedRows(b, query, in.key, [&](Value rows, Value keys) {
    return b.matmul(rows, keys, /*transposeLhs=*/false, /*transposeRhs=*/true);
  });
  if (b.failed())
    return {};
  scores = b.cast(scores, type);
  if (in.softcap > 0) {
    Value limit = b.scalarLike(scores, in.softcap);
    scores = b.mul(b.unary(UnaryFn::tanh, b.div(scores, limit)), limit);
  }
  if (added)
    scores = b.add(scores, b.cast(added, type));
  Value weights = softmaxWithSink(b, scores, in.sink);
  if (b.failed())
    return {};
  Value output =
      withGroupedRows(b, b.cast(weights, given), in.value,
                      [&](Value rows, Value values) { return b.matmul(rows, values); });
  return {mergeHeads(b, output), scores, weights};
}

Value withPast(OpBinder &b, Value past, Value update, Value position) {
  if (!past || b.failed())
    return update;
  if (!position)
    return b.concat({past, update}, 2);
  Type i64 = b.builder.getI64Type();
  Dims sizes = b.dims(update);
  Dim one = b.shape.constant(1);
  Value along = b.shape.iota({one, one, sizes[2], one}, 2, i64);
  position = b.cast(position, i64);
  if (HxBuilder::rank(position) == 1)
    position = b.shape.unsqueeze(position, {1, 2, 3});
  Value positions = b.shape.broadcastTo(b.add(along, position), sizes);
  return b.failed() ? Value()
                    : b.make<hx::ScatterElementsOp>(HxBuilder::elementType(past),
                                                    hx::ScatterFn::set, past, positions,
                                                    update, /*axis=*/2);
}

} // namespace hexin::onnx
