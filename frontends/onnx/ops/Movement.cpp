// Operators that only give elements another shape or order.
#include "compiler/ir/SizeText.h"
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/RunTimeAxes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// What a -1 stands for when it is not known which entry is one: all elements
/// divided by the entries that are sizes.
void resolveUnknownSigns(OpBinder &b, Dims &dims, Dim numElements) {
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = b.shape.constant(0), one = b.shape.constant(1);
  Dim known = one;
  for (Dim dim : dims)
    known = symbols.mul(known, symbols.select(symbols.lt(dim, zero), one, dim));
  Dim rest = symbols.floorDiv(numElements, symbols.max(known, one));
  for (Dim &dim : dims)
    dim = symbols.select(symbols.lt(dim, zero), rest, dim);
}

void importReshape(OpBinder &b) {
  Value x = b.input(0);
  Dims input = b.dims(x), dims;
  if (b.sinceVersion() >= 5) {
    dims = b.readInts(1);
  } else {
    for (int64_t size : b.intsAttr("shape"))
      dims.push_back(b.shape.constant(size));
  }
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = b.shape.constant(0), minusOne = b.shape.constant(-1);
  bool zeroIsSize = b.intAttr("allowzero", 0) != 0;
  bool isSignKnown = true;
  unsigned numMinusOnes = 0;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    auto size = hx::SymbolTable::constantValue(dim);
    if (size && *size < -1)
      return b.error("size " + Twine(*size) + " at axis " + Twine(axis) +
                     ": expected -1, 0 or a size");
    if (!size)
      checkRange(b, dim, -1, INT64_MAX, "size #" + Twine(axis) + " of the shape");
    numMinusOnes += dim == minusOne;
    // A computed size that cannot be negative is a size: exporters take it from a
    // Shape, and a 0 there is an empty axis of the input as well.
    bool mayCopy = size ? *size == 0 : symbols.lowerBound(dim) < 0;
    if (!zeroIsSize && mayCopy) {
      if (axis < input.size())
        dim = symbols.select(symbols.eq(dim, zero), input[axis], dim);
      else if (dim == zero)
        return b.error("size 0 at axis " + Twine(axis) +
                       " copies a size of the input, which "
                       "has rank " +
                       Twine(input.size()));
    }
    isSignKnown &= dim == minusOne || symbols.lowerBound(dim) >= 0;
  }
  if (numMinusOnes > 1)
    return b.error("more than one size is -1");
  if (!isSignKnown)
    resolveUnknownSigns(b, dims, symbols.product(input));
  else if (numMinusOnes == 1 && llvm::is_contained(dims, zero))
    return b.error("a size is -1 and another 0: what -1 stands for is ambiguous");
  // A -1 stays: the dialect knows it too.
  b.result(0, b.shape.reshape(x, dims));
}

void importFlatten(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  int64_t rank = static_cast<int64_t>(dims.size());
  int64_t axis = b.intAttr("axis", 1);
  if (axis < -rank || axis > rank)
    return b.error("axis " + Twine(axis) + " is outside of [" + Twine(-rank) + ", " +
                   Twine(rank) + "]");
  axis += axis < 0 ? rank : 0;
  ArrayRef<Dim> all(dims);
  b.result(0, b.shape.reshape(x, {b.shape.product(all.take_front(axis)),
                                  b.shape.product(all.drop_front(axis))}));
}

//===----------------------------------------------------------------------===//
// Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

/// Axes from the attribute, or since 13 from the second input.
SmallVector<int64_t> readAxes(OpBinder &b, int64_t rank) {
  SmallVector<int64_t> axes =
      b.sinceVersion() >= 13 ? b.constantInts(1, "the axes") : b.intsAttr("axes");
  return b.failed() ? SmallVector<int64_t>() : b.normalizeAxes(axes, rank);
}

/// The axes input where its numbers are not known.
std::optional<Dims> runTimeAxes(OpBinder &b) {
  if (b.sinceVersion() < 13 || !b.has(1))
    return std::nullopt;
  Dims axes = b.readInts(1);
  return b.failed() || ShapeMath::constants(axes) ? std::nullopt : std::optional(axes);
}

/// The input without its axes of size 1. Which they are only a run may know, and the rank
/// hangs on it: null after a fork.
Value withoutOnes(OpBinder &b) {
  Value x = b.input(0);
  Dim one = b.shape.constant(1);
  SmallVector<int64_t> axes;
  for (auto [axis, dim] : llvm::enumerate(b.dims(x))) {
    if (b.symbols().isKnownDifferent(dim, one))
      continue;
    Dim isOne = b.symbols().eq(dim, one);
    std::optional<bool> holds = b.importer().decided(isOne);
    if (!holds) {
      auto knowingMore = [&](Scope &, bool) -> FailureOr<SmallVector<Value>> {
        Value squeezed = withoutOnes(b);
        if (!squeezed && !b.importer().hasForked())
          return failure();
        return SmallVector<Value>{squeezed};
      };
      b.importer().fork(b, isOne, knowingMore);
      return {};
    }
    if (*holds)
      axes.push_back(static_cast<int64_t>(axis));
  }
  HxBuilder inner(b.builder, b.shapes, b.loc);
  return ShapeMath(inner).squeeze(x, axes);
}

void importSqueeze(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  if (std::optional<Dims> chosen = runTimeAxes(b)) {
    if (chosen->size() > dims.size())
      return b.error(Twine(chosen->size()) + " axes are given for rank " +
                     Twine(dims.size()));
    RunTimeAxes removed(b, *chosen, static_cast<int64_t>(dims.size()));
    return b.result(0, b.shape.reshape(x, removed.removedFrom(dims)));
  }
  if (b.sinceVersion() >= 13 ? !b.has(1) : !b.hasAttribute("axes"))
    return b.result(0, withoutOnes(b));
  SmallVector<int64_t> axes = readAxes(b, static_cast<int64_t>(dims.size()));
  for (int64_t axis : axes)
    if (b.symbols().isKnownDifferent(dims[axis], b.shape.constant(1)))
      return b.contradiction("axis " + Twine(axis) + " has size " +
                             describeSize(b.symbols(), dims[axis]) + ", expected 1");
  b.result(0, b.shape.squeeze(x, axes));
}

void importUnsqueeze(OpBinder &b) {
  int64_t numAxes = b.sinceVersion() >= 13
                        ? static_cast<int64_t>(b.readInts(1).size())
                        : static_cast<int64_t>(b.intsAttr("axes").size());
  int64_t rank = HxBuilder::rank(b.input(0)) + numAxes;
  if (std::optional<Dims> chosen = runTimeAxes(b)) {
    Dims dims = RunTimeAxes(b, *chosen, rank).insertedInto(b.dims(b.input(0)));
    return b.result(0, b.shape.reshape(b.input(0), dims));
  }
  SmallVector<int64_t> axes = readAxes(b, rank);
  b.result(0, b.shape.unsqueeze(b.input(0), axes));
}

//===----------------------------------------------------------------------===//
// Transpose, Concat
//===----------------------------------------------------------------------===//

void importTranspose(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  SmallVector<int64_t> perm;
  for (int64_t axis = rank - 1; axis >= 0; --axis)
    perm.push_back(axis);
  perm = b.intsAttr("perm", perm);
  for (int64_t &axis : perm)
    axis = b.normalizeAxis(axis, rank, "perm entry");
  SmallVector<int64_t> sorted = perm;
  llvm::sort(sorted);
  bool isPermutation = static_cast<int64_t>(perm.size()) == rank &&
                       std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  if (!b.failed() && !isPermutation)
    return b.error("attribute 'perm' is no permutation of the " + Twine(rank) + " axes");
  b.result(0, b.transpose(b.input(0), perm));
}

void importConcat(OpBinder &b) {
  int64_t rank = HxBuilder::rank(b.input(0));
  SmallVector<Value> inputs;
  for (Value input : b.allInputs()) {
    if (!input)
      return b.error("an input is left out");
    if (HxBuilder::rank(input) != rank)
      return b.contradiction("inputs have ranks " + Twine(rank) + " and " +
                             Twine(HxBuilder::rank(input)));
    inputs.push_back(input);
  }
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 1), rank);
  b.result(0, b.failed() ? Value() : b.concat(inputs, axis));
}

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

/// Two-way: a 1 in the shape operand keeps the input's size.
void importExpand(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x), shape = b.readInts(1), result;
  if (b.failed())
    return;
  size_t rank = std::max(dims.size(), shape.size());
  Dim one = b.shape.constant(1);
  for (size_t axis = 0; axis < rank; ++axis) {
    Dim size = axis + dims.size() < rank ? one : dims[axis + dims.size() - rank];
    Dim wanted = axis + shape.size() < rank ? one : shape[axis + shape.size() - rank];
    if (b.symbols().isKnownDifferent(size, wanted) &&
        b.symbols().isKnownDifferent(size, one) &&
        b.symbols().isKnownDifferent(wanted, one))
      return b.contradiction("size " + describeSize(b.symbols(), size) +
                             " does not expand to " + describeSize(b.symbols(), wanted));
    result.push_back(b.symbols().broadcast(size, wanted));
  }
  b.result(0, b.shape.broadcastTo(x, result));
}

/// [a, b] repeated [r, s]: [1, a, 1, b] -> [r, a, s, b] -> [r*a, s*b].
void importTile(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x), repeats = b.readInts(1), split, repeated, result;
  if (b.failed())
    return;
  if (repeats.size() != dims.size())
    return b.error("expected " + Twine(dims.size()) + " repeats, got " +
                   Twine(repeats.size()));
  for (auto [dim, count] : llvm::zip(dims, repeats)) {
    split.append({b.shape.constant(1), dim});
    repeated.append({count, dim});
    result.push_back(b.symbols().mul(count, dim));
  }
  if (result == dims)
    return b.result(0, x);
  Value y = b.shape.broadcastTo(b.shape.reshape(x, split), repeated);
  b.result(0, b.shape.reshape(y, result));
}

} // namespace

void registerMovementOps(OpTable &table) {
  table.add("", {
                    {"Reshape", 1, 1, 1, importReshape},
                    {"Reshape", 5, 2, 2, importReshape},
                    {"Flatten", 1, 1, 1, importFlatten},
                    {"Squeeze", 1, 1, 1, importSqueeze},
                    {"Squeeze", 13, 1, 2, importSqueeze},
                    {"Unsqueeze", 1, 1, 1, importUnsqueeze},
                    {"Unsqueeze", 13, 2, 2, importUnsqueeze},
                    {"Transpose", 1, 1, 1, importTranspose},
                    {"Concat", 4, 1, OpRow::any, importConcat},
                    {"Expand", 8, 2, 2, importExpand},
                    {"Tile", 6, 2, 2, importTile},
                });
}

} // namespace hexin::onnx
