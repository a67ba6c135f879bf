#include "compiler/ir/ShapeContext.h"

#include "compiler/ir/Errors.h"
#include "compiler/ir/SizeText.h"

using namespace mlir;

namespace hexin::hx {

/// `dim` for the error of a run, which shows numbers anyway: long formulas say nothing.
static std::string nameOf(const SymbolTable &table, Dim dim) {
  constexpr size_t maxLength = 100;
  std::string text = describeSize(table, dim);
  return text.size() > maxLength ? "a computed size" : text;
}

LogicalResult ShapeContext::requireEqual(Operation *op, Dim lhs, Dim rhs,
                                         const Twine &what) {
  SymbolTable &table = symbols();
  if (table.isKnownEqual(lhs, rhs))
    return success();
  if (table.isKnownDifferent(lhs, rhs))
    return emitNodeError(op) << what << ": " << describeSize(table, lhs) << " and "
                             << describeSize(table, rhs) << " must be equal";
  SymbolConstraint constraint;
  constraint.lhs = lhs;
  constraint.rhs = rhs;
  constraint.message = describe(op) + what.str() + ": " + nameOf(table, lhs) + " and " +
                       nameOf(table, rhs) + " must be equal";
  table.require(std::move(constraint));
  return success();
}

LogicalResult ShapeContext::requireAtLeast(Operation *op, Dim dim, int64_t lower,
                                           const Twine &what) {
  SymbolTable &table = symbols();
  if (table.upperBound(dim) < lower)
    return emitNodeError(op) << what << " is " << describeSize(table, dim)
                             << ", expected at least " << lower;
  SymbolConstraint constraint;
  constraint.lhs = dim;
  constraint.lower = lower;
  constraint.message = describe(op) + what.str() + " is " + nameOf(table, dim) +
                       ", expected at least " + std::to_string(lower);
  table.require(std::move(constraint));
  return success();
}

/// Says that `part` is 1 or the broadcast size `whole`.
static void requireBroadcastable(ShapeContext &context, Operation *op, Dim part,
                                 Dim whole) {
  SymbolTable &table = context.symbols();
  SymbolConstraint constraint;
  constraint.lhs = table.select(table.eq(part, table.constant(1)), whole, part);
  constraint.rhs = whole;
  constraint.message = describe(op) + "sizes do not broadcast: " + nameOf(table, part) +
                       " must be 1 or " + nameOf(table, whole);
  table.require(std::move(constraint));
}

FailureOr<Dims> ShapeContext::broadcast(Operation *op, ArrayRef<Dim> lhs,
                                        ArrayRef<Dim> rhs) {
  SymbolTable &table = symbols();
  size_t rank = std::max(lhs.size(), rhs.size());
  Dims result;
  for (size_t axis = 0; axis < rank; ++axis) {
    Dim one = table.constant(1);
    Dim a = axis + lhs.size() < rank ? one : lhs[axis + lhs.size() - rank];
    Dim b = axis + rhs.size() < rank ? one : rhs[axis + rhs.size() - rank];
    if (table.isKnownDifferent(a, b) && table.isKnownDifferent(a, one) &&
        table.isKnownDifferent(b, one))
      return emitNodeError(op)
             << "sizes " << describeSize(table, a) << " and " << describeSize(table, b)
             << " at axis " << axis
             << " do not broadcast: they must be equal or one of them 1";
    Dim whole = table.broadcast(a, b);
    for (Dim part : {a, b})
      if (part != whole && part != one)
        requireBroadcastable(*this, op, part, whole);
    result.push_back(whole);
  }
  return result;
}

} // namespace hexin::hx
