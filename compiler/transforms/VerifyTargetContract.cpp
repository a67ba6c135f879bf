//===- VerifyTargetContract.cpp - what placement takes for granted ----------===//
//
// The contract itself stands in Passes.td. One walk, in the order of the checks there.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/CheckOps.h"
#include "compiler/ir/DeviceOps.h"
#include "compiler/ir/Errors.h"
#include "compiler/ir/HostOps.h"
#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/ir/ValueTypes.h"
#include "compiler/ir/WeightStore.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace hexin::hx {
#define GEN_PASS_DEF_VERIFYTARGETCONTRACTPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

constexpr llvm::StringLiteral remedy =
    "; this is a mistake of the compiler, not of the model: please report it, and try "
    "whether the model compiles with the node on the host (--allow-fallback)";

class Contract {
public:
  explicit Contract(SymbolicShapes &shapes) : shapes(shapes) {}

  LogicalResult check(Operation *op) {
    if (op->hasTrait<OpTrait::IsTerminator>())
      return success();
    // Folding moves constants away from their nodes.
    if (!isa<ConstantOp>(op) && nodeNames(op->getLoc()).empty())
      return breach(op) << "leads back to no node of the model" << remedy;
    if (!isa_and_nonnull<HXDialect>(op->getDialect()) || isa<GroupOp, YieldOp>(op))
      return breach(op) << "has no place in a module that is to be placed" << remedy;
    if (isHostOp(op)) // by nature
      return success();
    if (failed(checkMemoryTypes(op)) || failed(checkHostReads(op)))
      return failure();
    if (isa<ConstantOp, WeightOp>(op))
      return checkConstant(op);
    bool isOnHost = op->hasAttr("hx.fallback") ||
                    isa<ShapeOfOp, CheckOp, IfOp, LoopOp>(op) ||
                    llvm::all_of(op->getResults(), [&](Value result) {
                      return isa<RankedTensorType>(result.getType()) &&
                             shapes.followsFromOthers(result);
                    });
    if (isOnHost || isa<ReshapeOp>(op) || viewedBy(op))
      return success();
    if (isConstantPack(op))
      return checkPanels(op);
    if (std::string refusal = deviceRefusal(op); !refusal.empty())
      return breach(op) << "cannot run on the device: " << refusal
                        << "; to run it on the host, allow "
                        << op->getName().getStringRef()
                        << " or the node's name (--allow-fallback)";
    if (failed(checkRow(op)) || failed(checkLayout(op)))
      return failure();
    return checkPanels(op);
  }

  /// Of what a function returns, or a loop hands on: `where`.
  LogicalResult checkOwnMemory(Operation *terminator, ValueRange values) {
    llvm::DenseSet<Value> taken;
    for (Value value : values) {
      if (isHostType(value.getType()))
        continue;
      Value root = value;
      while (Value viewed =
                 root.getDefiningOp() ? viewedBy(root.getDefiningOp()) : Value())
        root = viewed;
      Operation *source = root.getDefiningOp();
      bool isOwn = source && !isa<IfOp, LoopOp>(source) && !isConstantLike(root) &&
                   (isa<CastOp>(source) || !shapes.followsFromOthers(root)) &&
                   taken.insert(root).second;
      if (isOwn)
        continue;
      if (source)
        return breach(source) << "its result is handed on without memory of its own"
                              << remedy;
      return terminator->emitError("an argument is handed on without memory of its own")
             << remedy;
    }
    return success();
  }

private:
  InFlightDiagnostic breach(Operation *op) { return emitNodeError(op); }

  /// Every tensor must fit into the artifact's table of values.
  LogicalResult checkMemoryTypes(Operation *op) {
    for (Value result : op->getResults()) {
      if (isHostType(result.getType()) && isa<ConstantOp, IfOp, LoopOp>(op))
        continue; // control flow hands on whatever there is
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type)
        return breach(op) << "gives a value of type " << result.getType()
                          << ", expected a tensor: values on the device are tensors";
      if (!toDType(type.getElementType()))
        return breach(op) << "gives elements of type " << type.getElementType()
                          << ", which no tensor in memory has" << remedy;
    }
    return success();
  }

  LogicalResult checkHostReads(Operation *op) {
    auto reads = dyn_cast<HostReadOpInterface>(op);
    if (!reads || op->hasAttr("hx.fallback"))
      return success();
    for (OpOperand &operand : op->getOpOperands()) {
      Type element = getElementTypeOrSelf(operand.get().getType());
      if (!reads.isHostRead(operand.getOperandNumber()) || !isa<IntegerType>(element) ||
          shapes.contents(operand.get()))
        continue;
      return breach(op) << "operand #" << operand.getOperandNumber() << " ("
                        << operand.get().getType()
                        << ") is read on the host, but is neither constant nor "
                           "arithmetic on sizes and small integers; fix the sizes of "
                           "the model's inputs (--shape)";
    }
    return success();
  }

  LogicalResult checkConstant(Operation *op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    if (!type.hasStaticShape())
      return breach(op) << "has sizes that are not static: " << type << remedy;
    auto weight = dyn_cast<WeightOp>(op);
    WeightStore *store = weight ? WeightStore::of(op) : nullptr;
    if (!store) // hexin-opt runs without one
      return success();
    const WeightEntry *entry = store->find(weight.getEntry());
    if (!entry)
      return breach(op) << "the weight table has no entry '" << weight.getEntry() << "'"
                        << remedy;
    if (entry->tensor.dtype() != toDType(type.getElementType()) ||
        !llvm::equal(entry->tensor.dims(), type.getShape()))
      return breach(op) << "is " << type << ", which entry '" << weight.getEntry()
                        << "' of the weight table is not" << remedy;
    return success();
  }

  static bool isConstantPack(Operation *op) {
    auto pack = dyn_cast<PackOp>(op);
    return pack && isConstantLike(pack.getInput());
  }

  LogicalResult checkRow(Operation *op) {
    auto ends = [&](Value input, int64_t axis) {
      if (axis == tensorTypeOf(input).getRank() - 1)
        return success();
      return LogicalResult(breach(op)
                           << "works along axis " << axis << " of " << input.getType()
                           << ", expected the last one" << remedy);
    };
    if (auto softmax = dyn_cast<SoftmaxOp>(op))
      return ends(softmax.getInput(), softmax.getAxis());
    if (auto softmax = dyn_cast<LogSoftmaxOp>(op))
      return ends(softmax.getInput(), softmax.getAxis());
    if (auto norm = dyn_cast<LayerNormOp>(op))
      return ends(norm.getInput(), norm.getAxis());
    return success();
  }

  /// nchw stays with windows over three axes and more, and with pools that give
  /// positions in nchw order.
  LogicalResult checkLayout(Operation *op) {
    auto isLast = [&](auto window) {
      bool isPlane = tensorTypeOf(window.getInput()).getRank() == 4;
      if (!isPlane || window.getLayout() == Layout::nhwc || op->getNumResults() > 1)
        return success();
      return LogicalResult(breach(op)
                           << "has layout nchw on " << window.getInput().getType()
                           << ", expected nhwc" << remedy);
    };
    if (auto conv = dyn_cast<ConvOp>(op))
      return isLast(conv);
    if (auto conv = dyn_cast<ConvIntegerOp>(op))
      return isLast(conv);
    if (auto conv = dyn_cast<ConvTransposeOp>(op))
      return isLast(conv);
    if (auto pool = dyn_cast<PoolOp>(op))
      return isLast(pool);
    return success();
  }

  static bool takesPanels(OpOperand &use) {
    if (isa<MatMulFewBitsOp>(use.getOwner()))
      return use.getOperandNumber() > 0;
    if (auto lstm = dyn_cast<LstmOp>(use.getOwner()))
      return &use == &lstm.getRecurrenceMutable() && !lstm.getWeights();
    if (auto layer = dyn_cast<RecurrenceOp>(use.getOwner()))
      return &use == &layer.getRecurrenceMutable();
    return use.getOperandNumber() == 1 &&
           isa<ConvOp, MatMulOp, ConvIntegerOp, MatMulIntegerOp>(use.getOwner());
  }

  LogicalResult checkPanels(Operation *op) {
    for (Value result : op->getResults()) {
      mlir::Attribute encoding = tensorTypeOf(result).getEncoding();
      if (!encoding)
        continue;
      if (!isa<PackOp>(op) || !isa<PanelsAttr>(encoding))
        return breach(op) << "gives " << result.getType()
                          << ", but only hx.pack makes panels" << remedy;
      for (OpOperand &use : result.getUses())
        if (!takesPanels(use))
          return breach(use.getOwner())
                 << "reads panels as operand #" << use.getOperandNumber()
                 << "; only the right-hand sides of convolutions, products and "
                    "recurrences "
                    "may be in panels"
                 << remedy;
    }
    return success();
  }

  SymbolicShapes &shapes;
};

struct VerifyTargetContractPass
    : impl::VerifyTargetContractPassBase<VerifyTargetContractPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    markAllAnalysesPreserved();
    SymbolicShapes shapes(&getContext());
    if (failed(shapes.run(func)))
      return signalPassFailure();
    Contract contract(shapes);
    WalkResult walked = func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      return op == func ? WalkResult::advance() : WalkResult(contract.check(op));
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    walked = func.walk([&](LoopOp loop) {
      Operation *yield = loop.getBody().front().getTerminator();
      bool isRight =
          succeeded(contract.checkOwnMemory(loop, loop.getCarried())) &&
          succeeded(contract.checkOwnMemory(yield, yield->getOperands().drop_front()));
      return isRight ? WalkResult::advance() : WalkResult::interrupt();
    });
    Operation *terminator = func.getBody().front().getTerminator();
    if (walked.wasInterrupted() ||
        failed(contract.checkOwnMemory(terminator, terminator->getOperands())))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
