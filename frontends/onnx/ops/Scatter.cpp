// Writes at computed positions.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;
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
  Dims dims = b.dims(x), indexDims = b.dims(b.input(1));
  auto numCoordinates =
      indexDims.empty() ? std::nullopt : hx::SymbolTable::constantValue(indexDims.back());
  if (!numCoordinates)
    return b.unsupported("the size of the last axis of the indices must be known");
  if (*numCoordinates < 1 || *numCoordinates > static_cast<int64_t>(dims.size()))
    return b.error(Twine(*numCoordinates) + " coordinates do not fit an input of rank " +
                   Twine(dims.size()));
  Value indices = b.input(1);
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
