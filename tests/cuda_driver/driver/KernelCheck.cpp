//===- KernelCheck.cpp - a launch as it was asked for, checked ------------------------===//
#include "tests/cuda_driver/driver/KernelCheck.h"

#include <cstring>

using namespace standin;

namespace {

std::string dims(const std::array<uint32_t, 3> &d) {
  return std::to_string(d[0]) + " x " + std::to_string(d[1]) + " x " +
         std::to_string(d[2]);
}

uint64_t product(const std::array<uint32_t, 3> &d) {
  return uint64_t(d[0]) * d[1] * d[2];
}

bool isWithin(const std::array<uint32_t, 3> &size, const std::array<uint32_t, 3> &limit) {
  for (int axis = 0; axis < 3; ++axis)
    if (size[axis] == 0 || size[axis] > limit[axis])
      return false;
  return true;
}

/// .maxntid 16, 16 has 0 in z: not said.
uint64_t saidThreads(const std::array<uint32_t, 3> &d) {
  return uint64_t(d[0]) * std::max(d[1], 1u) * std::max(d[2], 1u);
}

bool checkShape(Call &call, const LaunchRequest &request, const Function &function) {
  const Entry &entry = *function.entry;
  uint64_t threads = product(request.block);
  if (!isWithin(request.grid, {2147483647, 65535, 65535}))
    call.fail(CUDA_ERROR_INVALID_VALUE, "'" + entry.name + "': a grid of " +
                                            dims(request.grid) +
                                            " blocks, outside of 1 .. 2147483647 x "
                                            "65535 x 65535");
  else if (!isWithin(request.block, {1024, 1024, 64}) || threads > 1024)
    call.fail(CUDA_ERROR_INVALID_VALUE, "'" + entry.name + "': a block of " +
                                            dims(request.block) +
                                            " threads, outside of 1 .. 1024 x 1024 x 64 "
                                            "and 1024 together");
  else if (entry.maxThreads[0] && threads > saidThreads(entry.maxThreads))
    call.fail(CUDA_ERROR_INVALID_VALUE,
              "'" + entry.name + "': more threads than its .maxntid");
  else if (entry.requiredThreads[0]) {
    std::array<uint32_t, 3> required = entry.requiredThreads;
    for (uint32_t &size : required)
      size = std::max(size, 1u);
    if (required != request.block)
      call.fail(CUDA_ERROR_INVALID_VALUE,
                "'" + entry.name + "': not the block of its .reqntid");
  }
  if (!call.isRefused() && int64_t(request.sharedBytes) > function.maxDynamicShared)
    call.fail(CUDA_ERROR_INVALID_VALUE, "'" + entry.name +
                                            "': " + std::to_string(request.sharedBytes) +
                                            " bytes of dynamic shared memory, " +
                                            std::to_string(function.maxDynamicShared) +
                                            " allowed (cuFuncSetAttribute sets it)");
  return !call.isRefused();
}

/// (key, value) pairs that give one buffer with all parameters.
bool readBuffer(Call &call, void **extra, const Entry &entry,
                std::vector<std::byte> &out) {
  const void *buffer = nullptr;
  const size_t *bytes = nullptr;
  for (; reinterpret_cast<uintptr_t>(extra[0]) != CU_LAUNCH_PARAM_END_KEY; extra += 2) {
    auto key = reinterpret_cast<uintptr_t>(extra[0]);
    if (key == CU_LAUNCH_PARAM_BUFFER_POINTER_KEY) {
      buffer = extra[1];
    } else if (key == CU_LAUNCH_PARAM_BUFFER_SIZE_KEY) {
      bytes = static_cast<const size_t *>(extra[1]);
    } else {
      call.fail(CUDA_ERROR_INVALID_VALUE, "an unknown key in `extra`");
      return false;
    }
  }
  if (!buffer || !bytes || *bytes != entry.paramBytes) {
    call.fail(CUDA_ERROR_INVALID_VALUE,
              "'" + entry.name + "' takes " + std::to_string(entry.paramBytes) +
                  " bytes of parameters, " + (bytes ? std::to_string(*bytes) : "none") +
                  " came");
    return false;
  }
  std::memcpy(out.data(), buffer, *bytes);
  return true;
}

bool readParams(Call &call, const LaunchRequest &request, const Entry &entry,
                std::vector<std::byte> &out) {
  out.resize(entry.paramBytes);
  if (request.params && request.extra) {
    call.fail(CUDA_ERROR_INVALID_VALUE, "both `kernelParams` and `extra`");
    return false;
  }
  if (request.extra)
    return readBuffer(call, request.extra, entry, out);
  for (size_t i = 0; i < entry.params.size(); ++i) {
    if (!request.params || !request.params[i]) {
      call.fail(CUDA_ERROR_INVALID_VALUE,
                "'" + entry.name + "': no value for parameter " + std::to_string(i));
      return false;
    }
    const Param &param = entry.params[i];
    std::memcpy(out.data() + param.offset, request.params[i], param.bytes);
  }
  return true;
}

} // namespace

int standin::residentBlocks(const Function &function, int blockThreads,
                            size_t dynamicShared) {
  BlockNeeds needs{blockThreads, function.registers,
                   long(function.entry->staticSharedBytes + dynamicShared)};
  return residentBlocks(function.context()->device->profile, needs);
}

bool standin::makeKernelAction(Call &call, const LaunchRequest &request,
                               KernelAction &out) {
  std::shared_ptr<Function> function = call.driver.functions.find(request.function);
  if (!function) {
    call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a live function");
    return false;
  }
  if (!checkShape(call, request, *function))
    return false;
  int resident =
      residentBlocks(*function, int(product(request.block)), request.sharedBytes);
  if (resident == 0) {
    call.fail(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
              "'" + function->entry->name +
                  "': a multiprocessor has not the registers or shared memory for one "
                  "block");
    return false;
  }
  uint64_t room =
      uint64_t(resident) * uint64_t(function->context()->device->profile.multiprocessors);
  if (request.isCooperative && product(request.grid) > room) {
    call.fail(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
              "'" + function->entry->name +
                  "': " + std::to_string(product(request.grid)) + " blocks, " +
                  std::to_string(room) + " fit the device at once");
    return false;
  }
  out.function = function;
  out.grid = request.grid;
  out.block = request.block;
  out.sharedBytes = request.sharedBytes;
  return readParams(call, request, *function->entry, out.params);
}
