// Bits that a move must not touch, and walks over sizes that could overflow.

#include "ReferenceTest.h"

namespace hexin::reference {
namespace {

TEST(Movement, bitsSurvive) {
  const std::vector<uint32_t> bits = {0x80000000, 0x7FC12345, 0xFF812345, 1};
  Tensor x = makeTensor<uint32_t>(DType::f32, {2, 2}, bits);
  auto turned = call("transpose", attributes({{"perm", std::vector<int64_t>{1, 0}}}),
                     {&x}, {DType::f32});
  ASSERT_TRUE(turned.ok());
  EXPECT_EQ(valuesOf<uint32_t>((*turned)[0]),
            (std::vector<uint32_t>{bits[0], bits[2], bits[1], bits[3]}));
  auto cast = call("bitcast", {}, {&x}, {DType::u32});
  ASSERT_TRUE(cast.ok());
  EXPECT_EQ(valuesOf<uint32_t>((*cast)[0]), bits);
}

TEST(Movement, complexNumbersAreTwoParts) {
  Tensor parts = makeTensor<float>(DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6});
  auto whole = call("bitcast", {}, {&parts}, {DType::c64});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ((*whole)[0].dims().size(), 1u);
  auto again = call("bitcast", {}, {&(*whole)[0]}, {DType::f32});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(valuesOf<float>((*again)[0]), valuesOf<float>(parts));
  Tensor three = makeTensor<float>(DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_FALSE(call("bitcast", {}, {&three}, {DType::c64}).ok());
}

TEST(Movement, resultsDoNotAliasOperands) {
  Tensor x = makeTensor<float>(DType::f32, {2}, {1, 2}), dims = shape({1, 2});
  auto result = call("reshape", {}, {&x, &dims}, {DType::f32});
  ASSERT_TRUE(result.ok());
  EXPECT_NE((*result)[0].data(), x.data());
}

TEST(Movement, emptyAxesBesideHugeOnes) {
  int64_t huge = int64_t(1) << 40;
  Tensor x = makeTensor<float>(DType::f32, {huge, 0, huge}, {});
  auto turned = call("transpose", attributes({{"perm", std::vector<int64_t>{2, 0, 1}}}),
                     {&x}, {DType::f32});
  ASSERT_TRUE(turned.ok()) << turned.status().toString();
  EXPECT_EQ(dimsOf((*turned)[0]), (std::vector<int64_t>{huge, huge, 0}));
  EXPECT_TRUE(
      call("softmax", attributes({{"axis", int64_t(1)}}), {&x}, {DType::f32}).ok());
  EXPECT_TRUE(
      call("unary", attributes({{"fn", std::string("exp")}}), {&x}, {DType::f32}).ok());
}

TEST(Movement, aReshapeWithAnAmbiguousSizeIsAnError) {
  Tensor x = makeTensor<float>(DType::f32, {0, 3}, {});
  Tensor ambiguous = shape({0, -1}), fine = shape({3, -1}), both = shape({-1, -1});
  EXPECT_FALSE(call("reshape", {}, {&x, &ambiguous}, {DType::f32}).ok());
  EXPECT_FALSE(call("reshape", {}, {&x, &both}, {DType::f32}).ok());
  auto result = call("reshape", {}, {&x, &fine}, {DType::f32});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(dimsOf((*result)[0]), (std::vector<int64_t>{3, 0}));
}

} // namespace
} // namespace hexin::reference
