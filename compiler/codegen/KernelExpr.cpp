#include "compiler/codegen/KernelExpr.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

namespace hexin::codegen {

KExpr KExprPool::intern(KNode node) {
  auto it = std::find(pool.begin(), pool.end(), node);
  if (it != pool.end())
    return {static_cast<int32_t>(it - pool.begin())};
  pool.push_back(node);
  return {static_cast<int32_t>(pool.size() - 1)};
}

KExpr KExprPool::constant(int64_t value) {
  return intern({KOp::constant, -1, -1, value});
}

KExpr KExprPool::param(unsigned number) {
  return intern({KOp::param, static_cast<int32_t>(number), -1, 0});
}

std::optional<int64_t> KExprPool::constantValue(KExpr e) const {
  const KNode &node = pool[e.node];
  if (node.op != KOp::constant)
    return std::nullopt;
  return node.value;
}

KExpr KExprPool::product(llvm::ArrayRef<KExpr> factors) {
  KExpr result = constant(1);
  for (KExpr factor : factors)
    result = mul(result, factor);
  return result;
}

KExpr KExprPool::binary(KOp op, KExpr a, KExpr b) {
  std::optional<int64_t> x = constantValue(a), y = constantValue(b);
  if (x && y) {
    switch (op) {
    case KOp::add:
      return constant(*x + *y);
    case KOp::sub:
      return constant(*x - *y);
    case KOp::mul:
      return constant(*x * *y);
    case KOp::floorDiv:
      return constant(llvm::divideFloorSigned(*x, *y));
    case KOp::ceilDiv:
      return constant(llvm::divideCeilSigned(*x, *y));
    case KOp::mod:
      return constant(*x - llvm::divideFloorSigned(*x, *y) * *y);
    case KOp::min:
      return constant(std::min(*x, *y));
    case KOp::max:
      return constant(std::max(*x, *y));
    case KOp::constant:
    case KOp::param:
      break;
    }
  }
  bool isProduct = op == KOp::mul;
  bool isQuotient = op == KOp::floorDiv || op == KOp::ceilDiv;
  if (y == 1 && (isProduct || isQuotient))
    return a;
  if (x == 1 && isProduct)
    return b;
  if (y == 0 && (op == KOp::add || op == KOp::sub))
    return a;
  if (x == 0 && op == KOp::add)
    return b;
  return intern({op, a.node, b.node, 0});
}

} // namespace hexin::codegen
