// TopK
#include "frontends/onnx/Checks.h"
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
    count = readOne(b, b.input(1), "K");
  } else {
    count = b.shape.constant(b.intAttr("k", 0));
  }
  if (b.failed())
    return;
  Dim size = b.dims(x)[axis];
  hx::SymbolTable &symbols = b.symbols();
  checkRange(b, count, 0, INT64_MAX, "K");
  check(b, symbols.eq(symbols.lt(size, count), symbols.constant(0)),
        "K is {0}, but axis " + Twine(axis) + " has size {1}", {count, size});
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
