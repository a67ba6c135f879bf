//===- ApiDevice.cpp - start-up, errors and devices ----------------------------------===//
#include "tests/cuda_driver/driver/Call.h"

#include <cstdio>
#include <cstring>

using namespace standin;

namespace standin {

CUresult cuInit(unsigned flags) {
  Call call("cuInit", Needs::nothing);
  if (call.isRefused())
    return call.result();
  if (flags != 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "flags must be 0");
  // This file is compiled for any processor, ../simt is not.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    constexpr const char *why =
        "the stand-in runs PTX on processors with AVX2 and FMA (x86-64-v3), not on this";
    std::fprintf(stderr, "stand-in: %s\n", why);
    return call.fail(CUDA_ERROR_SYSTEM_NOT_READY, why);
  }
  if (call.driver.config.failInit)
    return call.fail(CUresult(call.driver.config.failInit), "told to fail (FAIL_INIT)");
  if (call.driver.devices.empty())
    return call.fail(CUDA_ERROR_NO_DEVICE, "there is no device");
  call.driver.isInitialised = true;
  return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
  Call call("cuDriverGetVersion", Needs::nothing);
  if (call.isRefused())
    return call.result();
  if (!version)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the version");
  *version = call.driver.config.driverVersion;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **name) {
  if (!name)
    return CUDA_ERROR_INVALID_VALUE;
  *name = errorName(error);
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char **text) {
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = nullptr;
  switch (error) {
#define STANDIN_ERROR(name, value, words)                                                \
  case name:                                                                             \
    *text = words;                                                                       \
    break;
#include "tests/cuda_driver/driver/Errors.def"
#undef STANDIN_ERROR
  }
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDeviceGetCount(int *count) {
  Call call("cuDeviceGetCount", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!count)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the count");
  *count = int(call.driver.devices.size());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  Call call("cuDeviceGet", Needs::initialised);
  if (call.isRefused())
    return call.result();
  if (!device)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the device");
  if (!call.driver.device(ordinal))
    return call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  *device = ordinal;
  return CUDA_SUCCESS;
}

namespace {

/// The device of a call that only asks; null: refused.
Device *deviceFor(Call &call, const void *out, CUdevice ordinal) {
  if (call.isRefused())
    return nullptr;
  Device *device = call.driver.device(ordinal);
  if (!device)
    call.fail(CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(ordinal));
  else if (!out)
    call.fail(CUDA_ERROR_INVALID_VALUE, "nowhere to put the answer");
  return call.isRefused() ? nullptr : device;
}

} // namespace

CUresult cuDeviceGetName(char *name, int length, CUdevice ordinal) {
  Call call("cuDeviceGetName", Needs::initialised);
  Device *device = deviceFor(call, name, ordinal);
  if (!device)
    return call.result();
  if (length <= 0)
    return call.fail(CUDA_ERROR_INVALID_VALUE, "no room for the name");
  std::snprintf(name, size_t(length), "%s", device->profile.name);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice ordinal) {
  Call call("cuDeviceGetUuid", Needs::initialised);
  if (!deviceFor(call, uuid, ordinal))
    return call.result();
  std::memset(uuid->bytes, 0, sizeof uuid->bytes);
  std::snprintf(uuid->bytes, sizeof uuid->bytes, "stand-in GPU %d", ordinal);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice ordinal) {
  return cuDeviceGetUuid_v2(uuid, ordinal);
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice ordinal) {
  Call call("cuDeviceTotalMem", Needs::initialised);
  Device *device = deviceFor(call, bytes, ordinal);
  if (!device)
    return call.result();
  *bytes = device->memory.capacity();
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute,
                              CUdevice ordinal) {
  Call call("cuDeviceGetAttribute", Needs::initialised);
  Device *device = deviceFor(call, value, ordinal);
  if (!device)
    return call.result();
  const Profile &p = device->profile;
  switch (attribute) {
#define STANDIN_ATTRIBUTE(name, number, result)                                          \
  case CU_DEVICE_ATTRIBUTE_##name:                                                       \
    *value = (result);                                                                   \
    return CUDA_SUCCESS;
#include "tests/cuda_driver/driver/Attributes.def"
#undef STANDIN_ATTRIBUTE
  }
  return call.fail(CUDA_ERROR_INVALID_VALUE, "attribute " +
                                                 std::to_string(unsigned(attribute)) +
                                                 " is not in Attributes.def");
}

CUresult cuDeviceCanAccessPeer(int *can, CUdevice ordinal, CUdevice peer) {
  Call call("cuDeviceCanAccessPeer", Needs::initialised);
  if (!deviceFor(call, can, ordinal) || !deviceFor(call, can, peer))
    return call.result();
  *can = ordinal != peer && call.driver.config.hasPeerAccess;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetDefaultMemPool(CUmemoryPool *pool, CUdevice ordinal) {
  Call call("cuDeviceGetDefaultMemPool", Needs::initialised);
  Device *device = deviceFor(call, pool, ordinal);
  if (!device)
    return call.result();
  *pool = device->pool;
  return CUDA_SUCCESS;
}

} // namespace standin
