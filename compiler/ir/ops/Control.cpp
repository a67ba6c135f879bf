#include "compiler/ir/ValueTypes.h"
#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// Values that cross the border of a region
//===----------------------------------------------------------------------===//

static ValueRange yielded(Region &region) {
  return cast<YieldOp>(region.front().getTerminator()).getValues();
}

static LogicalResult checkRegion(Operation *op, Region &region, size_t numYielded,
                                 StringRef name) {
  if (region.empty() || region.front().empty() || !isa<YieldOp>(region.front().back()))
    return emitNodeError(op) << "the " << name << " must end in hx.yield";
  size_t count = yielded(region).size();
  if (count == numYielded)
    return success();
  return emitNodeError(op) << "the " << name << " yields " << count
                           << " values, expected " << numYielded;
}

/// Whether a symbol of `dim` only has a value inside `region`.
static bool isLocalTo(Region &region, Dim dim, ArrayRef<Symbol> symbols) {
  SmallVector<Dim> pending{dim};
  llvm::DenseSet<unsigned> visited;
  while (!pending.empty()) {
    bool isLocal = false;
    pending.pop_back_val().walk([&](AffineExpr expr) {
      auto position = dyn_cast<AffineSymbolExpr>(expr);
      if (!position || !visited.insert(position.getPosition()).second)
        return;
      const Symbol &symbol = symbols[position.getPosition()];
      pending.append(symbol.operands.begin(), symbol.operands.end());
      Value value = symbol.value;
      isLocal |= value && region.isAncestor(value.getParentRegion());
    });
    if (isLocal)
      return true;
  }
  return false;
}

static LogicalResult checkSameKind(Operation *op, Value value, Value result,
                                   const Twine &what) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto expected = dyn_cast<RankedTensorType>(result.getType());
  bool isRight = type && expected ? type.getElementType() == expected.getElementType()
                                  : areCompatible(value.getType(), result.getType());
  if (isRight)
    return success();
  return emitNodeError(op) << what << " is " << value.getType() << ", but the result is "
                           << result.getType();
}

//===----------------------------------------------------------------------===//
// if
//===----------------------------------------------------------------------===//

bool IfOp::isHostRead(unsigned index) { return index == 0; }

LogicalResult IfOp::inferShapes(ShapeContext &context) {
  auto condition = context.hostElements(*this, getCondition());
  if (failed(condition) ||
      failed(checkRegion(*this, getThenRegion(), getNumResults(), "then branch")) ||
      failed(checkRegion(*this, getElseRegion(), getNumResults(), "else branch")))
    return failure();
  if (condition->size() != 1)
    return emitNodeError(*this)
           << "the condition must be one element, got " << getCondition().getType();
  SymbolTable &symbols = context.symbols();
  for (auto [i, onTrue, onFalse] :
       llvm::enumerate(yielded(getThenRegion()), yielded(getElseRegion()))) {
    if (!isa<RankedTensorType>(onTrue.getType()) ||
        !isa<RankedTensorType>(onFalse.getType()))
      continue;
    Dims thenDims = context.dims(onTrue), elseDims = context.dims(onFalse);
    if (thenDims.size() != elseDims.size())
      return emitNodeError(*this) << "result #" << i << " has rank " << thenDims.size()
                                  << " in one branch and " << elseDims.size()
                                  << " in the other; give both the same rank";
    Dims dims;
    for (auto [axis, a, b] : llvm::enumerate(thenDims, elseDims)) {
      bool isLocal = isLocalTo(getThenRegion(), a, symbols.symbols()) ||
                     isLocalTo(getElseRegion(), b, symbols.symbols());
      dims.push_back(isLocal ? symbols.resultDim(getResult(i), axis)
                             : symbols.select(condition->front(), a, b));
    }
    context.setDims(i, dims);
    auto thenContents = context.contents(onTrue),
         elseContents = context.contents(onFalse);
    if (!thenContents || !elseContents || thenContents->size() != elseContents->size())
      continue;
    Dims elements;
    for (auto [a, b] : llvm::zip(*thenContents, *elseContents))
      if (!isLocalTo(getThenRegion(), a, symbols.symbols()) &&
          !isLocalTo(getElseRegion(), b, symbols.symbols()))
        elements.push_back(symbols.select(condition->front(), a, b));
    if (elements.size() == thenContents->size())
      context.setContents(i, elements);
  }
  return success();
}

LogicalResult IfOp::verify() {
  for (auto [i, result] : llvm::enumerate(getResults()))
    if (failed(checkSameKind(*this, yielded(getThenRegion())[i], result,
                             "value #" + Twine(i) + " of the then branch")) ||
        failed(checkSameKind(*this, yielded(getElseRegion())[i], result,
                             "value #" + Twine(i) + " of the else branch")))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// loop
//===----------------------------------------------------------------------===//

bool LoopOp::isHostRead(unsigned index) {
  return index < getOperation()->getNumOperands() - getCarried().size();
}

static LogicalResult checkScalar(Operation *op, ShapeContext &context, Value value,
                                 StringRef name) {
  if (!value ||
      SymbolTable::constantValue(context.symbols().product(context.dims(value))) == 1)
    return success();
  return emitNodeError(op) << "the " << name << " must be one element, got "
                           << value.getType();
}

/// The number of iterations when it is known before the loop runs.
static std::optional<Dim> iterationCount(LoopOp op, ShapeContext &context) {
  if (!op.getTripCount() || op.getCondition() || !op.getIgnoreCondition())
    return std::nullopt;
  auto trips = context.contents(op.getTripCount());
  return context.symbols().max(trips->front(), context.constant(0));
}

static LogicalResult checkLoopCondition(LoopOp op, Value yielded) {
  if (elementType(yielded).isInteger(1))
    return success();
  return emitNodeError(op) << "the body must yield the i1 condition first, got "
                           << yielded.getType();
}

/// What drives the loop is read on the host, iteration by iteration.
static LogicalResult demandDrivers(LoopOp op, ShapeContext &context) {
  SmallVector<Value> drivers;
  for (Value value : {op.getTripCount(), op.getCondition()})
    if (value)
      drivers.push_back(value);
  if (!op.getIgnoreCondition()) {
    Value goesOn = yielded(op.getBody()).front();
    if (failed(checkLoopCondition(op, goesOn)) ||
        failed(checkScalar(op, context, goesOn, "condition that the body yields")))
      return failure();
    drivers.push_back(goesOn);
  }
  for (Value value : drivers)
    if (failed(context.hostElements(op, value)))
      return failure();
  return success();
}

LogicalResult LoopOp::inferShapes(ShapeContext &context) {
  size_t numCarried = getCarried().size();
  if (getNumResults() < numCarried)
    return emitNodeError(*this) << "expected a result for each of the " << numCarried
                                << " carried values, got " << getNumResults();
  if (failed(checkRegion(*this, getBody(), getNumResults() + 1, "body")) ||
      failed(checkScalar(*this, context, getTripCount(), "trip count")) ||
      failed(checkScalar(*this, context, getCondition(), "condition")) ||
      failed(demandDrivers(*this, context)))
    return failure();
  Block &body = getBody().front();
  if (body.getNumArguments() != numCarried + 1)
    return emitNodeError(*this) << "the body has " << body.getNumArguments()
                                << " arguments, expected the iteration and " << numCarried
                                << " carried values";
  SymbolTable &symbols = context.symbols();
  ValueRange next = yielded(getBody()).drop_front();
  for (size_t i = 0; i < numCarried; ++i) {
    Value argument = body.getArgument(i + 1);
    if (!isa<RankedTensorType>(argument.getType()))
      continue;
    Dims before = context.dims(getCarried()[i]), inside = context.dims(argument),
         after = context.dims(next[i]);
    if (before.size() != inside.size() || after.size() != inside.size())
      return emitNodeError(*this)
             << "carried value #" << i << " has rank " << before.size()
             << " before the loop, " << inside.size() << " in the body and "
             << after.size() << " at its end; it must stay the same";
    Dims dims;
    for (auto [axis, size] : llvm::enumerate(inside)) {
      // A `?` that the body hands on unchanged keeps its first value.
      bool isStatic = SymbolTable::constantValue(size).has_value();
      if (isStatic &&
          (failed(context.requireEqual(*this, before[axis], size,
                                       "sizes of carried value #" + Twine(i))) ||
           failed(context.requireEqual(*this, after[axis], size,
                                       "sizes of carried value #" + Twine(i)))))
        return failure();
      dims.push_back(isStatic              ? size
                     : after[axis] == size ? before[axis]
                                           : symbols.resultDim(getResult(i), axis));
    }
    context.setDims(i, dims);
  }

  auto count = iterationCount(*this, context);
  for (size_t i = numCarried; i < getNumResults(); ++i) {
    Dims dims{count ? *count : symbols.resultDim(getResult(i), 0)};
    for (auto [axis, size] : llvm::enumerate(context.dims(next[i])))
      dims.push_back(isLocalTo(getBody(), size, symbols.symbols())
                         ? symbols.resultDim(getResult(i), axis + 1)
                         : size);
    context.setDims(i, dims);
  }
  return success();
}

LogicalResult LoopOp::verify() {
  Block &body = getBody().front();
  auto iteration = dyn_cast<RankedTensorType>(body.getArgument(0).getType());
  if (!iteration || iteration.getRank() != 0 || !iteration.getElementType().isInteger(64))
    return emitNodeError(*this)
           << "the first argument of the body must be tensor<i64>, got "
           << body.getArgument(0).getType();
  ValueRange values = yielded(getBody());
  if (failed(checkLoopCondition(*this, values.front())))
    return failure();
  for (size_t i = 0; i < getNumResults(); ++i) {
    Value next = values[i + 1];
    if (failed(
            checkSameKind(*this, next, getResult(i), "yielded value #" + Twine(i + 1))))
      return failure();
    if (i < getCarried().size() &&
        (failed(checkSameKind(*this, getCarried()[i], getResult(i),
                              "carried value #" + Twine(i))) ||
         failed(checkSameKind(*this, body.getArgument(i + 1), getResult(i),
                              "argument #" + Twine(i + 1) + " of the body"))))
      return failure();
    bool isStacked = i >= getCarried().size();
    if (isStacked && !isa<RankedTensorType>(next.getType()))
      return emitNodeError(*this)
             << "stacked value #" << i + 1 << " must be a tensor, got " << next.getType();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// group
//===----------------------------------------------------------------------===//

LogicalResult GroupOp::inferShapes(ShapeContext &context) {
  if (failed(checkRegion(*this, getBody(), getNumResults(), "body")))
    return failure();
  if (getBody().front().getNumArguments() != getInputs().size())
    return emitNodeError(*this) << "the body has " << getBody().front().getNumArguments()
                                << " arguments, expected one for each of the "
                                << getInputs().size() << " operands";
  for (auto [i, value] : llvm::enumerate(yielded(getBody()))) {
    if (!isa<RankedTensorType>(value.getType()))
      continue;
    context.setDims(i, context.dims(value));
    if (auto known = context.contents(value))
      context.setContents(i, *known);
  }
  return success();
}

LogicalResult GroupOp::verify() {
  for (auto [i, argument, input] : llvm::enumerate(getBody().getArguments(), getInputs()))
    if (argument.getType() != input.getType())
      return emitNodeError(*this)
             << "argument #" << i << " of the body is " << argument.getType()
             << ", but the operand is " << input.getType();
  for (auto [i, value, result] : llvm::enumerate(yielded(getBody()), getResults()))
    if (value.getType() != result.getType())
      return emitNodeError(*this) << "yielded value #" << i << " is " << value.getType()
                                  << ", but the result is " << result.getType();
  return success();
}

} // namespace hexin::hx
