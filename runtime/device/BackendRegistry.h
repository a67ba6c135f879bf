//===- BackendRegistry.h - finds backends, and opens their devices --------------===//
//
// One per process. A backend is libhexin_backend_<name>.so, looked for in the
// folders of HEXIN_BACKEND_PATH (':' between them), beside this library, and in
// ../lib of there. It is loaded when first asked for and stays. One that is
// missing or fails is remembered as unavailable, with the reason.
//
// Thread-safe.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_DEVICE_BACKENDREGISTRY_H
#define HEXIN_RUNTIME_DEVICE_BACKENDREGISTRY_H

#include "runtime/device/Device.h"

#include "hexin/device.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace hexin {

/// "opencl:0" in parts; a missing index is 0.
struct DeviceId {
  std::string backend;
  uint32_t index = 0;
};
Result<DeviceId> parseDeviceId(std::string_view id);

class BackendRegistry {
public:
  static BackendRegistry &instance();

  /// Adds a backend that lives in this process, in place of one with its name.
  /// `api` stays valid for good.
  Status add(const std::string &name, const hexin_device_api *api);

  /// All devices, and an entry with the reason per backend that has none.
  std::vector<DeviceInfo> list();

  /// Opens a device, or shares one that is open with equal options.
  Result<std::shared_ptr<Device>> open(const std::string &id,
                                       const DeviceOptions &options);

  /// As open(), of whatever options it is open with, if it is.
  Result<std::shared_ptr<Device>> openAny(const std::string &id);

private:
  struct Backend {
    hexin_device_api api{};
    Status status; ///< why it cannot be used
  };
  const Backend &backend(const std::string &name); // mutex_ held
  // With mutex_ held:
  std::set<std::string> names(); // of the backends that are there
  std::vector<DeviceInfo> listLocked();
  std::string describeAvailable(); // for the end of an error

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Backend>> backends_;
  std::map<std::tuple<std::string, uint32_t, DeviceOptions>, std::weak_ptr<Device>>
      openDevices_;
  std::vector<std::unique_ptr<Backend>> replaced_; // may still have open devices
};

} // namespace hexin

#endif // HEXIN_RUNTIME_DEVICE_BACKENDREGISTRY_H
