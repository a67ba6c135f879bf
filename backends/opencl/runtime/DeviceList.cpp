#include "backends/opencl/runtime/DeviceList.h"
#include "backends/opencl/abi/OpenclText.h"
#include "backends/opencl/runtime/ClError.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace hexin::opencl {
namespace {

/// A bound on what is read from a driver.
constexpr size_t maxTextBytes = 1 << 16;
constexpr cl_uint maxHandles = 256;

template <typename Query> std::string readText(Query query) {
  size_t bytes = 0;
  if (query(0, nullptr, &bytes) != CL_SUCCESS || bytes == 0 || bytes > maxTextBytes)
    return {};
  std::string text(bytes, '\0');
  if (query(bytes, text.data(), nullptr) != CL_SUCCESS)
    return {};
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::string platformText(const ClApi &api, cl_platform_id id, cl_platform_info what) {
  return readText([&](size_t bytes, void *to, size_t *size) {
    return api.clGetPlatformInfo(id, what, bytes, to, size);
  });
}

std::string deviceText(const ClApi &api, cl_device_id id, cl_device_info what) {
  return readText([&](size_t bytes, void *to, size_t *size) {
    return api.clGetDeviceInfo(id, what, bytes, to, size);
  });
}

/// A number the device reports, or `fallback` when it does not know the query.
template <typename T>
T deviceValue(const ClApi &api, cl_device_id id, cl_device_info what, T fallback = T()) {
  T value = fallback;
  return api.clGetDeviceInfo(id, what, sizeof value, &value, nullptr) == CL_SUCCESS
             ? value
             : fallback;
}

bool hasWord(const std::string &words, std::string_view word) {
  for (size_t at = words.find(word); at != std::string::npos;
       at = words.find(word, at + 1))
    if ((at == 0 || words[at - 1] == ' ') &&
        (at + word.size() == words.size() || words[at + word.size()] == ' '))
      return true;
  return false;
}

std::string whyUnusable(const ClApi &api, cl_device_id id,
                        const std::string &extensions) {
  if (!deviceValue<cl_bool>(api, id, CL_DEVICE_AVAILABLE))
    return "the device says it is not available";
  if (!deviceValue<cl_bool>(api, id, CL_DEVICE_COMPILER_AVAILABLE))
    return "its driver has no compiler for OpenCL C";
  if (!deviceValue<cl_bool>(api, id, CL_DEVICE_ENDIAN_LITTLE))
    return "it is big-endian";
  std::string version = deviceText(api, id, CL_DEVICE_VERSION);
  unsigned major = 0, minor = 0;
  if (std::sscanf(version.c_str(), "OpenCL %u.%u", &major, &minor) != 2 ||
      major * 10 + minor < 12)
    return "it offers '" + version + "'; OpenCL 1.2 is needed";
  bool isFull = deviceText(api, id, CL_DEVICE_PROFILE) == "FULL_PROFILE";
  if (!isFull && !hasWord(extensions, "cles_khr_int64"))
    return "it has no 64-bit integers";
  return {};
}

/// HEXIN_OPENCL_LOCAL_MEMORY; empty when it is not set.
std::string_view localMemoryChoice() {
  const char *chosen = std::getenv("HEXIN_OPENCL_LOCAL_MEMORY");
  return chosen ? chosen : "";
}

/// Memory on the chip that a team's items share; not what is emulated in ordinary
/// memory. HEXIN_OPENCL_LOCAL_MEMORY says otherwise: 1 takes any, 0 none.
bool hasLocalMemory(const ClApi &api, cl_device_id id) {
  if (std::string_view chosen = localMemoryChoice(); !chosen.empty())
    return chosen == "1";
  return deviceValue<cl_device_local_mem_type>(api, id, CL_DEVICE_LOCAL_MEM_TYPE) ==
         CL_LOCAL;
}

void fillInfo(ClDevice &device, const ClApi &api, const std::string &extensions) {
  hexin_device_info &info = device.info;
  auto put = [](char *to, size_t capacity, const std::string &text) {
    std::snprintf(to, capacity, "%s", text.c_str());
  };
  info.struct_size = sizeof info;
  put(info.name, sizeof info.name, device.name);
  put(info.driver, sizeof info.driver, device.driver);
  if (device.unusable.empty())
    put(info.image_archs, sizeof info.image_archs, std::string(openclImageArch));
  info.memory_bytes = deviceValue<cl_ulong>(api, device.id, CL_DEVICE_GLOBAL_MEM_SIZE);
  info.max_buffer_bytes =
      deviceValue<cl_ulong>(api, device.id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  cl_uint alignBits =
      deviceValue<cl_uint>(api, device.id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, 1024);
  info.base_alignment = std::max<uint32_t>(64, alignBits / 8);
  info.compute_units =
      deviceValue<cl_uint>(api, device.id, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
  if (device.sharesHostMemory)
    info.flags |= HEXIN_DEVICE_HOST_MEMORY;
  if (hasLocalMemory(api, device.id)) {
    info.flags |= HEXIN_DEVICE_LOCAL_MEMORY;
    info.max_team_threads = device.maxGroupSize;
    info.local_memory_bytes =
        deviceValue<cl_ulong>(api, device.id, CL_DEVICE_LOCAL_MEM_SIZE);
  }
  if (deviceValue<cl_device_fp_config>(api, device.id, CL_DEVICE_DOUBLE_FP_CONFIG) != 0)
    info.flags |= HEXIN_DEVICE_FP64;
  if (hasWord(extensions, "cl_khr_fp16"))
    info.flags |= HEXIN_DEVICE_FP16;
}

ClDevice describe(const ClApi &api, cl_platform_id platform, cl_device_id id) {
  ClDevice device;
  device.id = id;
  device.platform = platform;
  device.name = deviceText(api, id, CL_DEVICE_NAME);
  device.driver = platformText(api, platform, CL_PLATFORM_NAME) + ", driver " +
                  deviceText(api, id, CL_DRIVER_VERSION) + ", " +
                  platformText(api, platform, CL_PLATFORM_VERSION) + ", " +
                  deviceText(api, id, CL_DEVICE_VERSION);
  std::string extensions = deviceText(api, id, CL_DEVICE_EXTENSIONS);
  device.unusable = whyUnusable(api, id, extensions);
  auto type = deviceValue<cl_device_type>(api, id, CL_DEVICE_TYPE);
  device.isCpu = (type & CL_DEVICE_TYPE_CPU) != 0;
  device.sharesHostMemory =
      deviceValue<cl_bool>(api, id, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
  auto single = deviceValue<cl_device_fp_config>(api, id, CL_DEVICE_SINGLE_FP_CONFIG);
  device.roundsDivideAndSqrt = (single & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
  device.hasFma = (single & CL_FP_FMA) != 0;
  device.maxGroupSize = static_cast<uint32_t>(std::clamp<size_t>(
      deviceValue<size_t>(api, id, CL_DEVICE_MAX_WORK_GROUP_SIZE, 1), 1, 1 << 16));
  fillInfo(device, api, extensions);
  return device;
}

DeviceList findDevices() {
  DeviceList list;
  const Result<ClApi> &loaded = ClApi::get();
  if (!loaded) {
    list.reason = loaded.status().message();
    return list;
  }
  std::string_view choice = localMemoryChoice();
  if (!choice.empty() && choice != "0" && choice != "1") {
    list.reason = "HEXIN_OPENCL_LOCAL_MEMORY is '" + std::string(choice) +
                  "': expected 0 or 1, or leave it unset";
    return list;
  }
  const ClApi &api = *loaded;
  cl_uint platformCount = 0;
  cl_int code = api.clGetPlatformIDs(0, nullptr, &platformCount);
  if (code != CL_SUCCESS || platformCount == 0) {
    list.reason = "the OpenCL loader finds no driver (" + clErrorName(code) +
                  "); install the OpenCL driver of your device";
    return list;
  }
  std::vector<cl_platform_id> platforms(std::min(platformCount, maxHandles));
  if (api.clGetPlatformIDs(platforms.size(), platforms.data(), nullptr) != CL_SUCCESS)
    platforms.clear();
  std::multimap<std::string, cl_platform_id> byName; // equal names keep their order
  for (cl_platform_id platform : platforms)
    byName.emplace(platformText(api, platform, CL_PLATFORM_NAME), platform);
  for (const auto &[name, platform] : byName) {
    cl_uint count = 0;
    if (api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count) !=
        CL_SUCCESS)
      continue;
    std::vector<cl_device_id> ids(std::min(count, maxHandles));
    if (ids.empty() || api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, ids.size(),
                                          ids.data(), nullptr) != CL_SUCCESS)
      continue;
    for (cl_device_id id : ids) {
      list.devices.push_back(describe(api, platform, id));
      list.devices.back().info.index = static_cast<uint32_t>(list.devices.size() - 1);
    }
  }
  if (list.devices.empty())
    list.reason = "the OpenCL drivers of this machine offer no device";
  return list;
}

} // namespace

const DeviceList &DeviceList::get() {
  static const DeviceList list = findDevices();
  return list;
}

} // namespace hexin::opencl
