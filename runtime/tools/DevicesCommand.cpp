#include "hexin/device.h"
#include "runtime/tools/Arguments.h"
#include "runtime/tools/Commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace hexin::cli {
namespace {

void printJson(const std::vector<DeviceInfo> &devices) {
  nlohmann::json list = nlohmann::json::array();
  for (const DeviceInfo &device : devices)
    list.push_back({{"id", device.id},
                    {"name", device.name},
                    {"driver", device.driver},
                    {"imageArchs", device.imageArchs},
                    {"memoryBytes", device.memoryBytes},
                    {"computeUnits", device.computeUnits},
                    {"available", device.available},
                    {"reason", device.reason}});
  auto text = list.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

void printTable(const std::vector<DeviceInfo> &devices) {
  for (const DeviceInfo &device : devices) {
    if (!device.available) {
      std::printf("%-10s not available: %s\n", device.id.c_str(), device.reason.c_str());
      continue;
    }
    std::string archs;
    for (const std::string &arch : device.imageArchs)
      archs += (archs.empty() ? "" : ", ") + arch;
    std::printf("%-10s %s\n           %s; %u compute units, %s; runs %s\n",
                device.id.c_str(), device.name.c_str(), device.driver.c_str(),
                device.computeUnits, formatBytes(device.memoryBytes).c_str(),
                archs.c_str());
  }
  if (devices.empty())
    std::printf("no backend was found beside libhexin\n");
}

} // namespace

void addDevicesCommand(CLI::App &app, Context &context) {
  auto asJson = std::make_shared<bool>(false);
  CLI::App *sub = app.add_subcommand("devices", "List the devices of this machine");
  sub->add_flag("--json", *asJson, "Report as JSON");
  sub->callback([asJson, &context] {
    *asJson ? printJson(listDevices()) : printTable(listDevices());
    context.status = Status::success();
  });
}

} // namespace hexin::cli
