#include "runtime/device/BackendRegistry.h"

#include "tests/runtime/FakeDevice.h"

#include <gtest/gtest.h>

#include <algorithm>

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
  // Known backends are listed whether they are installed or not.
  auto cuda = find("cuda:0");
  ASSERT_NE(cuda, devices.end());
  if (!cuda->available)
    EXPECT_FALSE(cuda->reason.empty());
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
