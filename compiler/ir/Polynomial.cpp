#include "compiler/ir/Polynomial.h"

#include "runtime/base/Checked.h"

#include <algorithm>

using namespace mlir;

namespace hexin::hx {

int compareExprs(AffineExpr a, AffineExpr b) {
  if (a == b)
    return 0;
  if (a.getKind() != b.getKind())
    return a.getKind() < b.getKind() ? -1 : 1;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(a))
    return symbol.getPosition() < cast<AffineSymbolExpr>(b).getPosition() ? -1 : 1;
  if (auto constant = dyn_cast<AffineConstantExpr>(a))
    return constant.getValue() < cast<AffineConstantExpr>(b).getValue() ? -1 : 1;
  if (auto dim = dyn_cast<AffineDimExpr>(a))
    return dim.getPosition() < cast<AffineDimExpr>(b).getPosition() ? -1 : 1;
  auto binaryA = cast<AffineBinaryOpExpr>(a), binaryB = cast<AffineBinaryOpExpr>(b);
  if (int order = compareExprs(binaryA.getLHS(), binaryB.getLHS()))
    return order;
  return compareExprs(binaryA.getRHS(), binaryB.getRHS());
}

bool Polynomial::MonomialLess::operator()(const Monomial &a, const Monomial &b) const {
  if (a.size() != b.size())
    return a.size() < b.size();
  for (auto [x, y] : llvm::zip_equal(a, b))
    if (int order = compareExprs(x, y))
      return order > 0; // so that the constant comes first and s0 leads
  return false;
}

Polynomial::Polynomial(int64_t constant) {
  if (constant)
    map.emplace(Monomial(), constant);
}

bool Polynomial::accumulate(const Monomial &monomial, int64_t coefficient) {
  if (coefficient == 0)
    return true;
  auto [it, isNew] = map.emplace(monomial, coefficient);
  if (isNew)
    return true;
  auto sum = checkedAdd(it->second, coefficient);
  if (!sum)
    return false;
  it->second = *sum;
  if (*sum == 0)
    map.erase(it);
  return true;
}

std::optional<Polynomial> Polynomial::fromExpr(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Polynomial(constant.getValue());
  if (expr.getKind() == AffineExprKind::Add || expr.getKind() == AffineExprKind::Mul) {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto lhs = fromExpr(binary.getLHS()), rhs = fromExpr(binary.getRHS());
    if (!lhs || !rhs)
      return std::nullopt;
    return expr.getKind() == AffineExprKind::Add ? lhs->plus(*rhs) : lhs->times(*rhs);
  }
  Polynomial atom;
  atom.map.emplace(Monomial{expr}, 1);
  return atom;
}

AffineExpr Polynomial::toExpr(MLIRContext *context) const {
  AffineExpr sum;
  for (auto &[monomial, coefficient] : llvm::reverse(map)) {
    AffineExpr product;
    for (AffineExpr atom : monomial)
      product = product ? product * atom : atom;
    AffineExpr factor = getAffineConstantExpr(coefficient, context);
    product = product ? product * factor : factor;
    sum = sum ? sum + product : product;
  }
  return sum ? sum : getAffineConstantExpr(0, context);
}

std::optional<Polynomial> Polynomial::plus(const Polynomial &other,
                                           int64_t factor) const {
  Polynomial sum = *this;
  for (auto &[monomial, coefficient] : other.map) {
    auto scaled = checkedMul(coefficient, factor);
    if (!scaled || !sum.accumulate(monomial, *scaled))
      return std::nullopt;
  }
  if (sum.map.size() > maxTerms)
    return std::nullopt;
  return sum;
}

std::optional<Polynomial> Polynomial::times(const Polynomial &other) const {
  if (map.size() * other.map.size() > 4 * maxTerms)
    return std::nullopt;
  Polynomial product;
  for (auto &[monomialA, a] : map) {
    for (auto &[monomialB, b] : other.map) {
      auto coefficient = checkedMul(a, b);
      Monomial monomial(monomialA.size() + monomialB.size());
      std::merge(monomialA.begin(), monomialA.end(), monomialB.begin(), monomialB.end(),
                 monomial.begin(),
                 [](AffineExpr x, AffineExpr y) { return compareExprs(x, y) < 0; });
      if (!coefficient || monomial.size() > maxDegree ||
          !product.accumulate(monomial, *coefficient))
        return std::nullopt;
    }
  }
  if (product.map.size() > maxTerms)
    return std::nullopt;
  return product;
}

/// monomial / divisor, or nullopt when an atom of the divisor is missing.
static std::optional<Polynomial::Monomial> divide(const Polynomial::Monomial &monomial,
                                                  const Polynomial::Monomial &divisor) {
  Polynomial::Monomial rest = monomial;
  for (AffineExpr atom : divisor) {
    auto it = llvm::find(rest, atom);
    if (it == rest.end())
      return std::nullopt;
    rest.erase(it);
  }
  return rest;
}

std::optional<Polynomial> Polynomial::dividedBy(const Polynomial &divisor) const {
  if (divisor.map.empty())
    return std::nullopt;
  // Long division by leading terms. MonomialLess is a graded lexicographic
  // order, which multiplication keeps, so each step removes the leading term.
  Polynomial rest = *this, quotient;
  auto &[leadingMonomial, leading] = *divisor.map.rbegin();
  while (!rest.map.empty()) {
    auto &[monomial, coefficient] = *rest.map.rbegin();
    auto factor = divide(monomial, leadingMonomial);
    if (!factor || (leading == -1 && coefficient == INT64_MIN) || coefficient % leading)
      return std::nullopt;
    Polynomial step;
    step.map.emplace(*factor, coefficient / leading);
    for (auto &[m, c] : step.map)
      if (!quotient.accumulate(m, c) || quotient.map.size() > maxTerms)
        return std::nullopt;
    auto product = step.times(divisor);
    if (!product)
      return std::nullopt;
    auto difference = rest.plus(*product, -1);
    if (!difference)
      return std::nullopt;
    rest = std::move(*difference);
  }
  return quotient;
}

bool Polynomial::isConstant() const {
  return map.empty() || (map.size() == 1 && map.begin()->first.empty());
}

int64_t Polynomial::constantTerm() const {
  auto it = map.find(Monomial());
  return it == map.end() ? 0 : it->second;
}

} // namespace hexin::hx
