#include "runtime/artifact/ProgramVerifier.h"

#include <bit>

namespace hexin::verify {

/// What no device has; a device's own limits are checked when the program is loaded.
static Status verifyTeam(const fmt::Kernel &kernel, uint64_t features,
                         const std::string &where) {
  if (kernel.team_threads() > 0 && !(features & fmt::teamKernelsFeature))
    return corruptData(where + " is for teams; the program does not say that it has any");
  constexpr uint32_t maxThreads = 1 << 16, maxLocalBytes = 1 << 30;
  if (kernel.team_threads() > maxThreads || kernel.local_bytes() > maxLocalBytes ||
      (kernel.team_threads() == 0 && kernel.local_bytes() > 0))
    return corruptData(
        where + " wants teams of " + std::to_string(kernel.team_threads()) +
        " threads with " + std::to_string(kernel.local_bytes()) +
        " bytes of local memory; there are at most " + std::to_string(maxThreads) +
        " with " + std::to_string(maxLocalBytes));
  return Status::success();
}

/// Absent, or a power of two for each of `count`.
static bool arePowers(const flatbuffers::Vector<uint8_t> *list, uint32_t count) {
  if (sizeOf(list) == 0)
    return true;
  bool all = list->size() == count;
  for (uint32_t i = 0; all && i < count; ++i)
    all = std::has_single_bit(list->Get(i));
  return all;
}

Status ProgramVerifier::verifyKernels() {
  HEXIN_RETURN_IF_ERROR(budget.charge(program.kernels()));
  for (uint32_t i = 0; i < sizeOf(program.kernels()); ++i) {
    const fmt::Kernel *kernel = program.kernels()->Get(i);
    std::string where = "kernel '" + kernel->name()->str() + "'";
    HEXIN_RETURN_IF_ERROR(budget.charge(kernel->name()));
    HEXIN_RETURN_IF_ERROR(budget.charge(kernel->footprints()));
    HEXIN_RETURN_IF_ERROR(budget.charge(kernel->writes()));
    Status pool = verifyPool(kernel->exprs(), kernel, "expression");
    HEXIN_RETURN_IF_ERROR(pool.withContext(where));
    auto inPool = [&](int32_t index) {
      return index >= 0 && static_cast<uint32_t>(index) < sizeOf(kernel->exprs());
    };
    if (kernel->name()->size() == 0 || !inPool(kernel->items()) || kernel->grain() < 1)
      return corruptData(where + ": name, items or grain is missing");
    if (sizeOf(kernel->footprints()) != kernel->binding_count() ||
        sizeOf(kernel->writes()) != kernel->binding_count())
      return corruptData(where + ": not one footprint and one write flag for each of " +
                         std::to_string(kernel->binding_count()) + " bindings");
    for (uint32_t b = 0; b < sizeOf(kernel->footprints()); ++b)
      if (!inPool(kernel->footprints()->Get(b)))
        return corruptData(where + ": footprint " + std::to_string(b) +
                           " is no expression");
    if (kernel->workspace_bytes() != -1 &&
        (!inPool(kernel->workspace_bytes()) || kernel->team_threads() > 0 ||
         !(program.required_features() & fmt::workspaceFeature)))
      return corruptData(where + ": its workspace is no expression, or the program does "
                                 "not say that it has any, or it is for teams");
    HEXIN_RETURN_IF_ERROR(budget.charge(kernel->alignments()));
    HEXIN_RETURN_IF_ERROR(budget.charge(kernel->param_multiples()));
    if (!arePowers(kernel->alignments(), kernel->binding_count()) ||
        !arePowers(kernel->param_multiples(), kernel->param_count()))
      return corruptData(where + ": what it counts on is not one power of two for each "
                                 "binding and each param");
    HEXIN_RETURN_IF_ERROR(verifyTeam(*kernel, program.required_features(), where));
    if (kernel->order() > fmt::OrderClass::MAX)
      return versionMismatch(where + " has an order class this build does not know");
  }
  return Status::success();
}

Status ProgramVerifier::verifyInstruction(const fmt::Instruction &instruction,
                                          const std::string &where) {
  HEXIN_RETURN_IF_ERROR(budget.charge(instruction.op()));
  HEXIN_RETURN_IF_ERROR(budget.charge(instruction.node()));
  HEXIN_RETURN_IF_ERROR(budget.charge(instruction.reason()));
  HEXIN_RETURN_IF_ERROR(budget.charge(instruction.variants()));
  if (!isExprOrNone(instruction.predicate()) || !isExprOrNone(instruction.operations()))
    return corruptData(where + ": its predicate or its operations are no expression");
  switch (instruction.kind()) {
  case fmt::InstructionKind::to_host:
  case fmt::InstructionKind::to_device:
    if (!isValue(instruction.value()) || !holdsNumbers(instruction.value()))
      return corruptData(where + " transfers no tensor");
    return Status::success();
  case fmt::InstructionKind::loop_begin:
  case fmt::InstructionKind::loop_end:
    if (instruction.value() < 0 ||
        static_cast<uint32_t>(instruction.value()) >= sizeOf(program.loops()))
      return corruptData(where + " is of a loop that does not exist");
    return Status::success();
  case fmt::InstructionKind::run:
    if (sizeOf(instruction.variants()) == 0)
      return corruptData(where + " has no variant");
    for (uint32_t v = 0; v < sizeOf(instruction.variants()); ++v)
      HEXIN_RETURN_IF_ERROR(verifyVariant(*instruction.variants()->Get(v),
                                          where + ", variant " + std::to_string(v)));
    return Status::success();
  }
  return versionMismatch(where + " is of a kind this build does not know");
}

Status ProgramVerifier::verifyVariant(const fmt::Variant &variant,
                                      const std::string &where) {
  HEXIN_RETURN_IF_ERROR(budget.charge(variant.name()));
  HEXIN_RETURN_IF_ERROR(budget.charge(variant.params()));
  HEXIN_RETURN_IF_ERROR(budget.charge(variant.bindings()));
  if (variant.engine() > fmt::Engine::MAX)
    return versionMismatch(where + " runs on an engine this build does not know");
  if (variant.order() > fmt::OrderClass::MAX)
    return versionMismatch(where + " has an order class this build does not know");
  if (!isExprOrNone(variant.guard()) || !isExprOrNone(variant.scratch_bytes()))
    return corruptData(where + ": its guard or scratch size is no expression");
  for (uint32_t i = 0; i < sizeOf(variant.params()); ++i)
    if (!isExpr(variant.params()->Get(i)))
      return corruptData(where + ": parameter " + std::to_string(i) +
                         " is no expression");
  HEXIN_RETURN_IF_ERROR(verifyAttributes(variant, where));
  if (variant.engine() == fmt::Engine::kernel)
    HEXIN_RETURN_IF_ERROR(verifyKernelUse(variant, where));
  else if (sizeOf(variant.name()) == 0)
    return corruptData(where + " names no op");
  return verifyBindings(variant, where);
}

Status ProgramVerifier::verifyKernelUse(const fmt::Variant &variant,
                                        const std::string &where) {
  if (variant.kernel() < 0 ||
      static_cast<uint32_t>(variant.kernel()) >= sizeOf(program.kernels()))
    return corruptData(where + " runs a kernel that does not exist");
  const fmt::Kernel *kernel = program.kernels()->Get(variant.kernel());
  uint32_t bindings = sizeOf(variant.bindings()) + (variant.scratch_bytes() >= 0);
  if (bindings != kernel->binding_count() ||
      sizeOf(variant.params()) != kernel->param_count())
    return corruptData(where + " gives kernel '" + kernel->name()->str() + "' " +
                       std::to_string(bindings) + " bindings and " +
                       std::to_string(sizeOf(variant.params())) +
                       " parameters; it takes " +
                       std::to_string(kernel->binding_count()) + " and " +
                       std::to_string(kernel->param_count()));
  return Status::success();
}

Status ProgramVerifier::verifyBindings(const fmt::Variant &variant,
                                       const std::string &where) {
  uint32_t count = sizeOf(variant.bindings());
  if (variant.result_count() > count ||
      (variant.engine() == fmt::Engine::host && variant.scratch_bytes() >= 0))
    return corruptData(where + ": more results than bindings, or scratch on the host");
  for (uint32_t i = 0; i < count; ++i) {
    const fmt::Binding *binding = variant.bindings()->Get(i);
    bool isResult = i >= count - variant.result_count();
    if (binding->value() == fmt::absentOperand && !isResult &&
        variant.engine() != fmt::Engine::kernel)
      continue;
    if (!isValue(binding->value()) || !isExprOrNone(binding->offset()))
      return corruptData(where + ": binding " + std::to_string(i) + " is malformed");
    if (variant.engine() != fmt::Engine::host && !holdsNumbers(binding->value()))
      return corruptData(where + ": binding " + std::to_string(i) +
                         " is no tensor of numbers, which only the host takes");
    if (variant.engine() == fmt::Engine::host && binding->offset() != -1)
      return corruptData(where + ": a host op cannot take a value at an offset");
    bool isWritten = variant.engine() == fmt::Engine::kernel
                         ? program.kernels()->Get(variant.kernel())->writes()->Get(i)
                         : isResult;
    if (isWritten && !isWritable(binding->value()))
      return corruptData(where + " writes to an input or a weight");
  }
  return Status::success();
}

Status ProgramVerifier::verifyAttributes(const fmt::Variant &variant,
                                         const std::string &where) {
  HEXIN_RETURN_IF_ERROR(budget.charge(variant.attributes()));
  for (uint32_t i = 0; i < sizeOf(variant.attributes()); ++i) {
    const fmt::AttributeDef *attribute = variant.attributes()->Get(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(attribute->name()));
    HEXIN_RETURN_IF_ERROR(budget.charge(attribute->s()));
    HEXIN_RETURN_IF_ERROR(budget.charge(attribute->ints()));
    HEXIN_RETURN_IF_ERROR(budget.charge(attribute->floats()));
    HEXIN_RETURN_IF_ERROR(budget.charge(attribute->strings()));
    for (uint32_t s = 0; s < sizeOf(attribute->strings()); ++s)
      HEXIN_RETURN_IF_ERROR(budget.charge(attribute->strings()->Get(s)));
    if (attribute->kind() > 5)
      return versionMismatch(where + ": attribute '" + attribute->name()->str() +
                             "' is of a kind this build does not know");
  }
  return Status::success();
}

} // namespace hexin::verify
