// A box of a result has the very bits of the whole result.

#include "ReferenceTest.h"

#include <random>

namespace hexin::reference {
namespace {

Tensor randomTensor(std::vector<int64_t> dims) {
  auto tensor = Tensor::allocate(DType::f32, dims);
  EXPECT_TRUE(tensor.ok());
  std::mt19937 random(uint32_t(tensor->numElements()));
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < tensor->numElements(); ++i)
    tensor->as<float>()[i] = normal(random);
  return *tensor;
}

void expectBoxIsCutOut(std::string_view op, const Attributes &attributes,
                       std::vector<const Tensor *> operands, OutputBox box) {
  auto whole = call(op, attributes, operands, {DType::f32});
  ASSERT_TRUE(whole.ok()) << whole.status().toString();
  RunOptions options;
  options.box = box;
  auto part = call(op, attributes, operands, {DType::f32}, options);
  ASSERT_TRUE(part.ok()) << part.status().toString();
  std::vector<int64_t> steps(box.begin.size(), 1);
  Tensor begin = shape(box.begin), sizes = shape(dimsOf((*part)[0]));
  for (size_t i = 0; i < box.begin.size(); ++i)
    EXPECT_EQ(dimsOf((*part)[0])[i], box.end[i] - box.begin[i]);
  Attributes slice;
  slice.set("steps", steps);
  auto cut = call("slice", slice, {&(*whole)[0], &begin, &sizes}, {DType::f32});
  ASSERT_TRUE(cut.ok()) << cut.status().toString();
  EXPECT_EQ(valuesOf<float>((*part)[0]), valuesOf<float>((*cut)[0]));
}

TEST(Box, matmul) {
  Tensor a = randomTensor({3, 1, 11, 17}), b = randomTensor({2, 17, 13});
  expectBoxIsCutOut("matmul", {}, {&a, &b}, {{1, 0, 3, 2}, {3, 2, 9, 13}});
  expectBoxIsCutOut("matmul", {}, {&a, &b}, {{1, 1, 3, 2}, {1, 2, 9, 13}});
}

TEST(Box, conv) {
  Tensor w = randomTensor({6, 2, 3, 3}), bias = randomTensor({6});
  for (std::string layout : {"nchw", "nhwc"}) {
    bool isLast = layout == "nhwc";
    Tensor x = randomTensor(isLast ? std::vector<int64_t>{2, 9, 10, 4}
                                   : std::vector<int64_t>{2, 4, 9, 10});
    Attributes a = attributes({{"strides", std::vector<int64_t>{1, 2}},
                               {"pads", std::vector<int64_t>{1, 1, 1, 1}},
                               {"dilations", std::vector<int64_t>{1, 1}},
                               {"groups", int64_t(2)},
                               {"layout", layout}});
    OutputBox box = isLast ? OutputBox{{1, 2, 0, 1}, {2, 7, 4, 5}}
                           : OutputBox{{1, 1, 2, 0}, {2, 5, 7, 4}};
    expectBoxIsCutOut("conv", a, {&x, &w, &bias}, box);
  }
}

TEST(Box, anOpWithoutBoxesIsCut) {
  Tensor x = randomTensor({4, 5});
  expectBoxIsCutOut("unary", attributes({{"fn", std::string("exp")}}), {&x},
                    {{1, 2}, {3, 4}});
}

TEST(Box, outsideOfTheResultIsAnError) {
  Tensor x = randomTensor({4, 5});
  RunOptions options;
  options.box = OutputBox{{0, 0}, {4, 6}};
  auto result = call("matmul", attributes({{"transposeRhs", int64_t(1)}}), {&x, &x},
                     {DType::f32}, options);
  EXPECT_EQ(result.status().code(), StatusCode::invalidArgument);
}

} // namespace
} // namespace hexin::reference
