#include "runtime/device/BackendRegistry.h"

#include "runtime/base/Log.h"
#include "runtime/device/Library.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>

namespace hexin {
namespace {

constexpr const char *folderVariable = "HEXIN_BACKEND_PATH";
constexpr std::string_view libraryPrefix = "libhexin_backend_";
constexpr std::string_view librarySuffix = ".so";

/// The table cut or zero-extended to the size this build knows; mandatory
/// functions are checked.
Status readTable(const hexin_device_api *table, hexin_device_api &api) {
  if (!table)
    return versionMismatch("it does not speak device ABI " +
                           std::to_string(HEXIN_DEVICE_ABI_MAJOR));
  if (table->struct_size < offsetof(hexin_device_api, host_pointer) ||
      table->abi_major != HEXIN_DEVICE_ABI_MAJOR)
    return versionMismatch("its table is of device ABI " +
                           std::to_string(table->abi_major) + "." +
                           std::to_string(table->abi_minor));
  api = {};
  std::memcpy(&api, table, std::min<size_t>(table->struct_size, sizeof api));
  if (!api.enumerate || !api.open || !api.close || !api.allocate || !api.release ||
      !api.copy || !api.load || !api.unload || !api.prepare || !api.discard ||
      !api.submit || !api.wait)
    return versionMismatch("its table lacks a mandatory function");
  return Status::success();
}

Status loadBackend(const std::string &name, hexin_device_api &api) {
  std::string fileName = std::string(libraryPrefix) + name + std::string(librarySuffix);
  auto entry =
      loadSymbol(libraryFolders(folderVariable), fileName, "hexin_backend_query");
  if (!entry)
    return entry.status();
  auto query = reinterpret_cast<hexin_backend_query_fn>(*entry);
  return readTable(query(HEXIN_DEVICE_ABI_MAJOR), api);
}

struct Enumerated {
  std::vector<hexin_device_info> infos;
  std::string reason; ///< why there are none, as the backend says it; or ""
};

Result<Enumerated> enumerate(const hexin_device_api &api, const std::string &name) {
  hexin_error error{};
  error.struct_size = sizeof error;
  uint32_t count = 0;
  HEXIN_RETURN_IF_ERROR(
      deviceStatus(api.enumerate(&count, nullptr, &error), error, name));
  Enumerated found;
  std::vector<hexin_device_info> &infos = found.infos;
  infos.resize(count);
  for (hexin_device_info &info : infos)
    info.struct_size = sizeof info;
  if (count > 0)
    HEXIN_RETURN_IF_ERROR(
        deviceStatus(api.enumerate(&count, infos.data(), &error), error, name));
  infos.resize(std::min<size_t>(count, infos.size()));
  if (infos.empty())
    found.reason.assign(error.message, strnlen(error.message, sizeof error.message));
  return found;
}

/// The first cpu device is plainly "cpu": there is no second as a rule.
std::string deviceName(const std::string &backend, uint32_t index) {
  if (backend == "cpu" && index == 0)
    return backend;
  return backend + ":" + std::to_string(index);
}

std::string boundedString(const char *text, size_t capacity) {
  return std::string(text, strnlen(text, capacity));
}

DeviceInfo toPublic(const std::string &backend, const hexin_device_info &raw) {
  DeviceInfo info;
  info.id = deviceName(backend, raw.index);
  info.name = boundedString(raw.name, sizeof raw.name);
  info.driver = boundedString(raw.driver, sizeof raw.driver);
  std::string archs = boundedString(raw.image_archs, sizeof raw.image_archs);
  for (size_t begin = 0; begin < archs.size();) {
    size_t end = std::min(archs.find(';', begin), archs.size());
    info.imageArchs.push_back(archs.substr(begin, end - begin));
    begin = end + 1;
  }
  info.memoryBytes = raw.memory_bytes;
  info.computeUnits = raw.compute_units;
  return info;
}

std::string describeOpened(const DeviceInfo &info, const DeviceOptions &options) {
  return "opened device '" + info.id + "': " + info.name + " (" + info.driver + "), " +
         std::to_string(info.computeUnits) + " compute units, cache " +
         (options.cacheDir.empty() ? "off" : "in '" + options.cacheDir + "'");
}

} // namespace

Result<DeviceId> parseDeviceId(std::string_view id) {
  DeviceId parsed;
  size_t colon = id.find(':');
  parsed.backend = id.substr(0, colon);
  bool isNumber = true;
  if (colon != std::string_view::npos) {
    std::string_view digits = id.substr(colon + 1);
    auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), parsed.index);
    bool isTooLarge = error == std::errc::result_out_of_range;
    if (isTooLarge) // no machine has so many: whoever looks says which there are
      parsed.index = std::numeric_limits<decltype(parsed.index)>::max();
    isNumber = (error == std::errc() || isTooLarge) && !digits.empty() &&
               digits.front() != '-' && end == digits.data() + digits.size();
  }
  bool isName = !parsed.backend.empty() &&
                parsed.backend.find_first_not_of(
                    "abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!isName || !isNumber)
    return invalidArgument(
        "'" + std::string(id) +
        "' names no device; write it as 'cpu', 'opencl:0' or 'cuda:0'");
  return parsed;
}

BackendRegistry &BackendRegistry::instance() {
  // Never destroyed: devices may be closed by other objects' destructors.
  static auto *registry = new BackendRegistry;
  return *registry;
}

Status BackendRegistry::add(const std::string &name, const hexin_device_api *api) {
  auto backend = std::make_unique<Backend>();
  HEXIN_RETURN_IF_ERROR(
      readTable(api, backend->api).withContext("backend '" + name + "'"));
  std::lock_guard lock(mutex_);
  auto &place = backends_[name];
  if (place)
    replaced_.push_back(std::move(place));
  place = std::move(backend);
  std::erase_if(openDevices_,
                [&](const auto &entry) { return std::get<0>(entry.first) == name; });
  return Status::success();
}

const BackendRegistry::Backend &BackendRegistry::backend(const std::string &name) {
  auto &place = backends_[name];
  if (!place) {
    place = std::make_unique<Backend>();
    place->status = loadBackend(name, place->api);
    if (!place->status)
      log(LogLevel::info,
          "backend '" + name + "' is not available: " + place->status.message());
  }
  return *place;
}

std::set<std::string> BackendRegistry::names() {
  std::set<std::string> names;
  for (const auto &[name, backend] : backends_)
    if (backend->status)
      names.insert(name);
  for (const std::string &folder : libraryFolders(folderVariable)) {
    std::error_code error; // a folder that cannot be read has no backends
    for (std::filesystem::directory_iterator file(folder, error), end;
         !error && file != end; file.increment(error)) {
      std::string fileName = file->path().filename().string();
      if (fileName.size() > libraryPrefix.size() + librarySuffix.size() &&
          fileName.starts_with(libraryPrefix) && fileName.ends_with(librarySuffix))
        names.insert(fileName.substr(libraryPrefix.size(), fileName.size() -
                                                               libraryPrefix.size() -
                                                               librarySuffix.size()));
    }
  }
  return names;
}

std::vector<DeviceInfo> BackendRegistry::list() {
  std::lock_guard lock(mutex_);
  return listLocked();
}

std::string BackendRegistry::describeAvailable() {
  std::string ids;
  for (const DeviceInfo &info : listLocked())
    if (info.available)
      ids += (ids.empty() ? "" : ", ") + info.id;
  return ids.empty() ? "; there is no device at all" : "; there are: " + ids;
}

std::vector<DeviceInfo> BackendRegistry::listLocked() {
  std::vector<DeviceInfo> devices;
  auto addUnavailable = [&](const std::string &name, const std::string &reason) {
    DeviceInfo info;
    info.id = deviceName(name, 0);
    info.available = false;
    info.reason = reason;
    devices.push_back(std::move(info));
  };
  for (const std::string &name : names()) {
    const Backend &found = backend(name);
    if (!found.status) {
      addUnavailable(name, found.status.message());
      continue;
    }
    auto devicesOf = enumerate(found.api, name);
    if (!devicesOf)
      addUnavailable(name, devicesOf.status().message());
    else if (devicesOf->infos.empty())
      addUnavailable(name,
                     "the backend is there, but finds no device and driver" +
                         (devicesOf->reason.empty() ? "" : ": " + devicesOf->reason));
    else
      for (const hexin_device_info &info : devicesOf->infos)
        devices.push_back(toPublic(name, info));
  }
  return devices;
}

Result<std::shared_ptr<Device>> BackendRegistry::open(const std::string &id,
                                                      const DeviceOptions &options) {
  HEXIN_ASSIGN_OR_RETURN(DeviceId parsed, parseDeviceId(id));
  std::lock_guard lock(mutex_);
  auto key = std::tuple(parsed.backend, parsed.index, options);
  if (auto open = openDevices_[key].lock())
    return open;
  const Backend &found = backend(parsed.backend);
  if (!found.status)
    return unavailable("there is no device '" + id + "': " + found.status.message() +
                       describeAvailable());
  HEXIN_ASSIGN_OR_RETURN(Enumerated all, enumerate(found.api, parsed.backend));
  for (const hexin_device_info &info : all.infos) {
    if (info.index != parsed.index)
      continue;
    HEXIN_ASSIGN_OR_RETURN(
        auto device,
        Device::open(found.api, info, deviceName(parsed.backend, info.index), options));
    openDevices_[key] = device;
    if (isLogged(LogLevel::info))
      log(LogLevel::info, describeOpened(toPublic(parsed.backend, info), options));
    return device;
  }
  return unavailable("there is no device '" + id + "': backend '" + parsed.backend +
                     "' finds " + std::to_string(all.infos.size()) + " devices" +
                     (all.reason.empty() ? "" : " (" + all.reason + ")") +
                     describeAvailable());
}

Result<std::shared_ptr<Device>> BackendRegistry::openAny(const std::string &id) {
  HEXIN_ASSIGN_OR_RETURN(DeviceId parsed, parseDeviceId(id));
  {
    std::lock_guard lock(mutex_);
    for (const auto &[key, device] : openDevices_)
      if (std::get<0>(key) == parsed.backend && std::get<1>(key) == parsed.index)
        if (auto open = device.lock())
          return open;
  }
  return open(id, DeviceOptions());
}

std::vector<DeviceInfo> listDevices() { return BackendRegistry::instance().list(); }

} // namespace hexin
