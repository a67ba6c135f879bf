//===- FoldConstants.cpp - evaluates what depends on constants and weights only -----===//

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Ops.h"
#include "compiler/ir/WeightStore.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "runtime/base/DType.h"
#include "runtime/reference/Reference.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// Above this a fold must not make data grow (a weight stays in its narrow type).
constexpr int64_t freeGrowthBytes = 64 * 1024;
/// Nothing that large is made at compile time.
constexpr int64_t maxFoldBytes = int64_t(1) << 31;

bool isFoldable(Operation *op) {
  if (op->getNumRegions() != 0 || op->getNumOperands() == 0 || op->getNumResults() == 0)
    return false;
  if (isa<ConstantOp, WeightOp, PackOp, StateReadOp, StateWriteOp>(op))
    return false;
  return isPure(op) && isConstantLike(op->getOperands()) &&
         reference::supports(op->getName().stripDialect());
}

/// What the reference kernel says, or empty when it must not or cannot be folded.
std::vector<Tensor> evaluate(Operation *op) {
  std::vector<Tensor> owned;
  owned.reserve(op->getNumOperands());
  int64_t operandBytes = 0;
  std::vector<const Tensor *> operands;
  for (auto [position, value] : odsOperands(op)) {
    operands.resize(std::max(operands.size(), position + 1), nullptr);
    std::optional<Tensor> tensor = constantTensor(value);
    if (!tensor)
      return {};
    operandBytes += tensor->byteLength();
    owned.push_back(std::move(*tensor));
    operands[position] = &owned.back();
  }
  std::vector<DType> types;
  for (Type type : op->getResultTypes()) {
    std::optional<DType> dtype = toDType(cast<ShapedType>(type).getElementType());
    if (!dtype)
      return {};
    types.push_back(*dtype);
  }
  // Movement that only repeats data (broadcasts, padding) and casts of large
  // weights to wider types stay in the program.
  int64_t resultBytes = 0;
  for (auto [type, dtype] : llvm::zip(op->getResultTypes(), types)) {
    auto tensorType = cast<RankedTensorType>(type);
    if (!tensorType.hasStaticShape())
      return {};
    resultBytes += tensorType.getNumElements() * byteWidth(dtype);
  }
  if (resultBytes > maxFoldBytes ||
      (resultBytes > freeGrowthBytes && resultBytes > 2 * operandBytes))
    return {};
  Result<std::vector<Tensor>> results =
      reference::run(op->getName().stripDialect().str(), toAttributes(op), operands,
                     types, {.box = std::nullopt, .maxResultBytes = maxFoldBytes});
  if (!results.ok())
    return {}; // the run will say what is wrong, at the node
  return std::move(*results);
}

struct FoldConstantsPass : impl::FoldConstantsPassBase<FoldConstantsPass> {
  void runOnOperation() override {
    WeightStore *store = WeightStore::of(getOperation());
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isFoldable(op))
        return;
      std::vector<Tensor> results = evaluate(op);
      if (results.size() != op->getNumResults())
        return;
      OpBuilder builder(op);
      for (auto [result, tensor] : llvm::zip(op->getResults(), results)) {
        Value folded = materialiseConstant(builder, op->getLoc(), tensor, store);
        if (!folded)
          return;
        result.replaceAllUsesWith(folded);
      }
    });
    eraseDead(getOperation());
  }
};

} // namespace
} // namespace hexin::hx
