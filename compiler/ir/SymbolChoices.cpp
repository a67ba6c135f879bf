// Min, max, comparisons and select: what they fold to, and their normal forms.

#include "compiler/ir/Polynomial.h"
#include "compiler/ir/Symbols.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// min and max
//===----------------------------------------------------------------------===//

/// The largest number that divides every coefficient.
static int64_t contentOf(const Polynomial &polynomial) {
  int64_t gcd = 0;
  for (auto &[monomial, coefficient] : polynomial.terms())
    gcd = coefficient == INT64_MIN ? 1 : std::gcd(gcd, coefficient);
  return gcd;
}

/// max(dim, 0). All minima and maxima are written with it, and max(-x, 0) as
/// max(x, 0) - x, so that for example trimming to n and padding to n add up.
Dim SymbolTable::positivePart(Dim dim) {
  if (lowerBound(dim) >= 0)
    return dim;
  Dim zero = constant(0);
  if (upperBound(dim) <= 0)
    return zero;
  auto polynomial = Polynomial::fromExpr(dim);
  if (!polynomial)
    return derived(Symbol::Function::max, {dim, zero});
  if (polynomial->terms().rbegin()->second < 0)
    return add(derivedOrScaled(sub(zero, dim)), dim);
  return derivedOrScaled(dim);
}

/// max(dim, 0) where the leading coefficient is positive: k*max(x, 0) for k*x.
Dim SymbolTable::derivedOrScaled(Dim dim) {
  auto polynomial = Polynomial::fromExpr(dim);
  int64_t factor = polynomial ? contentOf(*polynomial) : 1;
  if (factor <= 1)
    return derived(Symbol::Function::max, {dim, constant(0)});
  Polynomial smaller;
  for (auto &[monomial, coefficient] : polynomial->terms())
    smaller.accumulate(monomial, coefficient / factor);
  return mul(derived(Symbol::Function::max, {smaller.toExpr(context), constant(0)}),
             constant(factor));
}

Dim SymbolTable::extremum(Symbol::Function function, Dim a, Dim b) {
  bool isMax = function == Symbol::Function::max;
  auto x = constantValue(a), y = constantValue(b);
  if (x && y)
    return constant(isMax ? std::max(*x, *y) : std::min(*x, *y));
  Dim difference = sub(a, b);
  if (upperBound(difference) <= 0)
    return isMax ? b : a;
  if (lowerBound(difference) >= 0)
    return isMax ? a : b;
  // Elements may be as large or small as numbers get: their difference might not
  // fit where the extremum does.
  if (dependsOnElements(a) || dependsOnElements(b)) {
    if (compareExprs(a, b) > 0)
      std::swap(a, b);
    return derived(function, {a, b});
  }
  return isMax ? add(b, positivePart(difference)) : sub(a, positivePart(difference));
}

Dim SymbolTable::min(Dim a, Dim b) { return extremum(Symbol::Function::min, a, b); }

Dim SymbolTable::max(Dim a, Dim b) { return extremum(Symbol::Function::max, a, b); }

//===----------------------------------------------------------------------===//
// Comparisons: 1 or 0, so that `not x` is 1 - x
//===----------------------------------------------------------------------===//

bool SymbolTable::isKnownDifferent(Dim a, Dim b) const {
  auto lhs = Polynomial::fromExpr(a), rhs = Polynomial::fromExpr(b);
  auto difference = lhs && rhs ? lhs->plus(*rhs, -1) : std::nullopt;
  if (!difference)
    return false;
  Dim dim = difference->toExpr(context);
  return lowerBound(dim) > 0 || upperBound(dim) < 0;
}

Dim SymbolTable::eq(Dim a, Dim b) {
  if (a == b)
    return constant(1);
  if (isKnownDifferent(a, b))
    return constant(0);
  if (compareExprs(a, b) > 0)
    std::swap(a, b);
  for (auto [side, other] : {std::pair(a, b), std::pair(b, a)}) {
    auto value = constantValue(side);
    if (value && lowerBound(other) >= 0 && upperBound(other) <= 1)
      return *value ? other : sub(constant(1), other);
  }
  return derived(Symbol::Function::eq, {a, b});
}

Dim SymbolTable::lt(Dim a, Dim b) {
  Dim difference = sub(a, b);
  if (upperBound(difference) < 0)
    return constant(1);
  if (lowerBound(difference) >= 0)
    return constant(0);
  return derived(Symbol::Function::lt, {a, b});
}

//===----------------------------------------------------------------------===//
// select
//===----------------------------------------------------------------------===//

const Symbol *SymbolTable::derivedSymbol(Dim dim, Symbol::Function function) const {
  auto expr = dyn_cast<AffineSymbolExpr>(dim);
  if (!expr || table[expr.getPosition()].function != function)
    return nullptr;
  return &table[expr.getPosition()];
}

/// `dim` with `symbol` replaced, simplified anew; null when that takes more than
/// `budget` steps.
Dim SymbolTable::substitute(Dim dim, Dim symbol, Dim value, int &budget) {
  if (dim == symbol)
    return value;
  if (--budget < 0)
    return {};
  if (auto expr = dyn_cast<AffineSymbolExpr>(dim)) {
    Symbol known = table[expr.getPosition()];
    // A derived symbol only uses symbols before it.
    if (known.kind != Symbol::Kind::derived ||
        expr.getPosition() < cast<AffineSymbolExpr>(symbol).getPosition())
      return dim;
    Dims operands;
    for (Dim operand : known.operands) {
      operands.push_back(substitute(operand, symbol, value, budget));
      if (!operands.back())
        return {};
    }
    return known.operands == operands ? dim : apply(known.function, operands);
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(dim);
  if (!binary)
    return dim;
  Dim lhs = substitute(binary.getLHS(), symbol, value, budget);
  Dim rhs = lhs ? substitute(binary.getRHS(), symbol, value, budget) : Dim();
  if (!rhs)
    return {};
  switch (dim.getKind()) {
  case AffineExprKind::Add:
    return add(lhs, rhs);
  case AffineExprKind::Mul:
    return mul(lhs, rhs);
  case AffineExprKind::FloorDiv:
    return floorDiv(lhs, rhs);
  case AffineExprKind::Mod:
    return mod(lhs, rhs);
  default:
    return {};
  }
}

Dim SymbolTable::apply(Symbol::Function function, ArrayRef<Dim> operands) {
  switch (function) {
  case Symbol::Function::none:
    return {};
  case Symbol::Function::mul:
    return mul(operands[0], operands[1]);
  case Symbol::Function::floorDiv:
    return floorDiv(operands[0], operands[1]);
  case Symbol::Function::ceilDiv:
    return ceilDiv(operands[0], operands[1]);
  case Symbol::Function::mod:
    return mod(operands[0], operands[1]);
  case Symbol::Function::min:
    return min(operands[0], operands[1]);
  case Symbol::Function::max:
    return max(operands[0], operands[1]);
  case Symbol::Function::eq:
    return eq(operands[0], operands[1]);
  case Symbol::Function::lt:
    return lt(operands[0], operands[1]);
  case Symbol::Function::select:
    return select(operands[0], operands[1], operands[2]);
  }
  return {};
}

static constexpr int substitutionBudget = 64;

/// `dim` in runs in which `condition` is known to be not 0.
Dim SymbolTable::assuming(Dim condition, Dim dim) {
  const Symbol *equality = derivedSymbol(condition, Symbol::Function::eq);
  if (!equality)
    return dim;
  // Replacing the later symbol by what is before it cannot go round in circles.
  Dim value = equality->operands[0], symbol = equality->operands[1];
  if (!isa<AffineSymbolExpr>(symbol) ||
      !(isa<AffineSymbolExpr>(value) || isa<AffineConstantExpr>(value)))
    return dim;
  int budget = substitutionBudget;
  Dim replaced = substitute(dim, symbol, value, budget);
  return replaced ? replaced : dim;
}

Dim SymbolTable::select(Dim condition, Dim onTrue, Dim onFalse) {
  if (onTrue == onFalse)
    return onTrue;
  if (auto known = constantValue(condition))
    return *known ? onTrue : onFalse;
  // 1 - c
  Dim negated = sub(constant(1), condition);
  if (isa<AffineSymbolExpr>(negated) && lowerBound(negated) >= 0 &&
      upperBound(negated) <= 1)
    return select(negated, onFalse, onTrue);

  // A nested choice by the same condition is already decided.
  if (const Symbol *nested = derivedSymbol(onTrue, Symbol::Function::select))
    if (nested->operands[0] == condition)
      onTrue = nested->operands[1];
  if (const Symbol *nested = derivedSymbol(onFalse, Symbol::Function::select))
    if (nested->operands[0] == condition)
      onFalse = nested->operands[2];
  if (onTrue == onFalse)
    return onTrue;
  // x == 1 ? min(x, 512) : x is x.
  Dim simpler = assuming(condition, onTrue);
  if (simpler == assuming(condition, onFalse))
    return onFalse;
  if (constantValue(simpler))
    onTrue = simpler;
  return derived(Symbol::Function::select, {condition, onTrue, onFalse});
}

Dim SymbolTable::broadcast(Dim a, Dim b) {
  if (compareExprs(a, b) > 0)
    std::swap(a, b);
  Dim one = constant(1);
  if (a == b || b == one)
    return a;
  if (a == one)
    return b;
  // What cannot be 1 is the size; numbers are preferred.
  if (constantValue(a) || constantValue(b))
    return constantValue(a) ? a : b;
  if (isKnownDifferent(a, one) || isKnownDifferent(b, one))
    return isKnownDifferent(a, one) ? a : b;
  Dims parts;
  for (Dim dim : {a, b}) {
    auto it = broadcastParts.find(dim);
    if (it != broadcastParts.end())
      parts.append(it->second);
    else
      parts.push_back(dim);
  }
  llvm::sort(parts, [](Dim x, Dim y) { return compareExprs(x, y) < 0; });
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  Dim result = parts.front();
  for (Dim part : llvm::drop_begin(parts)) {
    Dim whole = select(eq(result, one), part, result);
    // Either way round means the same; one of them may simplify.
    Dim other = select(eq(part, one), result, part);
    result = other == part ? other : whole;
  }
  if (parts.size() > 1 && !llvm::is_contained(parts, result))
    broadcastParts[result] = parts;
  return result;
}

} // namespace hexin::hx
