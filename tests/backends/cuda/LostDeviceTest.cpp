// A device that is gone stays gone in its process, so this comes last in the program.
#include "tests/backends/cuda/CudaTesting.h"

namespace hexin::test {
namespace {

class CudaLostDevice : public StandinTest {};

TEST_F(CudaLostDevice, ADeviceThatIsLostInMidRun) {
  hexin_buffer *buffer = allocate(4);
  ASSERT_EQ(upload(buffer, {7}), 0u);
  ASSERT_FALSE(download(buffer, 1).empty());
  hexin_command *add = prepare({"add_to", {0, 0}, {5}, 1, 4});
  ASSERT_TRUE(add);
  set("LOSE_DEVICE", "1");
  EXPECT_NE(run({add, add}, {{buffer, 0}}), 0u);
  EXPECT_EQ(code(), StatusCode::deviceLost);
  EXPECT_FALSE(allocate(4));
  EXPECT_EQ(code(), StatusCode::deviceLost);
  EXPECT_THAT(error.message, testing::HasSubstr("is lost since"));
  EXPECT_TRUE(download(buffer, 1).empty());
  EXPECT_EQ(code(), StatusCode::deviceLost);
}

} // namespace
} // namespace hexin::test
