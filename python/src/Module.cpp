#include "hexin/device.h"
#include "python/src/Bindings.h"
#include "python/src/Errors.h"
#include "runtime/base/ThreadLimit.h"

namespace nb = nanobind;
using namespace hexin;
using namespace hexin::python;

namespace {

nb::str text(const std::string &value) { return nb::str(value.c_str(), value.size()); }

/// One tuple per device, in the order of hexin.Device's fields.
nb::list describeDevices() {
  std::vector<DeviceInfo> devices;
  {
    nb::gil_scoped_release release;
    devices = listDevices();
  }
  nb::list list;
  for (const DeviceInfo &device : devices) {
    nb::list archs;
    for (const std::string &arch : device.imageArchs)
      archs.append(text(arch));
    list.append(nb::make_tuple(text(device.id), text(device.name), text(device.driver),
                               nb::tuple(archs), device.memoryBytes, device.computeUnits,
                               device.available, text(device.reason)));
  }
  return list;
}

} // namespace

NB_MODULE(_core, module) {
  registerErrors();
  module.attr("version") = HEXIN_VERSION;
  module.attr("max_threads") = maxThreads;
  module.def("devices", &describeDevices);
  bindModel(module);
  bindSession(module);
  bindCompile(module);
  bindDeviceArray(module);
  bindLog(module);
}
