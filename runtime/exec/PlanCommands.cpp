// PlanBuilder: instructions.
#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/Format.h"

namespace hexin {

using fmt::sizeOf;

namespace {

/// What a device and a library keep per command, guessed for the budgets: an object or
/// two; generated code, some of it shared.
constexpr uint64_t bytesPerKernelCommand = 1024;
constexpr uint64_t bytesPerLibraryCommand = 32 * 1024;

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
    if (predicate == 0) {
      if (instruction->kind() == fmt::InstructionKind::loop_begin)
        state_->position = info_.loops[instruction->value()].end;
      return Status::success();
    }
  }
  auto value = static_cast<uint32_t>(instruction->value());
  switch (instruction->kind()) {
  case fmt::InstructionKind::to_host:
    return addToHost(value);
  case fmt::InstructionKind::to_device:
    return addToDevice(value);
  case fmt::InstructionKind::loop_begin:
    return addLoopBegin(value);
  case fmt::InstructionKind::loop_end:
    return addLoopEnd(value);
  default:
    return addRun(*instruction);
  }
}

Status PlanBuilder::addRun(const fmt::Instruction &instruction) {
  passedOver_.clear();
  for (variant_ = 0; variant_ < sizeOf(instruction.variants()); ++variant_) {
    const fmt::Variant *variant = instruction.variants()->Get(variant_);
    if (variant->guard() >= 0) {
      int64_t guard;
      HEXIN_RETURN_IF_ERROR(need(variant->guard(), "the guard of a variant", guard));
      if (guard == 0)
        continue;
    }
    bool isKernel = variant->engine() == fmt::Engine::kernel;
    const fmt::Kernel *kernel =
        isKernel ? program_.kernels()->Get(variant->kernel()) : nullptr;
    if (kernel && !context_.program.runsHere(*kernel))
      continue; // there is another: DeviceProgram saw to that
    if (kernel && kernel->team_threads() == 0)
      return addKernel(*variant);
    if (variant->engine() == fmt::Engine::host)
      return addHost(*variant);
    Status added = isKernel ? addKernel(*variant) : addLibrary(*variant);
    if (blocked_ || added.ok())
      return added;
    if (!isRefusal(added))
      return added.withContext(describeInstruction());
    passedOver_ += (passedOver_.empty() ? "" : "; ") + added.message();
  }
  return unsupported(describeInstruction() +
                     ": no variant runs at these sizes on device '" + device_.id() +
                     (passedOver_.empty() ? "'" : "': " + passedOver_));
}

/// Everything that the command at hand hangs on. What follows from the program alone
/// (kernel and grain, library op and attributes, element types) is its index there.
void PlanBuilder::makeKey(const fmt::Variant &variant, int64_t items) {
  bool isKernel = variant.engine() == fmt::Engine::kernel;
  key_.clear();
  if (isKernel)
    key_.insert(key_.end(), {variant.kernel(), items});
  else // no kernel has a negative index
    key_.insert(key_.end(), {-1 - int64_t(instruction_), variant_});
  key_.push_back(static_cast<int64_t>(params_.size()));
  key_.insert(key_.end(), params_.begin(), params_.end());
  for (const hexin_binding &binding : bindings_) {
    // host_data follows from slot and offset where it is given at all.
    uint64_t place = binding.slot | uint64_t(binding.dtype & 0xFF) << 32 |
                     uint64_t(binding.rank & 0xFF) << 40 |
                     uint64_t(binding.is_written != 0) << 48 |
                     uint64_t(binding.host_data != nullptr) << 49;
    key_.insert(key_.end(),
                {static_cast<int64_t>(place), static_cast<int64_t>(binding.offset),
                 static_cast<int64_t>(binding.length)});
    key_.insert(key_.end(), binding.dims, binding.dims + binding.rank);
  }
}

LaunchCost PlanBuilder::costOfLaunch() const {
  LaunchCost cost;
  int32_t operations = program_.instructions()->Get(instruction_)->operations();
  if (operations >= 0 && state_->exprs[operations].isKnown())
    cost.operations = state_->exprs[operations].value;
  for (size_t i = 0; i < bindingBytes_.size(); ++i)
    (bindings_[i].is_written ? cost.bytesWritten : cost.bytesRead) += bindingBytes_[i];
  return cost;
}

/// A command, of the variant at hand. Its weights are wanted only now: the device may
/// have refused variants that read others.
void PlanBuilder::addCommand(CommandRef command) {
  for (const hexin_binding &binding : bindings_)
    if (auto weight = context_.program.lateWeight(binding.slot))
      lateWeights_.push_back(*weight);
  segment_->commands.push_back(command.get());
  segment_->launches.push_back({instruction_, variant_, passedOver_,
                                context_.profile ? costOfLaunch() : LaunchCost{}});
  segment_->heldCommands.push_back(std::move(command));
  auto index = static_cast<uint32_t>(segment_->commands.size() - 1);
  if (segment_->steps.empty() || segment_->steps.back().kind != Step::submit)
    addStep(Step::submit).first = index;
  ++segment_->steps.back().count;
}

/// Prepares a command for `key_` and adds it.
Status PlanBuilder::prepare(hexin_command_desc &desc) {
  desc.struct_size = sizeof desc;
  desc.bindings = bindings_.data();
  desc.binding_count = static_cast<uint32_t>(bindings_.size());
  desc.params = params_.data();
  desc.param_count = static_cast<uint32_t>(params_.size());
  auto command = device_.prepare(desc);
  if (!command)
    return command.status();
  uint64_t bytes = key_.size() * sizeof(int64_t) + (desc.kind == HEXIN_COMMAND_LIBRARY
                                                        ? bytesPerLibraryCommand
                                                        : bytesPerKernelCommand);
  ++segment_->commandsPrepared;
  addCommand(context_.program.commands().insert(key_, *std::move(command), bytes));
  return Status::success();
}

Status PlanBuilder::addKernel(const fmt::Variant &variant) {
  const fmt::Kernel &kernel = *program_.kernels()->Get(variant.kernel());
  HEXIN_RETURN_IF_ERROR(bindAll(variant));
  int64_t items;
  HEXIN_RETURN_IF_ERROR(checkFootprints(kernel, items));
  HEXIN_RETURN_IF_ERROR(checkMultiples(kernel));
  if (items > 0)
    HEXIN_RETURN_IF_ERROR(prepareKernel(variant, items));
  markWritten(variant);
  return Status::success();
}

Status PlanBuilder::prepareKernel(const fmt::Variant &variant, int64_t items) {
  makeKey(variant, items);
  if (CommandRef found = context_.program.commands().find(key_)) {
    addCommand(std::move(found));
    return Status::success();
  }
  const fmt::Kernel &kernel = *program_.kernels()->Get(variant.kernel());
  hexin_command_desc desc{};
  desc.kind = HEXIN_COMMAND_KERNEL;
  desc.name = kernel.name()->c_str();
  desc.items = items;
  desc.grain = kernel.grain();
  desc.team_threads = kernel.team_threads();
  desc.local_bytes = kernel.local_bytes();
  desc.workspace_bytes = workspaceBytes_;
  desc.alignments = kernel.alignments() && kernel.alignments()->size() > 0
                        ? kernel.alignments()->data()
                        : nullptr;
  Status prepared = corrupt("the program has no code");
  for (const Module &module : context_.program.modules()) {
    desc.module = module.get();
    prepared = prepare(desc);
    if (prepared.code() != StatusCode::notFound)
      break;
  }
  return prepared.withContext(describeInstruction());
}

Status PlanBuilder::addLibrary(const fmt::Variant &variant) {
  HEXIN_RETURN_IF_ERROR(bindAll(variant));
  makeKey(variant, 1);
  if (CommandRef found = context_.program.commands().find(key_)) {
    addCommand(std::move(found));
    markWritten(variant);
    return Status::success();
  }
  HEXIN_ASSIGN_OR_RETURN(auto attributes, rawAttributes(variant));
  hexin_command_desc desc{};
  desc.kind = HEXIN_COMMAND_LIBRARY;
  desc.name = variant.name()->c_str();
  desc.items = 1;
  desc.grain = 1;
  desc.attributes = attributes.data();
  desc.attribute_count = static_cast<uint32_t>(attributes.size());
  HEXIN_RETURN_IF_ERROR(prepare(desc));
  markWritten(variant);
  return Status::success();
}

/// Operands that end with the instruction at hand, where no other is the same value.
void PlanBuilder::markSpent(HostCall &call) const {
  auto isOf = [](uint32_t value) {
    return [value](const HostCall::Operand &operand) {
      return operand.isPresent && operand.place.kind == HostPlace::tensor &&
             operand.place.holds != ValueKind::tensor && operand.place.index == value;
    };
  };
  for (uint32_t value : context_.endingAt[state_->position])
    if (std::ranges::count_if(call.operands, isOf(value)) == 1)
      std::ranges::find_if(call.operands, isOf(value))->isSpent = true;
}

Status PlanBuilder::addHost(const fmt::Variant &variant) {
  auto call = std::make_unique<HostCall>();
  std::string_view name = variant.name()->string_view();
  call->op = name.starts_with("hx.") ? name.substr(3) : name;
  call->attributes = hostAttributes(variant);
  for (uint32_t i = 0; i < sizeOf(variant.bindings()); ++i) {
    uint32_t value = variant.bindings()->Get(i)->value();
    if (isResult(variant, i)) {
      if (info_.storage[value] != Storage::temp &&
          info_.storage[value] != Storage::output &&
          info_.storage[value] != Storage::nextState)
        return corrupt("a host op gives value " + std::to_string(value) +
                       ", which has no memory of its own");
      HostCall::Result result;
      result.value = value;
      result.holds = holds(value);
      result.dtype = static_cast<DType>(program_.values()->Get(value)->dtype());
      result.rank = sizeOf(program_.values()->Get(value)->dims());
      result.hasDims = tryDims(value, result.dims);
      call->results.push_back(std::move(result));
      continue;
    }
    HostCall::Operand operand;
    if (value != fmt::absentOperand) {
      HEXIN_ASSIGN_OR_RETURN(operand.place, hostPlace(value));
      operand.isPresent = true;
    }
    call->operands.push_back(std::move(operand));
  }
  markSpent(*call);
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
