// Where there is no cuBLASLt, or a library that is none: the refusal that makes a plan
// take our kernel, and the device works on.
#include "backends/cuda/abi/LibraryOps.h"
#include "tests/backends/cuda/CudaTesting.h"

namespace hexin::test {
namespace {

class CudaCublasLtAbsent : public CudaTest {};

TEST_F(CudaCublasLtAbsent, IsRefusedPolitely) {
  hexin_command_desc desc{};
  desc.struct_size = sizeof desc;
  desc.kind = HEXIN_COMMAND_LIBRARY;
  desc.name = cuda::library::matmul;
  for (int i = 0; i < 2; ++i) {
    hexin_command *command = nullptr;
    EXPECT_NE(api->prepare(device, &desc, &command, &error), 0u);
    EXPECT_EQ(code(), StatusCode::unavailable) << error.message;
    EXPECT_THAT(error.message,
                testing::AnyOf(testing::HasSubstr("no such library"),
                               testing::HasSubstr("lacks cublasLtCreate")));
  }
  hexin_buffer *a = allocate(8), *b = allocate(8);
  hexin_command *command = prepare({"add_to", {0, 1}, {4}, 2, 8});
  ASSERT_TRUE(a && b && command) << error.message;
  ASSERT_EQ(upload(a, {1, 2}), 0u);
  ASSERT_EQ(run({command}, {{a, 0}, {b, 0}}), 0u) << error.message;
  EXPECT_EQ(download(b, 2), (std::vector<int32_t>{5, 6}));
}

} // namespace
} // namespace hexin::test
