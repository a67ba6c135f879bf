#include "backends/cpu/compiler/OneDnnCall.h"

#include "backends/cpu/abi/LibraryOps.h"
#include "backends/cpu/compiler/OneDnnCost.h"
#include "backends/cpu/compiler/PostOps.h"
#include "compiler/ir/AttributeConversion.h"

using namespace mlir;

namespace hexin::cpu {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

hx::PanelsAttr panelsOf(Value value) {
  return dyn_cast_or_null<hx::PanelsAttr>(
      cast<RankedTensorType>(value.getType()).getEncoding());
}

Operation *libraryOp(hx::GroupOp group) {
  for (Operation &op : group.getBody().front().without_terminator())
    if (isa<hx::ConvOp, hx::ConvTransposeOp, hx::MatMulOp, hx::PoolOp>(op))
      return &op;
  return nullptr;
}

class CallBuilder {
public:
  CallBuilder(hx::GroupOp group, Operation *heavy, hx::SymbolicShapes &shapes)
      : group(group), heavy(heavy), shapes(shapes) {}

  /// Empty when the call is complete.
  std::string build(LibraryUse use) {
    std::string refusal = checkValues();
    if (!refusal.empty())
      return refusal;
    for (const auto &[name, value] : hx::toAttributes(heavy))
      if (name != "operandSegmentSizes" && name != "accumulate")
        call.attributes.set(name, value);
    if (auto conv = dyn_cast<hx::ConvOp>(heavy))
      refusal = describe(conv);
    else if (auto transposed = dyn_cast<hx::ConvTransposeOp>(heavy))
      refusal = describe(transposed);
    else if (auto matmul = dyn_cast<hx::MatMulOp>(heavy))
      refusal = describe(matmul);
    else
      refusal = describe(cast<hx::PoolOp>(heavy));
    if (!refusal.empty() || use == LibraryUse::wherePossible)
      return refusal;
    if (!lossyStep.empty())
      return "its " + lossyStep + " does not keep NaN and infinities as they are";
    FasterWhere faster = whereOneDnnIsFaster(heavy, hasRelu, shapes);
    call.guard = faster.guard;
    return faster.isNever ? "our kernel is faster" : "";
  }

  LibraryCall take() { return std::move(call); }

private:
  /// Everything in f32, nothing computed on the way in.
  std::string checkValues() {
    if (group.getNumResults() != 1 || heavy->getNumResults() != 1)
      return "more than one result";
    auto isF32 = [](Type type) {
      return cast<ShapedType>(type).getElementType().isF32();
    };
    if (!llvm::all_of(heavy->getOperandTypes(), isF32) ||
        !llvm::all_of(heavy->getResultTypes(), isF32) || !isF32(group.getType(0)))
      return "only f32 is asked of it";
    for (Value operand : heavy->getOperands())
      if (!isa<BlockArgument>(operand))
        return "an operand is computed in the group";
    return "";
  }

  std::string describe(hx::ConvOp op) {
    call.name = library::conv;
    std::string refusal = bindWeights(op.getInput(), op.getWeights(), false);
    int64_t channelAxis = op.getLayout() == hx::Layout::nhwc ? rank() - 1 : 1;
    return refusal.empty() ? bindRest(op.getBias(), channelAxis) : refusal;
  }

  std::string describe(hx::ConvTransposeOp op) {
    call.name = library::convTranspose;
    if (op.getOutputSize() || op.getPadPolicy() != hx::PadPolicy::explicit_pads)
      return "the pads follow from an output size";
    std::string refusal = bindWeights(op.getInput(), op.getWeights(), false);
    int64_t channelAxis = op.getLayout() == hx::Layout::nhwc ? rank() - 1 : 1;
    return refusal.empty() ? bindRest(op.getBias(), channelAxis) : refusal;
  }

  std::string describe(hx::MatMulOp op) {
    call.name = library::matmul;
    if (op.getAccumulate() && !op.getAccumulate()->isF32())
      return "sums are kept in another type than f32";
    std::string refusal = bindWeights(op.getLhs(), op.getRhs(), op.getTransposeRhs());
    return refusal.empty() ? bindRest(Value(), rank() - 1) : refusal;
  }

  std::string describe(hx::PoolOp op) {
    call.name = library::pool;
    if (op.getFn() == hx::PoolFn::sum)
      return "no pooling that sums";
    if (op.getResult() != yielded())
      return "pooling with an epilogue";
    if (op.getFn() == hx::PoolFn::max)
      lossyStep = "maximum";
    call.bindings = {outside(op.getInput()), group.getResult(0)};
    return "";
  }

  std::string bindWeights(Value src, Value weights, bool isTransposed) {
    Value source = outside(weights);
    auto pack = source.getDefiningOp<hx::PackOp>();
    bool isConstant = isa_and_nonnull<hx::WeightOp, hx::ConstantOp>(
        pack ? pack.getInput().getDefiningOp() : source.getDefiningOp());
    if (hx::PanelsAttr panels = panelsOf(weights)) {
      if (!isConstant)
        return "the right-hand side is computed, and packed for our kernel";
      if (panels.getConv() != isa<hx::ConvOp>(heavy) ||
          panels.getTransposed() != isTransposed)
        return "the weights are in panels of another form";
      call.attributes.set(library::panels,
                          std::vector<int64_t>{panels.getWidth(), panels.getGroups()});
    }
    call.bindings = {outside(src), source};
    return "";
  }

  std::string bindRest(Value bias, int64_t channelAxis) {
    std::string refusal;
    auto epilogue =
        readEpilogue(heavy, group, shapes, channelAxis, /*mayTakeBias=*/!bias, refusal);
    if (!epilogue)
      return refusal;
    if (!bias)
      bias = epilogue->bias;
    if (bias) {
      call.bindings.push_back(outside(bias));
      call.attributes.set(library::hasBias, int64_t(1));
    }
    for (Value operand : epilogue->operands)
      call.bindings.push_back(outside(operand));
    call.bindings.push_back(group.getResult(0));
    if (!epilogue->postOps.empty())
      call.attributes.set(library::postOps, epilogue->postOps);
    lossyStep = epilogue->lossyStep;
    hasRelu = epilogue->hasRelu;
    return "";
  }

  /// What the group is given for an argument of its body.
  Value outside(Value argument) {
    return group.getInputs()[cast<BlockArgument>(argument).getArgNumber()];
  }
  Value yielded() { return group.getBody().front().getTerminator()->getOperand(0); }
  int64_t rank() { return cast<ShapedType>(heavy->getResult(0).getType()).getRank(); }

  hx::GroupOp group;
  Operation *heavy;
  hx::SymbolicShapes &shapes;
  LibraryCall call;
  std::string lossyStep;
  bool hasRelu = false;
};

} // namespace

std::optional<LibraryCall> oneDnnCall(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                      LibraryUse use, std::string &reason) {
  Operation *heavy = libraryOp(group);
  if (!heavy)
    return std::nullopt;
  reason = "disabled by an option";
  if (use == LibraryUse::never)
    return std::nullopt;
  CallBuilder builder(group, heavy, shapes);
  reason = builder.build(use);
  if (!reason.empty())
    return std::nullopt;
  return builder.take();
}

} // namespace hexin::cpu
