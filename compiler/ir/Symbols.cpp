#include "compiler/ir/Symbols.h"

#include "compiler/ir/Polynomial.h"

#include <numeric>

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// Making symbols
//===----------------------------------------------------------------------===//

Dim SymbolTable::constant(int64_t value) const {
  return getAffineConstantExpr(value, context);
}

bool SymbolTable::dependsOnElements(Dim dim) const {
  bool depends = false;
  dim.walk([&](AffineExpr expr) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      depends |= isFromElements[symbol.getPosition()];
  });
  return depends;
}

Dim SymbolTable::append(Symbol symbol) {
  isFromElements.push_back(symbol.kind == Symbol::Kind::element ||
                           llvm::any_of(symbol.operands, [&](Dim operand) {
                             return dependsOnElements(operand);
                           }));
  table.push_back(std::move(symbol));
  return getAffineSymbolExpr(table.size() - 1, context);
}

static Symbol makeSymbol(Symbol::Kind kind, std::string name, Value value,
                         unsigned index) {
  Symbol symbol;
  symbol.kind = kind;
  symbol.name = std::move(name);
  symbol.value = value;
  symbol.index = index;
  if (kind == Symbol::Kind::element)
    symbol.lower = INT64_MIN;
  return symbol;
}

static StringRef namePrefix(Symbol::Kind kind) {
  switch (kind) {
  case Symbol::Kind::inputDim:
    return "s";
  case Symbol::Kind::element:
    return "e";
  case Symbol::Kind::resultDim:
    return "r";
  case Symbol::Kind::derived:
    return "d";
  }
  return "s";
}

Dim SymbolTable::valueSymbol(Symbol::Kind kind, Value value, unsigned index) {
  Dim &known = valueBy[{reinterpret_cast<const void *>(static_cast<uintptr_t>(kind)),
                        value.getAsOpaquePointer(),
                        reinterpret_cast<const void *>(static_cast<uintptr_t>(index))}];
  if (!known)
    known = append(
        makeSymbol(kind, (namePrefix(kind) + Twine(table.size())).str(), value, index));
  return known;
}

Dim SymbolTable::inputDim(Value value, unsigned axis, StringRef name) {
  if (name.empty())
    return valueSymbol(Symbol::Kind::inputDim, value, axis);
  Dim &known = byName[name];
  if (!known)
    known = append(makeSymbol(Symbol::Kind::inputDim, name.str(), value, axis));
  return known;
}

Dim SymbolTable::element(Value value, unsigned index) {
  return valueSymbol(Symbol::Kind::element, value, index);
}

Dim SymbolTable::resultDim(Value value, unsigned axis) {
  return valueSymbol(Symbol::Kind::resultDim, value, axis);
}

Dim SymbolTable::derived(Symbol::Function function, ArrayRef<Dim> operands) {
  std::vector<const void *> key{
      reinterpret_cast<const void *>(static_cast<uintptr_t>(function))};
  for (Dim operand : operands)
    key.push_back(operand.getAsOpaquePointer());
  Dim &known = derivedBy[key];
  if (known)
    return known;
  Symbol symbol = makeSymbol(
      Symbol::Kind::derived,
      (namePrefix(Symbol::Kind::derived) + Twine(table.size())).str(), Value(), 0);
  symbol.function = function;
  symbol.operands.assign(operands.begin(), operands.end());
  std::tie(symbol.lower, symbol.upper) = derivedBounds(function, operands);
  return known = append(std::move(symbol));
}

//===----------------------------------------------------------------------===//
// Sums and products
//===----------------------------------------------------------------------===//

std::optional<int64_t> SymbolTable::constantValue(Dim dim) {
  if (auto constant = dyn_cast_or_null<AffineConstantExpr>(dim))
    return constant.getValue();
  return std::nullopt;
}

Dim SymbolTable::cut(Dim dim) {
  return derived(Symbol::Function::mul, {dim, constant(1)});
}

Dim SymbolTable::add(Dim a, Dim b) {
  auto lhs = Polynomial::fromExpr(a), rhs = Polynomial::fromExpr(b);
  if (lhs && rhs)
    if (auto sum = lhs->plus(*rhs))
      return sum->toExpr(context);
  return cut(a) + cut(b);
}

Dim SymbolTable::sub(Dim a, Dim b) { return add(a, mul(b, constant(-1))); }

Dim SymbolTable::mul(Dim a, Dim b) {
  auto lhs = Polynomial::fromExpr(a), rhs = Polynomial::fromExpr(b);
  if (lhs && rhs)
    if (auto product = lhs->times(*rhs))
      return product->toExpr(context);
  if (compareExprs(a, b) > 0)
    std::swap(a, b);
  return derived(Symbol::Function::mul, {a, b});
}

Dim SymbolTable::product(ArrayRef<Dim> dims) {
  Dim result = constant(1);
  bool isCounted = true;
  for (Dim dim : dims) {
    result = mul(result, dim);
    isCounted &= lowerBound(dim) >= 0;
  }
  // A product of sums like (H - 2)*(W - 2) does not show that it is not negative.
  if (isCounted && lowerBound(result) < 0)
    assumed[result] = 0;
  return result;
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

/// The result of splitting p into divisor*quotient + rest, term by term, with
/// the rest's constant in [0, divisor).
struct Split {
  Polynomial quotient, rest;
};
static Split splitBy(const Polynomial &polynomial, int64_t divisor) {
  Split split;
  for (auto &[monomial, coefficient] : polynomial.terms()) {
    if (monomial.empty()) {
      int64_t remainder = coefficient % divisor;
      bool isBelow = remainder < 0;
      split.quotient.accumulate(monomial, coefficient / divisor - isBelow);
      split.rest.accumulate(monomial, isBelow ? remainder + divisor : remainder);
    } else if (coefficient % divisor == 0) {
      split.quotient.accumulate(monomial, coefficient / divisor);
    } else {
      split.rest.accumulate(monomial, coefficient);
    }
  }
  return split;
}

// Atoms are written out wherever they are used, so what is inside one is bounded.
static constexpr unsigned maxAtomNodes = 48;

static unsigned countNodes(AffineExpr expr, unsigned limit) {
  if (limit == 0)
    return 1;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 1;
  unsigned lhs = countNodes(binary.getLHS(), limit - 1);
  if (lhs >= limit)
    return lhs + 1;
  return 1 + lhs + countNodes(binary.getRHS(), limit - lhs);
}

Dim SymbolTable::floorDiv(Dim a, Dim b) {
  if (a == b && lowerBound(b) > 0)
    return constant(1);
  auto divisor = constantValue(b);
  auto polynomial = Polynomial::fromExpr(a);
  if (!divisor || *divisor <= 0 || !polynomial)
    return derived(Symbol::Function::floorDiv, {a, b});
  if (*divisor == 1)
    return a;

  Split split = splitBy(*polynomial, *divisor);
  Dim quotient = split.quotient.toExpr(context);
  Dim rest = split.rest.toExpr(context);
  if (lowerBound(rest) >= 0 && upperBound(rest) < *divisor)
    return quotient;

  // floor((g*x + k) / (g*c)) = floor((x + floor(k/g)) / c)
  int64_t gcd = *divisor;
  for (auto &[monomial, coefficient] : split.rest.terms())
    if (!monomial.empty())
      gcd = coefficient == INT64_MIN ? 1 : std::gcd(gcd, coefficient);
  if (gcd > 1) {
    Polynomial smaller;
    for (auto &[monomial, coefficient] : split.rest.terms())
      smaller.accumulate(monomial, coefficient / gcd);
    return add(quotient, floorDiv(smaller.toExpr(context), constant(*divisor / gcd)));
  }

  // floor((floor(x/c1) + k) / c2) = floor((x + k*c1) / (c1*c2))
  auto &terms = split.rest.terms();
  auto &[last, lastCoefficient] = *terms.rbegin();
  if (last.size() == 1 && lastCoefficient == 1 &&
      terms.size() == (split.rest.constantTerm() ? 2u : 1u) &&
      last[0].getKind() == AffineExprKind::FloorDiv) {
    auto inner = cast<AffineBinaryOpExpr>(last[0]);
    Dim scale = inner.getRHS();
    Dim outer = mul(scale, b);
    if (constantValue(outer))
      return add(quotient, floorDiv(add(inner.getLHS(),
                                        mul(constant(split.rest.constantTerm()), scale)),
                                    outer));
  }
  if (countNodes(rest, maxAtomNodes) >= maxAtomNodes)
    rest = cut(rest);
  return add(quotient, rest.floorDiv(*divisor));
}

Dim SymbolTable::ceilDiv(Dim a, Dim b) {
  return floorDiv(add(a, sub(b, constant(1))), b);
}

Dim SymbolTable::mod(Dim a, Dim b) {
  if (a == b)
    return constant(0);
  auto divisor = constantValue(b);
  auto polynomial = Polynomial::fromExpr(a);
  if (!divisor || *divisor <= 0 || !polynomial)
    return derived(Symbol::Function::mod, {a, b});
  Dim rest = splitBy(*polynomial, *divisor).rest.toExpr(context);
  if (lowerBound(rest) >= 0 && upperBound(rest) < *divisor)
    return rest;
  if (countNodes(rest, maxAtomNodes) >= maxAtomNodes)
    rest = cut(rest);
  return rest % *divisor;
}

Dim SymbolTable::quotient(ArrayRef<Dim> numerator, ArrayRef<Dim> denominator) {
  Dims above(numerator), below;
  for (Dim dim : denominator) {
    auto it = llvm::find(above, dim);
    if (it != above.end())
      above.erase(it);
    else
      below.push_back(dim);
  }
  Dim dividend = product(above), divisor = product(below);
  auto lhs = Polynomial::fromExpr(dividend), rhs = Polynomial::fromExpr(divisor);
  if (lhs && rhs)
    if (auto exact = lhs->dividedBy(*rhs)) {
      Dim result = exact->toExpr(context);
      if (lowerBound(dividend) >= 0 && lowerBound(divisor) >= 0 && lowerBound(result) < 0)
        assumed[result] = 0;
      return result;
    }
  return floorDiv(dividend, divisor);
}

} // namespace hexin::hx
