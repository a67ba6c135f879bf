//===- Symbols.h - the names of sizes that are unknown at compile time -------===//
//
// A Dim is an affine expression over numbered symbols: a constant for a static
// size, s0 for "batch", (s1 + 1) floordiv 2 behind a stride-2 convolution. What
// affine expressions cannot say (min, max, a product of symbols divided by a
// third that does not cancel, select) is a *derived* symbol, defined by an
// operation on Dims, so that equal definitions give the same symbol.
//
// There is one table per program. Input sizes feed it; constraints (equal sizes,
// bounds, divisibility) are collected beside it and checked at run time unless
// they are known to hold.
//
// Sums of products are kept distributed (compiler/ir/Polynomial.h), so equal
// sizes are equal pointers and `==` is the comparison.
//
// Worked example: input [N, 3, H, W]; conv stride 2, pad 1, taps 3 gives
// ((H + 2 - 3) floordiv 2) + 1 = (H + 1) floordiv 2; flattening C=16 x H' x W' for
// a reshape to [N, -1] gives 16 * H' * W': a semi-affine product.
//
// Divisions are by positive constants in an expression; by anything else they are
// derived symbols. Minima and maxima are written with max(x, 0). An expression that
// would grow without bound is cut by a derived symbol mul(expression, 1). A derived
// symbol only uses symbols before it, so evaluating the table front to back needs no
// recursion.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_SYMBOLS_H
#define HEXIN_COMPILER_IR_SYMBOLS_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hexin::hx {

using Dim = mlir::AffineExpr;
using Dims = llvm::SmallVector<Dim, 4>;

struct Symbol {
  enum class Kind {
    inputDim,  ///< axis `index` of function argument `value`
    element,   ///< element `index` of host-readable `value`
    resultDim, ///< axis `index` of `value`, known only after running
    derived    ///< `function` of `operands`
  };
  enum class Function { none, mul, floorDiv, ceilDiv, mod, min, max, eq, lt, select };

  Kind kind;
  std::string name; ///< for people: the dim_param, or made up
  mlir::Value value;
  unsigned index = 0;
  Function function = Function::none;
  llvm::SmallVector<Dim, 3> operands;
  int64_t lower = 0;
  int64_t upper = INT64_MAX;
};

/// A fact that must hold at run time and could not be proven.
struct SymbolConstraint {
  Dim lhs;
  Dim rhs; ///< null: lower <= lhs <= upper
  int64_t lower = 0;
  int64_t upper = INT64_MAX;
  std::string message; ///< what is wrong when it does not hold
};

class SymbolTable {
public:
  explicit SymbolTable(mlir::MLIRContext *context) : context(context) {}

  Dim constant(int64_t value) const;
  /// The size of `axis` of argument `value`; equal non-empty names give the same
  /// symbol.
  Dim inputDim(mlir::Value value, unsigned axis, llvm::StringRef name);
  /// Element `index` of a host-readable integer tensor (any sign).
  Dim element(mlir::Value value, unsigned index);
  /// A size that only running will tell.
  Dim resultDim(mlir::Value value, unsigned axis);
  /// Narrows what is known of a symbol; anything else is left alone.
  void setBounds(Dim symbol, int64_t lower, int64_t upper);

  // Simplifying arithmetic. Division and mod are floored; divisors are positive
  // by construction or checked at run time.
  Dim add(Dim a, Dim b);
  Dim sub(Dim a, Dim b);
  Dim mul(Dim a, Dim b);
  Dim floorDiv(Dim a, Dim b);
  Dim ceilDiv(Dim a, Dim b);
  Dim mod(Dim a, Dim b);
  Dim min(Dim a, Dim b);
  Dim max(Dim a, Dim b);
  Dim eq(Dim a, Dim b); ///< 1 or 0
  Dim lt(Dim a, Dim b);
  Dim select(Dim condition, Dim onTrue, Dim onFalse);
  Dim product(llvm::ArrayRef<Dim> dims);
  /// product(numerator) / product(denominator) after cancelling equal factors;
  /// exact division is the caller's claim (checked at run time when not known).
  Dim quotient(llvm::ArrayRef<Dim> numerator, llvm::ArrayRef<Dim> denominator);

  /// numpy's broadcast size: a == 1 ? b : a. That the two are equal or one of
  /// them is 1 is the caller's claim. Broadcasting what is already part of a
  /// broadcast changes nothing.
  Dim broadcast(Dim a, Dim b);

  static std::optional<int64_t> constantValue(Dim dim);
  int64_t lowerBound(Dim dim) const;
  int64_t upperBound(Dim dim) const; ///< INT64_MAX when unbounded
  bool isKnownEqual(Dim a, Dim b) const { return a == b; }
  bool isKnownDifferent(Dim a, Dim b) const;

  /// Notes a fact that the run must check, unless it is known to hold, and uses
  /// it from here on (under a guard: until that is popped).
  void require(SymbolConstraint constraint);
  /// Between the two calls requirements only concern runs in which `condition` is
  /// not 0: the body of a branch.
  void pushGuard(Dim condition);
  void popGuard();

  /// The value of `dim` for given values of the symbols that are not derived;
  /// nullopt when one is missing, on overflow and on division by what is not
  /// positive.
  std::optional<int64_t>
  evaluate(Dim dim,
           llvm::function_ref<std::optional<int64_t>(unsigned)> symbolValue) const;

  llvm::ArrayRef<Symbol> symbols() const { return table; }
  llvm::ArrayRef<SymbolConstraint> constraints() const { return required; }
  std::string toString(Dim dim) const; ///< with the symbols' names; cut at 512 bytes

private:
  /// Where a branch began, to forget there what only holds inside.
  struct Guard {
    Dim condition;
    size_t numSymbols;
    llvm::DenseMap<Dim, int64_t> assumed;
    /// Of earlier symbols, before they changed.
    llvm::DenseMap<unsigned, std::pair<int64_t, int64_t>> bounds{};
  };

  Dim derived(Symbol::Function function, llvm::ArrayRef<Dim> operands);
  Dim append(Symbol symbol);
  Dim valueSymbol(Symbol::Kind kind, mlir::Value value, unsigned index);
  Dim cut(Dim dim);
  std::pair<int64_t, int64_t> derivedBounds(Symbol::Function function,
                                            llvm::ArrayRef<Dim> operands) const;
  void assumeAtLeast(Dim dim, int64_t lower);
  bool dependsOnElements(Dim dim) const;
  Dim positivePart(Dim dim);
  Dim derivedOrScaled(Dim dim);
  Dim extremum(Symbol::Function function, Dim a, Dim b);
  const Symbol *derivedSymbol(Dim dim, Symbol::Function function) const;
  Dim substitute(Dim dim, Dim symbol, Dim value, int &budget);
  Dim apply(Symbol::Function function, llvm::ArrayRef<Dim> operands);
  Dim assuming(Dim condition, Dim dim);

  mlir::MLIRContext *context;
  std::vector<Symbol> table;
  std::vector<bool> isFromElements; ///< per symbol
  std::vector<SymbolConstraint> required;
  std::vector<Guard> guards;
  llvm::StringMap<Dim> byName;
  std::map<std::vector<const void *>, Dim> derivedBy; ///< function, operands
  std::map<std::vector<const void *>, Dim> valueBy;   ///< kind, value, index
  /// What a broadcast was made of, in order.
  llvm::DenseMap<Dim, Dims> broadcastParts;
  /// Sizes known to be at least this, beyond what their symbols say.
  llvm::DenseMap<Dim, int64_t> assumed;
};

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_SYMBOLS_H
