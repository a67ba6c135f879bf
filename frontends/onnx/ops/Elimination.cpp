// Det and com.microsoft's Inverse: Gauss' elimination in a loop over the columns. Of each
// the largest element that is left is the pivot (partial pivoting); all matrices of a
// batch side by side. f16 and bf16 are f32 inside.
#include "frontends/onnx/Checks.h"
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
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// x [..., n, n] as matrices [B, n, n], in a type to compute in.
struct Matrices {
  Dims batch;
  Dim count, n;
  Value values;
};

std::optional<Matrices> readMatrices(OpBinder &b, Value x) {
  Dims dims = b.dims(x);
  if (dims.size() < 2) {
    b.contradiction("the input has rank " + Twine(dims.size()) +
                    ", expected matrices: [..., n, n]");
    return std::nullopt;
  }
  size_t last = dims.size() - 1;
  checkEqual(b, dims[last - 1], "the number of rows", dims[last], "that of columns");
  Matrices m;
  m.n = dims[last];
  m.batch.assign(dims.begin(), dims.end() - 2);
  m.count = b.shape.product(m.batch);
  Value wide = b.cast(x, b.wideType(HxBuilder::elementType(x)));
  m.values = b.shape.reshape(wide, {m.count, m.n, m.n});
  return b.failed() ? std::nullopt : std::optional(m);
}

/// Column k of matrices [B, n, m]. The pivot stands in row `position`, which changes
/// places with row k.
struct Pivot {
  Value row;         ///< i64 [n, 1]: 0, 1, ...
  Value isLine;      ///< i1 [n, 1]: row k
  Value isExchanged; ///< i1 [B, 1, 1]: whether the pivot stood elsewhere
  Value value;       ///< [B, 1, 1]
  Value line;        ///< [B, 1, m]: row k, now the pivot's
  Value rest;        ///< [B, n, m]: the other rows; row k is out of date
  Value column;      ///< [B, n, 1]: column k of `rest`
};

Pivot pivotOf(OpBinder &b, ShapeMath &shape, Value matrices, Value k) {
  if (b.failed())
    return {};
  Type i64 = b.builder.getI64Type();
  Pivot p;
  p.row = shape.iota({b.dims(matrices)[1], shape.constant(1)}, 0, i64);
  p.isLine = b.compare(ComparePredicate::eq, p.row, k);
  Value at = shape.unsqueeze(k, {0});
  Value column = b.gather(matrices, at, 2), displaced = b.gather(matrices, at, 1);
  if (b.failed())
    return {};
  Value isDone = b.compare(ComparePredicate::lt, p.row, k);
  Value candidate =
      b.select(isDone, b.scalarLike(column, -1), b.unary(UnaryFn::abs, column));
  if (b.failed())
    return {};
  Value position = b.make<hx::ArgReduceOp>(i64, ReduceFn::max, candidate, /*axis=*/1,
                                           /*keepDims=*/true, /*last=*/false);
  Value isPosition = b.compare(ComparePredicate::eq, p.row, position);
  p.isExchanged = b.logicalNot(b.compare(ComparePredicate::eq, position, k));
  p.line = b.gather(matrices, shape.squeeze(position, {2}), 1, /*batchDims=*/1);
  p.value = b.gather(p.line, at, 2);
  p.rest = b.select(isPosition, displaced, matrices);
  p.column = b.select(isPosition, b.gather(displaced, at, 2), column);
  return p;
}

/// [...]: 1 for n = 0, 0 where a pivot is 0.
void importDet(OpBinder &b) {
  Value x = b.input(0);
  std::optional<Matrices> m = readMatrices(b, x);
  if (!m)
    return;
  LoopParts parts;
  parts.tripCount = b.shape.buildScalar(m->n, b.builder.getI64Type());
  parts.ignoresCondition = true;
  Dim one = b.shape.constant(1);
  Value product = b.shape.broadcastTo(b.scalarLike(m->values, 1), {m->count, one, one});
  parts.carried = {m->values, product};
  auto body = [&](Block &, Value k,
                  ArrayRef<Value> carried) -> FailureOr<SmallVector<Value>> {
    ShapeMath shape(b);
    Pivot p = pivotOf(b, shape, carried[0], k);
    if (b.failed())
      return failure();
    Value zero = b.scalarLike(p.value, 0);
    Value isSingular = b.compare(ComparePredicate::eq, p.value, zero);
    Value factor = b.select(isSingular, zero, b.div(p.column, p.value));
    Value next = b.sub(p.rest, b.mul(factor, p.line));
    Value signedPivot = b.select(p.isExchanged, b.unary(UnaryFn::neg, p.value), p.value);
    SmallVector<Value> yielded{b.scalar(b.builder.getI1Type(), 1), next,
                               b.mul(carried[1], signedPivot)};
    return b.failed() ? FailureOr<SmallVector<Value>>(failure()) : yielded;
  };
  SmallVector<Value> results = buildLoop(b, std::move(parts), body);
  if (!b.failed())
    b.result(0, b.cast(b.shape.reshape(results[1], m->batch), HxBuilder::elementType(x)));
}

/// [x | 1] becomes [1 | inverse]: each column is eliminated above its pivot too. Of a
/// singular matrix elements are infinite or NaN.
void importInverse(OpBinder &b) {
  Value x = b.input(0);
  std::optional<Matrices> m = readMatrices(b, x);
  if (!m)
    return;
  Type i64 = b.builder.getI64Type(), type = HxBuilder::elementType(m->values);
  Dims plane{m->n, m->n};
  Value isDiagonal = b.compare(ComparePredicate::eq, b.shape.iota(plane, 0, i64),
                               b.shape.iota(plane, 1, i64));
  Value unit = b.shape.broadcastTo(b.cast(isDiagonal, type), {m->count, m->n, m->n});
  LoopParts parts;
  parts.tripCount = b.shape.buildScalar(m->n, i64);
  parts.ignoresCondition = true;
  parts.carried = {b.concat({m->values, unit}, 2)};
  if (b.failed())
    return;
  auto body = [&](Block &, Value k,
                  ArrayRef<Value> carried) -> FailureOr<SmallVector<Value>> {
    ShapeMath shape(b);
    Pivot p = pivotOf(b, shape, carried[0], k);
    Value line = b.div(p.line, p.value);
    Value next = b.select(p.isLine, line, b.sub(p.rest, b.mul(p.column, line)));
    SmallVector<Value> yielded{b.scalar(b.builder.getI1Type(), 1), next};
    return b.failed() ? FailureOr<SmallVector<Value>>(failure()) : yielded;
  };
  SmallVector<Value> results = buildLoop(b, std::move(parts), body);
  if (b.failed())
    return;
  Value inverse = b.shape.sliceAxis(results[0], 2, m->n, m->n);
  b.result(0, b.cast(b.shape.reshape(inverse, b.dims(x)), HxBuilder::elementType(x)));
}

} // namespace

void registerEliminationOps(OpTable &table) {
  table.add("", {{"Det", 11, 1, 1, importDet}});
  table.add("com.microsoft", {{"Inverse", 1, 1, 1, importInverse}});
}

} // namespace hexin::onnx
