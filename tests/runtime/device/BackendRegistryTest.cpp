#include "runtime/device/BackendRegistry.h"

#include "tests/runtime/FakeDevice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hexin {
namespace {

TEST(BackendRegistry, ListsWhatIsThereAndWhyTheRestIsNot) {
  test::registerFakeDevices();
  std::vector<DeviceInfo> devices = listDevices();
  auto find = [&](const std::string &id) {
    return std::find_if(devices.begin(), devices.end(),
                        [&](const DeviceInfo &device) { return device.id == id; });
  };
  ASSERT_NE(find("near:0"), devices.end());
  EXPECT_TRUE(find("near:0")->available);
  EXPECT_EQ(find("near:0")->imageArchs, (std::vector<std::string>{"fake-v2", "fake-v1"}));
}

TEST(BackendRegistry, ListsTheLibrariesThatAreThere) {
  std::string folder = testing::TempDir() + "hexin-backends";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/libhexin_backend_damaged.so") << "no library";
  ::setenv("HEXIN_BACKEND_PATH", folder.c_str(), 1);
  (void)BackendRegistry::instance().open("absent", {});
  std::vector<DeviceInfo> devices = listDevices();
  ::unsetenv("HEXIN_BACKEND_PATH");
  auto find = [&](const std::string &id) {
    return std::find_if(devices.begin(), devices.end(),
                        [&](const DeviceInfo &device) { return device.id == id; });
  };
  EXPECT_EQ(find("absent:0"), devices.end());
  ASSERT_NE(find("damaged:0"), devices.end());
  EXPECT_FALSE(find("damaged:0")->available);
  EXPECT_NE(find("damaged:0")->reason.find("cannot load it"), std::string::npos);
}

TEST(BackendRegistry, SharesOpenDevices) {
  test::registerFakeDevices();
  BackendRegistry &registry = BackendRegistry::instance();
  DeviceOptions other;
  other.threads = 3;
  auto a = registry.open("near", {});
  auto b = registry.open("near:0", {});
  auto c = registry.open("near", other);
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(*a, *b);
  EXPECT_NE(*a, *c);
}

TEST(BackendRegistry, SaysWhyADeviceCannotBeHad) {
  test::registerFakeDevices();
  auto open = [](const std::string &id) {
    return BackendRegistry::instance().open(id, {}).status();
  };
  EXPECT_EQ(open("near:7").code(), StatusCode::unavailable);
  EXPECT_EQ(open("nosuch").code(), StatusCode::unavailable);
  EXPECT_NE(open("nosuch").message().find("libhexin_backend_nosuch.so"),
            std::string::npos);
  for (const char *id : {"nosuch", "near:7"})
    EXPECT_NE(open(id).message().find("; there are: "), std::string::npos) << id;
  for (const char *id : {"", ":", "near:", "near:x", "near:0x", "../evil", "near:-1"})
    EXPECT_EQ(open(id).code(), StatusCode::invalidArgument) << id;
}

TEST(BackendRegistry, RefusesAnIncompleteTable) {
  hexin_device_api api = *test::nearApi();
  api.submit = nullptr;
  EXPECT_EQ(BackendRegistry::instance().add("broken", &api).code(),
            StatusCode::versionMismatch);
  api = *test::nearApi();
  api.abi_major = 2;
  EXPECT_EQ(BackendRegistry::instance().add("broken", &api).code(),
            StatusCode::versionMismatch);
  EXPECT_EQ(BackendRegistry::instance().add("broken", nullptr).code(),
            StatusCode::versionMismatch);
}

TEST(BackendRegistry, TakesATableWithoutOptionalFunctions) {
  static hexin_device_api api = *test::nearApi();
  api.struct_size = offsetof(hexin_device_api, host_pointer);
  ASSERT_TRUE(BackendRegistry::instance().add("older", &api));
  auto device = BackendRegistry::instance().open("older", {});
  ASSERT_TRUE(device);
  EXPECT_FALSE((*device)->canWrapHost());
}

} // namespace
} // namespace hexin
