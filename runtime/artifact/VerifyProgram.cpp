#include "runtime/artifact/VerifyProgram.h"

#include "runtime/artifact/Container.h"

#include <algorithm>
#include <vector>

namespace hexin::verify {
namespace {

constexpr uint32_t absentOperand = 0xFFFFFFFF;
constexpr uint32_t maxViewDepth = 1000;

using ExprPool = flatbuffers::Vector<const fmt::ExprNode *>;

std::string at(const char *what, uint32_t index) {
  return std::string(what) + " " + std::to_string(index);
}

/// The checks of one program; each member verifies one part.
class ProgramVerifier {
public:
  ProgramVerifier(const fmt::Program &program, const fmt::Header &header, Budget &budget)
      : program(program), header(header), budget(budget) {}

  Status run() {
    HEXIN_RETURN_IF_ERROR(verifyValues());
    HEXIN_RETURN_IF_ERROR(verifyPool(program.exprs(), nullptr, "expression"));
    HEXIN_RETURN_IF_ERROR(verifyConstraints());
    HEXIN_RETURN_IF_ERROR(verifyInterface());
    HEXIN_RETURN_IF_ERROR(verifyKernels());
    HEXIN_RETURN_IF_ERROR(verifyImages());
    HEXIN_RETURN_IF_ERROR(budget.charge(program.fallbacks()));
    for (uint32_t i = 0; i < sizeOf(program.fallbacks()); ++i)
      HEXIN_RETURN_IF_ERROR(budget.charge(program.fallbacks()->Get(i)));
    HEXIN_RETURN_IF_ERROR(budget.charge(program.instructions()));
    for (uint32_t i = 0; i < sizeOf(program.instructions()); ++i)
      HEXIN_RETURN_IF_ERROR(verifyInstruction(*program.instructions()->Get(i),
                                              at("instruction", i)));
    return Status::success();
  }

private:
  bool isExpr(int32_t index) const {
    return index >= 0 && static_cast<uint32_t>(index) < sizeOf(program.exprs());
  }
  bool isExprOrNone(int32_t index) const { return index == -1 || isExpr(index); }
  bool isValue(int64_t index) const {
    return index >= 0 && index < sizeOf(program.values());
  }

  /// Whether something may be written to a value: not to inputs and weights,
  /// nor to what may be one of them.
  bool isWritable(uint32_t value) const { return writable[value]; }

  Status verifyValues() {
    HEXIN_RETURN_IF_ERROR(budget.charge(program.values()));
    writable.resize(sizeOf(program.values()));
    viewDepth.resize(sizeOf(program.values()));
    for (uint32_t i = 0; i < sizeOf(program.values()); ++i)
      HEXIN_RETURN_IF_ERROR(verifyValue(*program.values()->Get(i), i));
    return Status::success();
  }

  Status verifyValue(const fmt::ValueDef &value, uint32_t id) {
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
    case fmt::ValueKind::alias:
      if (!isBelow(value.alias_of()) || !isExprOrNone(value.alias_offset()))
        return corruptData(where + " is a view of no earlier value");
      writable[id] = writable[value.alias_of()];
      return setViewDepth(id, viewDepth[value.alias_of()]);
    case fmt::ValueKind::phi:
      if (!isBelow(value.phi_then()) || !isBelow(value.phi_else()) ||
          !isExpr(value.phi_condition()))
        return corruptData(where + " does not choose between two earlier values");
      writable[id] = writable[value.phi_then()] && writable[value.phi_else()];
      return setViewDepth(
          id, std::max(viewDepth[value.phi_then()], viewDepth[value.phi_else()]));
    }
    return versionMismatch(where + " is of a kind this build does not know");
  }

  Status setViewDepth(uint32_t id, uint32_t depthBelow) {
    viewDepth[id] = depthBelow + 1;
    if (viewDepth[id] > maxViewDepth)
      return corruptData(at("value", id) + " is a view of more than " +
                         std::to_string(maxViewDepth) + " views");
    return Status::success();
  }

  /// `kernel` is null for the program's own pool, whose leaves are values and
  /// inputs; a kernel's are its params.
  Status verifyPool(const ExprPool *pool, const fmt::Kernel *kernel, const char *what) {
    HEXIN_RETURN_IF_ERROR(budget.charge(pool));
    for (uint32_t i = 0; i < sizeOf(pool); ++i)
      HEXIN_RETURN_IF_ERROR(verifyNode(*pool->Get(i), i, kernel, what));
    return Status::success();
  }

  Status verifyNode(const fmt::ExprNode &node, uint32_t id, const fmt::Kernel *kernel,
                    const char *what) {
    auto isBelow = [&](int32_t other) {
      return other >= 0 && static_cast<uint32_t>(other) < id;
    };
    auto bad = [&](const char *why) { return corruptData(at(what, id) + why); };
    switch (node.op()) {
    case fmt::ExprOp::constant:
      return Status::success();
    case fmt::ExprOp::param:
      if (!kernel || node.a() < 0 ||
          static_cast<uint32_t>(node.a()) >= kernel->param_count())
        return bad(" reads a parameter that does not exist");
      return Status::success();
    case fmt::ExprOp::input_dim:
      if (kernel || node.a() < 0 ||
          static_cast<uint32_t>(node.a()) >= sizeOf(header.inputs()) || node.b() < 0 ||
          static_cast<uint32_t>(node.b()) >=
              sizeOf(header.inputs()->Get(node.a())->dims()))
        return bad(" reads an input axis that does not exist");
      return Status::success();
    case fmt::ExprOp::element: {
      if (kernel || !isValue(node.a()) || node.b() < 0)
        return bad(" reads a value that does not exist");
      auto dtype = static_cast<DType>(program.values()->Get(node.a())->dtype());
      if (!isInteger(dtype) && dtype != DType::boolean)
        return bad(" reads an element that is no integer");
      return Status::success();
    }
    case fmt::ExprOp::result_dim:
      if (kernel || !isValue(node.a()) || node.b() < 0 ||
          static_cast<uint32_t>(node.b()) >=
              sizeOf(program.values()->Get(node.a())->dims()))
        return bad(" reads an axis that does not exist");
      return Status::success();
    case fmt::ExprOp::add:
    case fmt::ExprOp::sub:
    case fmt::ExprOp::mul:
    case fmt::ExprOp::floordiv:
    case fmt::ExprOp::ceildiv:
    case fmt::ExprOp::mod:
    case fmt::ExprOp::min:
    case fmt::ExprOp::max:
    case fmt::ExprOp::eq:
    case fmt::ExprOp::lt:
      if (!isBelow(node.a()) || !isBelow(node.b()))
        return bad(" refers to a node that is not before it");
      return Status::success();
    case fmt::ExprOp::select:
      if (!isBelow(node.a()) || !isBelow(node.b()) || !isBelow(node.c()))
        return bad(" refers to a node that is not before it");
      return Status::success();
    }
    return versionMismatch(at(what, id) + " has an operation this build does not know");
  }

  Status verifyConstraints() {
    HEXIN_RETURN_IF_ERROR(budget.charge(program.constraints()));
    for (uint32_t i = 0; i < sizeOf(program.constraints()); ++i) {
      const fmt::Constraint *constraint = program.constraints()->Get(i);
      HEXIN_RETURN_IF_ERROR(budget.charge(constraint->message()));
      if (!isExpr(constraint->expr()) || !isExprOrNone(constraint->equal()) ||
          constraint->divisor() < 1)
        return corruptData(at("constraint", i) + " is malformed");
    }
    return Status::success();
  }

  /// The values of the model's inputs and outputs.
  Status verifyInterface() {
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
      if ((value->kind() == fmt::ValueKind::output &&
           program.outputs()->Get(index) != i) ||
          (value->kind() == fmt::ValueKind::input && program.inputs()->Get(index) != i))
        return corruptData(at("value", i) + " is not what its input or output holds");
    }
    return Status::success();
  }

  Status verifyPortValue(uint32_t id, const fmt::Port &port, const std::string &where) {
    if (!isValue(id))
      return corruptData(where + " is no value");
    const fmt::ValueDef *value = program.values()->Get(id);
    if (value->dtype() != port.dtype() || sizeOf(value->dims()) != sizeOf(port.dims()))
      return corruptData(where + " '" + port.name()->str() +
                         "' and its value differ in element type or rank");
    return Status::success();
  }

  Status verifyKernels() {
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
      if (kernel->order() > fmt::OrderClass::MAX)
        return versionMismatch(where + " has an order class this build does not know");
    }
    return Status::success();
  }

  Status verifyImages() {
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

  Status verifyInstruction(const fmt::Instruction &instruction, const std::string &where) {
    HEXIN_RETURN_IF_ERROR(budget.charge(instruction.op()));
    HEXIN_RETURN_IF_ERROR(budget.charge(instruction.node()));
    HEXIN_RETURN_IF_ERROR(budget.charge(instruction.reason()));
    HEXIN_RETURN_IF_ERROR(budget.charge(instruction.variants()));
    if (!isExprOrNone(instruction.predicate()))
      return corruptData(where + ": its predicate is no expression");
    switch (instruction.kind()) {
    case fmt::InstructionKind::to_host:
    case fmt::InstructionKind::to_device:
      if (!isValue(instruction.value()))
        return corruptData(where + " transfers no value");
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

  Status verifyVariant(const fmt::Variant &variant, const std::string &where) {
    HEXIN_RETURN_IF_ERROR(budget.charge(variant.name()));
    HEXIN_RETURN_IF_ERROR(budget.charge(variant.params()));
    HEXIN_RETURN_IF_ERROR(budget.charge(variant.bindings()));
    if (variant.engine() > fmt::Engine::MAX)
      return versionMismatch(where + " runs on an engine this build does not know");
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

  Status verifyKernelUse(const fmt::Variant &variant, const std::string &where) {
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

  Status verifyBindings(const fmt::Variant &variant, const std::string &where) {
    uint32_t count = sizeOf(variant.bindings());
    if (variant.result_count() > count ||
        (variant.engine() == fmt::Engine::host && variant.scratch_bytes() >= 0))
      return corruptData(where + ": more results than bindings, or scratch on the host");
    for (uint32_t i = 0; i < count; ++i) {
      const fmt::Binding *binding = variant.bindings()->Get(i);
      bool isResult = i >= count - variant.result_count();
      if (binding->value() == absentOperand && !isResult &&
          variant.engine() != fmt::Engine::kernel)
        continue;
      if (!isValue(binding->value()) || !isExprOrNone(binding->offset()))
        return corruptData(where + ": binding " + std::to_string(i) + " is malformed");
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

  Status verifyAttributes(const fmt::Variant &variant, const std::string &where) {
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

  const fmt::Program &program;
  const fmt::Header &header;
  Budget &budget;
  std::vector<bool> writable;      // by value
  std::vector<uint32_t> viewDepth; // by value: views and phis down to memory
};

} // namespace

Status verifyProgram(const fmt::Program &program, const fmt::Header &header,
                     Budget &budget) {
  return ProgramVerifier(program, header, budget).run();
}

} // namespace hexin::verify
