#include "compiler/ir/HostOps.h"
#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

LogicalResult StringConcatOp::inferShapes(ShapeContext &context) {
  auto dims = context.broadcast(*this, context.dims(getLhs()), context.dims(getRhs()));
  if (failed(dims))
    return failure();
  context.setDims(0, *dims);
  return success();
}

LogicalResult StringSplitOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  context.setDims(1, dims);
  dims.push_back(context.symbols().resultDim(getParts(), dims.size()));
  context.setDims(0, dims);
  return success();
}

LogicalResult StringNormalizeOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (dims.size() != 1 && dims.size() != 2)
    return emitNodeError(*this)
           << "the operand must be [C] or [1, C], got rank " << dims.size();
  if (dims.size() == 2 &&
      failed(context.requireEqual(*this, dims[0], context.constant(1), "the first size")))
    return failure();
  if (getStopWords() && !getStopWords()->empty())
    dims.back() = context.symbols().resultDim(getResult(), dims.size() - 1);
  else // nothing is dropped, but of nothing one "" is left
    dims.back() = context.symbols().max(dims.back(), context.constant(1));
  context.setDims(0, dims);
  return success();
}

LogicalResult StringNormalizeOp::verify() {
  if (llvm::is_contained({"none", "lower", "upper"}, getCaseChange()))
    return success();
  return emitNodeError(*this) << "caseChange=\"" << getCaseChange()
                              << "\" is unknown, expected none, lower or upper";
}

LogicalResult RegexMatchOp::inferShapes(ShapeContext &context) {
  context.setDims(0, context.dims(getInput()));
  return success();
}

LogicalResult NgramCountOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (dims.size() > 2)
    return emitNodeError(*this)
           << "the operand must be [C] or [N, C], got rank " << dims.size();
  if (dims.empty())
    return emitNodeError(*this) << "the operand must be [C] or [N, C], got a scalar";
  dims.back() = context.constant(getWidth());
  context.setDims(0, dims);
  return success();
}

LogicalResult NgramCountOp::verify() {
  bool isString = isa<StringType>(elementType(getInput()));
  if (getIntPool().has_value() == getStringPool().has_value() ||
      getStringPool().has_value() != isString)
    return emitNodeError(*this) << "expected one pool, of the operand's kind";
  if (getMinLength() < 1 || getMaxLength() < getMinLength() || getMaxSkip() < 0 ||
      getWidth() < 0)
    return emitNodeError(*this)
           << "the lengths of n-grams must be 1 <= minimum <= maximum, skips at least 0";
  auto pool =
      static_cast<int64_t>(isString ? getStringPool()->size() : getIntPool()->size());
  int64_t count = 0;
  for (size_t n = 0; n < getStarts().size(); ++n) {
    int64_t start = getStarts()[n];
    int64_t end = n + 1 < getStarts().size() ? getStarts()[n + 1] : pool;
    if (start < 0 || end < start || end > pool || (end - start) % (n + 1) != 0)
      return emitNodeError(*this) << "n-grams of length " << n + 1 << " are items "
                                  << start << " to " << end << " of a pool of " << pool;
    count += (end - start) / static_cast<int64_t>(n + 1);
  }
  if (count != static_cast<int64_t>(getColumns().size()))
    return emitNodeError(*this) << "the pool has " << count << " n-grams, but there are "
                                << getColumns().size() << " columns";
  for (int64_t column : getColumns())
    if (column < 0 || column >= static_cast<int64_t>(getWidth()))
      return emitNodeError(*this)
             << "column " << column << " is outside of " << getWidth();
  return success();
}

LogicalResult LookupOp::inferShapes(ShapeContext &context) {
  context.setDims(0, context.dims(getInput()));
  return success();
}

} // namespace hexin::hx
