// Movement ops that take or join ranges of axes: slice, concat, pad.

#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// slice
//===----------------------------------------------------------------------===//

bool SliceOp::isHostRead(unsigned index) { return index != 0; }

/// That all of start, start + step, ... (size of them) lie in [0, dim).
static LogicalResult checkRange(Operation *op, ShapeContext &context, size_t axis,
                                Dim dim, Dim start, Dim size, int64_t step) {
  SymbolTable &symbols = context.symbols();
  Dim one = symbols.constant(1);
  if (SymbolTable::constantValue(size) == 0)
    return success();
  Dim last =
      symbols.add(start, symbols.mul(symbols.sub(size, one), symbols.constant(step)));
  Dim least = step > 0 ? start : last, most = step > 0 ? last : start;
  std::string where = "of axis " + std::to_string(axis);
  // An empty slice may start anywhere.
  Dim isEmpty = symbols.eq(size, symbols.constant(0));
  Dim zero = symbols.constant(0);
  if (symbols.lowerBound(least) < 0 &&
      failed(context.requireAtLeast(op, symbols.select(isEmpty, zero, least), 0,
                                    "the first element " + where)))
    return failure();
  Dim room = symbols.sub(symbols.sub(dim, one), most);
  if (symbols.lowerBound(room) < 0 &&
      failed(context.requireAtLeast(op, symbols.select(isEmpty, zero, room), 0,
                                    "the room behind the last element " + where)))
    return failure();
  return success();
}

LogicalResult SliceOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  auto starts = context.hostElements(*this, getStarts());
  auto sizes = context.hostElements(*this, getSizes());
  if (failed(starts) || failed(sizes) ||
      failed(checkCount(*this, starts->size(), input.size(), "starts")) ||
      failed(checkCount(*this, sizes->size(), input.size(), "sizes")) ||
      failed(checkCount(*this, getSteps().size(), input.size(), "steps")))
    return failure();
  for (auto [axis, step] : llvm::enumerate(getSteps())) {
    if (step == 0)
      return emitNodeError(*this) << "the step of axis " << axis << " is 0";
    if (failed(context.requireAtLeast(*this, (*sizes)[axis], 0,
                                      "the size of axis " + Twine(axis))) ||
        failed(checkRange(*this, context, axis, input[axis], (*starts)[axis],
                          (*sizes)[axis], step)))
      return failure();
  }
  context.setDims(0, *sizes);

  auto known = context.contents(getInput());
  auto inputSizes = staticSizes(input), resultSizes = staticSizes(*sizes);
  auto count = smallCount(*sizes);
  SmallVector<int64_t> first;
  for (Dim start : *starts)
    if (auto value = SymbolTable::constantValue(start))
      first.push_back(*value);
  if (!known || !inputSizes || !count || first.size() != starts->size())
    return success();
  Dims elements;
  for (int64_t i = 0; i < *count; ++i) {
    __int128 index = 0;
    for (auto [axis, coordinate] : llvm::enumerate(coordinatesOf(i, *resultSizes)))
      index = index * (*inputSizes)[axis] + first[axis] +
              static_cast<__int128>(coordinate) * getSteps()[axis];
    if (index < 0 || index >= static_cast<__int128>(known->size()))
      return success(); // a bound too large to be proven wrong
    elements.push_back((*known)[static_cast<size_t>(index)]);
  }
  context.setContents(0, elements);
  return success();
}

LogicalResult SliceOp::verify() {
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

/// Elements of the integer constant an operand folded to.
static std::optional<SmallVector<int64_t>> integers(Attribute attribute) {
  auto elements = dyn_cast_or_null<DenseIntElementsAttr>(attribute);
  if (!elements || !elements.getElementType().isInteger(64))
    return std::nullopt;
  return SmallVector<int64_t>(elements.getValues<int64_t>());
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  auto starts = integers(adaptor.getStarts());
  bool isWhole = getInput().getType() == getType() && getType().hasStaticShape() &&
                 starts &&
                 llvm::all_of(*starts, [](int64_t start) { return start == 0; }) &&
                 llvm::all_of(getSteps(), [](int64_t step) { return step == 1; });
  return isWhole ? getInput() : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// concat
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferShapes(ShapeContext &context) {
  if (getInputs().empty())
    return emitNodeError(*this) << "expected at least one operand";
  Dims dims = context.dims(getInputs().front());
  if (failed(checkAxis(*this, getAxis(), dims.size())))
    return failure();
  for (auto [i, input] : llvm::enumerate(getInputs().drop_front())) {
    Dims other = context.dims(input);
    if (failed(checkRank(*this, other, dims.size(), "operand #" + Twine(i + 1))))
      return failure();
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      if (axis == getAxis())
        dims[axis] = context.symbols().add(dims[axis], other[axis]);
      else if (failed(context.requireEqual(*this, dims[axis], other[axis],
                                           "sizes of axis " + Twine(axis))))
        return failure();
      else if (SymbolTable::constantValue(other[axis]))
        dims[axis] = other[axis];
    }
  }
  context.setDims(0, dims);

  if (getAxis() != 0)
    return success();
  Dims elements;
  for (Value input : getInputs()) {
    auto known = context.contents(input);
    if (!known)
      return success();
    elements.append(*known);
    if (elements.size() > static_cast<size_t>(ShapeContext::maxContents))
      return success();
  }
  context.setContents(0, elements);
  return success();
}

LogicalResult ConcatOp::verify() {
  for (auto [i, input] : llvm::enumerate(getInputs()))
    if (failed(checkSameElementType(*this, input, "operand #" + Twine(i), getResult(),
                                    "the result")))
      return failure();
  return success();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  bool isSingle = getInputs().size() == 1 && getInputs().front().getType() == getType();
  return isSingle ? getInputs().front() : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// pad
//===----------------------------------------------------------------------===//

bool PadOp::isHostRead(unsigned index) { return index == 1 || index == 2; }

LogicalResult PadOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  auto low = context.hostElements(*this, getLow());
  auto high = context.hostElements(*this, getHigh());
  if (failed(low) || failed(high) ||
      failed(checkCount(*this, low->size(), dims.size(), "low")) ||
      failed(checkCount(*this, high->size(), dims.size(), "high")) ||
      failed(checkRank(*this, context.dims(getValue()), 0, "value")))
    return failure();
  SymbolTable &symbols = context.symbols();
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    Dim before = (*low)[axis], after = (*high)[axis];
    if (failed(context.requireAtLeast(*this, before, 0, "low of axis " + Twine(axis))) ||
        failed(context.requireAtLeast(*this, after, 0, "high of axis " + Twine(axis))))
      return failure();
    Dim added = symbols.add(before, after);
    // Only a constant can stand beside nothing.
    if (getMode() != PadMode::constant && SymbolTable::constantValue(added) != 0 &&
        failed(context.requireAtLeast(*this, dims[axis], 1,
                                      "the size to copy from of axis " + Twine(axis))))
      return failure();
    dims[axis] = symbols.add(dims[axis], added);
  }
  context.setDims(0, dims);
  return success();
}

LogicalResult PadOp::verify() {
  if (failed(checkSameElementType(*this, getInput(), "the operand", getValue(), "value")))
    return failure();
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

} // namespace hexin::hx
