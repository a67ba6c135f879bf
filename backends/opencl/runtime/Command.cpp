#include "backends/opencl/runtime/Command.h"
#include "backends/opencl/abi/OpenclText.h"
#include "backends/opencl/runtime/Buffer.h"
#include "backends/opencl/runtime/ClError.h"
#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <bit>

using namespace hexin;
using namespace hexin::opencl;

/// Work items per group where items are small. Drivers that compile per group
/// size then compile a kernel once.
static constexpr size_t groupSize = 64;

/// Enough groups for each compute unit that none idles for long at the end.
static constexpr int64_t groupsPerUnit = 64;

/// From here on PoCL compiles another form of a kernel (its "small grid" limit).
static constexpr size_t largeGrid = 1 << 16;

static uint32_t elementBytes(uint32_t dtype) {
  int64_t bytes = byteWidth(static_cast<DType>(dtype));
  return bytes > 0 && std::has_single_bit(static_cast<uint64_t>(bytes))
             ? static_cast<uint32_t>(bytes)
             : 1;
}

Result<std::unique_ptr<hexin_command_t>>
hexin_command_t::prepare(const ClApi &api, const ClDevice &device,
                         const hexin_command_desc &desc, const std::string &what) {
  std::string name = desc.name ? desc.name : "";
  if (desc.kind != HEXIN_COMMAND_KERNEL)
    return unsupported(what + ": '" + name +
                       "' is a library command; this backend runs generated "
                       "kernels only");
  if (!desc.module)
    return invalidArgument(what + ": kernel '" + name + "' has no module");
  if (desc.items < 0)
    return invalidArgument(what + ": kernel '" + name + "' has " +
                           std::to_string(desc.items) +
                           " work items; expected 0 or more");
  std::unique_ptr<hexin_command_t> command(
      new hexin_command_t(api, name, what + ": kernel '" + name + "'"));
  HEXIN_ASSIGN_OR_RETURN(auto program, desc.module->program());
  cl_int code = CL_SUCCESS;
  command->kernel_ = ClKernel(
      api, api.clCreateKernel(program->get(), kernelSymbol(name).c_str(), &code));
  if (code != CL_SUCCESS)
    return clStatus(code, command->what_ + ": looking it up in the image");
  cl_uint argCount = 0;
  code = api.clGetKernelInfo(command->kernel_.get(), CL_KERNEL_NUM_ARGS, sizeof argCount,
                             &argCount, nullptr);
  if (code != CL_SUCCESS)
    return clStatus(code, command->what_ + ": counting its arguments");
  uint64_t expected = uint64_t(desc.binding_count) * 2 + desc.param_count + 1;
  if (argCount != expected)
    return corruptData(command->what_ + " takes " + std::to_string(argCount) +
                       " arguments; its launch has " + std::to_string(expected) + " (" +
                       std::to_string(desc.binding_count) + " bindings, " +
                       std::to_string(desc.param_count) + " params)");
  for (uint32_t i = 0; i < desc.binding_count; ++i) {
    const hexin_binding &binding = desc.bindings[i];
    command->bindings_.push_back(
        {binding.slot, elementBytes(binding.dtype), binding.offset, binding.length});
  }
  HEXIN_RETURN_IF_ERROR(command->chooseSizes(device, desc));
  HEXIN_RETURN_IF_ERROR(command->setScalars(desc));
  return command;
}

Status hexin_command_t::chooseSizes(const ClDevice &device,
                                    const hexin_command_desc &desc) {
  items_ = desc.items;
  if (desc.team_threads > 0)
    return chooseTeam(device, desc);
  // On a CPU a group is what one thread takes at a time: no larger than what is
  // worth a thread, unless there are plenty of items. GPUs want full groups.
  size_t wanted = groupSize;
  int64_t plenty = int64_t(groupSize) * groupsPerUnit * device.info.compute_units;
  if (device.isCpu && items_ < plenty)
    wanted = std::bit_floor(static_cast<size_t>(
        std::clamp<int64_t>(desc.grain, 1, static_cast<int64_t>(groupSize))));
  size_t kernelMax = 0;
  if (api_.clGetKernelWorkGroupInfo(kernel_.get(), device.id, CL_KERNEL_WORK_GROUP_SIZE,
                                    sizeof kernelMax, &kernelMax, nullptr) != CL_SUCCESS)
    kernelMax = 1;
  localSize_ = std::bit_floor(
      std::clamp<size_t>(std::min<size_t>(kernelMax, device.maxGroupSize), 1, wanted));
  std::optional<int64_t> rounded =
      checkedAlignUp(items_, static_cast<int64_t>(localSize_));
  if (!rounded || static_cast<uint64_t>(*rounded) > SIZE_MAX)
    return invalidArgument(what_ + " has too many work items: " + std::to_string(items_));
  globalSize_ = static_cast<size_t>(*rounded);
  return Status::success();
}

/// A work-group per item. `unsupported` when the device has not what it takes: there
/// may be another kernel for it.
Status hexin_command_t::chooseTeam(const ClDevice &device,
                                   const hexin_command_desc &desc) {
  size_t threads = desc.team_threads, kernelMax = 0, compiled[3] = {};
  cl_ulong localBytes = 0;
  auto ask = [&](cl_kernel_work_group_info what, size_t bytes, void *to) {
    return api_.clGetKernelWorkGroupInfo(kernel_.get(), device.id, what, bytes, to,
                                         nullptr) == CL_SUCCESS;
  };
  if (!ask(CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof compiled, compiled) ||
      compiled[0] != threads || compiled[1] != 1 || compiled[2] != 1)
    return corruptData(what_ + " is compiled for work-groups of " +
                       std::to_string(compiled[0]) + " x " + std::to_string(compiled[1]) +
                       " x " + std::to_string(compiled[2]) +
                       " items; its launch has teams of " + std::to_string(threads));
  if (!ask(CL_KERNEL_WORK_GROUP_SIZE, sizeof kernelMax, &kernelMax))
    kernelMax = device.maxGroupSize;
  if (!ask(CL_KERNEL_LOCAL_MEM_SIZE, sizeof localBytes, &localBytes))
    localBytes = desc.local_bytes;
  const hexin_device_info &info = device.info;
  if (threads > std::min<size_t>(kernelMax, info.max_team_threads) ||
      localBytes > info.local_memory_bytes)
    return unsupported(
        what_ + " wants teams of " + std::to_string(threads) + " threads with " +
        std::to_string(localBytes) + " bytes of local memory; the device offers it " +
        std::to_string(std::min<size_t>(kernelMax, info.max_team_threads)) + " with " +
        std::to_string(info.local_memory_bytes));
  std::optional<int64_t> total = checkedMul(items_, static_cast<int64_t>(threads));
  if (!total || static_cast<uint64_t>(*total) > SIZE_MAX)
    return invalidArgument(
        what_ + " has too many items for its teams: " + std::to_string(items_));
  localSize_ = threads;
  globalSize_ = static_cast<size_t>(*total);
  return Status::success();
}

Status hexin_command_t::setArg(uint32_t index, size_t bytes, const void *value) {
  cl_int code = api_.clSetKernelArg(kernel_.get(), index, bytes, value);
  return code == CL_SUCCESS
             ? Status::success()
             : clStatus(code, what_ + ": setting argument " + std::to_string(index));
}

Status hexin_command_t::setScalars(const hexin_command_desc &desc) {
  uint32_t arg = desc.binding_count * 2;
  for (uint32_t i = 0; i < desc.param_count; ++i) {
    cl_long value = desc.params[i];
    HEXIN_RETURN_IF_ERROR(setArg(arg++, sizeof value, &value));
  }
  itemsArg_ = arg;
  return setArg(itemsArg_, sizeof items_, &items_);
}

Status hexin_command_t::bind(const hexin_submission &submission) {
  for (uint32_t i = 0; i < bindings_.size(); ++i) {
    Binding &binding = bindings_[i];
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
    if (offset % binding.elementBytes != 0)
      return invalidArgument(where() + " starts at byte " + std::to_string(offset) +
                             ", which is no multiple of its element size " +
                             std::to_string(binding.elementBytes));
    uint64_t id = slot.buffer ? slot.buffer->id : 0;
    if (binding.boundOffset == offset && binding.boundId == id)
      continue;
    binding.boundOffset = ~uint64_t(0); // nothing, should setting fail half way
    cl_mem mem = slot.buffer ? slot.buffer->mem.get() : nullptr;
    cl_ulong argument = offset;
    HEXIN_RETURN_IF_ERROR(setArg(i * 2, sizeof mem, mem ? &mem : nullptr));
    HEXIN_RETURN_IF_ERROR(setArg(i * 2 + 1, sizeof argument, &argument));
    binding.boundId = id;
    binding.boundOffset = offset;
  }
  return Status::success();
}

Status hexin_command_t::launch(cl_command_queue queue, size_t globalSize,
                               cl_event *event) {
  cl_int code = api_.clEnqueueNDRangeKernel(queue, kernel_.get(), 1, nullptr, &globalSize,
                                            &localSize_, 0, nullptr, event);
  return code == CL_SUCCESS
             ? Status::success()
             : clStatus(code, what_ + ": launching " + std::to_string(globalSize) +
                                  " items in groups of " + std::to_string(localSize_));
}

Status hexin_command_t::enqueue(cl_command_queue queue, cl_event *event) {
  return launch(queue, globalSize_, event);
}

std::string hexin_command_t::launchForm() const {
  return name_ + "/" + std::to_string(localSize_) +
         (globalSize_ >= largeGrid ? "/large" : "");
}

Status hexin_command_t::enqueueEmpty(cl_command_queue queue, cl_event *event) {
  for (uint32_t i = 0; i < bindings_.size(); ++i) {
    cl_ulong offset = 0;
    HEXIN_RETURN_IF_ERROR(setArg(i * 2, sizeof(cl_mem), nullptr));
    HEXIN_RETURN_IF_ERROR(setArg(i * 2 + 1, sizeof offset, &offset));
  }
  cl_long none = 0;
  HEXIN_RETURN_IF_ERROR(setArg(itemsArg_, sizeof none, &none));
  size_t large = std::max(largeGrid / localSize_, size_t(1)) * localSize_;
  Status launched = launch(queue, std::min(globalSize_, large), event);
  HEXIN_RETURN_IF_ERROR(setArg(itemsArg_, sizeof items_, &items_));
  return launched;
}
