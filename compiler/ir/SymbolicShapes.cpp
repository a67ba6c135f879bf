#include "compiler/ir/SymbolicShapes.h"

#include "compiler/ir/ConstantContents.h"
#include "compiler/ir/Errors.h"
#include "compiler/ir/HostOps.h"

#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// The context of one op's shape function
//===----------------------------------------------------------------------===//

/// Keeps what the shape function says apart until it has succeeded.
class ShapeContextImpl : public ShapeContext {
public:
  /// With a depth, contents that are not known are demanded.
  ShapeContextImpl(SymbolicShapes &shapes, Operation *op, unsigned demandDepth = 0)
      : shapes(shapes), demandDepth(demandDepth), resultDims(op->getNumResults()),
        resultContents(op->getNumResults()) {}

  SymbolTable &symbols() override { return shapes.table; }
  Dims dims(Value value) override { return shapes.dims(value); }
  std::optional<Dims> contents(Value value) override {
    return demandDepth ? shapes.demand(value, demandDepth - 1) : shapes.contents(value);
  }
  FailureOr<Dims> hostElements(Operation *op, Value value) override {
    return shapes.hostElements(op, value);
  }

  void setDims(unsigned result, ArrayRef<Dim> dims) override {
    resultDims[result] = Dims(dims);
  }
  void setContents(unsigned result, ArrayRef<Dim> elements) override {
    if (elements.size() <= static_cast<size_t>(maxContents))
      resultContents[result] = Dims(elements);
  }

  const std::optional<Dims> &contentsOf(OpResult result) const {
    return resultContents[result.getResultNumber()];
  }
  void commit(Operation *op);
  LogicalResult verifyTypes(Operation *op);

private:
  SymbolicShapes &shapes;
  unsigned demandDepth;
  SmallVector<std::optional<Dims>> resultDims, resultContents;
};

/// The type of a result with these sizes: element type and encoding stay.
static RankedTensorType typeOf(ArrayRef<Dim> dims, RankedTensorType type) {
  SmallVector<int64_t> sizes;
  for (Dim dim : dims)
    sizes.push_back(SymbolTable::constantValue(dim).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(sizes, type.getElementType(), type.getEncoding());
}

void ShapeContextImpl::commit(Operation *op) {
  for (OpResult result : op->getResults()) {
    unsigned i = result.getResultNumber();
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !resultDims[i])
      continue;
    result.setType(typeOf(*resultDims[i], type));
    shapes.sizes[result] = *resultDims[i];
    shapes.demanded.erase(result);
    if (resultContents[i])
      shapes.elements[result] = *resultContents[i];
    else
      shapes.elements.erase(result);
  }
}

LogicalResult ShapeContextImpl::verifyTypes(Operation *op) {
  for (OpResult result : op->getResults()) {
    unsigned i = result.getResultNumber();
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !resultDims[i])
      continue;
    auto inferred = typeOf(*resultDims[i], type);
    if (failed(verifyCompatibleShape(inferred, type)))
      return emitNodeError(op) << "result #" << i << " is " << type
                               << ", but its operands give " << inferred;
  }
  return success();
}

LogicalResult SymbolicShapes::verify(Operation *op) {
  SymbolicShapes shapes(op->getContext());
  shapes.looksBack = false;
  ShapeContextImpl context(shapes, op);
  if (failed(cast<ShapeOpInterface>(op).inferShapes(context)))
    return failure();
  return context.verifyTypes(op);
}

LogicalResult verifyShapes(Operation *op) { return SymbolicShapes::verify(op); }

//===----------------------------------------------------------------------===//
// What is known of values
//===----------------------------------------------------------------------===//

Dims SymbolicShapes::dims(Value value) {
  if (auto it = sizes.find(value); it != sizes.end())
    return it->second;
  Dims dims;
  if (auto type = dyn_cast<RankedTensorType>(value.getType()))
    for (auto [axis, size] : llvm::enumerate(type.getShape()))
      dims.push_back(ShapedType::isDynamic(size) ? table.resultDim(value, axis)
                                                 : table.constant(size));
  sizes[value] = dims;
  return dims;
}

std::optional<Dims> SymbolicShapes::contents(Value value) {
  if (auto it = elements.find(value); it != elements.end())
    return it->second;
  auto numbers = constantContents(value, ShapeContext::maxContents);
  if (!numbers)
    return std::nullopt;
  Dims dims;
  for (int64_t number : *numbers)
    dims.push_back(table.constant(number));
  elements[value] = dims;
  return dims;
}

bool SymbolicShapes::followsFromOthers(Value value) {
  std::optional<Dims> known = contents(value);
  if (!known || known->empty())
    return known.has_value();
  auto symbol = dyn_cast<AffineSymbolExpr>(known->front());
  if (!symbol)
    return true;
  const Symbol &definition = table.symbols()[symbol.getPosition()];
  return definition.kind != Symbol::Kind::element || definition.value != value;
}

// How far a host read looks back through the ops that compute its operand.
static constexpr unsigned maxDemandDepth = 64;

/// Contents of a value that are needed on the host: if not known, then computed
/// there from what its op reads, as far back as integer ops go. The elements of the
/// value where that ends are symbols.
std::optional<Dims> SymbolicShapes::demand(Value value, unsigned depth) {
  if (auto known = contents(value))
    return known;
  if (auto it = demanded.find(value); it != demanded.end())
    return it->second;
  auto count = SymbolTable::constantValue(numElements(value));
  if (!count || *count > ShapeContext::maxContents)
    return std::nullopt;

  auto shaped = dyn_cast_or_null<ShapeOpInterface>(value.getDefiningOp());
  if (shaped && depth && !shaped->getNumRegions() && isMemoryEffectFree(shaped)) {
    ShapeContextImpl context(*this, shaped, depth);
    if (failed(shaped.inferShapes(context))) {
      demandFailed = true;
      return std::nullopt;
    }
    if (auto &computed = context.contentsOf(cast<OpResult>(value)))
      return demanded[value] = *computed;
  }
  if (!isa<IntegerType>(getElementTypeOrSelf(value.getType())))
    return std::nullopt;
  bool isBool = getElementTypeOrSelf(value.getType()).isInteger(1);
  Dims symbols;
  for (int64_t i = 0; i < *count; ++i) {
    symbols.push_back(table.element(value, i));
    if (isBool)
      table.setBounds(symbols.back(), 0, 1);
  }
  return demanded[value] = symbols;
}

FailureOr<Dims> SymbolicShapes::hostElements(Operation *op, Value value) {
  auto known = demand(value, looksBack ? maxDemandDepth : 0);
  if (demandFailed)
    return failure();
  if (!known)
    return emitNodeError(op)
           << "the number of elements of an operand that is read on the host "
              "must be known when compiling and at most "
           << ShapeContext::maxContents << ", its type is " << value.getType();
  elements[value] = *known;
  return *known;
}

Dim SymbolicShapes::numElements(Value value) { return table.product(dims(value)); }

void SymbolicShapes::erase(Value value) {
  sizes.erase(value);
  elements.erase(value);
  demanded.erase(value);
}

//===----------------------------------------------------------------------===//
// Inference
//===----------------------------------------------------------------------===//

void SymbolicShapes::addArgument(BlockArgument argument, ArrayRef<std::string> dimNames) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type)
    return;
  Dims dims;
  for (auto [axis, size] : llvm::enumerate(type.getShape())) {
    StringRef name = axis < dimNames.size() ? StringRef(dimNames[axis]) : StringRef();
    dims.push_back(ShapedType::isDynamic(size) ? table.inputDim(argument, axis, name)
                                               : table.constant(size));
  }
  sizes[argument] = dims;
}

LogicalResult SymbolicShapes::inferRegion(Region &region) {
  for (Block &block : region)
    for (Operation &op : block)
      if (failed(infer(&op)))
        return failure();
  return success();
}

LogicalResult SymbolicShapes::inferRegions(Operation *op) {
  if (auto group = dyn_cast<GroupOp>(op)) {
    Block &body = group.getBody().front();
    for (auto [argument, operand] : llvm::zip(body.getArguments(), group.getInputs())) {
      sizes[argument] = dims(operand);
      if (auto known = contents(operand))
        elements[argument] = *known;
      argument.setType(operand.getType());
    }
  }
  if (auto loop = dyn_cast<LoopOp>(op))
    if (!loop.getBody().empty() && loop.getBody().getNumArguments() > 0) {
      // The host counts iterations.
      BlockArgument iteration = loop.getBody().getArgument(0);
      Dim number = table.element(iteration, 0);
      table.setBounds(number, 0, INT64_MAX);
      elements[iteration] = {number};
    }
  auto ifOp = dyn_cast<IfOp>(op);
  if (!ifOp) {
    for (Region &region : op->getRegions())
      if (failed(inferRegion(region)))
        return failure();
    return success();
  }
  ShapeContextImpl context(*this, op);
  auto condition = context.hostElements(op, ifOp.getCondition());
  if (failed(condition))
    return failure();
  if (condition->size() != 1)
    return emitNodeError(op) << "the condition must be one element, got "
                             << ifOp.getCondition().getType();
  Dim holds = condition->front();
  for (auto [region, guard] :
       {std::pair(&ifOp.getThenRegion(), holds),
        std::pair(&ifOp.getElseRegion(), table.eq(holds, table.constant(0)))}) {
    table.pushGuard(guard);
    LogicalResult result = inferRegion(*region);
    table.popGuard();
    if (failed(result))
      return failure();
  }
  return success();
}

/// Shape functions of ops without regions may take it that operands are tensors, but
/// for those of the host.
static LogicalResult checkOperands(Operation *op) {
  if (op->getNumRegions() || op->hasTrait<HxOnHost>())
    return success();
  for (auto [i, type] : llvm::enumerate(op->getOperandTypes()))
    if (!isa<RankedTensorType>(type))
      return emitNodeError(op) << "operand #" << i << " must be a tensor, got " << type;
  return success();
}

LogicalResult SymbolicShapes::infer(Operation *op) {
  auto shaped = dyn_cast<ShapeOpInterface>(op);
  if (!shaped)
    return success();
  if (failed(checkOperands(op)) || failed(inferRegions(op)))
    return failure();
  ShapeContextImpl context(*this, op);
  if (failed(shaped.inferShapes(context)))
    return failure();
  context.commit(op);
  return success();
}

static SmallVector<std::string> dimNames(func::FuncOp func, unsigned argument) {
  SmallVector<std::string> names;
  if (auto attribute = func.getArgAttrOfType<ArrayAttr>(argument, "hx.dim_names"))
    for (Attribute name : attribute) {
      auto string = dyn_cast<StringAttr>(name);
      names.push_back(string ? string.getValue().str() : std::string());
    }
  return names;
}

LogicalResult SymbolicShapes::run(func::FuncOp func) {
  if (func.isExternal())
    return success();
  if (!func.getBody().hasOneBlock())
    return func.emitError(
        "expected a function of one block: control flow is hx.if and hx.loop");
  for (BlockArgument argument : func.getArguments())
    addArgument(argument, dimNames(func, argument.getArgNumber()));
  if (failed(inferRegion(func.getBody())))
    return failure();
  Operation *terminator = func.front().getTerminator();
  func.setType(FunctionType::get(func.getContext(), func.getArgumentTypes(),
                                 terminator->getOperandTypes()));
  return success();
}

} // namespace hexin::hx
