// Runs where there is no driver, one of no use, or no GPU: the backend has no devices
// and says why. HEXIN_TEST_REASON is a part of what it should say.
#include "runtime/device/hexin_device.h"

#include "hexin/status.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

extern "C" const hexin_device_api *hexin_backend_query(uint32_t abiMajor);

TEST(CudaAbsent, IsPolite) {
  const char *library = std::getenv("HEXIN_CUDA_LIBRARY");
  const char *reason = std::getenv("HEXIN_TEST_REASON");
  ASSERT_TRUE(library && reason);
  if (std::filesystem::path(library).is_absolute() && !std::filesystem::exists(library))
    GTEST_SKIP() << "the stand-in was not built: " << library;
  EXPECT_EQ(hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR + 1), nullptr);
  const hexin_device_api *api = hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR);
  ASSERT_TRUE(api);
  hexin_error error{};
  error.struct_size = sizeof error;
  hexin_device_info infos[2] = {};
  infos[0].struct_size = infos[1].struct_size = sizeof infos[0];
  uint32_t count = 2;
  EXPECT_EQ(api->enumerate(&count, infos, &error), 0u);
  EXPECT_EQ(count, 0u);
  EXPECT_THAT(error.message, testing::HasSubstr(reason));
  hexin_device *device = nullptr;
  EXPECT_EQ(api->open(0, nullptr, &device, &error),
            static_cast<uint32_t>(hexin::StatusCode::notFound));
  EXPECT_THAT(error.message, testing::HasSubstr(reason));
}
