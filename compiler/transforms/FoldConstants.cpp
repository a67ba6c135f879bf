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
/// What any model may grow by, and how often it may be rewritten.
constexpr int64_t minGrowthBudget = int64_t(64) << 20;
constexpr int64_t rewrites = 8;
/// On the module: what is left of the budget after the runs before.
constexpr llvm::StringLiteral budgetAttr = "hx.fold_budget";

/// Bytes of a static tensor of a known element type, saturated; else nullopt.
std::optional<int64_t> bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<DType> dtype = tensor ? toDType(tensor.getElementType()) : std::nullopt;
  if (!dtype || !tensor.hasStaticShape())
    return std::nullopt;
  int64_t bytes = byteWidth(*dtype);
  for (int64_t size : tensor.getShape())
    bytes = llvm::SaturatingMultiply<uint64_t>(bytes, size) > uint64_t(INT64_MAX / 2)
                ? INT64_MAX / 2
                : bytes * size;
  return bytes;
}

/// A model of a few bytes must not fold into gigabytes: what folding adds in all is
/// bounded by what the model came with. Results that take the place of their operands
/// (a transposed weight) add nothing, yet they too are only made so many times.
class Budget {
public:
  explicit Budget(ModuleOp module) : module(module) {
    if (auto left = module->getAttrOfType<DenseI64ArrayAttr>(budgetAttr);
        left && left.size() == 2) {
      growth = left[0];
      total = left[1];
      return;
    }
    int64_t present = 0;
    module.walk([&](Operation *op) {
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
        if (dense && dense.isSplat())
          return;
      } else if (!isa<WeightOp>(op)) {
        return;
      }
      int64_t bytes = bytesOf(op->getResult(0).getType()).value_or(0);
      present = std::min(present + bytes, INT64_MAX / (4 * rewrites));
    });
    growth = std::max(minGrowthBudget, present);
    total = rewrites * growth;
  }

  /// Takes what the results of `op` cost; false when too little is left.
  bool take(Operation *op, int64_t resultBytes) {
    int64_t replaced = 0;
    llvm::SmallPtrSet<Operation *, 4> seen;
    for (Value operand : op->getOperands())
      if (seen.insert(operand.getDefiningOp()).second &&
          llvm::all_equal(operand.getUsers()))
        replaced += bytesOf(operand.getType()).value_or(0);
    int64_t added = std::max<int64_t>(resultBytes - replaced, 0);
    if (added > growth || resultBytes > total)
      return false;
    growth -= added;
    total -= resultBytes;
    return true;
  }

  void store() {
    module->setAttr(budgetAttr,
                    DenseI64ArrayAttr::get(module.getContext(), {growth, total}));
  }

private:
  ModuleOp module;
  int64_t growth = 0, total = 0;
};

/// Weights of 8 bits that products may read as they are (hx-integer-products).
bool areNarrowWeights(Operation *op) {
  auto dequantize = dyn_cast<DequantizeOp>(op);
  auto type =
      dequantize ? dyn_cast<RankedTensorType>(dequantize.getInput().getType()) : nullptr;
  return type && type.getRank() >= 2 && type.getElementType().isInteger(8);
}

bool isFoldable(Operation *op) {
  if (op->getNumRegions() != 0 || op->getNumOperands() == 0 || op->getNumResults() == 0)
    return false;
  if (isa<ConstantOp, WeightOp, PackOp, StateReadOp, StateWriteOp>(op))
    return false;
  return isPure(op) && isConstantLike(op->getOperands()) &&
         reference::supports(op->getName().stripDialect());
}

/// A reshaped tensor on the memory of the one it is made from; nothing where `op` does
/// more, or where somebody else owns that.
std::optional<Tensor> viewOf(Operation *op, ArrayRef<const Tensor *> operands) {
  auto reshape = dyn_cast<ReshapeOp>(op);
  if (!reshape || !operands[0]->owner())
    return std::nullopt;
  auto type = cast<RankedTensorType>(reshape.getType());
  const Tensor &input = *operands[0];
  if (!type.hasStaticShape() || type.getNumElements() != input.numElements())
    return std::nullopt;
  Result<Tensor> view =
      Tensor::wrap(input.dtype(), {type.getShape().data(), type.getShape().size()},
                   const_cast<void *>(input.data()), input.byteLength(), input.owner());
  return view.ok() ? std::optional(std::move(*view)) : std::nullopt;
}

/// What the reference kernel says, or empty when it must not or cannot be folded.
std::vector<Tensor> evaluate(Operation *op, Budget &budget) {
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
  // weights to wider types stay in the program. A broadcast costs nothing in a run,
  // however little it adds: numbers of 4 bits are unpacked from a weight read twice.
  int64_t resultBytes = 0;
  for (Type type : op->getResultTypes()) {
    std::optional<int64_t> bytes = bytesOf(type);
    if (!bytes || *bytes > maxFoldBytes)
      return {};
    resultBytes += *bytes;
  }
  if (resultBytes > maxFoldBytes ||
      (resultBytes > freeGrowthBytes &&
       resultBytes > (isa<BroadcastToOp>(op) ? 1 : 2) * operandBytes) ||
      !budget.take(op, resultBytes))
    return {};
  if (std::optional<Tensor> view = viewOf(op, operands))
    return {std::move(*view)};
  Result<std::vector<Tensor>> results =
      reference::run(op->getName().stripDialect().str(), toAttributes(op), operands,
                     types, {.box = std::nullopt, .maxResultBytes = maxFoldBytes});
  if (!results.ok())
    return {}; // the run will say what is wrong, at the node
  return std::move(*results);
}

struct FoldConstantsPass : impl::FoldConstantsPassBase<FoldConstantsPass> {
  using FoldConstantsPassBase::FoldConstantsPassBase;

  void runOnOperation() override {
    WeightStore *store = WeightStore::of(getOperation());
    Budget budget(getOperation());
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isFoldable(op) || (keepNarrow && areNarrowWeights(op)))
        return;
      std::vector<Tensor> results = evaluate(op, budget);
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
    budget.store();
  }
};

} // namespace
} // namespace hexin::hx
