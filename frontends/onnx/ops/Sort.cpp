// TopK
#include "compiler/ir/SizeText.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

void importTopK(OpBinder &b) {
  Value x = b.input(0);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -1), HxBuilder::rank(x));
  bool isDescending = b.intAttr("largest", 1) != 0;
  Dim count;
  if (b.sinceVersion() >= 10) {
    Dims k = b.readInts(1);
    if (!b.failed() && k.size() != 1)
      return b.error("K must be one number");
    count = b.failed() ? Dim() : k[0];
  } else {
    count = b.shape.constant(b.intAttr("k", 0));
  }
  if (b.failed())
    return;
  Dim size = b.dims(x)[axis];
  if (b.symbols().lowerBound(b.symbols().sub(count, size)) > 0)
    return b.contradiction("K is " + describeSize(b.symbols(), count) + ", but axis " +
                           Twine(axis) + " has size " + describeSize(b.symbols(), size));
  Value k = b.shape.build({count});
  if (b.failed())
    return;
  auto best = b.create<hx::TopKOp>({HxBuilder::elementType(x), b.builder.getI64Type()}, x,
                                   k, axis, isDescending);
  if (b.failed())
    return;
  b.result(0, best.getValues());
  b.result(1, best.getPositions());
}

} // namespace

void registerSortOps(OpTable &table) {
  table.add("", {
                    {"TopK", 1, 1, 1, importTopK},
                    {"TopK", 10, 2, 2, importTopK},
                });
}

} // namespace hexin::onnx
