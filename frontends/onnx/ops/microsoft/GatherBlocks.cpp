// GatherBlockQuantized: rows of a table in few bits.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/microsoft/FewBits.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// One entry a block of `block` along `axis` of size `size`, as one for every element.
Value spread(OpBinder &b, Value perBlock, int64_t axis, Dim size, int64_t block) {
  if (b.failed() || block == 0)
    return perBlock;
  Type i64 = b.builder.getI64Type();
  Value of = b.div(b.shape.iota({size}, 0, i64), b.scalar(i64, double(block)));
  return b.gather(perBlock, of, axis);
}

/// data, indices, scales, zero_points?
void importGatherBlockQuantized(OpBinder &b) {
  Value data = b.input(0), indices = b.input(1), scales = b.input(2), zeros = b.input(3);
  int64_t rank = HxBuilder::rank(data);
  int64_t gatherAxis = b.normalizeAxis(b.intAttr("gather_axis", 0), rank, "gather_axis");
  int64_t axis = b.normalizeAxis(b.intAttr("quantize_axis", 1), rank, "quantize_axis");
  int64_t block = b.intAttr("block_size", 128), bits = b.intAttr("bits", 4);
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(data), i64 = b.builder.getI64Type(),
       f32 = b.builder.getF32Type();
  bool isFloat = HxBuilder::isFloat(data), isByte = type.isUnsignedInteger(8);
  if (HxBuilder::rank(scales) != rank || (zeros && HxBuilder::rank(zeros) != rank))
    return b.contradiction("scales and zero_points must have the data's rank, " +
                           Twine(rank));
  if (isFloat && zeros)
    return b.error("zero_points are given for floats");
  if (!(isFloat && block == 0) && !checkFewBits(b, isByte ? bits : 4, block))
    return;
  if (isByte && gatherAxis != 0)
    return b.error("gather_axis is " + Twine(gatherAxis) + ", expected 0 for bytes");
  if (isByte && bits < 8 && gatherAxis == axis)
    return b.error("gather_axis and quantize_axis are the same for packed bytes");

  // Out of range, rows are zero: they are read at a place that exists.
  Value limit = b.shape.buildScalar(b.dims(data)[gatherAxis], i64);
  Value wide = b.cast(indices, i64), zero = b.scalar(i64, 0);
  Value fromFront =
      b.select(b.compare(ComparePredicate::lt, wide, zero), b.add(wide, limit), wide);
  Value isInside =
      b.binary(BinaryFn::bit_and, b.compare(ComparePredicate::le, zero, fromFront),
               b.compare(ComparePredicate::lt, fromFront, limit));
  Value places = b.select(isInside, fromFront, zero);

  // Of scales and zero points the gathered axis may be the one that counts blocks, or
  // one for all of it.
  auto rowsOf = [&](Value perBlock) {
    if (b.failed())
      return Value();
    Value at = places;
    if (gatherAxis == axis)
      at = block == 0 ? b.mul(at, zero) : b.div(at, b.scalar(i64, double(block)));
    else if (isFloat && b.dims(perBlock)[gatherAxis] == b.shape.constant(1))
      at = b.mul(at, zero);
    return b.gather(perBlock, at, gatherAxis);
  };
  int64_t indexRank = HxBuilder::rank(indices);
  int64_t movedAxis = axis < gatherAxis ? axis : axis + indexRank - 1;
  Value rows = b.gather(data, places, gatherAxis);
  rows = b.cast(isByte ? unpackedBits(b, rows, bits) : rows, f32);
  if (b.failed())
    return;
  Dim size = b.dims(rows)[gatherAxis == axis ? 0 : movedAxis];
  auto perElement = [&](Value perBlock) {
    return gatherAxis == axis ? perBlock : spread(b, perBlock, movedAxis, size, block);
  };
  if (zeros) {
    Value points = rowsOf(zeros);
    if (isByte && bits < 8) { // packed like the data, in whole bytes
      points = unpackedBits(b, points, bits);
      int64_t last = HxBuilder::rank(points) - 1;
      if (!b.failed())
        points = b.shape.sliceAxis(points, last, b.shape.constant(0),
                                   b.dims(scales)[rank - 1]);
    }
    rows = b.sub(rows, perElement(b.cast(points, f32)));
  } else if (isByte) {
    rows = b.sub(rows, b.scalar(f32, double(1 << (bits - 1))));
  }
  rows = b.mul(rows, perElement(b.cast(rowsOf(scales), f32)));
  SmallVector<int64_t> behind;
  for (int64_t i = gatherAxis + 1; i < rank; ++i)
    behind.push_back(indexRank + i - gatherAxis - 1);
  if (b.failed())
    return;
  rows = b.select(b.shape.unsqueeze(isInside, behind), rows, b.scalar(f32, 0));
  b.result(0, b.failed() ? Value() : b.cast(rows, HxBuilder::elementType(scales)));
}

} // namespace

void registerMicrosoftGatherOps(OpTable &table) {
  table.add("com.microsoft",
            {
                {"GatherBlockQuantized", 1, 3, 4, importGatherBlockQuantized},
            });
}

} // namespace hexin::onnx
