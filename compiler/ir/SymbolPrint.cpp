// Dims as people read them: "16*H*W + 1", "((H + 1) floordiv 2)".

#include "compiler/ir/Polynomial.h"
#include "compiler/ir/Symbols.h"

using namespace mlir;

namespace hexin::hx {

static StringRef functionName(Symbol::Function function) {
  switch (function) {
  case Symbol::Function::none:
    return "none";
  case Symbol::Function::mul:
    return "mul";
  case Symbol::Function::floorDiv:
    return "floordiv";
  case Symbol::Function::ceilDiv:
    return "ceildiv";
  case Symbol::Function::mod:
    return "mod";
  case Symbol::Function::min:
    return "min";
  case Symbol::Function::max:
    return "max";
  case Symbol::Function::eq:
    return "eq";
  case Symbol::Function::lt:
    return "lt";
  case Symbol::Function::select:
    return "select";
  }
  return "none";
}

/// A text is for people. Definitions that share parts grow exponentially when written
/// out, so writing stops here and toString marks the cut.
static constexpr size_t maxText = 512;

// What is derived is printed by its definition, but only so deep: the rest is named.
static void print(ArrayRef<Symbol> symbols, AffineExpr expr, unsigned depth,
                  std::string &out);

static void printSymbol(ArrayRef<Symbol> symbols, unsigned position, unsigned depth,
                        std::string &out) {
  if (position >= symbols.size()) {
    out += "?";
    return;
  }
  const Symbol &symbol = symbols[position];
  if (symbol.kind != Symbol::Kind::derived || depth == 0) {
    out += symbol.name;
    return;
  }
  out += functionName(symbol.function);
  out += "(";
  for (auto [i, operand] : llvm::enumerate(symbol.operands)) {
    if (out.size() > maxText)
      return;
    if (i)
      out += ", ";
    print(symbols, operand, depth - 1, out);
  }
  out += ")";
}

static void printProduct(ArrayRef<Symbol> symbols, const Polynomial::Monomial &monomial,
                         int64_t coefficient, unsigned depth, std::string &out) {
  bool isFirst = true;
  if (coefficient != 1 || monomial.empty()) {
    out += std::to_string(coefficient);
    isFirst = false;
  }
  for (AffineExpr atom : monomial) {
    if (out.size() > maxText)
      return;
    if (!isFirst)
      out += "*";
    isFirst = false;
    if (auto symbol = dyn_cast<AffineSymbolExpr>(atom)) {
      printSymbol(symbols, symbol.getPosition(), depth, out);
      continue;
    }
    auto binary = cast<AffineBinaryOpExpr>(atom);
    bool isSum = isa<AffineBinaryOpExpr>(binary.getLHS());
    out += isSum ? "((" : "(";
    print(symbols, binary.getLHS(), depth, out);
    out += isSum ? ")" : "";
    out += atom.getKind() == AffineExprKind::Mod ? " mod " : " floordiv ";
    print(symbols, binary.getRHS(), depth, out);
    out += ")";
  }
}

/// Prints a - max(a - b, 0) as min(a, b) and b + max(a - b, 0) as max(a, b).
static bool printExtremum(ArrayRef<Symbol> symbols, const Polynomial &polynomial,
                          unsigned depth, std::string &out) {
  for (auto &[monomial, coefficient] : llvm::reverse(polynomial.terms())) {
    AffineSymbolExpr symbol(nullptr);
    if (monomial.size() == 1)
      symbol = dyn_cast<AffineSymbolExpr>(monomial[0]);
    if (!symbol || (coefficient != 1 && coefficient != -1) ||
        symbol.getPosition() >= symbols.size() ||
        symbols[symbol.getPosition()].function != Symbol::Function::max)
      continue;
    ArrayRef<Dim> operands = symbols[symbol.getPosition()].operands;
    auto difference = Polynomial::fromExpr(operands[0]);
    Polynomial rest = polynomial;
    if (SymbolTable::constantValue(operands[1]) != 0 || !difference ||
        !rest.accumulate(monomial, -coefficient) || rest.terms().empty())
      continue;
    auto other = rest.plus(*difference, coefficient);
    if (!other || other->terms().size() > 1)
      continue;
    MLIRContext *context = operands[0].getContext();
    out += coefficient == 1 ? "max(" : "min(";
    print(symbols, rest.toExpr(context), depth - 1, out);
    out += ", ";
    print(symbols, other->toExpr(context), depth - 1, out);
    out += ")";
    return true;
  }
  return false;
}

static void print(ArrayRef<Symbol> symbols, AffineExpr expr, unsigned depth,
                  std::string &out) {
  if (out.size() > maxText)
    return;
  auto polynomial = Polynomial::fromExpr(expr);
  if (!polynomial) {
    out += "?";
    return;
  }
  if (depth && printExtremum(symbols, *polynomial, depth, out))
    return;
  if (polynomial->terms().empty())
    out += "0";
  bool isFirst = true;
  for (auto &[monomial, coefficient] : llvm::reverse(polynomial->terms())) {
    if (out.size() > maxText)
      return;
    bool isNegative = coefficient < 0 && coefficient != INT64_MIN;
    if (!isFirst)
      out += isNegative ? " - " : " + ";
    else if (isNegative)
      out += "-";
    printProduct(symbols, monomial, isNegative ? -coefficient : coefficient, depth, out);
    isFirst = false;
  }
}

std::string SymbolTable::toString(Dim dim) const {
  static constexpr unsigned depth = 6;
  std::string out;
  print(table, dim, depth, out);
  if (out.size() > maxText) {
    // Names may be of any alphabet: cut between characters.
    size_t end = maxText;
    while (end && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80)
      --end;
    out.resize(end);
    out += "...";
  }
  return out;
}

} // namespace hexin::hx
