//===- Polynomial.h - the normal form behind Dim arithmetic ----------------------===//
//
// A sum of integer multiples of products of *atoms*. An atom is a symbol, or a
// floordiv or mod that did not simplify. Products are distributed over sums, so
// equal polynomials are equal Dims: (P + S)*64 and P*64 + S*64 are one
// expression, and division by a polynomial that divides is exact.
//
// Every operation is checked: nullopt on 64-bit overflow or when the result
// would have more than `maxTerms` terms.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_POLYNOMIAL_H
#define HEXIN_COMPILER_IR_POLYNOMIAL_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/SmallVector.h"

#include <map>
#include <optional>
#include <vector>

namespace hexin::hx {

/// A total order on expressions by structure, the same in every run.
int compareExprs(mlir::AffineExpr a, mlir::AffineExpr b);

class Polynomial {
public:
  /// Atoms in order, with repeats for powers; empty for the constant term.
  using Monomial = std::vector<mlir::AffineExpr>;
  struct MonomialLess {
    bool operator()(const Monomial &a, const Monomial &b) const;
  };
  /// Coefficients are never 0. Larger degree last.
  using Terms = std::map<Monomial, int64_t, MonomialLess>;

  static constexpr size_t maxTerms = 128;
  static constexpr size_t maxDegree = 12;

  Polynomial() = default;
  explicit Polynomial(int64_t constant);
  /// The polynomial of an expression that was made by toExpr (any expression
  /// of adds and multiplications works; the rest is taken as an atom).
  static std::optional<Polynomial> fromExpr(mlir::AffineExpr expr);

  mlir::AffineExpr toExpr(mlir::MLIRContext *context) const;

  std::optional<Polynomial> plus(const Polynomial &other, int64_t factor = 1) const;
  std::optional<Polynomial> times(const Polynomial &other) const;
  /// The quotient when `divisor` divides exactly.
  std::optional<Polynomial> dividedBy(const Polynomial &divisor) const;

  bool isConstant() const;
  int64_t constantTerm() const;
  const Terms &terms() const { return map; }
  /// Adds coefficient * monomial; false on overflow.
  bool accumulate(const Monomial &monomial, int64_t coefficient);

private:
  Terms map;
};

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_POLYNOMIAL_H
