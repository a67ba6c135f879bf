#include "backends/cuda/runtime/DeviceList.h"
#include "backends/cuda/abi/PtxArchs.h"
#include "backends/cuda/runtime/CudaError.h"

#include <algorithm>
#include <cstdio>

namespace hexin::cuda {
namespace {

/// What a device answers, or `fallback` when the driver does not know the question.
int attribute(const CudaApi &api, CUdevice id, DeviceAttribute what, int fallback = 0) {
  int value = fallback;
  return api.cuDeviceGetAttribute(&value, what, id) == cudaSuccess ? value : fallback;
}

/// Archs of images that the device runs, best first, ';' between.
std::string imageArchs(const GpuInfo &gpu) {
  std::string archs;
  for (const PtxArch &arch : ptxArchs)
    if (arch.capability <= gpu.capability && arch.cudaVersion <= gpu.driverVersion)
      archs.append(archs.empty() ? "" : ";").append(arch.name);
  return archs;
}

GpuInfo describe(const CudaApi &api, int ordinal, int driverVersion) {
  GpuInfo gpu;
  hexin_device_info &info = gpu.info;
  info.struct_size = sizeof info;
  info.index = static_cast<uint32_t>(ordinal);
  gpu.driverVersion = driverVersion;
  if (CUresult code = api.cuDeviceGet(&gpu.id, ordinal)) {
    gpu.unusable = cudaStatus(code, "asking for the device").message();
    return gpu;
  }
  if (api.cuDeviceGetName(info.name, sizeof info.name, gpu.id) != cudaSuccess)
    std::snprintf(info.name, sizeof info.name, "CUDA device");
  gpu.capability = attribute(api, gpu.id, attributeCapabilityMajor) * 10 +
                   attribute(api, gpu.id, attributeCapabilityMinor);
  gpu.hasMemoryPools = attribute(api, gpu.id, attributeMemoryPools) != 0;
  gpu.maxGrid = static_cast<unsigned>(
      std::max(1, attribute(api, gpu.id, attributeMaxGridX, 65535)));
  std::string archs = imageArchs(gpu);
  std::string capability =
      std::to_string(gpu.capability / 10) + "." + std::to_string(gpu.capability % 10);
  if (archs.empty())
    gpu.unusable = "its compute capability is " + capability + "; 8.0 or later is needed";
  std::snprintf(info.driver, sizeof info.driver, "CUDA %s, compute capability %s",
                formatCudaVersion(driverVersion).c_str(), capability.c_str());
  std::snprintf(info.image_archs, sizeof info.image_archs, "%s", archs.c_str());
  size_t bytes = 0;
  if (api.cuDeviceTotalMem_v2(&bytes, gpu.id) != cudaSuccess)
    bytes = 0;
  info.memory_bytes = info.max_buffer_bytes = bytes;
  info.base_alignment = 256;
  info.compute_units = static_cast<uint32_t>(
      std::max(1, attribute(api, gpu.id, attributeMultiprocessors, 1)));
  info.flags = HEXIN_DEVICE_LOCAL_MEMORY | HEXIN_DEVICE_FP64 | HEXIN_DEVICE_FP16;
  info.max_team_threads = static_cast<uint32_t>(
      std::max(1, attribute(api, gpu.id, attributeMaxThreadsPerBlock, 1)));
  info.local_memory_bytes = static_cast<uint64_t>(
      std::max(0, attribute(api, gpu.id, attributeSharedBytesOptIn, 48 << 10)));
  return gpu;
}

DeviceList findDevices() {
  DeviceList list;
  const Result<CudaApi> &loaded = CudaApi::get();
  if (!loaded) {
    list.reason = loaded.status().message();
    return list;
  }
  const CudaApi &api = *loaded;
  int version = 0, count = 0;
  auto failed = [&](CUresult code, const char *what) {
    if (code != cudaSuccess)
      list.reason = cudaStatus(code, what).message();
    return code != cudaSuccess;
  };
  if (failed(api.cuInit(0), "starting NVIDIA's driver") ||
      failed(api.cuDriverGetVersion(&version), "asking NVIDIA's driver for its version"))
    return list;
  if (version < oldestCudaVersion) {
    list.reason = "NVIDIA's driver is of CUDA " + formatCudaVersion(version) + "; CUDA " +
                  formatCudaVersion(oldestCudaVersion) +
                  " (driver 525) or later is needed: update the driver";
    return list;
  }
  if (failed(api.cuDeviceGetCount(&count), "counting NVIDIA GPUs"))
    return list;
  for (int ordinal = 0; ordinal < count; ++ordinal)
    list.devices.push_back(describe(api, ordinal, version));
  if (list.devices.empty())
    list.reason = "NVIDIA's driver finds no GPU";
  return list;
}

} // namespace

const DeviceList &DeviceList::get() {
  static const DeviceList list = findDevices();
  return list;
}

std::string formatCudaVersion(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

} // namespace hexin::cuda
