#include "backends/cuda/compiler/CublasLtCall.h"

#include "backends/cuda/abi/LibraryOps.h"

using namespace mlir;

namespace hexin::cuda {
namespace {

using mlir::Value; // not hexin::Value, a model's input or output

Type elementType(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

bool isZero(Value value) {
  auto constant = value.getDefiningOp<hx::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : nullptr;
  return dense && dense.isSplat() && dense.getSplatValue<APFloat>().isZero();
}

class CallBuilder {
public:
  CallBuilder(hx::GroupOp group, hx::MatMulOp product, hx::SymbolicShapes &shapes)
      : group(group), product(product), shapes(shapes) {}

  /// Empty when the call is complete.
  std::string build() {
    std::string refusal = checkProduct();
    if (refusal.empty())
      refusal = readEpilogue();
    if (!refusal.empty())
      return refusal;
    call.name = library::matmul;
    call.attributes.set(library::transposeLhs, int64_t(product.getTransposeLhs()));
    call.attributes.set(library::transposeRhs, int64_t(product.getTransposeRhs()));
    call.attributes.set(library::hasBias, int64_t(bool(bias)));
    call.attributes.set(library::hasRelu, int64_t(hasRelu));
    call.bindings = {outside(product.getLhs()), rhs};
    if (bias)
      call.bindings.push_back(outside(bias));
    call.bindings.push_back(group.getResult(0));
    return "";
  }

  LibraryCall take() { return std::move(call); }

private:
  /// One type for all, nothing computed on the way in, nothing packed for our kernel.
  std::string checkProduct() {
    Type type = elementType(product.getResult());
    if (!type.isF32() && !type.isF16() && !type.isBF16())
      return "only f32, f16 and bf16 are asked of it";
    if (product.getAccumulate() && !product.getAccumulate()->isF32())
      return "sums are kept in another type than f32";
    if (group.getNumResults() != 1 || elementType(group.getResult(0)) != type)
      return "the group has several results, or one of another type";
    for (Value operand : product->getOperands()) {
      if (!isa<BlockArgument>(operand))
        return "an operand is computed in the group";
      auto tensor = cast<RankedTensorType>(operand.getType());
      if (tensor.getElementType() != type)
        return "an operand is of another type";
    }
    return findRhs();
  }

  /// Our kernel reads panels, the library the plain matrix, which a constant has too.
  std::string findRhs() {
    rhs = outside(product.getRhs());
    auto pack = rhs.getDefiningOp<hx::PackOp>();
    if (pack &&
        isa_and_nonnull<hx::WeightOp, hx::ConstantOp>(pack.getInput().getDefiningOp()))
      rhs = pack.getInput();
    return cast<RankedTensorType>(rhs.getType()).getEncoding()
               ? "the right-hand side is computed, and packed for our kernel"
               : "";
  }

  /// A bias, then a relu, each or none: what the library's epilogue does, in its order.
  std::string readEpilogue() {
    Value yielded = group.getBody().front().getTerminator()->getOperand(0);
    Value current = product.getResult();
    while (current != yielded) {
      if (!current.hasOneUse())
        return "a value of the epilogue is read twice";
      Operation *op = *current.user_begin();
      if (hasRelu || (!readBias(op, current) && !readRelu(op, current)))
        return "no epilogue for " + op->getName().getStringRef().str();
      current = op->getResult(0);
    }
    return current.hasOneUse() ? "" : "a value inside of the epilogue is also a result";
  }

  bool readBias(Operation *op, Value current) {
    auto binary = dyn_cast<hx::BinaryOp>(op);
    if (!binary || binary.getFn() != hx::BinaryFn::add || bias)
      return false;
    Value other = binary.getLhs() == current ? binary.getRhs() : binary.getLhs();
    if (!isa<BlockArgument>(other) || other == current || !isPerColumn(other))
      return false;
    bias = other;
    return true;
  }

  bool readRelu(Operation *op, Value current) {
    if (auto activation = dyn_cast<hx::ActivationOp>(op))
      hasRelu = activation.getKind() == hx::ActivationKind::relu;
    else if (auto binary = dyn_cast<hx::BinaryOp>(op))
      hasRelu = binary.getFn() == hx::BinaryFn::max &&
                isZero(binary.getLhs() == current ? binary.getRhs() : binary.getLhs());
    return hasRelu;
  }

  /// A value for each of the result's columns, the same for all rows.
  bool isPerColumn(Value operand) {
    hx::Dims own = shapes.dims(operand), result = shapes.dims(product.getResult());
    if (own.empty() || own.size() > result.size() || own.back() != result.back())
      return false;
    return llvm::all_of(ArrayRef(own).drop_back(), [](hx::Dim size) {
      return hx::SymbolTable::constantValue(size) == 1;
    });
  }

  /// What the group is given for an argument of its body.
  Value outside(Value argument) {
    return group.getInputs()[cast<BlockArgument>(argument).getArgNumber()];
  }

  hx::GroupOp group;
  hx::MatMulOp product;
  hx::SymbolicShapes &shapes;
  LibraryCall call;
  Value rhs; ///< as it is outside of the group
  Value bias;
  bool hasRelu = false;
};

} // namespace

hx::MatMulOp productOf(hx::GroupOp group) {
  auto products = group.getBody().front().getOps<hx::MatMulOp>();
  return products.empty() ? hx::MatMulOp() : *products.begin();
}

std::optional<LibraryCall> cublasLtCall(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                        std::string &reason) {
  hx::MatMulOp product = productOf(group);
  if (!product)
    return std::nullopt;
  CallBuilder builder(group, product, shapes);
  reason = builder.build();
  if (!reason.empty())
    return std::nullopt;
  return builder.take();
}

} // namespace hexin::cuda
