// PlanBuilder: what an instruction's variant is given.
#include "runtime/exec/PlanBuilder.h"

#include "runtime/artifact/Format.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

namespace hexin {

using fmt::sizeOf;

namespace {

/// No device is asked for more. Footprints do not bound the items: a program that is
/// damaged there would run for hours.
constexpr int64_t maxItems = INT32_MAX;

bool isResult(const fmt::Variant &variant, uint32_t binding) {
  return binding >= sizeOf(variant.bindings()) - variant.result_count();
}

} // namespace

Status PlanBuilder::bind(uint32_t value, int32_t offsetExpr, bool isRead, bool isWritten,
                         hexin_binding &binding) {
  HEXIN_ASSIGN_OR_RETURN(Resolved resolved, resolve(value));
  int64_t offset = 0;
  if (offsetExpr >= 0)
    HEXIN_RETURN_IF_ERROR(need(offsetExpr, "the offset of a binding", offset));
  if (value == stackAtHand_)
    offset = stackOffset_;
  HEXIN_RETURN_IF_ERROR(place(resolved.root));
  const Root &root = state_->roots[resolved.root];
  if (isRead && !root.onDevice)
    return corrupt("it reads value " + std::to_string(value) +
                   " on the device, where nothing put it");
  auto total = checkedAdd(static_cast<int64_t>(resolved.offset), offset);
  if (!total || *total < 0 || static_cast<uint64_t>(*total) > root.place.bytes)
    return corrupt("value " + std::to_string(value) + " is bound outside its memory");

  int64_t width = byteWidth(static_cast<DType>(program_.values()->Get(value)->dtype()));
  if (width > 1 && *total % width != 0)
    return corrupt("value " + std::to_string(value) + " is bound at byte " +
                   std::to_string(*total) +
                   " of its memory, which is no multiple of its " +
                   std::to_string(width) + "-byte elements");

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
    binding.content_hash =
        context_.program.model().header().weights()->Get(weight)->hash();
  }
  return Status::success();
}

Status PlanBuilder::bindAll(const fmt::Variant &variant) {
  uint32_t count = sizeOf(variant.bindings());
  bindings_.assign(count, hexin_binding{});
  bindingBytes_.assign(count, 0);
  bindingDims_.resize(std::max<size_t>(bindingDims_.size(), count + 1));
  const fmt::Kernel *kernel = variant.engine() == fmt::Engine::kernel
                                  ? program_.kernels()->Get(variant.kernel())
                                  : nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    const fmt::Binding *binding = variant.bindings()->Get(i);
    if (binding->value() == fmt::absentOperand) {
      bindings_[i].slot = noSlot;
      continue;
    }
    bool isWritten = kernel ? kernel->writes()->Get(i) : isResult(variant, i);
    HEXIN_RETURN_IF_ERROR(
        bind(binding->value(), binding->offset(), !isWritten, isWritten, bindings_[i]));
    if (kernel)
      continue; // it has its sizes as params
    HEXIN_RETURN_IF_ERROR(
        denseDims(binding->value(), bindings_[i], bindingDims_[i], bindingBytes_[i]));
    bindings_[i].rank = static_cast<uint32_t>(bindingDims_[i].size());
    bindings_[i].dims = bindingDims_[i].data();
  }
  params_.resize(sizeOf(variant.params()));
  for (uint32_t i = 0; i < params_.size(); ++i)
    HEXIN_RETURN_IF_ERROR(need(variant.params()->Get(i), "a parameter", params_[i]));
  return bindScratch(variant);
}

/// A library sees a dense tensor: it must fit.
Status PlanBuilder::denseDims(uint32_t value, const hexin_binding &binding, Dims &dims,
                              int64_t &byteLength) {
  HEXIN_RETURN_IF_ERROR(needDims(value, dims));
  auto elements = checkedNumElements(dims);
  auto bytes = elements
                   ? checkedMul(*elements, byteWidth(static_cast<DType>(
                                               program_.values()->Get(value)->dtype())))
                   : std::nullopt;
  if (!bytes || static_cast<uint64_t>(*bytes) > binding.length)
    return corrupt("value " + std::to_string(value) + " does not fit its memory");
  byteLength = *bytes;
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
  binding.slot = slotFor(info_.scratchSlot[instruction_], scratch);
  binding.length = static_cast<uint64_t>(bytes);
  binding.is_written = 1;
  binding.dtype = static_cast<uint32_t>(DType::u8);
  bindings_.push_back(binding);
  return Status::success();
}

/// What the kernel counts on, of offsets into slots and of params.
Status PlanBuilder::checkMultiples(const fmt::Kernel &kernel) {
  auto where = [&] { return "kernel '" + kernel.name()->str() + "'"; };
  for (uint32_t i = 0; i < sizeOf(kernel.alignments()); ++i)
    if (bindings_[i].offset % kernel.alignments()->Get(i) != 0)
      return corrupt(where() + ": binding " + std::to_string(i) + " begins at byte " +
                     std::to_string(bindings_[i].offset) +
                     " of its memory, the kernel counts on a multiple of " +
                     std::to_string(kernel.alignments()->Get(i)));
  for (uint32_t i = 0; i < sizeOf(kernel.param_multiples()); ++i)
    if (params_[i] % kernel.param_multiples()->Get(i) != 0)
      return corrupt(where() + ": param " + std::to_string(i) + " is " +
                     std::to_string(params_[i]) +
                     ", the kernel counts on a multiple of " +
                     std::to_string(kernel.param_multiples()->Get(i)));
  return Status::success();
}

Status PlanBuilder::checkFootprints(const fmt::Kernel &kernel, int64_t &items) {
  auto where = [&] { return "kernel '" + kernel.name()->str() + "'"; };
  ExprTable &table = kernelExprs_;
  table.reset(kernel.exprs());
  table.evaluate([&](int32_t, const fmt::ExprNode &node) {
    return ExprResult::of(params_[node.a()]);
  });
  const ExprResult &count = table[kernel.items()];
  if (!count.isKnown() || count.value < 0)
    return corrupt(where() + ": its work items " +
                   (count.isKnown() ? "are " + std::to_string(count.value)
                                    : describeFailure(count.state)));
  items = count.value;
  for (uint32_t i = 0; items > 0 && i < bindings_.size(); ++i) {
    const ExprResult &bytes = table[kernel.footprints()->Get(i)];
    if (!bytes.isKnown() || bytes.value < 0 ||
        static_cast<uint64_t>(bytes.value) > bindings_[i].length)
      return corrupt(where() + ": its footprint on binding " + std::to_string(i) + " " +
                     (bytes.isKnown() ? "is " + std::to_string(bytes.value) + " bytes"
                                      : describeFailure(bytes.state)) +
                     ", the memory bound to it has " +
                     std::to_string(bindings_[i].length));
    if (i < bindingBytes_.size()) // scratch is no part of the work
      bindingBytes_[i] = bytes.value;
  }
  workspaceBytes_ = 0;
  if (kernel.workspace_bytes() >= 0) {
    const ExprResult &bytes = table[kernel.workspace_bytes()];
    if (!bytes.isKnown() || bytes.value < 0)
      return corrupt(where() + ": its workspace " +
                     (bytes.isKnown() ? "is " + std::to_string(bytes.value) + " bytes"
                                      : describeFailure(bytes.state)));
    workspaceBytes_ = static_cast<uint64_t>(bytes.value);
  }
  if (items > maxItems)
    return unsupported("kernel '" + kernel.name()->str() + "' is to run " +
                       std::to_string(items) + " work items, a launch has at most " +
                       std::to_string(maxItems) + ": expected smaller tensors")
        .withContext(describeInstruction());
  return Status::success();
}

void PlanBuilder::markWritten(const fmt::Variant &variant) {
  for (uint32_t i = 0; i < sizeOf(variant.bindings()); ++i) {
    uint32_t value = variant.bindings()->Get(i)->value();
    if (value == fmt::absentOperand || !bindings_[i].is_written)
      continue;
    auto resolved = resolve(value);
    if (!resolved)
      continue; // bind() has resolved it
    Root &root = state_->roots[resolved->root];
    root.onDevice = true;
    root.hostKind = HostPlace::none; // what the host has of it is no longer true
  }
}

} // namespace hexin
