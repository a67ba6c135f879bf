//===- ProgramLaunches.cpp - what a program does: kernels, libraries, transfers --===//

#include "compiler/artifact/ProgramEmitter.h"
#include "compiler/codegen/Codegen.h"
#include "compiler/ir/AttributeConversion.h"
#include "compiler/target/Operations.h"
#include "compiler/target/Partition.h"
#include "runtime/artifact/Format.h"

#include <utility>

using namespace mlir;

namespace hexin {

Status ProgramEmitter::bringToHost(Operation *op) {
  for (Value result : op->getResults()) {
    if (!readBack.contains(result))
      continue;
    program->values[idOf(result)]->residency = fmt::Residency::both;
    HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_host, idOf(result),
                                      nodeNames(result.getLoc())));
  }
  return Status::success();
}

/// Whether `x` over the params of `a` is the expression that `y` is over those of `b`.
static bool isSame(const codegen::KExprPool &a, codegen::KExpr x,
                   const codegen::KExprPool &b, codegen::KExpr y) {
  const codegen::KNode &m = a.nodes()[x.node], &n = b.nodes()[y.node];
  if (m.op != n.op)
    return false;
  if (m.op == codegen::KOp::constant)
    return m.value == n.value;
  if (m.op == codegen::KOp::param)
    return m.lhs == n.lhs;
  return isSame(a, {m.lhs}, b, {n.lhs}) && isSame(a, {m.rhs}, b, {n.rhs});
}

/// A launch is planned once for all architectures: what it hangs on is theirs together.
static bool isLaunchedLike(const codegen::KernelUse &a, const codegen::KernelUse &b) {
  if (a.params != b.params || a.bindings != b.bindings || a.writes != b.writes ||
      a.grain != b.grain || !isSame(a.exprs, a.items, b.exprs, b.items) ||
      a.workspaceBytes.has_value() != b.workspaceBytes.has_value())
    return false;
  for (auto [x, y] : llvm::zip(a.footprints, b.footprints))
    if (!isSame(a.exprs, x, b.exprs, y))
      return false;
  return !a.workspaceBytes ||
         isSame(a.exprs, *a.workspaceBytes, b.exprs, *b.workspaceBytes);
}

Result<codegen::KernelUse>
ProgramEmitter::emitForArchs(const std::string &node, EmitKernel emit, Differs differs) {
  // A kernel that is the same as another for the first arch may differ from it for the
  // others: then all of it gets the next name.
  std::string first, name;
  for (unsigned attempt = 1;; ++attempt) {
    codegen::KernelUse use;
    bool isTaken = false, isFirst = true;
    for (auto [i, traits] : llvm::enumerate(target.variants())) {
      if (!traits.extends.empty() && !(differs && differs(traits)))
        continue;
      FailureOr<codegen::KernelUse> emitted = emit(*kernels[i], traits, name);
      if (failed(emitted))
        return internalError("no kernel could be written for '" + node + "'");
      // The next arch that extends the same one has a kernel as good.
      bool hasTiles =
          traits.wordDots == WordDots::tiles || traits.bfloatDots == BfloatDots::tiles;
      if (hasTiles && !emitted->usesTiles) {
        emitted->func.erase();
        name = emitted->name;
        isFirst = false;
        use = std::move(*emitted);
        continue;
      }
      isTaken = emitted->hasOtherName;
      if (isTaken)
        break;
      if (std::exchange(isFirst, false))
        use = std::move(*emitted);
      else if (!isLaunchedLike(*emitted, use))
        return internalError("the kernels for '" + node +
                             "' are launched differently on different architectures");
      name = use.name;
    }
    if (!isTaken)
      return use;
    if (first.empty())
      first = name;
    name = first + "_" + std::to_string(attempt + 1);
  }
}

Status ProgramEmitter::addGroup(hx::GroupOp group) {
  for (Value result : group.getResults())
    HEXIN_RETURN_IF_ERROR(resultValue(result).status());

  std::string node = nodeNames(group.getLoc());
  HEXIN_ASSIGN_OR_RETURN(
      codegen::KernelUse use,
      emitForArchs(
          node,
          [&](ModuleOp kernels, const CodegenTraits &traits, StringRef name) {
            return codegen::emitKernel(group, shapes, kernels, traits, name);
          },
          [&](const CodegenTraits &traits) { return codegen::differs(group, traits); }));
  std::string reason = group.getReason() ? group.getReason()->str() : "";
  std::string refusal;
  std::vector<std::unique_ptr<fmt::VariantT>> variants;
  if (!codegen::guardedScheduleOf(group).empty() &&
      target.variants().front().workspaces) {
    HEXIN_ASSIGN_OR_RETURN(auto variant, guardedVariant(group));
    variants.push_back(std::move(variant));
  }
  if (std::optional<LibraryCall> call = target.libraryCall(group, shapes, refusal)) {
    HEXIN_ASSIGN_OR_RETURN(auto variant, libraryVariant(*call));
    variants.push_back(std::move(variant));
  }
  if (!refusal.empty())
    reason += (reason.empty() ? "" : "; ") + refusal;
  else if (target.libraries().empty() && codegen::heavyOp(group))
    reason += (reason.empty() ? "" : "; ") + target.name().str() +
              " has no library: our kernels are all there is";
  if (group.getTeamSchedule() && target.variants().front().team.threads > 0) {
    HEXIN_ASSIGN_OR_RETURN(auto variant, teamVariant(group));
    variants.push_back(std::move(variant));
  }
  HEXIN_RETURN_IF_ERROR(addLaunch(use, group.getSchedule().str(),
                                  nodeNames(group.getLoc()), reason,
                                  std::move(variants)));
  // Where sizes of the products are not known to a plan, nobody is told.
  if (hx::Dim operations = operationsOf(group, shapes))
    program->instructions.back()->operations = exprs.add(operations);
  return bringToHost(group);
}

Result<std::unique_ptr<fmt::VariantT>> ProgramEmitter::teamVariant(hx::GroupOp group) {
  std::string node = nodeNames(group.getLoc());
  HEXIN_ASSIGN_OR_RETURN(
      codegen::KernelUse use,
      emitForArchs(node,
                   [&](ModuleOp kernels, const CodegenTraits &traits, StringRef name) {
                     return codegen::emitTeamKernel(group, shapes, kernels, traits, name);
                   }));
  program->required_features |= fmt::teamKernelsFeature;
  HEXIN_ASSIGN_OR_RETURN(auto variant,
                         kernelVariant(use, group.getSchedule().str(), node));
  variant->name = group.getTeamSchedule()->str();
  return variant;
}

Result<std::unique_ptr<fmt::VariantT>> ProgramEmitter::guardedVariant(hx::GroupOp group) {
  std::string node = nodeNames(group.getLoc());
  HEXIN_ASSIGN_OR_RETURN(
      codegen::KernelUse use,
      emitForArchs(
          node, [&](ModuleOp kernels, const CodegenTraits &traits, StringRef name) {
            return codegen::emitGuardedKernel(group, shapes, kernels, traits, name);
          }));
  HEXIN_ASSIGN_OR_RETURN(auto variant,
                         kernelVariant(use, group.getSchedule().str(), node));
  variant->name = codegen::guardedScheduleOf(group).str();
  if (hx::Dim guard = codegen::guardOf(group, shapes)) {
    variant->guard = exprs.add(guard);
    if (variant->guard < 0)
      return internalError("the guard of '" + node +
                           "' hangs on a value that is not kept");
  }
  return variant;
}

Result<std::unique_ptr<fmt::VariantT>>
ProgramEmitter::libraryVariant(const LibraryCall &call) {
  auto variant = std::make_unique<fmt::VariantT>();
  variant->engine = fmt::Engine::library;
  variant->name = call.name;
  for (const auto &[name, value] : call.attributes)
    variant->attributes.push_back(attributeDef(name, value));
  if (call.guard) {
    variant->guard = exprs.add(call.guard);
    if (variant->guard < 0)
      return internalError("the guard of " + call.name +
                           " hangs on a value that is not kept");
  }
  for (Value value : call.bindings) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
    variant->bindings.push_back(fmt::Binding(id, -1));
  }
  variant->order = fmt::OrderClass::free;
  variant->error_constant = call.errorConstant;
  return variant;
}

Result<std::unique_ptr<fmt::VariantT>>
ProgramEmitter::kernelVariant(const codegen::KernelUse &use, const std::string &op,
                              const std::string &node) {
  auto variant = std::make_unique<fmt::VariantT>();
  variant->engine = fmt::Engine::kernel;
  variant->kernel = kernelId(use);
  for (hx::Dim dim : use.params) {
    int32_t param = exprs.add(dim);
    if (param < 0)
      return internalError("a parameter of '" + node +
                           "' hangs on a value that is not kept");
    variant->params.push_back(param);
  }
  variant->result_count = llvm::count(use.writes, true);
  for (Value value : use.bindings) {
    if (!value) {
      variant->bindings.push_back(faultRow(op, node));
      continue;
    }
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
    variant->bindings.push_back(fmt::Binding(id, -1));
  }
  return variant;
}

Status ProgramEmitter::addLaunch(const codegen::KernelUse &use, std::string op,
                                 std::string node, std::string reason,
                                 std::vector<std::unique_ptr<fmt::VariantT>> variants) {
  HEXIN_ASSIGN_OR_RETURN(auto variant, kernelVariant(use, op, node));
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->kind = fmt::InstructionKind::run;
  instruction->variants = std::move(variants);
  instruction->variants.push_back(std::move(variant));
  instruction->op = std::move(op);
  instruction->node = std::move(node);
  instruction->reason = std::move(reason);
  return append(std::move(instruction));
}

fmt::Binding ProgramEmitter::faultRow(const std::string &op, const std::string &node) {
  if (!faultsId) {
    faultsId = program->values.size();
    auto def = std::make_unique<fmt::ValueDefT>();
    def->kind = fmt::ValueKind::faults;
    def->dtype = static_cast<uint8_t>(DType::i64);
    program->values.push_back(std::move(def)); // its sizes come when all rows are known
  }
  constexpr int64_t rowBytes = 2 * sizeof(int64_t);
  int32_t offset = exprs.constant(rowBytes * program->faults.size());
  auto fault = std::make_unique<fmt::FaultT>();
  fault->node = node;
  fault->op = op;
  program->faults.push_back(std::move(fault));
  return fmt::Binding(*faultsId, offset);
}

Status ProgramEmitter::append(std::unique_ptr<fmt::InstructionT> instruction) {
  if (predicate) {
    instruction->predicate = exprs.add(predicate);
    if (instruction->predicate < 0)
      return internalError("the branch of '" + instruction->node +
                           "' hangs on a value that is not kept");
  }
  program->instructions.push_back(std::move(instruction));
  return Status::success();
}

Status ProgramEmitter::addTransfer(fmt::InstructionKind kind, uint32_t value,
                                   const std::string &node) {
  auto instruction = std::make_unique<fmt::InstructionT>();
  instruction->kind = kind;
  instruction->value = value;
  instruction->node = node;
  return append(std::move(instruction));
}

std::unique_ptr<fmt::AttributeDefT>
ProgramEmitter::attributeDef(const std::string &name, const hexin::Attribute &value) {
  auto def = std::make_unique<fmt::AttributeDefT>();
  def->name = name;
  def->kind = value.index();
  if (auto *i = std::get_if<int64_t>(&value))
    def->i = *i;
  else if (auto *f = std::get_if<double>(&value))
    def->f = *f;
  else if (auto *s = std::get_if<std::string>(&value))
    def->s = *s;
  else if (auto *ints = std::get_if<std::vector<int64_t>>(&value))
    def->ints = *ints;
  else if (auto *floats = std::get_if<std::vector<double>>(&value))
    def->floats = *floats;
  else if (auto *strings = std::get_if<std::vector<std::string>>(&value))
    def->strings = *strings;
  return def;
}

int32_t ProgramEmitter::kernelId(const codegen::KernelUse &use) {
  auto [it, isNew] = kernelIds.try_emplace(use.name, program->kernels.size());
  if (!isNew)
    return it->second;
  auto kernel = std::make_unique<fmt::KernelT>();
  kernel->name = use.name;
  kernel->binding_count = use.bindings.size();
  kernel->param_count = use.params.size();
  std::vector<int32_t> roots{use.items.node};
  for (codegen::KExpr footprint : use.footprints)
    roots.push_back(footprint.node);
  if (use.workspaceBytes)
    roots.push_back(use.workspaceBytes->node);
  kernel->exprs = toNodes(use.exprs, roots);
  int32_t workspace = -1;
  if (use.workspaceBytes) {
    workspace = roots.back();
    roots.pop_back();
  }
  kernel->items = roots.front();
  kernel->footprints.assign(roots.begin() + 1, roots.end());
  kernel->writes.assign(use.writes.begin(), use.writes.end());
  auto isMore = [](unsigned value) { return value > 1; };
  if (llvm::any_of(use.alignments, isMore))
    kernel->alignments.assign(use.alignments.begin(), use.alignments.end());
  if (llvm::any_of(use.paramMultiples, isMore))
    kernel->param_multiples.assign(use.paramMultiples.begin(), use.paramMultiples.end());
  if (use.workspaceBytes) {
    kernel->workspace_bytes = workspace;
    program->required_features |= fmt::workspaceFeature;
  }
  kernel->grain = use.grain;
  kernel->team_threads = use.teamThreads;
  kernel->local_bytes = use.localBytes;
  kernel->order = use.isExact ? fmt::OrderClass::exact : fmt::OrderClass::fixed;
  kernel->error_constant = use.errorConstant;
  program->kernels.push_back(std::move(kernel));
  return it->second;
}

} // namespace hexin
