//===- ProgramValues.cpp - the values of a program -------------------------------===//

#include "compiler/artifact/PortTypes.h"
#include "compiler/artifact/ProgramEmitter.h"
#include "compiler/codegen/Codegen.h"
#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/DeviceOps.h"
#include "compiler/ir/SizeText.h"
#include "compiler/ir/ValueTypes.h"
#include "compiler/target/Partition.h"
#include "compiler/target/ReadBack.h"
#include "compiler/transforms/ConstantTensor.h"
#include "runtime/artifact/Format.h"

using namespace mlir;

namespace hexin {

Result<uint32_t> ProgramEmitter::addValue(Value value, fmt::ValueKind kind,
                                          int32_t index) {
  auto def = std::make_unique<fmt::ValueDefT>();
  def->kind = kind;
  def->index = index;
  HEXIN_RETURN_IF_ERROR(setType(value.getType(), *def));
  if (kind != fmt::ValueKind::output) // those hang on what is not there yet
    HEXIN_RETURN_IF_ERROR(addSizes(value, *def));
  if (Operation *op = value.getDefiningOp()) {
    // A group's result is named for the op that computes it, not for all.
    if (auto group = dyn_cast<hx::GroupOp>(op)) {
      unsigned number = cast<OpResult>(value).getResultNumber();
      Operation *yield = group.getBody().front().getTerminator();
      op = yield->getOperand(number).getDefiningOp();
    }
    def->name = nodeNames(op->getLoc());
  }
  program->values.push_back(std::move(def));
  return program->values.size() - 1;
}

Status ProgramEmitter::setType(Type type, fmt::ValueDefT &def) {
  def.holds = static_cast<uint8_t>(valueKind(type));
  if (hx::isHostType(type)) {
    def.residency = fmt::Residency::host;
    program->required_features |= fmt::hostValuesFeature;
  }
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (isa<hx::SequenceType, hx::OptionalType, hx::MapType>(type))
    return Status::success();
  std::optional<DType> dtype =
      tensor ? hx::toDType(tensor.getElementType()) : std::nullopt;
  if (!dtype)
    return internalError("a value has an element type that artifacts cannot hold");
  def.dtype = static_cast<uint8_t>(*dtype);
  return Status::success();
}

Status ProgramEmitter::addSizes(Value value, fmt::ValueDefT &def) {
  for (hx::Dim dim : storedDims(value, def.kind)) {
    int32_t node = exprs.add(dim);
    if (node < 0)
      return internalError("size " + describeSize(shapes.symbols(), dim) + " of '" +
                           nodeNames(value.getLoc()) +
                           "' hangs on a value that is not kept");
    def.dims.push_back(node);
  }
  return Status::success();
}

hx::Dims ProgramEmitter::storedDims(Value value, fmt::ValueKind kind) {
  hx::Dims dims = shapes.dims(value);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto panels =
      dyn_cast_or_null<hx::PanelsAttr>(type ? type.getEncoding() : mlir::Attribute());
  if (!panels || kind == fmt::ValueKind::weight)
    return dims;
  hx::SymbolTable &table = shapes.symbols();
  if (panels.getConv()) {
    hx::Dim groups = table.constant(panels.getGroups());
    hx::Dim panelWidth = table.constant(panels.getWidth());
    hx::Dim perGroup = table.floorDiv(dims[0], groups);
    return {groups, table.ceilDiv(perGroup, panelWidth),
            table.product(ArrayRef(dims).drop_front(1)), panelWidth};
  }
  hx::Dim depth = dims[dims.size() - (panels.getTransposed() ? 1 : 2)];
  hx::Dim columns = dims[dims.size() - (panels.getTransposed() ? 2 : 1)];
  dims.pop_back_n(2);
  hx::Dim width = table.constant(panels.getWidth());
  dims.append({table.ceilDiv(columns, width), depth, width});
  return dims;
}

Status ProgramEmitter::addInterface() {
  for (BlockArgument argument : func.getArguments()) {
    HEXIN_ASSIGN_OR_RETURN(
        uint32_t id, addValue(argument, fmt::ValueKind::input, argument.getArgNumber()));
    auto name = func.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "hx.name");
    program->values[id]->name = name ? name.str() : "";
    // An integer input may be asked for its contents.
    if (!hx::isHostType(argument.getType()))
      program->values[id]->residency = fmt::Residency::both;
    ids[argument] = id;
    program->inputs.push_back(id);
  }
  Operation *terminator = func.getBody().front().getTerminator();
  for (OpOperand &operand : terminator->getOpOperands()) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(operand.get(), fmt::ValueKind::output,
                                                 operand.getOperandNumber()));
    auto name =
        func.getResultAttrOfType<StringAttr>(operand.getOperandNumber(), "hx.name");
    program->values[id]->name = name ? name.str() : "";
    program->outputs.push_back(id);
    // hx-materialize-results made every result a group's own, or a view of one
    // that nothing else is a result of.
    ids[operand.get()] = id;
    Value source = operand.get();
    while (Operation *op = source.getDefiningOp()) {
      Value viewed = hx::viewedBy(op);
      if (!viewed)
        break;
      source = viewed;
      aliasOf[source] = id;
    }
  }
  return Status::success();
}

Result<uint32_t> ProgramEmitter::constantValue(Value value) {
  Value source = value;
  WeightSection::Form form;
  if (auto pack = value.getDefiningOp<hx::PackOp>()) {
    source = pack.getInput();
    form.panels = pack.getPanels();
    if (auto tile = pack->getAttrOfType<IntegerAttr>(codegen::winogradTileAttr))
      form.winogradTile = tile.getInt();
  }
  form.isReadByHost = !llvm::all_of(value.getUsers(), llvm::IsaPred<hx::GroupOp>);
  std::optional<Tensor> tensor = hx::constantTensor(source);
  if (!tensor)
    return internalError("the data of constant '" + nodeNames(value.getLoc()) +
                         "' is not at hand");
  std::string name = nodeNames(source.getLoc());
  if (auto weight = source.getDefiningOp<hx::WeightOp>())
    name = weight.getEntry().str();
  uint32_t entry = weights.add(name, *tensor, form);
  HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(value, fmt::ValueKind::weight, entry));
  program->values[id]->name = name;
  return id;
}

Result<uint32_t> ProgramEmitter::operandValue(Value value) {
  if (int32_t id = idOf(value); id >= 0)
    return id;
  Operation *op = value.getDefiningOp();
  Result<uint32_t> id = internalError("a value is used before it is made");
  auto argument = dyn_cast<BlockArgument>(value);
  if (argument && isIteration(argument))
    id = materializeContents(value);
  if (op && placeOf(op, shapes) == Place::constant)
    id = hx::isHostType(value.getType()) ? stringConstant(value) : constantValue(value);
  else if (op && (placeOf(op, shapes) == Place::host || shapes.contents(value)))
    id = materializeContents(value); // a view of what only the host knows, too
  if (id.ok())
    ids[value] = *id;
  return id;
}

Status ProgramEmitter::addView(Operation *op) {
  Value result = op->getResult(0);
  if (idOf(result) >= 0)
    return bringToHost(op); // an output; its source is a view of it
  if (shapes.followsFromOthers(result))
    return Status::success();
  HEXIN_ASSIGN_OR_RETURN(uint32_t source, operandValue(hx::viewedBy(op)));
  HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(result, fmt::ValueKind::alias, -1));
  program->values[id]->alias_of = source;
  ids[result] = id;
  return bringToHost(op);
}

Result<uint32_t> ProgramEmitter::resultValue(Value result) {
  if (int32_t id = idOf(result); id >= 0)
    return id;
  auto alias = aliasOf.find(result);
  bool isAlias = alias != aliasOf.end();
  HEXIN_ASSIGN_OR_RETURN(
      uint32_t id,
      addValue(result, isAlias ? fmt::ValueKind::alias : fmt::ValueKind::temp, -1));
  if (isAlias)
    program->values[id]->alias_of = alias->second;
  ids[result] = id;
  return id;
}

Result<uint32_t> ProgramEmitter::materializeContents(Value value) {
  HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(value, fmt::ValueKind::temp, -1));
  ids[value] = id;
  materialized.push_back(value);
  HEXIN_RETURN_IF_ERROR(writeContents(value));
  return id;
}

Status ProgramEmitter::writeContents(Value value) {
  hx::Dims contents = *shapes.contents(value);
  auto emit = [&](ModuleOp kernels, const CodegenTraits &traits, StringRef name) {
    codegen::KernelBuilder k(kernels, shapes, traits, value.getLoc(), name);
    k.beginItems(k.constantExpr(1));
    codegen::emitContents(k, value, contents);
    k.use.isExact = true;
    return FailureOr<codegen::KernelUse>(k.finish());
  };
  std::string node = nodeNames(value.getLoc());
  HEXIN_ASSIGN_OR_RETURN(codegen::KernelUse use, emitForArchs(node, emit));
  return addLaunch(use, "shape_values", node, "");
}

void ProgramEmitter::addConstraint(const hx::SymbolConstraint &constraint) {
  auto def = std::make_unique<fmt::ConstraintT>();
  def->expr = exprs.add(constraint.lhs);
  def->equal = constraint.rhs ? exprs.add(constraint.rhs) : -1;
  // What hangs on a value that was fused away was checked where it was made.
  if (def->expr < 0 || (constraint.rhs && def->equal < 0))
    return;
  def->lo = constraint.lower;
  def->hi = constraint.upper;
  def->message = constraint.message;
  program->constraints.push_back(std::move(def));
}

Status ProgramEmitter::addCheck(hx::CheckOp op) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dims numbers = *shapes.contents(op.getNumbers());
  hx::Dim one = table.constant(1), zero = table.constant(0);
  hx::Dim holds = table.eq(table.eq(numbers.front(), zero), zero);
  if (predicate)
    holds = table.select(predicate, holds, one);
  if (hx::SymbolTable::constantValue(holds) == 1)
    return Status::success();
  auto def = std::make_unique<fmt::ConstraintT>();
  def->lo = def->hi = 1;
  def->message = "'" + nodeNames(op.getLoc()) + "': " + op.getMessage().str();
  def->expr = exprs.add(holds);
  bool isKept = def->expr >= 0;
  if (auto loop = op->getParentOfType<hx::LoopOp>(); loop && isKept)
    def->expr = exprs.whileRunning(loop.getBody().getArgument(0), def->expr);
  for (hx::Dim number : numbers) {
    def->shown.push_back(exprs.add(number));
    isKept &= def->shown.back() >= 0;
  }
  if (!isKept)
    return internalError("a check of '" + nodeNames(op.getLoc()) +
                         "' hangs on a value that is not kept");
  program->constraints.push_back(std::move(def));
  return Status::success();
}

} // namespace hexin
