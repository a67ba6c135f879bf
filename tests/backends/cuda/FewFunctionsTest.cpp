// A library without the functions that we can do without: stream-ordered memory, graphs.
#include "tests/backends/cuda/CudaTesting.h"

namespace hexin::test {
namespace {

class CudaFewFunctions : public CudaTest {};

TEST_F(CudaFewFunctions, RunsAllTheSame) {
  hexin_buffer *a = allocate(8), *b = allocate(8);
  ASSERT_TRUE(a && b) << error.message;
  hexin_command *command = prepare({"add_to", {0, 1}, {4}, 2, 8});
  ASSERT_TRUE(command) << error.message;
  for (int32_t i = 0; i < 3; ++i) {
    ASSERT_EQ(upload(a, {i, 2 * i}), 0u) << error.message;
    ASSERT_EQ(run({command, command}, {{a, 0}, {b, 0}}), 0u) << error.message;
    EXPECT_EQ(download(b, 2), (std::vector<int32_t>{i + 4, 2 * i + 4}));
  }
  EXPECT_EQ(api->counter(device, "graphs_captured"), 0u);
}

} // namespace
} // namespace hexin::test
