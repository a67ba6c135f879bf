#include "backends/cpu/runtime/CpuDevice.h"

#include "backends/cpu/runtime/Affinity.h"
#include "backends/cpu/runtime/IsaDetect.h"
#include "backends/cpu/runtime/OneDnnLibrary.h"
#include "runtime/base/CacheDir.h"
#include "runtime/base/Checked.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace hexin::cpu {
namespace {

constexpr uint64_t bufferAlignment = 64;
constexpr uint64_t hugePageBytes = uint64_t(2) << 20;

std::string join(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

/// One side of a copy: a range of a buffer, or caller memory.
Result<uint8_t *> sideOfCopy(const char *side, hexin_buffer_t *buffer,
                             const void *pointer, uint64_t offset, uint64_t length) {
  if (!buffer)
    return static_cast<uint8_t *>(const_cast<void *>(pointer)) + offset;
  if (!rangeFits(offset, length, buffer->byteLength))
    return outOfRange(std::string("copy: ") + std::to_string(length) +
                      " bytes at offset " + std::to_string(offset) + " of the " + side +
                      " buffer, which has " + std::to_string(buffer->byteLength));
  return buffer->data + offset;
}

/// Their addresses are copied for each thread, which has a workspace of its own.
constexpr uint32_t maxBindingsWithWorkspace = 256;

Status prepareKernel(hexin_device_t &device, hexin_command_t &command,
                     const hexin_command_desc &desc) {
  if (!desc.module)
    return invalidArgument("kernel '" + command.name + "': no module given");
  command.kernel = desc.module->image->find(command.name);
  if (!command.kernel)
    return notFound("the image has no kernel '" + command.name + "'");
  command.params.assign(desc.params, desc.params + desc.param_count);
  command.items = desc.items;
  command.grain = desc.grain;
  command.workspaceBytes = desc.workspace_bytes;
  if (command.workspaceBytes == 0)
    return {};
  if (desc.binding_count > maxBindingsWithWorkspace)
    return unsupported("kernel '" + command.name + "' has a workspace and " +
                       std::to_string(desc.binding_count) +
                       " bindings; expected at most " +
                       std::to_string(maxBindingsWithWorkspace));
  Status reserved = device.executor->workspaces().reserve(command.workspaceBytes);
  return reserved.withContext("kernel '" + command.name + "'");
}

Status prepareLibrary(hexin_device_t &device, hexin_command_t &command,
                      const hexin_command_desc &desc) {
  if (!std::string_view(command.name).starts_with("onednn."))
    return unsupported("the cpu device has no library op '" + command.name +
                       "', only onednn.*");
  HEXIN_ASSIGN_OR_RETURN(const hexin_onednn_api *shim, loadOneDnn());
  if (!device.maxIsa.empty())
    shim->set_max_isa(device.maxIsa.c_str());
  device.executor->useOpenMp(*shim);
  command.shim = shim;
  hexin_error error{};
  error.struct_size = sizeof(error);
  uint32_t code = 0;
  hexin_onednn_prepared prepared{};
  device.executor->run([&](Team &) {
    code = shim->prepare(&desc, device.libraryCache.c_str(), &prepared, &error);
  });
  if (code)
    return {static_cast<StatusCode>(code), error.message};
  command.op = prepared.op;
  device.weightsReordered += prepared.weights_reordered;
  device.weightsCached += prepared.weights_cached;
  return {};
}

/// The addresses of a command's bindings, checked against the slots.
Status bindMemory(const hexin_command_t &command, const hexin_submission &submission,
                  std::vector<void *> &addresses) {
  addresses.clear();
  for (const auto &binding : command.bindings) {
    const hexin_slot *slot =
        binding.slot < submission.slot_count ? &submission.slots[binding.slot] : nullptr;
    if (!slot || !slot->buffer)
      return invalidArgument("'" + command.name + "': slot " +
                             std::to_string(binding.slot) +
                             " of the submission has no buffer");
    uint64_t size = slot->buffer->byteLength;
    if (slot->offset > size ||
        !rangeFits(binding.offset, binding.byteLength, size - slot->offset))
      return outOfRange(
          "'" + command.name + "' needs " + std::to_string(binding.byteLength) +
          " bytes at offset " + std::to_string(binding.offset) + " + " +
          std::to_string(slot->offset) + " of slot " + std::to_string(binding.slot) +
          ", whose buffer has " + std::to_string(size));
    addresses.push_back(slot->buffer->data + slot->offset + binding.offset);
  }
  return {};
}

/// Calls the kernel with a thread's own workspace behind the bindings.
void runWithWorkspace(const hexin_command_t &command,
                      const std::vector<void *> &addresses, void *workspace,
                      int64_t begin, int64_t end) {
  void *all[maxBindingsWithWorkspace + 1];
  std::copy(addresses.begin(), addresses.end(), all);
  all[addresses.size()] = workspace;
  command.kernel(all, command.params.data(), begin, end);
}

Status runCommand(const hexin_command_t &command, std::vector<void *> &addresses,
                  const Workspaces::Lease &workspaces, Team &team) {
  if (!command.kernel) {
    hexin_error error{};
    error.struct_size = sizeof(error);
    if (uint32_t code = command.shim->execute(command.op, addresses.data(), &error))
      return {static_cast<StatusCode>(code), error.message};
    return {};
  }
  auto run = [&](int64_t begin, int64_t end, unsigned thread) {
    if (command.workspaceBytes > 0)
      return runWithWorkspace(command, addresses, workspaces.of(thread), begin, end);
    command.kernel(addresses.data(), command.params.data(), begin, end);
  };
  team.parallelFor(command.items, command.grain, run);
  return {};
}

uint64_t steadyNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

} // namespace

uint64_t memoryBytes() {
  return uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGE_SIZE));
}

Result<std::unique_ptr<hexin_device_t>> openDevice(const hexin_device_options &options) {
  auto device = std::make_unique<hexin_device_t>();
  device->archs = supportedArchs();
  if (options.max_isa && *options.max_isa) {
    device->maxIsa = options.max_isa;
    auto first = std::find(device->archs.begin(), device->archs.end(), device->maxIsa);
    if (first == device->archs.end())
      return invalidArgument("max_isa '" + device->maxIsa + "': this machine runs " +
                             join(device->archs));
    device->archs.erase(device->archs.begin(), first);
  }
  auto cores = static_cast<uint32_t>(inheritedCores().size());
  uint32_t threads = options.threads ? std::min(options.threads, cores) : cores;
  device->executor = Executor::get(threads, options.pin_threads != 0);
  device->profile = options.profile != 0;
  if (options.cache_dir && *options.cache_dir)
    device->libraryCache = std::string(options.cache_dir) + "/" + cache_folder::onednn;
  return device;
}

Result<std::unique_ptr<hexin_buffer_t>> allocateBuffer(uint64_t byteLength) {
  if (byteLength == 0)
    return invalidArgument("a buffer has at least one byte");
  bool isLarge = byteLength >= hugePageBytes;
  void *data = nullptr;
  // More than the machine has would be granted and fail later, at the first touch.
  if (byteLength > memoryBytes() ||
      posix_memalign(&data, isLarge ? hugePageBytes : bufferAlignment, byteLength) != 0)
    return resourceExhausted("no memory for a buffer of " + std::to_string(byteLength) +
                             " bytes; the machine has " + std::to_string(memoryBytes()));
  if (isLarge)
    madvise(data, byteLength, MADV_HUGEPAGE); // a hint: refusal costs speed only
  return std::make_unique<hexin_buffer_t>(static_cast<uint8_t *>(data), byteLength, true);
}

void releaseBuffer(hexin_buffer_t *buffer) {
  if (buffer && buffer->isOwned)
    free(buffer->data);
  delete buffer;
}

Status copyMemory(const hexin_copy &copy) {
  if (copy.length == 0)
    return {};
  if ((!copy.dst && !copy.dst_pointer) || (!copy.src && !copy.src_pointer))
    return invalidArgument("copy: expected a buffer or a pointer on both sides");
  HEXIN_ASSIGN_OR_RETURN(uint8_t *dst,
                         sideOfCopy("destination", copy.dst, copy.dst_pointer,
                                    copy.dst_offset, copy.length));
  HEXIN_ASSIGN_OR_RETURN(uint8_t *src, sideOfCopy("source", copy.src, copy.src_pointer,
                                                  copy.src_offset, copy.length));
  std::memmove(dst, src, copy.length);
  return {};
}

Result<std::unique_ptr<hexin_module_t>> loadModule(const hexin_device_t &device,
                                                   const hexin_image &image) {
  std::string arch = image.arch ? image.arch : "";
  if (std::find(device.archs.begin(), device.archs.end(), arch) == device.archs.end())
    return unsupported("image for '" + arch + "': this device runs " +
                       join(device.archs) + "; compile the model for one of them");
  std::span<const uint8_t> bytes(static_cast<const uint8_t *>(image.data),
                                 image.data ? image.size : 0);
  HEXIN_ASSIGN_OR_RETURN(auto loaded,
                         LoadedImage::load(bytes, image.fd, image.file_offset));
  auto module = std::make_unique<hexin_module_t>();
  module->image = std::move(loaded);
  return module;
}

Result<std::unique_ptr<hexin_command_t>> prepareCommand(hexin_device_t &device,
                                                        const hexin_command_desc &desc) {
  auto command = std::make_unique<hexin_command_t>();
  command->name = desc.name ? desc.name : "";
  for (uint32_t i = 0; i < desc.binding_count; ++i)
    command->bindings.push_back(
        {desc.bindings[i].slot, desc.bindings[i].offset, desc.bindings[i].length});
  switch (desc.kind) {
  case HEXIN_COMMAND_KERNEL:
    HEXIN_RETURN_IF_ERROR(prepareKernel(device, *command, desc));
    break;
  case HEXIN_COMMAND_LIBRARY:
    HEXIN_RETURN_IF_ERROR(prepareLibrary(device, *command, desc));
    break;
  default:
    return unsupported("command kind " + std::to_string(desc.kind));
  }
  return command;
}

uint64_t readCounter(const hexin_device_t &device, std::string_view name) {
  if (name == "weights_reordered")
    return device.weightsReordered;
  return name == "weights_cached" ? device.weightsCached.load() : 0;
}

Status runSubmission(hexin_device_t &device, const hexin_submission &submission) {
  Status status;
  uint64_t *times = device.profile ? submission.command_ns : nullptr;
  HEXIN_ASSIGN_OR_RETURN(Workspaces::Lease workspaces,
                         device.executor->workspaces().lease());
  device.executor->run([&](Team &team) {
    thread_local std::vector<void *> addresses; // keeps its memory between runs
    for (uint32_t i = 0; i < submission.command_count && status.ok(); ++i) {
      const hexin_command_t &command = *submission.commands[i];
      status = bindMemory(command, submission, addresses);
      if (!status.ok())
        return;
      if (times)
        times[2 * i] = steadyNanoseconds();
      status = runCommand(command, addresses, workspaces, team);
      if (times)
        times[2 * i + 1] = steadyNanoseconds();
    }
  });
  return status;
}

} // namespace hexin::cpu
