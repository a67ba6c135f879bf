// What is known of the values of symbols: bounds and requirements.

#include "compiler/ir/Interval.h"
#include "compiler/ir/Polynomial.h"
#include "compiler/ir/Symbols.h"

#include "runtime/base/Checked.h"

#include <algorithm>

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

namespace {
/// Bounds of polynomials over the symbols of one table. Besides interval
/// arithmetic it uses (x - c + 1)/c <= floor(x/c) <= x/c, which relates divisions
/// of nearly equal numbers, and looks at both branches of a min, max or select,
/// which proves clamps; `effort` limits how often.
class Bounds {
public:
  Bounds(ArrayRef<Symbol> symbols, const llvm::DenseMap<Dim, int64_t> &assumed)
      : symbols(symbols), assumed(assumed) {}

  Interval of(Dim dim, int effort) const {
    if (auto constant = SymbolTable::constantValue(dim))
      return {*constant, *constant};
    if (auto symbol = dyn_cast<AffineSymbolExpr>(dim); symbol && effort == 0)
      return symbolBounds(symbol);
    Interval bounds;
    if (auto it = assumed.find(dim); it != assumed.end())
      bounds.lower = it->second;
    if (auto polynomial = Polynomial::fromExpr(dim))
      bounds = bounds.intersect(of(*polynomial, effort));
    return bounds;
  }

private:
  Interval symbolBounds(AffineSymbolExpr symbol) const {
    if (symbol.getPosition() >= symbols.size())
      return {};
    const Symbol &known = symbols[symbol.getPosition()];
    return {known.lower, known.upper};
  }

  Interval ofAtom(AffineExpr atom) const {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(atom))
      return symbolBounds(symbol);
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    auto divisor = binary ? SymbolTable::constantValue(binary.getRHS()) : std::nullopt;
    if (!divisor || *divisor <= 0)
      return {};
    if (atom.getKind() == AffineExprKind::FloorDiv)
      return of(binary.getLHS(), 0).floorDiv(*divisor);
    if (atom.getKind() == AffineExprKind::Mod)
      return {0, *divisor - 1};
    return {};
  }

  Interval of(const Polynomial &polynomial, int effort) const {
    Interval sum{0, 0};
    for (auto &[monomial, coefficient] : polynomial.terms()) {
      Interval product{coefficient, coefficient};
      for (AffineExpr atom : monomial)
        product = product * ofAtom(atom);
      sum = sum + product;
    }
    if (effort == 0 || polynomial.isConstant())
      return sum;
    sum = sum.intersect(withoutDivisions(polynomial, effort));
    return sum.intersect(ofBranches(polynomial, effort));
  }

  /// Bounds after one linear floordiv was replaced by its linear bounds.
  Interval withoutDivisions(const Polynomial &polynomial, int effort) const {
    for (auto &[monomial, coefficient] : polynomial.terms()) {
      if (monomial.size() != 1 || monomial[0].getKind() != AffineExprKind::FloorDiv)
        continue;
      auto division = cast<AffineBinaryOpExpr>(monomial[0]);
      auto divisor = SymbolTable::constantValue(division.getRHS());
      auto dividend = Polynomial::fromExpr(division.getLHS());
      auto scaled = Polynomial().plus(polynomial, divisor.value_or(1));
      auto cancel = checkedMul(coefficient, divisor.value_or(1));
      if (!divisor || *divisor <= 0 || !dividend || !scaled || !cancel ||
          *cancel == INT64_MIN || !scaled->accumulate(monomial, -*cancel))
        continue;
      // divisor * polynomial lies between rest + coefficient * (x - (divisor - 1))
      // and rest + coefficient * x, or the other way round.
      auto exact = scaled->plus(*dividend, coefficient);
      auto slack = checkedMul(coefficient, *divisor - 1);
      if (!exact || !slack)
        continue;
      auto lowered = exact->plus(Polynomial(*slack), -1);
      if (!lowered)
        continue;
      Interval at = of(*exact, effort - 1), below = of(*lowered, effort - 1);
      Interval bounds = coefficient > 0 ? Interval{below.lower, at.upper}
                                        : Interval{at.lower, below.upper};
      return {Interval::ceilQuotient(bounds.lower, *divisor),
              Interval::floorQuotient(bounds.upper, *divisor)};
    }
    return {};
  }

  /// Bounds by looking at both values of one derived min, max or select.
  Interval ofBranches(const Polynomial &polynomial, int effort) const {
    for (auto &[monomial, coefficient] : polynomial.terms()) {
      if (monomial.size() != 1)
        continue;
      auto atom = dyn_cast<AffineSymbolExpr>(monomial[0]);
      if (!atom || atom.getPosition() >= symbols.size())
        continue;
      const Symbol &symbol = symbols[atom.getPosition()];
      if (symbol.function != Symbol::Function::min &&
          symbol.function != Symbol::Function::max &&
          symbol.function != Symbol::Function::select)
        continue;
      Polynomial rest = polynomial;
      if (coefficient == INT64_MIN || !rest.accumulate(monomial, -coefficient))
        continue;
      SmallVector<Interval, 2> branches;
      for (Dim branch : ArrayRef(symbol.operands).take_back(2)) {
        auto value = Polynomial::fromExpr(branch);
        auto replaced = value ? rest.plus(*value, coefficient) : std::nullopt;
        branches.push_back(replaced ? of(*replaced, effort - 1) : Interval());
      }
      Interval a = branches[0], b = branches[1];
      if (symbol.function == Symbol::Function::select)
        return a.unite(b);
      // The sum is the larger or the smaller of the two.
      bool isLarger = (symbol.function == Symbol::Function::max) == (coefficient > 0);
      return isLarger ? Interval{std::max(a.lower, b.lower), std::max(a.upper, b.upper)}
                      : Interval{std::min(a.lower, b.lower), std::min(a.upper, b.upper)};
    }
    return {};
  }

  ArrayRef<Symbol> symbols;
  const llvm::DenseMap<Dim, int64_t> &assumed;
};
} // namespace

static constexpr int proofEffort = 3;

int64_t SymbolTable::lowerBound(Dim dim) const {
  return Interval::narrow(Bounds(table, assumed).of(dim, proofEffort).lower);
}

int64_t SymbolTable::upperBound(Dim dim) const {
  return Interval::narrow(Bounds(table, assumed).of(dim, proofEffort).upper);
}

std::pair<int64_t, int64_t> SymbolTable::derivedBounds(Symbol::Function function,
                                                       ArrayRef<Dim> operands) const {
  using Function = Symbol::Function;
  auto bounds = [&](unsigned i) {
    return Bounds(table, assumed).of(operands[i], proofEffort);
  };
  Interval result;
  switch (function) {
  case Function::none:
    break;
  case Function::mul:
    result = bounds(0) * bounds(1);
    break;
  case Function::floorDiv:
  case Function::ceilDiv: {
    // Divisors are at least 1: dividing moves towards 0.
    Interval dividend = bounds(0);
    result = {std::min<Wide>(dividend.lower, 0), std::max<Wide>(dividend.upper, 0)};
    break;
  }
  case Function::mod:
    result = {0, std::max<Wide>((bounds(1) + Interval{-1, -1}).upper, 0)};
    break;
  case Function::min: {
    Interval a = bounds(0), b = bounds(1);
    result = {std::min(a.lower, b.lower), std::min(a.upper, b.upper)};
    break;
  }
  case Function::max: {
    Interval a = bounds(0), b = bounds(1);
    result = {std::max(a.lower, b.lower), std::max(a.upper, b.upper)};
    break;
  }
  case Function::eq:
  case Function::lt:
    result = {0, 1};
    break;
  case Function::select:
    result = bounds(1).unite(bounds(2));
    break;
  }
  return {Interval::narrow(result.lower), Interval::narrow(result.upper)};
}

void SymbolTable::setBounds(Dim symbol, int64_t lower, int64_t upper) {
  auto expr = dyn_cast<AffineSymbolExpr>(symbol);
  if (!expr)
    return;
  Symbol &known = table[expr.getPosition()];
  known.lower = std::max(known.lower, lower);
  known.upper = std::min(known.upper, upper);
}

//===----------------------------------------------------------------------===//
// Requirements
//===----------------------------------------------------------------------===//

void SymbolTable::assumeAtLeast(Dim dim, int64_t lower) {
  auto polynomial = Polynomial::fromExpr(dim);
  if (!polynomial || polynomial->isConstant() || lower == INT64_MIN)
    return;
  auto &terms = polynomial->terms();
  auto &[monomial, coefficient] = *terms.rbegin();
  int64_t constantTerm = polynomial->constantTerm();
  bool hasOneAtom = monomial.size() == 1 && terms.size() == (constantTerm ? 2u : 1u);
  if (!hasOneAtom || coefficient <= 0) {
    auto [it, isNew] = assumed.try_emplace(dim, lower);
    if (!isNew)
      it->second = std::max(it->second, lower);
    return;
  }
  // coefficient * atom + constant >= lower
  int64_t least =
      Interval::narrow(Interval::ceilQuotient(Wide(lower) - constantTerm, coefficient));
  if (auto symbol = dyn_cast<AffineSymbolExpr>(monomial[0])) {
    const Symbol &known = table[symbol.getPosition()];
    if (!guards.empty())
      guards.back().bounds.try_emplace(symbol.getPosition(), known.lower, known.upper);
    return setBounds(symbol, least, INT64_MAX);
  }
  if (monomial[0].getKind() != AffineExprKind::FloorDiv)
    return;
  auto division = cast<AffineBinaryOpExpr>(monomial[0]);
  auto product = checkedMul(least, constantValue(division.getRHS()).value_or(1));
  if (product)
    assumeAtLeast(division.getLHS(), *product);
}

void SymbolTable::pushGuard(Dim condition) {
  guards.push_back(
      Guard{.condition = condition, .numSymbols = table.size(), .assumed = assumed});
}

void SymbolTable::popGuard() {
  Guard guard = std::move(guards.back());
  guards.pop_back();
  assumed = std::move(guard.assumed);
  for (auto &[position, bounds] : guard.bounds)
    std::tie(table[position].lower, table[position].upper) = bounds;
  // Made in the branch, but whoever asks for the same later gets the same symbol.
  for (size_t i = guard.numSymbols; i < table.size(); ++i)
    if (table[i].kind == Symbol::Kind::derived)
      std::tie(table[i].lower, table[i].upper) =
          derivedBounds(table[i].function, table[i].operands);
}

void SymbolTable::require(SymbolConstraint constraint) {
  if (constraint.rhs ? constraint.lhs == constraint.rhs
                     : lowerBound(constraint.lhs) >= constraint.lower &&
                           upperBound(constraint.lhs) <= constraint.upper)
    return;
  Dim unguarded = constraint.lhs;
  // Where the branch is not taken a derived right-hand side may have no value: then
  // neither side is looked at.
  bool isPlain = true;
  if (constraint.rhs)
    constraint.rhs.walk([&](AffineExpr expr) {
      auto symbol = dyn_cast<AffineSymbolExpr>(expr);
      isPlain &= !symbol || table[symbol.getPosition()].kind != Symbol::Kind::derived;
    });
  Dim fallback = !constraint.rhs ? constant(constraint.lower)
                 : isPlain       ? constraint.rhs
                                 : constant(0);
  for (const Guard &guard : llvm::reverse(guards)) {
    constraint.lhs = select(guard.condition, constraint.lhs, fallback);
    if (!isPlain)
      constraint.rhs = select(guard.condition, constraint.rhs, fallback);
  }
  if (!constraint.rhs)
    assumeAtLeast(unguarded, constraint.lower);
  for (const SymbolConstraint &other : required)
    if (other.lhs == constraint.lhs && other.rhs == constraint.rhs &&
        other.lower == constraint.lower && other.upper == constraint.upper)
      return;
  required.push_back(std::move(constraint));
}

} // namespace hexin::hx
