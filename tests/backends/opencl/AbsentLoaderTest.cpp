// Runs with HEXIN_OPENCL_LIBRARY naming what is no OpenCL loader: the backend
// has no devices and says why.
#include "runtime/device/hexin_device.h"

#include "hexin/status.h"

#include <gmock/gmock.h>

#include <cstdlib>

extern "C" const hexin_device_api *hexin_backend_query(uint32_t abiMajor);

TEST(OpenclAbsent, IsPolite) {
  ASSERT_TRUE(std::getenv("HEXIN_OPENCL_LIBRARY"));
  const hexin_device_api *api = hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR);
  ASSERT_TRUE(api);
  hexin_error error{};
  error.struct_size = sizeof error;
  hexin_device_info infos[2] = {};
  infos[0].struct_size = infos[1].struct_size = sizeof infos[0];
  uint32_t count = 2;
  EXPECT_EQ(api->enumerate(&count, infos, &error), 0u);
  EXPECT_EQ(count, 0u);
  EXPECT_THAT(error.message, testing::HasSubstr(std::getenv("HEXIN_OPENCL_LIBRARY")));
  hexin_device *device = nullptr;
  EXPECT_EQ(api->open(0, nullptr, &device, &error),
            static_cast<uint32_t>(hexin::StatusCode::notFound));
  EXPECT_THAT(error.message, testing::HasSubstr("HEXIN_OPENCL_LIBRARY"));
}
