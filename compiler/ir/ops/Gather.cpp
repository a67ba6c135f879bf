#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// gather
//===----------------------------------------------------------------------===//

/// Elements of a 1-D table with known contents at constant indices.
static std::optional<Dims> gatherContents(ArrayRef<Dim> table, ArrayRef<Dim> indices) {
  Dims elements;
  for (Dim index : indices) {
    auto position = SymbolTable::constantValue(index);
    int64_t count = table.size();
    if (!position || *position < -count || *position >= count)
      return std::nullopt;
    elements.push_back(table[*position < 0 ? *position + count : *position]);
  }
  return elements;
}

/// Nothing can be read along an axis of size 0: then there must be no reader.
/// (That an index is inside of its axis is checked when a kernel reads it.)
static LogicalResult requireElements(Operation *op, ShapeContext &context, Dim size,
                                     ArrayRef<Dim> readers) {
  SymbolTable &symbols = context.symbols();
  if (symbols.lowerBound(size) > 0)
    return success();
  Dim zero = symbols.constant(0);
  Dim unserved = symbols.select(symbols.eq(size, zero), symbols.product(readers), zero);
  return context.requireEqual(op, unserved, zero, "indices into an axis of size 0");
}

LogicalResult GatherOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), indices = context.dims(getIndices());
  int64_t axis = getAxis(), batch = getBatchDims();
  if (failed(checkAxis(*this, axis, input.size())))
    return failure();
  if (batch < 0 || batch > axis || batch > static_cast<int64_t>(indices.size()))
    return emitNodeError(*this)
           << "batchDims=" << batch << " must be at most axis=" << axis
           << " and the rank of the indices, " << indices.size();
  Dims dims;
  for (int64_t i = 0; i < batch; ++i) {
    if (failed(context.requireEqual(*this, input[i], indices[i],
                                    "sizes of batch axis " + Twine(i))))
      return failure();
    dims.push_back(SymbolTable::constantValue(indices[i]) ? indices[i] : input[i]);
  }
  dims.append(input.begin() + batch, input.begin() + axis);
  dims.append(indices.begin() + batch, indices.end());
  dims.append(input.begin() + axis + 1, input.end());
  context.setDims(0, dims);
  if (failed(requireElements(*this, context, input[axis], dims)))
    return failure();

  auto table = context.contents(getInput()), positions = context.contents(getIndices());
  if (input.size() == 1 && table && positions)
    if (auto elements = gatherContents(*table, *positions))
      context.setContents(0, *elements);
  return success();
}

LogicalResult GatherOp::verify() {
  return checkSameElementType(*this, getInput(), "the input", getResult(), "the result");
}

//===----------------------------------------------------------------------===//
// gather_elements, gather_nd
//===----------------------------------------------------------------------===//

/// That indices reach no further than the tensor along every axis but `axis`.
static LogicalResult checkIndexSizes(Operation *op, ShapeContext &context,
                                     ArrayRef<Dim> tensor, ArrayRef<Dim> indices,
                                     int64_t axis) {
  if (failed(checkAxis(op, axis, tensor.size())) ||
      failed(checkRank(op, indices, tensor.size(), "the indices")))
    return failure();
  SymbolTable &symbols = context.symbols();
  for (size_t i = 0; i < tensor.size(); ++i)
    if (static_cast<int64_t>(i) != axis &&
        failed(context.requireAtLeast(op, symbols.sub(tensor[i], indices[i]), 0,
                                      "the input's size minus the indices' at axis " +
                                          Twine(i))))
      return failure();
  return success();
}

LogicalResult GatherElementsOp::inferShapes(ShapeContext &context) {
  Dims indices = context.dims(getIndices());
  if (failed(
          checkIndexSizes(*this, context, context.dims(getInput()), indices, getAxis())))
    return failure();
  context.setDims(0, indices);
  return requireElements(*this, context, context.dims(getInput())[getAxis()], indices);
}

LogicalResult GatherElementsOp::verify() {
  return checkSameElementType(*this, getInput(), "the input", getResult(), "the result");
}

/// The number of coordinates in an index tuple, at most `available`.
static FailureOr<int64_t> coordinateCount(Operation *op, ArrayRef<Dim> indices,
                                          int64_t available) {
  if (indices.empty())
    return emitNodeError(op) << "the indices must have at least rank 1";
  auto count = SymbolTable::constantValue(indices.back());
  if (!count)
    return emitNodeError(op)
           << "the last size of the indices must be known when compiling: the "
              "rank of the result depends on it";
  if (*count > available)
    return emitNodeError(op) << "the indices hold " << *count
                             << " coordinates each, but there are only " << available
                             << " axes to address";
  return *count;
}

LogicalResult GatherNdOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), indices = context.dims(getIndices());
  int64_t batch = getBatchDims();
  if (batch < 0 || batch >= static_cast<int64_t>(std::min(input.size(), indices.size())))
    return emitNodeError(*this)
           << "batchDims=" << batch << " must be less than the ranks, " << input.size()
           << " and " << indices.size();
  auto count = coordinateCount(*this, indices, input.size() - batch);
  if (failed(count))
    return failure();
  for (int64_t i = 0; i < batch; ++i)
    if (failed(context.requireEqual(*this, input[i], indices[i],
                                    "sizes of batch axis " + Twine(i))))
      return failure();
  Dims dims(indices.begin(), indices.end() - 1);
  dims.append(input.begin() + batch + *count, input.end());
  context.setDims(0, dims);
  for (int64_t i = 0; i < *count; ++i)
    if (failed(requireElements(*this, context, input[batch + i], dims)))
      return failure();
  return success();
}

LogicalResult GatherNdOp::verify() {
  return checkSameElementType(*this, getInput(), "the input", getResult(), "the result");
}

//===----------------------------------------------------------------------===//
// gather_sum
//===----------------------------------------------------------------------===//

LogicalResult GatherSumOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), positions = context.dims(getPositions());
  Dims weights = context.dims(getWeights());
  if (failed(checkRank(*this, input, 3, "the input")) ||
      failed(checkRank(*this, positions, 3, "the positions")) ||
      failed(checkRank(*this, weights, 3, "the weights")) ||
      failed(context.requireEqual(*this, input[0], positions[1],
                                  "the batches of the input and the positions")))
    return failure();
  for (size_t axis = 0; axis < 3; ++axis)
    if (failed(context.requireEqual(*this, positions[axis], weights[axis],
                                    "the positions' and the weights' sizes of axis " +
                                        Twine(axis))))
      return failure();
  context.setDims(0, {input[0], positions[2], input[2]});
  return requireElements(*this, context, input[1], positions);
}

LogicalResult GatherSumOp::verify() {
  if (failed(checkElementType(*this, getInput(),
                              isArithmeticFloat(elementType(getInput())), "the input",
                              "a float")))
    return failure();
  return success(succeeded(checkSameElementType(*this, getInput(), "the input",
                                                getWeights(), "the weights")) &&
                 succeeded(checkSameElementType(*this, getInput(), "the input",
                                                getResult(), "the result")));
}

//===----------------------------------------------------------------------===//
// scatter_elements, scatter_nd
//===----------------------------------------------------------------------===//

static LogicalResult requireSameSizes(Operation *op, ShapeContext &context,
                                      ArrayRef<Dim> updates, ArrayRef<Dim> expected) {
  if (failed(checkRank(op, updates, expected.size(), "the updates")))
    return failure();
  for (auto [i, a, b] : llvm::enumerate(updates, expected))
    if (failed(context.requireEqual(op, a, b, "sizes of the updates, axis " + Twine(i))))
      return failure();
  return success();
}

static LogicalResult verifyScatter(Operation *op, ScatterFn fn, Value input,
                                   Value updates, Value result) {
  Type type = elementType(input);
  if (fn != ScatterFn::set && !isArithmeticFloat(type) && !isArithmeticInteger(type))
    return emitNodeError(op) << stringifyScatterFn(fn) << " needs numbers, got " << type;
  if (failed(checkSameElementType(op, input, "the input", updates, "the updates")))
    return failure();
  return checkSameElementType(op, input, "the input", result, "the result");
}

LogicalResult ScatterElementsOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), indices = context.dims(getIndices());
  if (failed(checkIndexSizes(*this, context, input, indices, getAxis())) ||
      failed(requireSameSizes(*this, context, context.dims(getUpdates()), indices)))
    return failure();
  context.setDims(0, input);
  return requireElements(*this, context, input[getAxis()], indices);
}

LogicalResult ScatterElementsOp::verify() {
  return verifyScatter(*this, getFn(), getInput(), getUpdates(), getResult());
}

LogicalResult ScatterNdOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), indices = context.dims(getIndices());
  auto count = coordinateCount(*this, indices, input.size());
  if (failed(count))
    return failure();
  Dims expected(indices.begin(), indices.end() - 1);
  expected.append(input.begin() + *count, input.end());
  if (failed(requireSameSizes(*this, context, context.dims(getUpdates()), expected)))
    return failure();
  context.setDims(0, input);
  for (int64_t i = 0; i < *count; ++i)
    if (failed(requireElements(*this, context, input[i], expected)))
      return failure();
  return success();
}

LogicalResult ScatterNdOp::verify() {
  return verifyScatter(*this, getFn(), getInput(), getUpdates(), getResult());
}

} // namespace hexin::hx
