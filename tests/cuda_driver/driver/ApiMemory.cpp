//===- ApiMemory.cpp - device memory, pools and page-locked host memory --------------===//
#include "tests/cuda_driver/driver/Call.h"

#include <cstring>

using namespace standin;

namespace {

constexpr size_t pageBytes = 4096;

/// Allocates in the current context; null: refused.
std::optional<DeviceAddress> allocate(Call &call, CUdeviceptr *out, size_t bytes) {
  Driver &driver = call.driver;
  Device &device = call.device();
  if (!out || bytes == 0) {
    call.fail(CUDA_ERROR_INVALID_VALUE, "no bytes, or nowhere to put the address");
    return std::nullopt;
  }
  if (driver.config.failAllocation.strikes()) {
    call.fail(CUDA_ERROR_OUT_OF_MEMORY, "told to fail (FAIL_ALLOCATION)");
    return std::nullopt;
  }
  std::optional<DeviceAddress> address = device.memory.allocate(bytes);
  if (!address) { // what is queued may give some back
    driver.completeAll(call.lock, *call.context());
    address = device.memory.allocate(bytes);
  }
  if (!address) {
    call.fail(CUDA_ERROR_OUT_OF_MEMORY,
              std::to_string(bytes) + " bytes asked for, " +
                  std::to_string(device.memory.capacity() - device.memory.used()) +
                  " free");
    return std::nullopt;
  }
  ++driver.counted.allocations;
  device.peakBytes = std::max(device.peakBytes, device.memory.used());
  call.context()->allocations[*address] = {bytes, ++driver.allocationSerial};
  *out = *address;
  return address;
}

/// Takes `address` out of the list of its context; null: it is no live allocation.
Device *forget(Call &call, CUdeviceptr address) {
  Device *device = call.driver.deviceOf(address);
  if (device && device->primary && device->primary->allocations.erase(address))
    return device;
  call.fail(CUDA_ERROR_INVALID_VALUE,
            "the address is not the beginning of a live allocation (freed twice?)");
  return nullptr;
}

void completeEverything(Call &call) {
  for (const std::unique_ptr<Device> &device : call.driver.devices)
    if (std::shared_ptr<Context> context = device->primary)
      call.driver.completeAll(call.lock, *context);
}

void unmap(Call &call, const PinnedRange &range) {
  for (auto [ordinal, address] : range.mapped)
    call.driver.device(ordinal)->memory.release(address);
}

} // namespace

namespace standin {

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  Call call("cuMemGetInfo", Needs::context);
  if (call.isRefused())
    return call.result();
  const DeviceMemory &memory = call.device().memory;
  if (free)
    *free = memory.capacity() - memory.used();
  if (total)
    *total = memory.capacity();
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *out, size_t bytes) {
  Call call("cuMemAlloc", Needs::context);
  if (call.isRefused() || call.isForbiddenInCapture() || !allocate(call, out, bytes))
    return call.result();
  return call.finish();
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  Call call("cuMemFree", Needs::release);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  if (address == 0)
    return call.finish();
  Device *device = forget(call, address);
  if (!device)
    return call.result();
  // As the real driver does: what was queued may use it to its end.
  call.driver.completeAll(call.lock, *device->primary);
  device->memory.release(address);
  return call.finish();
}

CUresult cuMemAllocAsync(CUdeviceptr *out, size_t bytes, CUstream handle) {
  Call call("cuMemAllocAsync", Needs::context);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Stream> stream = call.stream(handle, false);
  if (!stream)
    return call.result();
  if (stream->capture)
    return call.fail(CUDA_ERROR_NOT_SUPPORTED,
                     "the stand-in has no allocation nodes: allocate before the capture");
  std::optional<DeviceAddress> address = allocate(call, out, bytes);
  if (!address)
    return call.result();
  CUresult result = call.driver.submit(call.lock, *stream,
                                       PoisonAction{{&call.device(), *address}, bytes});
  return result ? call.fail(result, "could not be queued") : call.finish();
}

CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  Call call("cuMemFreeAsync", Needs::release);
  if (call.isRefused())
    return call.result();
  if (call.context()->error) { // nothing runs any more that it would have to wait for
    if (Device *device = forget(call, address))
      device->memory.release(address);
    return call.finish();
  }
  std::shared_ptr<Stream> stream = call.stream(handle);
  if (!stream)
    return call.result();
  if (stream->capture)
    return call.fail(CUDA_ERROR_NOT_SUPPORTED,
                     "the stand-in has no nodes that free: free after the capture");
  Device *device = forget(call, address);
  if (!device)
    return call.result();
  CUresult result =
      call.driver.submit(call.lock, *stream, ReleaseAction{{device, address}});
  return result ? call.fail(result, "could not be queued") : call.finish();
}

CUresult cuMemPoolSetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute,
                               void *value) {
  Call call("cuMemPoolSetAttribute", Needs::initialised);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Device> pool = call.driver.pools.find(handle);
  if (!pool)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a pool");
  if (!value || attribute < CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES ||
      attribute > CU_MEMPOOL_ATTR_RELEASE_THRESHOLD)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no value, or no attribute that is set");
  if (attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD)
    std::memcpy(&pool->poolThreshold, value, sizeof pool->poolThreshold);
  return CUDA_SUCCESS;
}

CUresult cuMemPoolGetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute,
                               void *value) {
  Call call("cuMemPoolGetAttribute", Needs::initialised);
  if (call.isRefused())
    return call.result();
  std::shared_ptr<Device> pool = call.driver.pools.find(handle);
  if (!pool)
    return call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a pool");
  if (!value || attribute < CU_MEMPOOL_ATTR_RELEASE_THRESHOLD ||
      attribute > CU_MEMPOOL_ATTR_USED_MEM_HIGH)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no room, or an attribute not kept");
  bool isHigh = attribute == CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH ||
                attribute == CU_MEMPOOL_ATTR_USED_MEM_HIGH;
  uint64_t answer = attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD ? pool->poolThreshold
                    : isHigh                                       ? pool->peakBytes
                                                                   : pool->memory.used();
  std::memcpy(value, &answer, sizeof answer);
  return CUDA_SUCCESS;
}

CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t bytesToKeep) {
  Call call("cuMemPoolTrimTo", Needs::initialised);
  if (call.isRefused())
    return call.result();
  return call.driver.pools.find(handle)
             ? CUDA_SUCCESS // nothing is kept
             : call.fail(CUDA_ERROR_INVALID_HANDLE, "the handle is none of a pool");
}

CUresult cuMemHostAlloc(void **host, size_t bytes, unsigned flags) {
  Call call("cuMemHostAlloc", Needs::context);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  if (!host || bytes == 0 || flags > 7)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no bytes, no room, or unknown flags");
  if (call.driver.config.failAllocation.strikes())
    return call.fail(CUDA_ERROR_OUT_OF_MEMORY, "told to fail (FAIL_ALLOCATION)");
  size_t rounded =
      bytes > SIZE_MAX - pageBytes ? 0 : (bytes + pageBytes - 1) & ~(pageBytes - 1);
  void *memory = rounded ? std::aligned_alloc(pageBytes, rounded) : nullptr;
  if (!memory)
    return call.fail(CUDA_ERROR_OUT_OF_MEMORY, "the host has no room");
  std::memset(memory, DeviceMemory::poison, bytes);
  PinnedRange &range = call.driver.pinned[reinterpret_cast<uint64_t>(memory)];
  range.bytes = bytes;
  range.owned.reset(memory);
  *host = memory;
  return call.finish();
}

CUresult cuMemFreeHost(void *host) {
  Call call("cuMemFreeHost", Needs::release);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  auto address = reinterpret_cast<uint64_t>(host);
  auto range = call.driver.pinned.find(address);
  if (range == call.driver.pinned.end() || !range->second.owned)
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "not the beginning of memory of cuMemHostAlloc (freed twice?)");
  completeEverything(call);
  range = call.driver.pinned.find(address);
  if (range != call.driver.pinned.end()) {
    unmap(call, range->second);
    call.driver.pinned.erase(range);
  }
  return call.finish();
}

CUresult cuMemHostRegister_v2(void *host, size_t bytes, unsigned flags) {
  Call call("cuMemHostRegister", Needs::context);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  if (!host || bytes == 0 || flags > 15)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no bytes, no memory, or unknown flags");
  auto begin = reinterpret_cast<uint64_t>(host);
  auto next = call.driver.pinned.lower_bound(begin);
  bool overlaps = call.driver.pinnedAt(begin, 1) != call.driver.pinned.end() ||
                  (next != call.driver.pinned.end() && next->first - begin < bytes);
  if (overlaps)
    return call.fail(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
                     "a part of it is page-locked already");
  call.driver.pinned[begin].bytes = bytes;
  return call.finish();
}

CUresult cuMemHostUnregister(void *host) {
  Call call("cuMemHostUnregister", Needs::release);
  if (call.isRefused() || call.isForbiddenInCapture())
    return call.result();
  auto address = reinterpret_cast<uint64_t>(host);
  auto range = call.driver.pinned.find(address);
  if (range == call.driver.pinned.end() || range->second.owned)
    return call.fail(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED,
                     "not the beginning of registered memory");
  completeEverything(call);
  range = call.driver.pinned.find(address);
  if (range != call.driver.pinned.end()) {
    unmap(call, range->second);
    call.driver.pinned.erase(range);
  }
  return call.finish();
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *out, void *host, unsigned flags) {
  Call call("cuMemHostGetDevicePointer", Needs::context);
  if (call.isRefused())
    return call.result();
  auto address = reinterpret_cast<uint64_t>(host);
  auto range = call.driver.pinnedAt(address, 1);
  if (!out || flags != 0 || range == call.driver.pinned.end())
    return call.fail(CUDA_ERROR_INVALID_VALUE,
                     "not page-locked memory, nowhere to put the address, or flags");
  Device &device = call.device();
  DeviceAddress &mapped = range->second.mapped[device.ordinal];
  if (!mapped)
    mapped = device.memory.map(reinterpret_cast<std::byte *>(range->first),
                               range->second.bytes);
  *out = mapped + (address - range->first);
  return CUDA_SUCCESS;
}

CUresult cuPointerGetAttribute(void *value, CUpointer_attribute attribute,
                               CUdeviceptr address) {
  Call call("cuPointerGetAttribute", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!value)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the answer");
  Device *device = call.driver.deviceOf(address);
  auto range = call.driver.pinnedAt(address, 1);
  bool isPinned = range != call.driver.pinned.end();
  if (!device && !isPinned)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no memory that CUDA knows of");
  auto answer = [&](auto what) {
    std::memcpy(value, &what, sizeof what);
    return CUDA_SUCCESS;
  };
  std::optional<DeviceMemory::Range> owner;
  if (device)
    owner = device->memory.find(address);
  switch (attribute) {
  case CU_POINTER_ATTRIBUTE_CONTEXT:
    return answer(device && device->primary ? device->primary->handle : CUcontext());
  case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    return answer(device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST);
  case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
    if (device)
      return answer(address);
    break;
  case CU_POINTER_ATTRIBUTE_HOST_POINTER:
    if (isPinned)
      return answer(address);
    break;
  case CU_POINTER_ATTRIBUTE_BUFFER_ID:
    return answer(device ? owner->begin : uint64_t(range->first));
  case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    return answer(0u);
  case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
    return answer(device ? device->ordinal : 0);
  case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    return answer(device ? owner->begin : uint64_t(range->first));
  case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    return answer(device ? size_t(owner->bytes) : size_t(range->second.bytes));
  case CU_POINTER_ATTRIBUTE_MAPPED:
    return answer(1u);
  }
  return call.fail(CUDA_ERROR_INVALID_VALUE, "the attribute does not fit this memory");
}

} // namespace standin
