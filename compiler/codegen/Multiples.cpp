#include "compiler/codegen/Multiples.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <bit>

using namespace mlir;

namespace hexin::codegen {
namespace {

class Multiples {
public:
  Multiples(unsigned factor, function_ref<unsigned(BlockArgument)> ofParam)
      : factor(factor), ofParam(ofParam) {}

  /// The largest power of two, up to `factor`, that divides `value`.
  unsigned of(Value value) {
    auto [known, isNew] = seen.try_emplace(value, 1);
    if (!isNew)
      return known->second;
    unsigned found = compute(value);
    return seen[value] = found;
  }

private:
  unsigned compute(Value value) {
    if (APInt constant; matchPattern(value, m_ConstantInt(&constant)))
      return ofConstant(constant);
    if (auto argument = dyn_cast<BlockArgument>(value))
      return ofArgument(argument);
    return llvm::TypeSwitch<Operation *, unsigned>(value.getDefiningOp())
        .Case<arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MaxSIOp,
              arith::MinUIOp, arith::MaxUIOp, arith::RemSIOp, arith::RemUIOp>(
            [&](auto op) { return std::min(of(op.getLhs()), of(op.getRhs())); })
        .Case([&](arith::MulIOp op) {
          // A size stands behind the number it multiplies: where it suffices, nothing is
          // asked of the params in that number.
          unsigned rhs = of(op.getRhs());
          return rhs == factor ? rhs : std::min(factor, rhs * of(op.getLhs()));
        })
        .Case([&](arith::SelectOp op) {
          return std::min(of(op.getTrueValue()), of(op.getFalseValue()));
        })
        .Case<arith::IndexCastOp, arith::IndexCastUIOp>(
            [&](auto op) { return of(op.getIn()); })
        .Default(1u);
  }

  unsigned ofConstant(const APInt &constant) const {
    return constant.isZero() || constant.countr_zero() >= 16
               ? factor
               : std::min(factor, 1u << constant.countr_zero());
  }

  unsigned ofArgument(BlockArgument argument) {
    Operation *owner = argument.getOwner()->getParentOp();
    if (isa<func::FuncOp>(owner))
      return argument.getType().isInteger(64) ? ofParam(argument) : 1;
    auto loop = dyn_cast<scf::ForOp>(owner);
    if (!loop || argument != loop.getInductionVar())
      return 1;
    return std::min(of(loop.getLowerBound()), of(loop.getStep()));
  }

  unsigned factor;
  function_ref<unsigned(BlockArgument)> ofParam;
  llvm::DenseMap<Value, unsigned> seen;
};

} // namespace

bool isMultipleOf(Value position, unsigned factor,
                  function_ref<unsigned(BlockArgument)> ofParam) {
  return Multiples(factor, ofParam).of(position) == factor;
}

} // namespace hexin::codegen
