// Writes at computed positions.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::ScatterFn;

namespace hexin::onnx {
namespace {

ScatterFn scatterFn(OpBinder &b) {
  StringRef reduction = b.stringAttr("reduction", "none");
  if (reduction == "none")
    return ScatterFn::set;
  std::optional<ScatterFn> fn = hx::symbolizeScatterFn(reduction);
  if (!fn || *fn == ScatterFn::set) {
    b.error("reduction '" + reduction + "': expected none, add, mul, max or min");
    return ScatterFn::set;
  }
  return *fn;
}

void importScatterElements(OpBinder &b) {
  Value x = b.input(0);
  ScatterFn fn = scatterFn(b);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), HxBuilder::rank(x));
  if (b.failed())
    return;
  Value indices = b.input(1);
  b.result(0, b.make<hx::ScatterElementsOp>(HxBuilder::elementType(x), fn, x, indices,
                                            b.input(2), axis));
}

void importScatterNd(OpBinder &b) {
  Value x = b.input(0);
  ScatterFn fn = scatterFn(b);
  Value indices = b.input(1);
  int64_t rank = HxBuilder::rank(x), last = HxBuilder::rank(indices) - 1;
  // Updates have the indices' axes but the last, then those that have no coordinate.
  int64_t count = last + rank - HxBuilder::rank(b.input(2));
  if (last < 0 || count < 1 || count > rank)
    return b.contradiction("indices of rank " + Twine(last + 1) +
                           " and updates of rank " + Twine(HxBuilder::rank(b.input(2))) +
                           " do not fit an input of rank " + Twine(rank));
  Dim given = b.dims(indices)[last];
  checkRange(b, given, count, count, "the number of coordinates by index");
  if (!b.failed() && !hx::SymbolTable::constantValue(given))
    indices =
        b.shape.sliceAxis(indices, last, b.shape.constant(0), b.shape.constant(count));
  if (!b.failed())
    b.result(0, b.make<hx::ScatterNdOp>(HxBuilder::elementType(x), fn, x, indices,
                                        b.input(2)));
}

} // namespace

void registerScatterOps(OpTable &table) {
  table.add("", {
                    {"Scatter", 9, 3, 3, importScatterElements},
                    {"ScatterElements", 11, 3, 3, importScatterElements},
                    {"ScatterND", 11, 3, 3, importScatterNd},
                });
}

} // namespace hexin::onnx
