#include "backends/cuda/runtime/Command.h"
#include "backends/cuda/abi/PtxText.h"
#include "backends/cuda/runtime/Buffer.h"
#include "backends/cuda/runtime/CudaError.h"
#include "backends/cuda/runtime/Module.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <bit>

using namespace hexin;
using namespace hexin::cuda;

/// What every GPU and driver takes as a kernel's parameters.
static constexpr uint64_t maxArgumentBytes = 4096;

/// Blocks of a grid are at most this many times what is resident at once; from there on
/// a thread strides over several items, which saves starting blocks.
static constexpr int64_t maxWaves = 16;

static uint32_t elementBytes(uint32_t dtype) {
  int64_t bytes = byteWidth(static_cast<DType>(dtype));
  return bytes > 0 && std::has_single_bit(static_cast<uint64_t>(bytes))
             ? static_cast<uint32_t>(bytes)
             : 1;
}

static Status checkArguments(const hexin_command_desc &desc, const std::string &what) {
  uint64_t expected = uint64_t(desc.binding_count) + desc.param_count + 1;
  auto count = countEntryParams(desc.module->text(), desc.name);
  if (!count)
    return notFound(what + ": the image has no such kernel; compile the model again");
  if (*count != expected)
    return corruptData(what + " takes " + std::to_string(*count) +
                       " arguments; its launch has " + std::to_string(expected) + " (" +
                       std::to_string(desc.binding_count) + " bindings, " +
                       std::to_string(desc.param_count) + " params)");
  if (expected * sizeof(uint64_t) > maxArgumentBytes)
    return unsupported(what + " takes " + std::to_string(expected) +
                       " arguments; CUDA takes at most " +
                       std::to_string(maxArgumentBytes / sizeof(uint64_t)));
  return Status::success();
}

Result<std::unique_ptr<hexin_command_t>>
hexin_command_t::prepare(const CudaApi &api, const GpuInfo &gpu,
                         const hexin_command_desc &desc, const std::string &what,
                         uint64_t id) {
  std::string name = desc.name ? desc.name : "";
  if (!desc.module || name.empty())
    return invalidArgument(what + ": kernel '" + name + "' has no module or no name");
  if (desc.items < 0)
    return invalidArgument(what + ": kernel '" + name + "' has " +
                           std::to_string(desc.items) +
                           " work items; expected 0 or more");
  std::unique_ptr<hexin_command_t> command(
      new hexin_command_t(api, name, what + ": kernel '" + name + "'", id));
  HEXIN_RETURN_IF_ERROR(checkArguments(desc, command->what_));
  auto function = desc.module->function(name);
  if (!function)
    return function.status().withContext(command->what_);
  command->function_ = *function;
  command->addBindings(desc);
  command->items_ = desc.items;
  std::vector<uint64_t> &arguments = command->arguments_;
  arguments.insert(arguments.end(), desc.params, desc.params + desc.param_count);
  arguments.push_back(static_cast<uint64_t>(desc.items));
  if (!command->isEmpty())
    HEXIN_RETURN_IF_ERROR(command->chooseGrid(gpu, desc));
  return command;
}

Result<std::unique_ptr<hexin_command_t>>
hexin_command_t::prepareLibrary(const CudaApi &api, LtContext &context,
                                const hexin_command_desc &desc, const std::string &what,
                                uint64_t id) {
  std::string name = desc.name;
  std::unique_ptr<hexin_command_t> command(
      new hexin_command_t(api, name, what + ": '" + name + "'", id));
  auto product = LtMatMul::prepare(context, desc);
  if (!product)
    return product.status().withContext(command->what_);
  command->product_ = *std::move(product);
  command->items_ = command->product_->isEmpty() ? 0 : 1;
  command->addBindings(desc);
  return command;
}

void hexin_command_t::addBindings(const hexin_command_desc &desc) {
  for (uint32_t i = 0; i < desc.binding_count; ++i) {
    const hexin_binding &binding = desc.bindings[i];
    uint32_t alignment = elementBytes(binding.dtype);
    if (desc.alignments && std::has_single_bit(desc.alignments[i]))
      alignment = std::max<uint32_t>(alignment, desc.alignments[i]);
    bindings_.push_back({binding.slot, alignment, binding.offset, binding.length});
  }
  arguments_.assign(desc.binding_count, 0);
}

/// A kernel has its shared memory either in itself, or (without any of its own) takes
/// `local_bytes` at launch; above 48 KiB that must be asked for.
Status hexin_command_t::chooseShared(const GpuInfo &gpu, const hexin_command_desc &desc) {
  int ownBytes = 0;
  if (CUresult code =
          api_.cuFuncGetAttribute(&ownBytes, functionStaticSharedBytes, function_))
    return cudaStatus(code, what_ + ": asking for its shared memory");
  if (ownBytes > 0 || desc.local_bytes == 0)
    return Status::success();
  if (desc.local_bytes > gpu.info.local_memory_bytes)
    return unsupported(what_ + " wants " + std::to_string(desc.local_bytes) +
                       " bytes of shared memory; the device offers " +
                       std::to_string(gpu.info.local_memory_bytes));
  dynamicSharedBytes_ = desc.local_bytes;
  constexpr uint32_t unasked = 48 << 10;
  if (desc.local_bytes <= unasked)
    return Status::success();
  return cudaStatus(api_.cuFuncSetAttribute(function_, functionMaxDynamicSharedBytes,
                                            static_cast<int>(desc.local_bytes)),
                    what_ + ": asking for " + std::to_string(desc.local_bytes) +
                        " bytes of shared memory");
}

Status hexin_command_t::chooseGrid(const GpuInfo &gpu, const hexin_command_desc &desc) {
  int maxThreads = 0, resident = 0;
  if (CUresult code = api_.cuFuncGetAttribute(&maxThreads, functionMaxThreads, function_))
    return cudaStatus(code, what_ + ": asking for its largest block");
  HEXIN_RETURN_IF_ERROR(chooseShared(gpu, desc));
  int64_t units = gpu.info.compute_units;
  bool isTeam = desc.team_threads > 0;
  if (isTeam && desc.team_threads > static_cast<uint32_t>(std::max(maxThreads, 0)))
    return unsupported(what_ + " wants teams of " + std::to_string(desc.team_threads) +
                       " threads; it can have " + std::to_string(maxThreads));
  if (isTeam) {
    block_ = desc.team_threads;
  } else {
    // Few items: smaller blocks, so that all multiprocessors have some.
    block_ = std::clamp<unsigned>(static_cast<unsigned>(std::max(maxThreads, 1)), 1,
                                  maxItemThreads);
    if (block_ > warpThreads)
      block_ = block_ / warpThreads * warpThreads;
    while (block_ > 2 * warpThreads && items_ <= units * block_ / 2)
      block_ = block_ / 2 / warpThreads * warpThreads;
  }
  if (CUresult code = api_.cuOccupancyMaxActiveBlocksPerMultiprocessor(
          &resident, function_, static_cast<int>(block_), dynamicSharedBytes_))
    return cudaStatus(code, what_ + ": asking how many blocks fit");
  if (resident <= 0)
    return unsupported(what_ + ": no block of " + std::to_string(block_) +
                       " threads fits the device");
  int64_t blocks = isTeam ? items_ : items_ / block_ + (items_ % block_ != 0);
  int64_t most = isTeam ? int64_t(gpu.maxGrid) : maxWaves * resident * units;
  grid_ =
      static_cast<unsigned>(std::min({blocks, most, static_cast<int64_t>(gpu.maxGrid)}));
  return Status::success();
}

Status hexin_command_t::bind(const hexin_submission &submission) {
  for (uint32_t i = 0; i < bindings_.size(); ++i) {
    const Binding &binding = bindings_[i];
    auto where = [&] { return what_ + ": binding " + std::to_string(i); };
    if (binding.slot >= submission.slot_count)
      return invalidArgument(where() + " uses slot " + std::to_string(binding.slot) +
                             " of " + std::to_string(submission.slot_count));
    const hexin_slot &slot = submission.slots[binding.slot];
    uint64_t offset = 0, bytes = slot.buffer ? slot.buffer->bytes : 0;
    if (__builtin_add_overflow(slot.offset, binding.offset, &offset) ||
        !rangeFits(offset, binding.length, bytes))
      return outOfRange(where() + " needs bytes " + std::to_string(slot.offset) + " + " +
                        std::to_string(binding.offset) + " .. + " +
                        std::to_string(binding.length) + " of a buffer of " +
                        std::to_string(bytes) + " bytes");
    uint64_t address = slot.buffer ? slot.buffer->address + offset : 0;
    if (address % binding.alignment != 0)
      return invalidArgument(where() + " starts at byte " + std::to_string(offset) +
                             " of its buffer, at an address that is no multiple of " +
                             std::to_string(binding.alignment) +
                             ", which the kernel counts on");
    arguments_[i] = address;
  }
  return Status::success();
}

Status hexin_command_t::launch(CUstream stream) {
  if (product_)
    return product_->launch(arguments_, stream).withContext(what_);
  // As one block of memory of a stated size: a driver then never reads beyond it,
  // whatever the kernel declares.
  size_t bytes = arguments_.size() * sizeof(uint64_t);
  void *extra[] = {launchParamBuffer, arguments_.data(), launchParamBytes, &bytes,
                   launchParamEnd};
  CUresult code = api_.cuLaunchKernel(function_, grid_, 1, 1, block_, 1, 1,
                                      dynamicSharedBytes_, stream, nullptr, extra);
  return code == cudaSuccess
             ? Status::success()
             : cudaStatus(code, what_ + ": launching " + std::to_string(grid_) +
                                    " blocks of " + std::to_string(block_) + " threads");
}

void hexin_command_t::appendPlaces(const hexin_submission &submission,
                                   std::vector<uint64_t> &places) const {
  for (const Binding &binding : bindings_) {
    const hexin_slot *slot =
        binding.slot < submission.slot_count ? &submission.slots[binding.slot] : nullptr;
    places.push_back(slot && slot->buffer ? slot->buffer->id : 0);
    places.push_back(slot ? slot->offset : 0);
    places.push_back(slot && slot->buffer ? slot->buffer->bytes : 0);
  }
}
