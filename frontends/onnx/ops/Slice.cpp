// Slice and Split.
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

/// Exporters write INT32_MAX, INT64_MAX and their negatives for "as far as it
/// goes". No axis is that long, and without them sizes stay simple.
constexpr int64_t farEnd = INT32_MAX;

struct Range {
  Dim start, size;
};

/// A start or end: negative ones count from the end. Far ones are `first` or
/// `last`.
Dim countedFromStart(hx::SymbolTable &symbols, Dim position, Dim size, Dim first,
                     Dim last) {
  if (auto value = hx::SymbolTable::constantValue(position)) {
    if (*value >= farEnd)
      return last;
    if (*value <= -farEnd)
      return first;
  }
  return symbols.select(symbols.lt(position, symbols.constant(0)),
                        symbols.add(position, size), position);
}

/// What ONNX clamps only so that nothing is read outside is left to the size: it
/// is 0 then.
Range sliceOf(hx::SymbolTable &symbols, Dim size, Dim start, Dim end, int64_t step) {
  Dim zero = symbols.constant(0), minusOne = symbols.constant(-1);
  if (step > 0) {
    start = symbols.max(countedFromStart(symbols, start, size, zero, size), zero);
    if (!hx::SymbolTable::constantValue(start)) // far from a far end, it overflows
      start = symbols.min(start, size);
    end = countedFromStart(symbols, end, size, zero, size);
    end = end == size ? end : symbols.min(end, size);
    if (start == zero && end == size && step == 1)
      return {zero, size};
    Dim count = symbols.ceilDiv(symbols.sub(end, start), symbols.constant(step));
    return {start == zero ? zero : symbols.min(start, size), symbols.max(count, zero)};
  }
  Dim last = symbols.add(size, minusOne);
  start = countedFromStart(symbols, start, size, minusOne, last);
  start = start == last ? last : symbols.min(symbols.max(start, zero), last);
  end = symbols.max(countedFromStart(symbols, end, size, minusOne, last), minusOne);
  Dim count = symbols.ceilDiv(symbols.sub(start, end), symbols.constant(-step));
  return {symbols.max(start, zero), symbols.max(count, zero)};
}

struct SliceArgs {
  Dims starts, ends;
  SmallVector<int64_t> axes, steps;
  Dims chosenAxes, chosenSteps; ///< all of them, where one or the other is not known
};

/// The integers of input `index`; [n] of unknown n is taken for one, which a run checks.
Dims readList(OpBinder &b, unsigned index) {
  bool isCounted =
      b.failed() || hx::SymbolTable::constantValue(b.shapes.numElements(b.input(index)));
  return isCounted ? b.readInts(index)
                   : Dims{readOne(b, b.input(index), "input #" + Twine(index))};
}

/// Input `index` as numbers, or, where they are not known, as expressions.
void readNumbers(OpBinder &b, unsigned index, SmallVector<int64_t> &numbers,
                 Dims &chosen) {
  Dims elements = readList(b, index);
  if (auto known = ShapeMath::constants(elements)) {
    numbers = *known;
    return;
  }
  numbers.assign(elements.size(), 1);
  chosen = elements;
}

SliceArgs readSliceArgs(OpBinder &b) {
  SliceArgs args;
  if (b.sinceVersion() < 10) {
    for (int64_t start : b.intsAttr("starts"))
      args.starts.push_back(b.shape.constant(start));
    for (int64_t end : b.intsAttr("ends"))
      args.ends.push_back(b.shape.constant(end));
  } else {
    args.starts = readList(b, 1);
    args.ends = readList(b, 2);
  }
  for (size_t i = 0; i < args.starts.size(); ++i)
    args.axes.push_back(static_cast<int64_t>(i));
  args.steps.assign(args.starts.size(), 1);
  if (b.sinceVersion() < 10)
    args.axes = b.intsAttr("axes", args.axes);
  else if (b.has(3))
    readNumbers(b, 3, args.axes, args.chosenAxes);
  if (b.has(4))
    readNumbers(b, 4, args.steps, args.chosenSteps);
  auto complete = [&](Dims &chosen, ArrayRef<int64_t> known) {
    for (int64_t number : known)
      chosen.push_back(b.shape.constant(number));
  };
  if (!args.chosenAxes.empty() && args.chosenSteps.empty())
    complete(args.chosenSteps, args.steps);
  if (args.chosenAxes.empty() && !args.chosenSteps.empty())
    complete(args.chosenAxes, args.axes);
  return args;
}

/// A step of either sign that only the run knows.
Range sliceOf(hx::SymbolTable &symbols, Dim size, Dim start, Dim end, Dim step) {
  Dim zero = symbols.constant(0), one = symbols.constant(1);
  auto counted = [&](Dim position) {
    return symbols.select(symbols.lt(position, zero), symbols.add(position, size),
                          position);
  };
  auto clamped = [&](Dim position, Dim low, Dim high) {
    return symbols.min(symbols.max(counted(position), low), high);
  };
  Dim below = symbols.constant(-1), last = symbols.sub(size, one);
  Dim isUp = symbols.lt(zero, step);
  Dim stride = symbols.max(symbols.select(isUp, step, symbols.sub(zero, step)), one);
  Dim first =
      symbols.select(isUp, clamped(start, zero, size), clamped(start, zero, last));
  Dim stop = symbols.select(isUp, clamped(end, zero, size), clamped(end, below, last));
  Dim distance = symbols.select(isUp, symbols.sub(stop, first), symbols.sub(first, stop));
  return {first, symbols.max(symbols.ceilDiv(distance, stride), zero)};
}

/// Axis by axis, positions that the run computes.
void importChosenSlice(OpBinder &b, const SliceArgs &args) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  RunTimeAxes axes(b, args.chosenAxes, rank);
  Type i64 = b.builder.getI64Type();
  Dim zero = b.shape.constant(0), one = b.shape.constant(1);
  for (int64_t axis = 0; axis < rank && !b.failed(); ++axis) {
    if (hx::SymbolTable::constantValue(axes.has(axis)) == 0)
      continue;
    Dim size = b.dims(x)[axis];
    // A longer step than the axis reaches one element all the same.
    Dim step = axes.valueOf(axis, args.chosenSteps, one);
    Dim longest = b.symbols().max(size, one);
    step = b.symbols().min(step, longest);
    step = b.symbols().max(step, b.symbols().sub(zero, longest));
    Range range = sliceOf(b.symbols(), size, axes.valueOf(axis, args.starts, zero),
                          axes.valueOf(axis, args.ends, size), step);
    check(b, b.symbols().eq(b.symbols().eq(step, zero), zero),
          "the step along axis " + Twine(axis) + " is 0");
    Value steps =
        b.mul(b.shape.iota({range.size}, 0, i64), b.shape.buildScalar(step, i64));
    x = b.gather(x, b.add(steps, b.shape.buildScalar(range.start, i64)), axis);
  }
  b.result(0, x);
}

void importSlice(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  SliceArgs args = readSliceArgs(b);
  if (b.failed())
    return;
  size_t count = args.starts.size();
  if (args.ends.size() != count || args.axes.size() != count ||
      args.steps.size() != count)
    return b.error("starts, ends, axes and steps have " + Twine(count) + ", " +
                   Twine(args.ends.size()) + ", " + Twine(args.axes.size()) + " and " +
                   Twine(args.steps.size()) + " entries: expected as many of each");
  if (!args.chosenAxes.empty())
    return importChosenSlice(b, args);
  Dims starts(dims.size(), b.shape.constant(0)), sizes = dims;
  SmallVector<int64_t> steps(dims.size(), 1);
  SmallVector<bool> isCut(dims.size(), false);
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = b.normalizeAxis(args.axes[i], static_cast<int64_t>(dims.size()));
    if (b.failed())
      return;
    if (isCut[axis] || args.steps[i] == 0)
      return b.error(isCut[axis] ? "axis " + Twine(axis) + " is given twice"
                                 : Twine("a step is 0"));
    isCut[axis] = true;
    // Longer steps than any axis reach one element all the same.
    steps[axis] = std::clamp(args.steps[i], -farEnd, farEnd);
    Range range =
        sliceOf(b.symbols(), dims[axis], args.starts[i], args.ends[i], steps[axis]);
    starts[axis] = range.start;
    sizes[axis] = range.size;
  }
  b.result(0, b.shape.slice(x, starts, sizes, steps));
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// Equal parts; since 18 the last may be smaller, before that they must divide.
Dims equalParts(OpBinder &b, Dim size, int64_t numParts) {
  hx::SymbolTable &symbols = b.symbols();
  auto known = hx::SymbolTable::constantValue(size);
  if (b.sinceVersion() < 18 && known && *known % numParts != 0) {
    b.contradiction("an axis of size " + Twine(*known) + " does not split into " +
                    Twine(numParts) + " equal parts");
    return {};
  }
  Dim count = symbols.constant(numParts);
  if (b.sinceVersion() < 18 && !known)
    check(b, symbols.eq(symbols.mod(size, count), symbols.constant(0)),
          "an axis of size {0} does not split into " + Twine(numParts) + " equal parts",
          {size});
  Dim part = b.sinceVersion() < 18 ? symbols.floorDiv(size, count)
                                   : symbols.ceilDiv(size, count);
  Dims parts(static_cast<size_t>(numParts), part);
  if (b.sinceVersion() >= 18) {
    Dim used = symbols.constant(0);
    for (Dim &piece : parts) {
      piece =
          symbols.max(symbols.min(part, symbols.sub(size, used)), symbols.constant(0));
      used = symbols.add(used, part);
    }
  }
  return parts;
}

void importSplit(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), static_cast<int64_t>(dims.size()));
  int64_t numParts = b.numOutputs();
  if (b.failed() || numParts == 0)
    return;
  Dims parts;
  if (b.has(1)) {
    parts = b.readInts(1);
  } else if (b.sinceVersion() < 13 && b.hasAttribute("split")) {
    for (int64_t size : b.intsAttr("split"))
      parts.push_back(b.shape.constant(size));
  } else {
    int64_t declared = b.intAttr("num_outputs", numParts);
    if (declared != numParts)
      return b.error("num_outputs is " + Twine(declared) + ", but the node has " +
                     Twine(numParts) + " outputs");
    parts = equalParts(b, dims[axis], numParts);
  }
  if (b.failed())
    return;
  if (static_cast<int64_t>(parts.size()) != numParts)
    return b.error(Twine(parts.size()) + " sizes are given for " + Twine(numParts) +
                   " outputs");
  Dim start = b.shape.constant(0);
  if (b.has(1) || b.hasAttribute("split")) {
    Dim whole = start;
    for (auto [i, size] : llvm::enumerate(parts)) {
      auto most = hx::SymbolTable::constantValue(dims[axis]);
      checkRange(b, size, 0, most.value_or(INT64_MAX), "the size of part #" + Twine(i));
      whole = b.symbols().add(whole, size);
    }
    checkEqual(b, whole, "the sum of the parts", dims[axis],
               "the size of axis " + Twine(axis));
  }
  for (auto [i, size] : llvm::enumerate(parts)) {
    b.result(static_cast<unsigned>(i), b.shape.sliceAxis(x, axis, start, size));
    start = b.symbols().add(start, size);
  }
}

} // namespace

void registerSliceOps(OpTable &table) {
  table.add("", {
                    {"Slice", 1, 1, 1, importSlice},
                    {"Slice", 10, 3, 5, importSlice},
                    {"Split", 2, 1, 1, importSplit},
                    {"Split", 13, 1, 2, importSplit},
                    {"Split", 18, 1, 2, importSplit},
                });
}

} // namespace hexin::onnx
