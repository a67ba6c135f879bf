// Reads at computed positions.
#include "frontends/onnx/Checks.h"
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

void importGatherNd(OpBinder &b) {
  Value x = b.input(0), indices = b.input(1);
  int64_t batchDims = b.intAttr("batch_dims", 0);
  Dims dims = b.dims(x), indexDims = b.dims(indices);
  auto numCoordinates =
      indexDims.empty() ? std::nullopt : hx::SymbolTable::constantValue(indexDims.back());
  if (!numCoordinates)
    return b.unsupported("the size of the last axis of the indices must be known");
  if (batchDims < 0 || *numCoordinates < 1 ||
      batchDims + *numCoordinates > static_cast<int64_t>(dims.size()))
    return b.error(Twine(*numCoordinates) + " coordinates after " + Twine(batchDims) +
                   " batch axes do not fit an input of rank " + Twine(dims.size()));
  b.result(0, b.make<hx::GatherNdOp>(HxBuilder::elementType(x), x, indices, batchDims));
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
