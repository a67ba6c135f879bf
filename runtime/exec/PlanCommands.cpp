// PlanBuilder: instructions.
#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/VerifyProgram.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

namespace hexin {

using verify::sizeOf;

namespace {

/// Attributes in the C ABI's form. Arrays point into the artifact's mapping.
Result<std::vector<hexin_attribute>> rawAttributes(const fmt::Variant &variant) {
  std::vector<hexin_attribute> list;
  for (uint32_t i = 0; i < sizeOf(variant.attributes()); ++i) {
    const fmt::AttributeDef *attribute = variant.attributes()->Get(i);
    if (attribute->kind() > 4)
      return unsupported("attribute '" + attribute->name()->str() +
                         "' is a list of strings, which libraries do not take");
    hexin_attribute raw{};
    raw.name = attribute->name()->c_str();
    raw.kind = attribute->kind();
    raw.i = attribute->i();
    raw.f = attribute->f();
    raw.s = attribute->s() ? attribute->s()->c_str() : "";
    if (raw.kind == 3) {
      raw.count = sizeOf(attribute->ints());
      raw.ints = attribute->ints() ? attribute->ints()->data() : nullptr;
    } else if (raw.kind == 4) {
      raw.count = sizeOf(attribute->floats());
      raw.floats = attribute->floats() ? attribute->floats()->data() : nullptr;
    }
    list.push_back(raw);
  }
  return list;
}

Attributes hostAttributes(const fmt::Variant &variant) {
  Attributes attributes;
  for (uint32_t i = 0; i < sizeOf(variant.attributes()); ++i) {
    const fmt::AttributeDef *attribute = variant.attributes()->Get(i);
    std::string name = attribute->name()->str();
    switch (attribute->kind()) {
    case 0:
      attributes.set(name, attribute->i());
      break;
    case 1:
      attributes.set(name, attribute->f());
      break;
    case 2:
      attributes.set(name, attribute->s() ? attribute->s()->str() : std::string());
      break;
    case 3: {
      std::vector<int64_t> list;
      if (attribute->ints())
        list.assign(attribute->ints()->begin(), attribute->ints()->end());
      attributes.set(name, std::move(list));
      break;
    }
    case 4: {
      std::vector<double> list;
      if (attribute->floats())
        list.assign(attribute->floats()->begin(), attribute->floats()->end());
      attributes.set(name, std::move(list));
      break;
    }
    default: {
      std::vector<std::string> list;
      for (uint32_t s = 0; s < sizeOf(attribute->strings()); ++s)
        list.push_back(attribute->strings()->Get(s)->str());
      attributes.set(name, std::move(list));
    }
    }
  }
  return attributes;
}

/// Whether the next variant may be tried: this one's library is not there, or
/// does not do this.
bool isRefusal(const Status &status) {
  return status.code() == StatusCode::unsupported ||
         status.code() == StatusCode::unavailable;
}

bool isResult(const fmt::Variant &variant, uint32_t binding) {
  return binding >= sizeOf(variant.bindings()) - variant.result_count();
}

} // namespace

Step &PlanBuilder::addStep(Step::Kind kind) {
  segment_->steps.emplace_back();
  Step &step = segment_->steps.back();
  step.kind = kind;
  step.instruction = instruction_;
  return step;
}

Status PlanBuilder::addInstruction() {
  const fmt::Instruction *instruction = program_.instructions()->Get(instruction_);
  if (instruction->predicate() >= 0) {
    int64_t predicate;
    HEXIN_RETURN_IF_ERROR(need(instruction->predicate(), "its predicate", predicate));
    if (predicate == 0)
      return Status::success();
  }
  auto value = static_cast<uint32_t>(instruction->value());
  switch (instruction->kind()) {
  case fmt::InstructionKind::to_host:
    return addToHost(value);
  case fmt::InstructionKind::to_device:
    return addToDevice(value);
  default:
    return addRun(*instruction);
  }
}

Status PlanBuilder::addRun(const fmt::Instruction &instruction) {
  std::string refusals;
  for (const fmt::Variant *variant : *instruction.variants()) {
    if (variant->guard() >= 0) {
      int64_t guard;
      HEXIN_RETURN_IF_ERROR(need(variant->guard(), "the guard of a variant", guard));
      if (guard == 0)
        continue;
    }
    if (variant->engine() == fmt::Engine::kernel)
      return addKernel(*variant);
    if (variant->engine() == fmt::Engine::host)
      return addHost(*variant);
    Status added = addLibrary(*variant);
    if (blocked_ || !isRefusal(added))
      return added;
    refusals += "; " + variant->name()->str() + ": " + added.message();
  }
  return unsupported(describeInstruction() + ": no variant runs at these sizes on device '" +
                     device_.id() + "'" + refusals);
}

Status PlanBuilder::bind(uint32_t value, int32_t offsetExpr, bool isRead, bool isWritten,
                         hexin_binding &binding) {
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  int64_t offset = 0;
  if (offsetExpr >= 0)
    HEXIN_RETURN_IF_ERROR(need(offsetExpr, "the offset of a binding", offset));
  HEXIN_RETURN_IF_ERROR(place(resolved.root));
  const Root &root = state_->roots[resolved.root];
  if (isRead && !root.onDevice)
    return corrupt("it reads value " + std::to_string(value) +
                   " on the device, where nothing put it");
  auto total = checkedAdd(static_cast<int64_t>(resolved.offset), offset);
  if (!total || *total < 0 || static_cast<uint64_t>(*total) > root.place.bytes)
    return corrupt("value " + std::to_string(value) + " is bound outside its memory");

  auto start = static_cast<uint64_t>(*total);
  binding = {};
  binding.slot = root.place.slot;
  binding.is_written = isWritten;
  binding.offset = root.place.offset + start;
  binding.length = root.place.bytes - start;
  binding.dtype = program_.values()->Get(value)->dtype();
  if (info_.storage[resolved.root] == Storage::weight && start == 0) {
    uint32_t weight = info_.storageIndex[resolved.root];
    binding.host_data = context_.program.weightBytes(weight).data();
    binding.content_hash = context_.program.model().header().weights()->Get(weight)->hash();
  }
  return Status::success();
}

Status PlanBuilder::bindAll(const fmt::Variant &variant) {
  uint32_t count = sizeOf(variant.bindings());
  bindings_.assign(count, hexin_binding{});
  bindingDims_.resize(std::max<size_t>(bindingDims_.size(), count + 1));
  const fmt::Kernel *kernel = variant.engine() == fmt::Engine::kernel
                                  ? program_.kernels()->Get(variant.kernel())
                                  : nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    const fmt::Binding *binding = variant.bindings()->Get(i);
    if (binding->value() == absentOperand) {
      bindings_[i].slot = noSlot;
      continue;
    }
    bool isWritten = kernel ? kernel->writes()->Get(i) : isResult(variant, i);
    HEXIN_RETURN_IF_ERROR(bind(binding->value(), binding->offset(), !isWritten, isWritten,
                               bindings_[i]));
    if (!kernel)
      HEXIN_RETURN_IF_ERROR(
          denseDims(binding->value(), bindings_[i], bindingDims_[i]));
    else if (!tryDims(binding->value(), bindingDims_[i]))
      bindingDims_[i].clear();
    bindings_[i].rank = static_cast<uint32_t>(bindingDims_[i].size());
    bindings_[i].dims = bindingDims_[i].data();
  }
  params_.resize(sizeOf(variant.params()));
  for (uint32_t i = 0; i < params_.size(); ++i)
    HEXIN_RETURN_IF_ERROR(need(variant.params()->Get(i), "a parameter", params_[i]));
  return bindScratch(variant);
}

/// A library sees a dense tensor: it must fit.
Status PlanBuilder::denseDims(uint32_t value, hexin_binding &binding, Dims &dims) {
  HEXIN_RETURN_IF_ERROR(needDims(value, dims));
  auto elements = checkedNumElements(dims);
  auto bytes = elements ? checkedMul(*elements, byteWidth(static_cast<DType>(
                                                    program_.values()->Get(value)->dtype())))
                        : std::nullopt;
  if (!bytes || static_cast<uint64_t>(*bytes) > binding.length)
    return corrupt("value " + std::to_string(value) + " does not fit its memory");
  return Status::success();
}

/// Scratch lives during this instruction only: placed last, and free again.
Status PlanBuilder::bindScratch(const fmt::Variant &variant) {
  if (variant.scratch_bytes() < 0)
    return Status::success();
  int64_t bytes;
  HEXIN_RETURN_IF_ERROR(need(variant.scratch_bytes(), "the scratch size", bytes));
  if (bytes < 0)
    return corrupt("it asks for " + std::to_string(bytes) + " bytes of scratch");
  HEXIN_ASSIGN_OR_RETURN(ArenaPlace scratch, state_->layout.allocate(bytes));
  state_->layout.release(scratch);
  hexin_binding binding{};
  binding.slot = context_.slots.slab(scratch.slab);
  binding.offset = scratch.offset;
  binding.length = static_cast<uint64_t>(bytes);
  binding.is_written = 1;
  binding.dtype = static_cast<uint32_t>(DType::u8);
  bindings_.push_back(binding);
  return Status::success();
}

Status PlanBuilder::checkFootprints(const fmt::Kernel &kernel, int64_t &items) {
  std::string where = "kernel '" + kernel.name()->str() + "'";
  ExprTable table(kernel.exprs());
  table.evaluate([&](int32_t, const fmt::ExprNode &node) {
    return ExprResult::of(params_[node.a()]);
  });
  const ExprResult &count = table[kernel.items()];
  if (!count.isKnown() || count.value < 0)
    return corrupt(where + ": its work items " +
                   (count.isKnown() ? "are " + std::to_string(count.value)
                                    : describeFailure(count.state)));
  items = count.value;
  for (uint32_t i = 0; items > 0 && i < bindings_.size(); ++i) {
    const ExprResult &bytes = table[kernel.footprints()->Get(i)];
    if (!bytes.isKnown() || bytes.value < 0 ||
        static_cast<uint64_t>(bytes.value) > bindings_[i].length)
      return corrupt(where + ": its footprint on binding " + std::to_string(i) + " " +
                     (bytes.isKnown() ? "is " + std::to_string(bytes.value) + " bytes"
                                      : describeFailure(bytes.state)) +
                     ", the memory bound to it has " +
                     std::to_string(bindings_[i].length));
  }
  return Status::success();
}

void PlanBuilder::markWritten(const fmt::Variant &variant) {
  for (uint32_t i = 0; i < sizeOf(variant.bindings()); ++i) {
    uint32_t value = variant.bindings()->Get(i)->value();
    if (value == absentOperand || !bindings_[i].is_written)
      continue;
    auto resolved = resolve(value);
    if (!resolved)
      continue; // bind() has resolved it
    Root &root = state_->roots[resolved->root];
    root.onDevice = true;
    root.hostKind = HostPlace::none; // what the host has of it is no longer true
  }
}

Status PlanBuilder::prepare(hexin_command_desc &desc) {
  desc.struct_size = sizeof desc;
  desc.bindings = bindings_.data();
  desc.binding_count = static_cast<uint32_t>(bindings_.size());
  desc.params = params_.data();
  desc.param_count = static_cast<uint32_t>(params_.size());
  auto command = device_.prepare(desc);
  if (!command)
    return command.status();
  segment_->commands.push_back(command->get());
  segment_->commandInstructions.push_back(instruction_);
  segment_->ownedCommands.push_back(*std::move(command));
  auto index = static_cast<uint32_t>(segment_->commands.size() - 1);
  if (segment_->steps.empty() || segment_->steps.back().kind != Step::submit)
    addStep(Step::submit).first = index;
  ++segment_->steps.back().count;
  return Status::success();
}

Status PlanBuilder::addKernel(const fmt::Variant &variant) {
  const fmt::Kernel &kernel = *program_.kernels()->Get(variant.kernel());
  HEXIN_RETURN_IF_ERROR(bindAll(variant));
  int64_t items;
  HEXIN_RETURN_IF_ERROR(checkFootprints(kernel, items));
  if (items > 0) {
    hexin_command_desc desc{};
    desc.kind = HEXIN_COMMAND_KERNEL;
    desc.name = kernel.name()->c_str();
    desc.items = items;
    desc.grain = kernel.grain();
    Status prepared = corrupt("the program has no code");
    for (const Module &module : context_.program.modules()) {
      desc.module = module.get();
      prepared = prepare(desc);
      if (prepared.code() != StatusCode::notFound)
        break;
    }
    HEXIN_RETURN_IF_ERROR(prepared.withContext(describeInstruction()));
  }
  markWritten(variant);
  return Status::success();
}

Status PlanBuilder::addLibrary(const fmt::Variant &variant) {
  HEXIN_RETURN_IF_ERROR(bindAll(variant));
  HEXIN_ASSIGN_OR_RETURN(auto attributes, rawAttributes(variant));
  hexin_command_desc desc{};
  desc.kind = HEXIN_COMMAND_LIBRARY;
  desc.name = variant.name()->c_str();
  desc.items = 1;
  desc.grain = 1;
  desc.attributes = attributes.data();
  desc.attribute_count = static_cast<uint32_t>(attributes.size());
  HEXIN_RETURN_IF_ERROR(prepare(desc).withContext(describeInstruction()));
  markWritten(variant);
  return Status::success();
}

Status PlanBuilder::addHost(const fmt::Variant &variant) {
  auto call = std::make_unique<HostCall>();
  std::string_view name = variant.name()->string_view();
  call->op = name.starts_with("hx.") ? name.substr(3) : name;
  call->attributes = hostAttributes(variant);
  for (uint32_t i = 0; i < sizeOf(variant.bindings()); ++i) {
    uint32_t value = variant.bindings()->Get(i)->value();
    if (isResult(variant, i)) {
      if (info_.storage[value] != Storage::temp && info_.storage[value] != Storage::output &&
          info_.storage[value] != Storage::nextState)
        return corrupt("a host op gives value " + std::to_string(value) +
                       ", which has no memory of its own");
      HostCall::Result result;
      result.value = value;
      result.dtype = static_cast<DType>(program_.values()->Get(value)->dtype());
      result.hasDims = tryDims(value, result.dims);
      call->results.push_back(std::move(result));
      continue;
    }
    HostCall::Operand operand;
    if (value != absentOperand) {
      HEXIN_ASSIGN_OR_RETURN(operand.place, hostPlace(value));
      operand.isPresent = true;
    }
    call->operands.push_back(std::move(operand));
  }
  for (const HostCall::Result &result : call->results) {
    state_->roots[result.value].hostKind = HostPlace::tensor;
    state_->roots[result.value].onDevice = false;
  }
  addStep(Step::host).call = std::move(call);
  return Status::success();
}

Status PlanBuilder::addToHost(uint32_t value) {
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  Storage storage = info_.storage[resolved.root];
  Root &root = state_->roots[resolved.root];
  if (storage == Storage::input || storage == Storage::weight || !root.onDevice) {
    if (storage == Storage::input || storage == Storage::weight ||
        root.hostKind != HostPlace::none)
      return Status::success(); // it is there
    return corrupt("value " + std::to_string(value) +
                   " is brought to the host before the device made it");
  }
  if (device_.hasHostMemory()) {
    addStep(Step::wait);
    root.hostKind = HostPlace::deviceMemory;
    return Status::success();
  }
  Step &step = addStep(Step::toHost);
  step.value = resolved.root;
  step.place = root.place;
  HEXIN_ASSIGN_OR_RETURN(
      step.staging,
      Tensor::allocate(static_cast<DType>(program_.values()->Get(resolved.root)->dtype()),
                       root.dims));
  root.hostKind = HostPlace::tensor;
  return Status::success();
}

Status PlanBuilder::addToDevice(uint32_t value) {
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  Storage storage = info_.storage[resolved.root];
  Root &root = state_->roots[resolved.root];
  if (storage == Storage::input || storage == Storage::weight || root.onDevice)
    return Status::success(); // it is there
  if (root.hostKind != HostPlace::tensor)
    return corrupt("value " + std::to_string(value) +
                   " is brought to the device before the host made it");
  HEXIN_RETURN_IF_ERROR(place(resolved.root));
  Step &step = addStep(Step::toDevice);
  step.value = resolved.root;
  step.place = root.place;
  root.onDevice = true;
  return Status::success();
}

} // namespace hexin
