#include "runtime/base/DType.h"

#include <gtest/gtest.h>

namespace hexin {
namespace {

TEST(Tensor, AllocatesAlignedMemory) {
  auto tensor = Tensor::allocate(DType::f32, std::vector<int64_t>{3, 5});
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->byteLength(), 60u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->data()) % 64, 0u);
}

TEST(Tensor, RefusesSizesThatAreNone) {
  auto code = [](std::vector<int64_t> dims) {
    return Tensor::allocate(DType::f64, dims).status().code();
  };
  EXPECT_EQ(code({2, -1}), StatusCode::invalidArgument);
  EXPECT_EQ(code({int64_t(1) << 40, int64_t(1) << 40}), StatusCode::invalidArgument);
  EXPECT_EQ(code({INT64_MAX}), StatusCode::invalidArgument);
  EXPECT_EQ(code({INT64_MAX, 0}), StatusCode::ok);
  EXPECT_EQ(Tensor::allocate(DType::string, {}).status().code(),
            StatusCode::invalidArgument);
}

TEST(Tensor, WrapsExactlyItsBytes) {
  float data[4];
  std::vector<int64_t> dims = {4};
  EXPECT_TRUE(Tensor::wrap(DType::f32, dims, data, 16));
  auto short_ = Tensor::wrap(DType::f32, dims, data, 15);
  ASSERT_FALSE(short_);
  EXPECT_NE(short_.status().message().find("has 16 bytes, got 15"), std::string::npos);
}

TEST(DType, NamesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(DType::f4e2m1); ++i)
    EXPECT_EQ(parseDType(toString(static_cast<DType>(i))), static_cast<DType>(i));
  EXPECT_FALSE(parseDType("f33"));
}

} // namespace
} // namespace hexin
