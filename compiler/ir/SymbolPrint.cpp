// Dims as people read them: "16*H*W + 1", "((H + 1) floordiv 2)".

#include "compiler/ir/Errors.h"
#include "compiler/ir/Polynomial.h"
#include "compiler/ir/SizeText.h"
#include "compiler/ir/Symbols.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

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

namespace {

/// The symbols of a table, and how those are called that the model gives no name.
struct Names {
  ArrayRef<Symbol> symbols;
  bool isForMessages; ///< "input 'x' dimension 1"; else as the table numbers them: "s1"

  std::string of(const Symbol &symbol) const;
};

} // namespace

/// An attribute of the model's input that `value` is; null when it is none.
template <typename AttrT> static AttrT inputAttribute(Value value, StringRef name) {
  auto argument = dyn_cast_or_null<BlockArgument>(value);
  auto func = argument
                  ? dyn_cast_or_null<func::FuncOp>(argument.getOwner()->getParentOp())
                  : func::FuncOp();
  return func ? func.getArgAttrOfType<AttrT>(argument.getArgNumber(), name) : AttrT();
}

/// What the model calls `value`: "input 'x'", "the result of 'conv1'"; empty when it
/// has no name.
static std::string describeValue(Value value) {
  if (auto name = inputAttribute<StringAttr>(value, "hx.name"); name && !name.empty())
    return "input '" + name.getValue().str() + "'";
  if (!isa<OpResult>(value))
    return {};
  std::string node = nodeNames(value.getLoc());
  return node.empty() ? node : "the result of '" + node + "'";
}

/// Whether the model names this size itself.
static bool isNamed(const Symbol &symbol) {
  auto names = inputAttribute<ArrayAttr>(symbol.value, "hx.dim_names");
  auto name = names && symbol.index < names.size()
                  ? dyn_cast<StringAttr>(names[symbol.index])
                  : StringAttr();
  return symbol.kind == Symbol::Kind::inputDim && name && name.getValue() == symbol.name;
}

std::string Names::of(const Symbol &symbol) const {
  using Kind = Symbol::Kind;
  if (!isForMessages || symbol.kind == Kind::derived || isNamed(symbol))
    return symbol.name;
  std::string value = describeValue(symbol.value);
  if (value.empty())
    return symbol.name;
  if (symbol.kind == Kind::element)
    return "element " + std::to_string(symbol.index) + " of " + value;
  bool isInput = symbol.kind == Kind::inputDim;
  std::string index = std::to_string(symbol.index);
  return isInput ? value + " dimension " + index : "dimension " + index + " of " + value;
}

// What is derived is printed by its definition, but only so deep: the rest is named.
static void print(const Names &names, AffineExpr expr, unsigned depth, std::string &out);

static void printSymbol(const Names &names, unsigned position, unsigned depth,
                        std::string &out) {
  if (position >= names.symbols.size()) {
    out += "?";
    return;
  }
  const Symbol &symbol = names.symbols[position];
  if (symbol.kind != Symbol::Kind::derived || depth == 0) {
    out += names.of(symbol);
    return;
  }
  out += functionName(symbol.function);
  out += "(";
  for (auto [i, operand] : llvm::enumerate(symbol.operands)) {
    if (out.size() > maxText)
      return;
    if (i)
      out += ", ";
    print(names, operand, depth - 1, out);
  }
  out += ")";
}

static void printProduct(const Names &names, const Polynomial::Monomial &monomial,
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
      printSymbol(names, symbol.getPosition(), depth, out);
      continue;
    }
    auto binary = cast<AffineBinaryOpExpr>(atom);
    bool isSum = isa<AffineBinaryOpExpr>(binary.getLHS());
    out += isSum ? "((" : "(";
    print(names, binary.getLHS(), depth, out);
    out += isSum ? ")" : "";
    out += atom.getKind() == AffineExprKind::Mod ? " mod " : " floordiv ";
    print(names, binary.getRHS(), depth, out);
    out += ")";
  }
}

/// Prints a - max(a - b, 0) as min(a, b) and b + max(a - b, 0) as max(a, b).
static bool printExtremum(const Names &names, const Polynomial &polynomial,
                          unsigned depth, std::string &out) {
  ArrayRef<Symbol> symbols = names.symbols;
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
    print(names, rest.toExpr(context), depth - 1, out);
    out += ", ";
    print(names, other->toExpr(context), depth - 1, out);
    out += ")";
    return true;
  }
  return false;
}

static void print(const Names &names, AffineExpr expr, unsigned depth, std::string &out) {
  if (out.size() > maxText)
    return;
  auto polynomial = Polynomial::fromExpr(expr);
  if (!polynomial) {
    out += "?";
    return;
  }
  if (depth && printExtremum(names, *polynomial, depth, out))
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
    printProduct(names, monomial, isNegative ? -coefficient : coefficient, depth, out);
    isFirst = false;
  }
}

static std::string printBounded(const Names &names, Dim dim) {
  static constexpr unsigned depth = 6;
  std::string out;
  print(names, dim, depth, out);
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

std::string SymbolTable::toString(Dim dim) const {
  return printBounded({table, /*isForMessages=*/false}, dim);
}

std::string describeSize(const SymbolTable &symbols, Dim dim) {
  return printBounded({symbols.symbols(), /*isForMessages=*/true}, dim);
}

} // namespace hexin::hx
