//===- ProgramHost.cpp - what a program has the host do -----------------------------===//

#include "compiler/artifact/ProgramEmitter.h"
#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"
#include "compiler/target/Partition.h"
#include "compiler/transforms/ConstantTensor.h"
#include "runtime/artifact/Format.h"

using namespace mlir;

namespace hexin {

Status ProgramEmitter::addFallback(Operation *op) {
  std::string reason = fallbackReason(op).str();
  program->fallbacks.push_back(nodeNames(op->getLoc()) + " (" +
                               op->getName().getStringRef().str() + "): " + reason);
  HEXIN_RETURN_IF_ERROR(addHostInstruction(op, reason));
  for (Value result : op->getResults())
    HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_device, idOf(result),
                                      nodeNames(op->getLoc())));
  return Status::success();
}

Status ProgramEmitter::addHostOp(Operation *op) {
  program->required_features |= fmt::hostValuesFeature;
  HEXIN_RETURN_IF_ERROR(
      addHostInstruction(op, "strings, sequences and the like live on the host"));
  for (Value result : op->getResults()) {
    bool isRead = llvm::any_of(result.getUses(), [&](OpOperand &use) {
      auto reads = dyn_cast<hx::HostReadOpInterface>(use.getOwner());
      Place place = placeOf(use.getOwner(), shapes);
      return !isa<func::ReturnOp>(use.getOwner()) && place != Place::byNature &&
             place != Place::host && !(reads && reads.isHostRead(use.getOperandNumber()));
    });
    if (isRead && !hx::isHostType(result.getType()))
      HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_device, idOf(result),
                                        nodeNames(op->getLoc())));
  }
  return Status::success();
}

Status ProgramEmitter::addHostInstruction(Operation *op, const std::string &reason) {
  std::string node = nodeNames(op->getLoc());
  auto variant = std::make_unique<fmt::VariantT>();
  variant->engine = fmt::Engine::host;
  variant->name = op->getName().stripDialect().str();
  variant->result_count = op->getNumResults();
  for (const auto &[name, value] : hx::toAttributes(op))
    variant->attributes.push_back(attributeDef(name, value));
  constexpr uint32_t absent = 0xFFFFFFFF;
  for (auto [position, value] : hx::odsOperands(op)) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
    if (!isOnHost(value))
      HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_host, id, node));
    while (variant->bindings.size() < position)
      variant->bindings.push_back(fmt::Binding(absent, -1));
    variant->bindings.push_back(fmt::Binding(id, -1));
  }
  for (Value result : op->getResults()) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, hostResult(result));
    if (!hx::isHostType(result.getType()))
      program->values[id]->residency = fmt::Residency::both;
    variant->bindings.push_back(fmt::Binding(id, -1));
  }
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->kind = fmt::InstructionKind::run;
  instruction->variants.push_back(std::move(variant));
  instruction->op = op->getName().stripDialect().str();
  instruction->node = node;
  instruction->reason = reason;
  return append(std::move(instruction));
}

Result<uint32_t> ProgramEmitter::hostResult(Value result) {
  if (idOf(result) >= 0 || aliasOf.contains(result))
    return resultValue(result);
  ids[result] = program->values.size();
  return addValue(result, fmt::ValueKind::temp, -1);
}

bool ProgramEmitter::isOnHost(Value value) {
  if (hx::isHostType(value.getType()))
    return true;
  Operation *source = value.getDefiningOp();
  Place place = source ? placeOf(source, shapes) : Place::device;
  return place == Place::constant || place == Place::byNature;
}

Result<uint32_t> ProgramEmitter::stringConstant(Value value) {
  auto elements =
      dyn_cast<DenseStringElementsAttr>(value.getDefiningOp<hx::ConstantOp>().getValue());
  if (!elements)
    return internalError("the data of constant '" + nodeNames(value.getLoc()) +
                         "' is not at hand");
  auto variant = std::make_unique<fmt::VariantT>();
  variant->engine = fmt::Engine::host;
  variant->name = "string_constant";
  std::vector<std::string> strings;
  for (StringRef text : elements.getRawStringData())
    strings.push_back(text.str());
  variant->attributes.push_back(attributeDef("values", strings));
  variant->attributes.push_back(
      attributeDef("dims", std::vector<int64_t>(elements.getType().getShape())));
  HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(value, fmt::ValueKind::temp, -1));
  ids[value] = id;
  materialized.push_back(value);
  variant->bindings.push_back(fmt::Binding(id, -1));
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->kind = fmt::InstructionKind::run;
  instruction->variants.push_back(std::move(variant));
  instruction->op = "string_constant";
  instruction->node = nodeNames(value.getLoc());
  HEXIN_RETURN_IF_ERROR(append(std::move(instruction)));
  return id;
}

} // namespace hexin
