#include "runtime/exec/ExprTable.h"

#include "runtime/base/Checked.h"

#include <algorithm>
#include <optional>

namespace hexin {
namespace {

constexpr ExprResult badDivisor = {ExprState::badDivisor, 0};

ExprResult fromChecked(std::optional<int64_t> value) {
  return value ? ExprResult::of(*value) : ExprResult{ExprState::overflow, 0};
}

/// Rounds towards minus infinity; `b` > 0.
int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

ExprResult apply(fmt::ExprOp op, int64_t a, int64_t b) {
  switch (op) {
  case fmt::ExprOp::add:
    return fromChecked(checkedAdd(a, b));
  case fmt::ExprOp::sub: {
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
      return {ExprState::overflow, 0};
    return ExprResult::of(difference);
  }
  case fmt::ExprOp::mul:
    return fromChecked(checkedMul(a, b));
  case fmt::ExprOp::floordiv:
    return b <= 0 ? badDivisor : ExprResult::of(floorDivide(a, b));
  case fmt::ExprOp::ceildiv:
    return b <= 0 ? badDivisor : ExprResult::of(a / b + (a % b > 0));
  case fmt::ExprOp::mod:
    return b <= 0 ? badDivisor : ExprResult::of(a % b + (a % b < 0 ? b : 0));
  case fmt::ExprOp::min:
    return ExprResult::of(std::min(a, b));
  case fmt::ExprOp::max:
    return ExprResult::of(std::max(a, b));
  case fmt::ExprOp::eq:
    return ExprResult::of(a == b);
  case fmt::ExprOp::lt:
    return ExprResult::of(a < b);
  default:
    return {ExprState::overflow, 0};
  }
}

} // namespace

ExprResult ExprTable::combine(const fmt::ExprNode &node) const {
  if (node.op() == fmt::ExprOp::constant)
    return ExprResult::of(node.value());
  const ExprResult &a = results_[node.a()];
  if (!a.isKnown())
    return a;
  if (node.op() == fmt::ExprOp::select)
    return results_[a.value != 0 ? node.b() : node.c()];
  const ExprResult &b = results_[node.b()];
  if (!b.isKnown())
    return b;
  return apply(node.op(), a.value, b.value);
}

std::string describeFailure(ExprState state) {
  switch (state) {
  case ExprState::overflow:
    return "overflows 64 bits";
  case ExprState::badDivisor:
    return "divides by zero or less";
  case ExprState::outOfRange:
    return "reads an element outside its tensor";
  default:
    return "is not known";
  }
}

} // namespace hexin
