// Reads at computed positions.
#include "compiler/ir/SizeText.h"
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

namespace {

void importGather(OpBinder &b) {
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), HxBuilder::rank(b.input(0)));
  b.result(0, b.gather(b.input(0), b.input(1), axis));
}

void importGatherElements(OpBinder &b) {
  Value x = b.input(0);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), HxBuilder::rank(x));
  if (b.failed())
    return;
  b.result(0,
           b.make<hx::GatherElementsOp>(HxBuilder::elementType(x), x, b.input(1), axis));
}

/// Indices [..., n] with n coordinates each. The result's rank hangs on n, which only a
/// run may know: null after a fork.
Value gatheredNd(OpBinder &b, int64_t batchDims) {
  Value x = b.input(0), indices = b.input(1);
  int64_t rank = HxBuilder::rank(x), last = HxBuilder::rank(indices) - 1;
  Dim given = b.dims(indices)[last];
  for (int64_t count = 1; count <= rank - batchDims; ++count) {
    Dim isCount = b.symbols().eq(given, b.shape.constant(count));
    std::optional<bool> holds = b.importer().decided(isCount);
    if (!holds) {
      auto knowingMore = [&](Scope &, bool) -> FailureOr<SmallVector<Value>> {
        Value gathered = gatheredNd(b, batchDims);
        if (!gathered && !b.importer().hasForked())
          return failure();
        return SmallVector<Value>{gathered};
      };
      b.importer().fork(b, isCount, knowingMore);
      return {};
    }
    if (!*holds)
      continue;
    HxBuilder inner(b.builder, b.shapes, b.loc);
    if (!hx::SymbolTable::constantValue(given))
      indices = ShapeMath(inner).sliceAxis(indices, last, b.shape.constant(0),
                                           b.shape.constant(count));
    return inner.failed() ? Value()
                          : inner.make<hx::GatherNdOp>(HxBuilder::elementType(x), x,
                                                       indices, batchDims);
  }
  // Not a failure of `b`: in a fork the other case may be right.
  emitError(b.loc, describeSize(b.symbols(), given) + " coordinates after " +
                       Twine(batchDims) + " batch axes do not fit an input of rank " +
                       Twine(rank));
  return {};
}

void importGatherNd(OpBinder &b) {
  int64_t batchDims = b.intAttr("batch_dims", 0);
  int64_t rank = HxBuilder::rank(b.input(0)), indexRank = HxBuilder::rank(b.input(1));
  if (batchDims < 0 || batchDims >= std::max<int64_t>(rank, 1) || indexRank < 1)
    return b.error("batch_dims=" + Twine(batchDims) + " does not fit an input of rank " +
                   Twine(rank) + " and indices of rank " + Twine(indexRank));
  if (b.failed())
    return;
  Value gathered = gatheredNd(b, batchDims);
  if (!gathered && !b.importer().hasForked())
    return b.markFailed();
  b.result(0, gathered);
}

/// Element t of a sequence of length l comes from l - 1 - t, beyond l from t.
void importReverseSequence(OpBinder &b) {
  Value x = b.input(0), lengths = b.input(1);
  Dims dims = b.dims(x);
  int64_t batchAxis = b.intAttr("batch_axis", 1), timeAxis = b.intAttr("time_axis", 0);
  if (dims.size() < 2 || batchAxis + timeAxis != 1 || batchAxis * timeAxis != 0)
    return b.error("expected rank 2 or more, and batch_axis and time_axis 0 and 1");
  Type i64 = b.builder.getI64Type();
  Dims lengthDims(dims.size(), b.shape.constant(1));
  lengthDims[batchAxis] = dims[batchAxis];
  lengths = checkedLengths(b, b.cast(lengths, i64), dims[timeAxis], "sequence_lens");
  Value length = b.shape.reshape(lengths, lengthDims);
  Value time = b.shape.iota(dims, timeAxis, i64);
  Value reversed = b.sub(b.sub(length, b.scalar(i64, 1)), time);
  Value position =
      b.select(b.compare(hx::ComparePredicate::lt, time, length), reversed, time);
  if (!b.failed())
    b.result(0, b.make<hx::GatherElementsOp>(HxBuilder::elementType(x), x, position,
                                             timeAxis));
}

/// Positions where the condition holds; it may be shorter than the axis.
void importCompress(OpBinder &b) {
  Value x = b.input(0);
  int64_t axis = 0;
  if (b.hasAttribute("axis"))
    axis = b.normalizeAxis(b.intAttr("axis", 0), HxBuilder::rank(x));
  else
    x = b.shape.reshape(x, {b.shape.product(b.dims(x))});
  Value positions = b.make<hx::CompactOp>(b.builder.getI64Type(), b.input(1));
  b.result(0, b.gather(x, positions, axis));
}

} // namespace

void registerGatherOps(OpTable &table) {
  table.add("", {
                    {"Gather", 1, 2, 2, importGather},
                    {"GatherElements", 11, 2, 2, importGatherElements},
                    {"GatherND", 11, 2, 2, importGatherNd},
                    {"ReverseSequence", 10, 2, 2, importReverseSequence},
                    {"Compress", 9, 2, 2, importCompress},
                });
  table.add("com.microsoft", {{"GatherND", 1, 2, 2, importGatherNd}});
}

} // namespace hexin::onnx
