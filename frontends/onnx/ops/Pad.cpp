// Pad: negative pads cut first, the rest is padded.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/RunTimeAxes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

std::optional<hx::PadMode> padMode(OpBinder &b) {
  StringRef mode = b.stringAttr("mode", "constant");
  auto known = hx::symbolizePadMode(mode);
  bool isKnown = known && (*known != hx::PadMode::wrap || b.sinceVersion() >= 19);
  if (!isKnown)
    b.error("mode '" + mode + "' is not one of opset " + Twine(b.opset()));
  return isKnown ? known : std::nullopt;
}

struct Pads {
  Dims low, high;
};

Pads padsOfChosen(OpBinder &b, ArrayRef<Dim> given, const RunTimeAxes &axes, Pads pads) {
  for (auto [axis, low, high] : llvm::enumerate(pads.low, pads.high)) {
    Dim zero = b.shape.constant(0);
    low = axes.valueOf(static_cast<int64_t>(axis), given.take_front(axes.count()), zero);
    high = axes.valueOf(static_cast<int64_t>(axis), given.drop_front(axes.count()), zero);
  }
  return pads;
}

/// Pads and value were attributes before 11.
bool hasInputs(OpBinder &b) {
  return b.sinceVersion() >= 11 || b.node().domain == "com.microsoft";
}

/// [begin of each axis..., end of each axis...], for some axes since 18.
Pads readPads(OpBinder &b, int64_t rank) {
  Dims given;
  if (hasInputs(b)) {
    given = b.readInts(1);
  } else {
    for (int64_t pad : b.intsAttr("pads"))
      given.push_back(b.shape.constant(pad));
  }
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis)
    axes.push_back(axis);
  Pads pads{Dims(rank, b.shape.constant(0)), Dims(rank, b.shape.constant(0))};
  if (b.has(3)) {
    Dims chosen = b.readInts(3);
    auto known = ShapeMath::constants(chosen);
    if (known)
      axes = *known;
    else if (given.size() == 2 * chosen.size())
      return padsOfChosen(b, given, RunTimeAxes(b, chosen, rank), pads);
    else
      b.error("expected " + Twine(2 * chosen.size()) + " pads, got " +
              Twine(given.size()));
  }
  if (!b.failed() && given.size() != 2 * axes.size())
    b.error("expected " + Twine(2 * axes.size()) + " pads, got " + Twine(given.size()));
  for (size_t i = 0; i < axes.size() && !b.failed(); ++i) {
    int64_t axis = b.normalizeAxis(axes[i], rank);
    if (b.failed())
      break;
    pads.low[axis] = given[i];
    pads.high[axis] = given[axes.size() + i];
  }
  return pads;
}

Value cut(OpBinder &b, Value x, Pads &pads) {
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = b.shape.constant(0);
  Dims starts, sizes;
  for (auto [axis, dim, low, high] : llvm::enumerate(b.dims(x), pads.low, pads.high)) {
    Dim atStart = symbols.max(symbols.sub(zero, low), zero);
    Dim atEnd = symbols.max(symbols.sub(zero, high), zero);
    starts.push_back(atStart);
    sizes.push_back(symbols.sub(dim, symbols.add(atStart, atEnd)));
    if (symbols.lowerBound(sizes.back()) < 0)
      check(b, symbols.eq(symbols.lt(sizes.back(), zero), zero),
            "pads {0} and {1} cut more off axis " + Twine(axis) +
                " than its size, which is {2}",
            {low, high, dim});
    low = symbols.max(low, zero);
    high = symbols.max(high, zero);
  }
  return b.shape.slice(x, starts, sizes, SmallVector<int64_t>(sizes.size(), 1));
}

void importPad(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  std::optional<hx::PadMode> mode = padMode(b);
  Pads pads = readPads(b, rank);
  Value value = hasInputs(b) && b.has(2) ? b.shape.toScalar(b.input(2))
                                         : b.scalarLike(x, b.floatAttr("value", 0));
  if (b.failed())
    return;
  x = cut(b, x, pads);
  Dims none(rank, b.shape.constant(0));
  if (!b.failed() && (pads.low != none || pads.high != none))
    x = b.pad(*mode, x, b.shape.build(pads.low), b.shape.build(pads.high), value);
  b.result(0, x);
}

} // namespace

void registerPadOps(OpTable &table) {
  table.add("", {
                    {"Pad", 2, 1, 1, importPad},
                    {"Pad", 11, 2, 3, importPad},
                    {"Pad", 18, 2, 4, importPad},
                    {"Pad", 19, 2, 4, importPad},
                });
  table.add("com.microsoft", {{"Pad", 1, 2, 3, importPad}});
}

} // namespace hexin::onnx
