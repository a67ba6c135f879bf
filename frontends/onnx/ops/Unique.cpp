// Unique: equal values stand side by side once they are sorted.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Loops.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::ScatterFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// Up to so many sorts, one per column of a row, stand side by side; else they are a
/// loop.
constexpr int64_t maxUnrolled = 16;

std::pair<Value, Value> sorted(OpBinder &b, Value x) {
  if (b.failed())
    return {};
  auto op = b.create<hx::SortOp>({HxBuilder::elementType(x), b.builder.getI64Type()}, x,
                                 /*axis=*/0, /*descending=*/false);
  return op ? std::pair(op.getValues(), op.getPositions()) : std::pair<Value, Value>();
}

/// result[positions[i]] = values[i]; positions are all different.
Value placed(OpBinder &b, Value positions, Value values) {
  if (b.failed())
    return {};
  Value target = b.shape.broadcastTo(b.scalarLike(values, 0), b.dims(values));
  return b.make<hx::ScatterElementsOp>(HxBuilder::elementType(values), ScatterFn::set,
                                       target, positions, values, /*axis=*/0);
}

/// The order of the rows of x [n, columns], by the first column first; equal rows keep
/// theirs.
Value rowOrder(OpBinder &b, Value x, Dim numColumns) {
  Type i64 = b.builder.getI64Type();
  if (b.failed())
    return {};
  Value order = b.shape.iota({b.dims(x)[0]}, 0, i64);
  auto sortedBy = [&](Value column, Value before) {
    Value key = b.gather(b.gather(x, column, 1), before, 0);
    return b.gather(before, sorted(b, key).second, 0);
  };
  auto known = hx::SymbolTable::constantValue(numColumns);
  if (known && *known <= maxUnrolled) {
    for (int64_t column = *known; column-- > 0 && !b.failed();)
      order = sortedBy(b.scalar(i64, static_cast<double>(column)), order);
    return order;
  }
  LoopParts parts;
  parts.ignoresCondition = true;
  parts.tripCount = b.shape.buildScalar(numColumns, i64);
  parts.carried = {order};
  Value last = b.sub(parts.tripCount, b.scalar(i64, 1));
  if (b.failed())
    return {};
  auto body = [&](Block &, Value iteration,
                  ArrayRef<Value> carried) -> FailureOr<SmallVector<Value>> {
    Value next = sortedBy(b.sub(last, iteration), carried.front());
    Value goesOn = b.scalar(b.builder.getI1Type(), 1);
    if (b.failed())
      return failure();
    return SmallVector<Value>{goesOn, next};
  };
  SmallVector<Value> results = buildLoop(b, std::move(parts), body);
  return b.failed() ? Value() : results.front();
}

/// i1 [n]: whether a row of x [n, columns] differs from the one before it. NaN is equal
/// to itself.
Value startsRun(OpBinder &b, Value x) {
  if (b.failed())
    return {};
  Type i64 = b.builder.getI64Type();
  Value i = b.shape.iota({b.dims(x)[0]}, 0, i64);
  Value zero = b.scalar(i64, 0);
  Value before =
      b.gather(x, b.binary(BinaryFn::max, b.sub(i, b.scalar(i64, 1)), zero), 0);
  Value isEqual = b.compare(ComparePredicate::eq, x, before);
  if (HxBuilder::isFloat(x))
    isEqual = b.binary(BinaryFn::bit_or, isEqual,
                       b.binary(BinaryFn::bit_and, b.unary(UnaryFn::is_nan, x),
                                b.unary(UnaryFn::is_nan, before)));
  Value differs = b.reduce(ReduceFn::max, b.logicalNot(isEqual), {1}, false);
  return b.binary(BinaryFn::bit_or, differs, b.compare(ComparePredicate::eq, i, zero));
}

struct UniqueParts {
  Value values, firsts, inverse, counts;
};

/// Of slices along `axis`, or of elements where it is null; `isSorted`, or in the order
/// in which they come.
UniqueParts uniqueParts(OpBinder &b, std::optional<int64_t> givenAxis, bool isSorted) {
  Value x = b.input(0);
  int64_t axis = 0;
  if (givenAxis)
    givenAxis = b.normalizeAxis(*givenAxis, HxBuilder::rank(x));
  // A complex number is a row of two parts.
  auto complex = dyn_cast<ComplexType>(HxBuilder::elementType(x));
  if (complex && !b.failed()) {
    Dim count = b.shape.product(b.dims(x));
    x = b.make<hx::BitcastOp>(complex.getElementType(), x);
    if (!givenAxis)
      x = b.shape.reshape(x, {count, b.shape.constant(2)});
    givenAxis = givenAxis.value_or(0);
  }
  bool isBool = !b.failed() && HxBuilder::elementType(x).isInteger(1);
  if (isBool) // sorted as numbers
    x = b.cast(x, b.builder.getIntegerType(8, /*isSigned=*/false));
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  int64_t rank = HxBuilder::rank(x);
  bool hasAxis = givenAxis.has_value();
  SmallVector<int64_t> perm;
  Value rows = x;
  Dims rowSizes;
  if (hasAxis) {
    axis = *givenAxis;
    perm.push_back(axis);
    for (int64_t i = 0; i < rank; ++i)
      if (i != axis) {
        perm.push_back(i);
        rowSizes.push_back(dims[i]);
      }
    rows = b.transpose(x, perm);
  }
  Dim count = hasAxis ? dims[axis] : b.shape.product(dims), one = b.shape.constant(1);
  Dim numColumns = b.shape.product(rowSizes);
  rows = b.shape.reshape(rows, {count, numColumns});
  Type i64 = b.builder.getI64Type();
  Value order = rowOrder(b, rows, numColumns);
  rows = b.gather(rows, order, 0);
  Value mask = startsRun(b, rows);
  if (b.failed())
    return {};
  Value starts = b.make<hx::CompactOp>(i64, mask);
  if (b.failed())
    return {};
  Dim numRuns = b.dims(starts)[0];
  Value firsts = b.gather(order, starts, 0);
  Value ends = b.concat({starts, b.shape.build({count})}, 0);
  Value counts = b.sub(b.shape.sliceAxis(ends, 0, one, numRuns), starts);
  Value run = b.failed() ? Value()
                         : b.make<hx::CumulativeOp>(i64, ReduceFn::sum, b.cast(mask, i64),
                                                    /*axis=*/0,
                                                    /*exclusive=*/false,
                                                    /*reverse=*/false);
  Value inverse = placed(b, order, b.sub(run, b.scalar(i64, 1)));
  Value values = b.gather(rows, starts, 0);
  if (!isSorted) {
    auto [indices, runs] = sorted(b, firsts);
    values = b.gather(values, runs, 0);
    counts = b.gather(counts, runs, 0);
    Value rank = placed(b, runs, b.shape.iota({numRuns}, 0, i64));
    inverse = b.gather(rank, inverse, 0);
    firsts = indices;
  }
  if (b.failed())
    return {};
  Dims sizes{numRuns};
  sizes.append(rowSizes);
  values = b.shape.reshape(values, sizes);
  if (hasAxis) {
    SmallVector<int64_t> back(perm.size());
    for (auto [to, from] : llvm::enumerate(perm))
      back[from] = static_cast<int64_t>(to);
    values = b.transpose(values, back);
  }
  if (complex && !b.failed())
    values = b.make<hx::BitcastOp>(complex, values);
  if (isBool)
    values = b.cast(values, b.builder.getI1Type());
  return {values, firsts, inverse, counts};
}

void importUnique(OpBinder &b) {
  std::optional<int64_t> axis;
  if (b.hasAttribute("axis"))
    axis = b.intAttr("axis", 0);
  UniqueParts parts = uniqueParts(b, axis, b.intAttr("sorted", 1) != 0);
  b.result(0, parts.values);
  b.result(1, parts.firsts);
  b.result(2, parts.inverse);
  b.result(3, parts.counts);
}

/// com.microsoft: values in the order in which they come, where each element's stands
/// among them, how often it is there.
void importUniqueInOrder(OpBinder &b) {
  UniqueParts parts = uniqueParts(b, std::nullopt, /*isSorted=*/false);
  b.result(0, parts.values);
  b.result(1, parts.inverse);
  b.result(2, parts.counts);
}

} // namespace

void registerUniqueOps(OpTable &table) {
  table.add("", {
                    {"Unique", 11, 1, 1, importUnique},
                });
  table.add("com.microsoft", {{"Unique", 1, 1, 1, importUniqueInOrder}});
}

} // namespace hexin::onnx
