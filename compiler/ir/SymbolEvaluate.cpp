// The value of a Dim for given sizes.

#include "compiler/ir/Symbols.h"

#include "runtime/base/Checked.h"

#include <algorithm>

using namespace mlir;

namespace hexin::hx {

/// floor(a / b) for b > 0.
static int64_t floorQuotient(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

static std::optional<int64_t> floorDivide(int64_t a, int64_t b) {
  if (b <= 0)
    return std::nullopt;
  return floorQuotient(a, b);
}

static std::optional<int64_t> evaluateExpr(AffineExpr expr,
                                           ArrayRef<std::optional<int64_t>> values) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbol.getPosition() < values.size() ? values[symbol.getPosition()]
                                                : std::nullopt;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  auto lhs = evaluateExpr(binary.getLHS(), values),
       rhs = evaluateExpr(binary.getRHS(), values);
  if (!lhs || !rhs)
    return std::nullopt;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return checkedAdd(*lhs, *rhs);
  case AffineExprKind::Mul:
    return checkedMul(*lhs, *rhs);
  case AffineExprKind::FloorDiv:
    return floorDivide(*lhs, *rhs);
  case AffineExprKind::CeilDiv: {
    auto raised = checkedAdd(*lhs, *rhs - 1);
    return raised && *rhs > 0 ? floorDivide(*raised, *rhs) : std::nullopt;
  }
  case AffineExprKind::Mod:
    return *rhs > 0 ? std::optional(*lhs - floorQuotient(*lhs, *rhs) * *rhs)
                    : std::nullopt;
  default:
    return std::nullopt;
  }
}

static std::optional<int64_t>
evaluateFunction(Symbol::Function function, ArrayRef<std::optional<int64_t>> operands) {
  using Function = Symbol::Function;
  if (function == Function::select) {
    if (!operands[0])
      return std::nullopt;
    return *operands[0] ? operands[1] : operands[2];
  }
  if (!operands[0] || !operands[1])
    return std::nullopt;
  int64_t a = *operands[0], b = *operands[1];
  switch (function) {
  case Function::mul:
    return checkedMul(a, b);
  case Function::floorDiv:
    return floorDivide(a, b);
  case Function::ceilDiv: {
    auto raised = checkedAdd(a, b - 1);
    return raised ? floorDivide(*raised, b) : std::nullopt;
  }
  case Function::mod:
    return b > 0 ? std::optional(a - floorQuotient(a, b) * b) : std::nullopt;
  case Function::min:
    return std::min(a, b);
  case Function::max:
    return std::max(a, b);
  case Function::eq:
    return a == b;
  case Function::lt:
    return a < b;
  default:
    return std::nullopt;
  }
}

std::optional<int64_t> SymbolTable::evaluate(
    Dim dim, llvm::function_ref<std::optional<int64_t>(unsigned)> symbolValue) const {
  SmallVector<std::optional<int64_t>> values;
  for (auto [index, symbol] : llvm::enumerate(table)) {
    if (symbol.kind != Symbol::Kind::derived) {
      values.push_back(symbolValue(index));
      continue;
    }
    SmallVector<std::optional<int64_t>, 3> operands;
    for (Dim operand : symbol.operands)
      operands.push_back(evaluateExpr(operand, values));
    values.push_back(evaluateFunction(symbol.function, operands));
  }
  return evaluateExpr(dim, values);
}

} // namespace hexin::hx
