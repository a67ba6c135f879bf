// CUDA 12.0 with a GPU that is newer: text for later archs is not offered.
#include "tests/backends/cuda/CudaTesting.h"

namespace hexin::test {
namespace {

class CudaOldDriver : public CudaTest {};

TEST_F(CudaOldDriver, OffersWhatItReads) {
  hexin_device_info info{};
  info.struct_size = sizeof info;
  uint32_t count = 1;
  ASSERT_EQ(api->enumerate(&count, &info, &error), 0u);
  EXPECT_STREQ(info.image_archs, "ptx-sm_90;ptx-sm_80");
  EXPECT_FALSE(load(kernelText(".version 8.4\n.target sm_80\n.address_size 64\n")));
  EXPECT_EQ(code(), StatusCode::versionMismatch);
  EXPECT_THAT(error.message, testing::HasSubstr("PTX 8.4, by the driver of CUDA 12.0"));
}

} // namespace
} // namespace hexin::test
