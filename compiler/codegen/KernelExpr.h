//===- KernelExpr.h - sizes inside a kernel, as expressions over its params ----===//
//
// A kernel sees sizes only through its int64 params. What planning must know of
// it (number of work items, bytes touched per binding) is an expression over the
// same params. One pool per kernel holds them; it goes into the artifact as is
// (fmt::Kernel.exprs).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_KERNELEXPR_H
#define HEXIN_COMPILER_CODEGEN_KERNELEXPR_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace hexin::codegen {

/// An index into the pool.
struct KExpr {
  int32_t node = -1;
  bool operator==(const KExpr &other) const = default;
};

enum class KOp : uint8_t {
  constant,
  param,
  add,
  sub,
  mul,
  floorDiv,
  ceilDiv,
  mod,
  min,
  max
};

struct KNode {
  KOp op;
  int32_t lhs = -1; ///< node, or the param's number
  int32_t rhs = -1;
  int64_t value = 0;
  bool operator==(const KNode &other) const = default;
};

class KExprPool {
public:
  KExpr constant(int64_t value);
  KExpr param(unsigned number);
  KExpr add(KExpr a, KExpr b) { return binary(KOp::add, a, b); }
  KExpr sub(KExpr a, KExpr b) { return binary(KOp::sub, a, b); }
  KExpr mul(KExpr a, KExpr b) { return binary(KOp::mul, a, b); }
  KExpr floorDiv(KExpr a, KExpr b) { return binary(KOp::floorDiv, a, b); }
  KExpr ceilDiv(KExpr a, KExpr b) { return binary(KOp::ceilDiv, a, b); }
  KExpr mod(KExpr a, KExpr b) { return binary(KOp::mod, a, b); }
  KExpr min(KExpr a, KExpr b) { return binary(KOp::min, a, b); }
  KExpr max(KExpr a, KExpr b) { return binary(KOp::max, a, b); }
  KExpr product(llvm::ArrayRef<KExpr> factors);

  std::optional<int64_t> constantValue(KExpr e) const;
  llvm::ArrayRef<KNode> nodes() const { return pool; }

private:
  KExpr binary(KOp op, KExpr a, KExpr b);
  KExpr intern(KNode node);
  std::vector<KNode> pool;
};

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_KERNELEXPR_H
