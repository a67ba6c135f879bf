#include "runtime/artifact/ProgramVerifier.h"

#include <algorithm>

namespace hexin::verify {

namespace {

constexpr uint32_t maxViewDepth = 1000;

} // namespace

Status ProgramVerifier::run() {
  HEXIN_RETURN_IF_ERROR(verifyValues());
  HEXIN_RETURN_IF_ERROR(verifyPool(program.exprs(), nullptr, "expression"));
  HEXIN_RETURN_IF_ERROR(verifyConstraints());
  HEXIN_RETURN_IF_ERROR(verifyInterface());
  HEXIN_RETURN_IF_ERROR(verifyKernels());
  HEXIN_RETURN_IF_ERROR(verifyImages());
  HEXIN_RETURN_IF_ERROR(budget.charge(program.fallbacks()));
  for (uint32_t i = 0; i < sizeOf(program.fallbacks()); ++i)
    HEXIN_RETURN_IF_ERROR(budget.charge(program.fallbacks()->Get(i)));
  HEXIN_RETURN_IF_ERROR(budget.charge(program.faults()));
  for (uint32_t i = 0; i < sizeOf(program.faults()); ++i) {
    HEXIN_RETURN_IF_ERROR(budget.charge(program.faults()->Get(i)->node()));
    HEXIN_RETURN_IF_ERROR(budget.charge(program.faults()->Get(i)->op()));
  }
  HEXIN_RETURN_IF_ERROR(budget.charge(program.instructions()));
  for (uint32_t i = 0; i < sizeOf(program.instructions()); ++i)
    HEXIN_RETURN_IF_ERROR(
        verifyInstruction(*program.instructions()->Get(i), at("instruction", i)));
  return verifyLoops();
}

Status ProgramVerifier::verifyValues() {
  HEXIN_RETURN_IF_ERROR(budget.charge(program.values()));
  writable.resize(sizeOf(program.values()));
  viewDepth.resize(sizeOf(program.values()));
  for (uint32_t i = 0; i < sizeOf(program.values()); ++i)
    HEXIN_RETURN_IF_ERROR(verifyValue(*program.values()->Get(i), i));
  return Status::success();
}

Status ProgramVerifier::verifyValue(const fmt::ValueDef &value, uint32_t id) {
  std::string where = at("value", id);
  HEXIN_RETURN_IF_ERROR(checkDType(value.dtype(), where));
  HEXIN_RETURN_IF_ERROR(budget.charge(value.dims()));
  HEXIN_RETURN_IF_ERROR(budget.charge(value.name()));
  if (value.residency() > fmt::Residency::MAX)
    return versionMismatch(where + " has a residency this build does not know");
  if (sizeOf(value.dims()) > maxRank)
    return corruptData(where + ": rank above " + std::to_string(maxRank));
  for (uint32_t axis = 0; axis < sizeOf(value.dims()); ++axis)
    if (!isExpr(value.dims()->Get(axis)))
      return corruptData(where + ": the size of axis " + std::to_string(axis) +
                         " is no expression");

  HEXIN_RETURN_IF_ERROR(verifyHolds(value, where));

  auto indexBelow = [&](uint32_t limit, const char *what) {
    if (value.index() >= 0 && static_cast<uint32_t>(value.index()) < limit)
      return Status::success();
    return corruptData(where + " names " + what + " " + std::to_string(value.index()) +
                       " of " + std::to_string(limit));
  };
  auto isBelow = [&](int32_t other) {
    return other >= 0 && static_cast<uint32_t>(other) < id;
  };
  switch (value.kind()) {
  case fmt::ValueKind::temp:
    writable[id] = true;
    return Status::success();
  case fmt::ValueKind::input:
    return indexBelow(sizeOf(header.inputs()), "input");
  case fmt::ValueKind::output:
    writable[id] = true;
    return indexBelow(sizeOf(header.outputs()), "output");
  case fmt::ValueKind::state:
    writable[id] = true;
    return indexBelow(sizeOf(header.states()), "state");
  case fmt::ValueKind::weight:
    HEXIN_RETURN_IF_ERROR(indexBelow(sizeOf(header.weights()), "weight"));
    if (header.weights()->Get(value.index())->dtype() != value.dtype())
      return corruptData(where + " is not of its weight's element type");
    return Status::success();
  case fmt::ValueKind::faults:
    writable[id] = true;
    if (sizeOf(program.faults()) == 0 || hasFaults ||
        static_cast<DType>(value.dtype()) != DType::i64 || sizeOf(value.dims()) != 2 ||
        !isConstant(value.dims()->Get(0), sizeOf(program.faults())) ||
        !isConstant(value.dims()->Get(1), 2))
      return corruptData(where + " is not the one i64[" +
                         std::to_string(sizeOf(program.faults())) + ", 2] of the faults");
    hasFaults = true;
    return Status::success();
  case fmt::ValueKind::alias:
    if (!isBelow(value.alias_of()) || !isExprOrNone(value.alias_offset()) ||
        !holdsNumbers(value.alias_of()))
      return corruptData(where + " is a view of no earlier value");
    writable[id] = writable[value.alias_of()];
    return setViewDepth(id, viewDepth[value.alias_of()]);
  case fmt::ValueKind::phi:
    if (!isBelow(value.phi_then()) || !isBelow(value.phi_else()) ||
        !isExpr(value.phi_condition()) ||
        program.values()->Get(value.phi_then())->holds() != value.holds() ||
        program.values()->Get(value.phi_else())->holds() != value.holds())
      return corruptData(where + " does not choose between two earlier values");
    writable[id] = writable[value.phi_then()] && writable[value.phi_else()];
    return setViewDepth(
        id, std::max(viewDepth[value.phi_then()], viewDepth[value.phi_else()]));
  }
  return versionMismatch(where + " is of a kind this build does not know");
}

/// What is no tensor of numbers lives on the host, with no memory that a device sees.
Status ProgramVerifier::verifyHolds(const fmt::ValueDef &value,
                                    const std::string &where) {
  auto holds = static_cast<ValueKind>(value.holds());
  if (holds > ValueKind::map)
    return versionMismatch(where + " holds what this build does not know");
  bool isString = static_cast<DType>(value.dtype()) == DType::string;
  if (holds == ValueKind::tensor)
    return isString ? corruptData(where + ": strings are no tensor of numbers")
                    : Status::success();
  bool mayHold =
      value.kind() == fmt::ValueKind::temp || value.kind() == fmt::ValueKind::input ||
      value.kind() == fmt::ValueKind::output || value.kind() == fmt::ValueKind::phi;
  bool isRight = holds == ValueKind::strings ? isString : sizeOf(value.dims()) == 0;
  if (mayHold && isRight && value.residency() == fmt::Residency::host)
    return Status::success();
  return corruptData(where + " holds no numbers, but is not a value of the host");
}

Status ProgramVerifier::setViewDepth(uint32_t id, uint32_t depthBelow) {
  viewDepth[id] = depthBelow + 1;
  if (viewDepth[id] > maxViewDepth)
    return corruptData(at("value", id) + " is a view of more than " +
                       std::to_string(maxViewDepth) + " views");
  return Status::success();
}

Status ProgramVerifier::verifyConstraints() {
  HEXIN_RETURN_IF_ERROR(budget.charge(program.constraints()));
  for (uint32_t i = 0; i < sizeOf(program.constraints()); ++i) {
    const fmt::Constraint *constraint = program.constraints()->Get(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(constraint->message()));
    if (!isExpr(constraint->expr()) || !isExprOrNone(constraint->equal()) ||
        constraint->divisor() < 1)
      return corruptData(at("constraint", i) + " is malformed");
    HEXIN_RETURN_IF_ERROR(budget.charge(constraint->shown()));
    for (uint32_t n = 0; n < sizeOf(constraint->shown()); ++n)
      if (!isExpr(constraint->shown()->Get(n)))
        return corruptData(at("constraint", i) +
                           " shows an expression that does not exist");
  }
  return Status::success();
}

Status ProgramVerifier::verifyInterface() {
  HEXIN_RETURN_IF_ERROR(budget.charge(program.inputs()));
  HEXIN_RETURN_IF_ERROR(budget.charge(program.outputs()));
  if (sizeOf(program.inputs()) != sizeOf(header.inputs()) ||
      sizeOf(program.outputs()) != sizeOf(header.outputs()))
    return corruptData("it has " + std::to_string(sizeOf(program.inputs())) +
                       " inputs and " + std::to_string(sizeOf(program.outputs())) +
                       " outputs, the model " + std::to_string(sizeOf(header.inputs())) +
                       " and " + std::to_string(sizeOf(header.outputs())));
  for (uint32_t i = 0; i < sizeOf(program.inputs()); ++i) {
    HEXIN_RETURN_IF_ERROR(verifyPortValue(program.inputs()->Get(i),
                                          *header.inputs()->Get(i), at("input", i)));
    const fmt::ValueDef *value = program.values()->Get(program.inputs()->Get(i));
    bool isInput = value->kind() == fmt::ValueKind::input &&
                   static_cast<uint32_t>(value->index()) == i;
    bool isState = value->kind() == fmt::ValueKind::state &&
                   header.states()->Get(value->index())->input() == i;
    if (!isInput && !isState)
      return corruptData(at("input", i) + " is bound to another value");
  }
  for (uint32_t i = 0; i < sizeOf(program.outputs()); ++i)
    HEXIN_RETURN_IF_ERROR(verifyPortValue(program.outputs()->Get(i),
                                          *header.outputs()->Get(i), at("output", i)));
  // An output or input buffer has one value; other kinds may repeat.
  for (uint32_t i = 0; i < sizeOf(program.values()); ++i) {
    const fmt::ValueDef *value = program.values()->Get(i);
    auto index = static_cast<uint32_t>(value->index());
    if ((value->kind() == fmt::ValueKind::output && program.outputs()->Get(index) != i) ||
        (value->kind() == fmt::ValueKind::input && program.inputs()->Get(index) != i))
      return corruptData(at("value", i) + " is not what its input or output holds");
  }
  return Status::success();
}

Status ProgramVerifier::verifyPortValue(uint32_t id, const fmt::Port &port,
                                        const std::string &where) {
  if (!isValue(id))
    return corruptData(where + " is no value");
  const fmt::ValueDef *value = program.values()->Get(id);
  bool isTensor = port.kind() <= static_cast<uint8_t>(ValueKind::strings);
  if (value->holds() != port.kind() || sizeOf(value->dims()) != sizeOf(port.dims()) ||
      (isTensor && value->dtype() != port.dtype()))
    return corruptData(where + " '" + port.name()->str() +
                       "' and its value differ in kind, element type or rank");
  return Status::success();
}

Status ProgramVerifier::verifyImages() {
  HEXIN_RETURN_IF_ERROR(budget.charge(program.images()));
  for (uint32_t i = 0; i < sizeOf(program.images()); ++i) {
    const fmt::Image *image = program.images()->Get(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(image->arch()));
    if (image->section() >= sizeOf(header.sections()) ||
        header.sections()->Get(image->section())->kind() != fmt::SectionKind::image)
      return corruptData(at("image", i) + " lies in no image section");
  }
  return Status::success();
}

Status verifyProgram(const fmt::Program &program, const fmt::Header &header,
                     Budget &budget) {
  return ProgramVerifier(program, header, budget).run();
}

} // namespace hexin::verify
