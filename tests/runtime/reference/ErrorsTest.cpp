// Whatever comes in, a typed error comes out: no crash, no wild allocation.

#include "ReferenceTest.h"

#include <cstdlib>
#include <map>

namespace hexin::reference {
namespace {

TEST(Errors, anUnknownOp) {
  EXPECT_FALSE(supports("warp"));
  EXPECT_EQ(call("warp", {}, {}, {DType::f32}).status().code(), StatusCode::unsupported);
}

TEST(Errors, everyOpSurvivesNoOperandsAndNoTypes) {
  Tensor x = makeTensor<float>(DType::f32, {2}, {1, 2});
  for (std::string_view op : ops()) {
    EXPECT_TRUE(supports(op));
    EXPECT_FALSE(call(op, {}, {}, {DType::f32}).ok()) << op;
    EXPECT_FALSE(call(op, {}, {&x}, {}).ok()) << op;
    EXPECT_FALSE(call(op, {}, {nullptr, &x}, {DType::f32}).ok()) << op;
  }
}

/// Small deterministic random numbers.
class Dice {
public:
  explicit Dice(uint32_t seed) : state_(seed) {}
  uint32_t below(uint32_t n) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 8) % n;
  }
  template <typename T> T oneOf(std::initializer_list<T> values) {
    return values.begin()[below(uint32_t(values.size()))];
  }

private:
  uint32_t state_;
};

std::vector<int64_t> randomDims(Dice &dice) {
  if (dice.below(20) == 0)
    return {int64_t(1) << 40, 0, int64_t(1) << 40};
  std::vector<int64_t> dims(dice.below(5));
  for (int64_t &dim : dims)
    dim = dice.oneOf<int64_t>({0, 1, 1, 2, 2, 3, 4});
  return dims;
}

std::vector<int64_t> randomList(Dice &dice) {
  std::vector<int64_t> values(dice.below(5));
  for (int64_t &value : values)
    value = dice.below(12) == 0 ? dice.oneOf({INT64_MIN, INT64_MAX, int64_t(1) << 33})
                                : int64_t(dice.below(5)) - 1;
  return values;
}

Tensor randomOperand(Dice &dice, DType dtype) {
  auto tensor = Tensor::allocate(dtype, randomDims(dice));
  EXPECT_TRUE(tensor.ok());
  if (tensor->byteLength() == 0 && dice.below(2)) // a caller may have no memory for that
    return *Tensor::wrap(dtype, tensor->dims(), nullptr, 0);
  auto *bytes = tensor->as<uint8_t>();
  int64_t width =
      tensor->numElements() ? int64_t(tensor->byteLength()) / tensor->numElements() : 1;
  bool isWild = dice.below(8) == 0;
  for (size_t i = 0; i < tensor->byteLength(); ++i)
    bytes[i] = isWild               ? uint8_t(dice.below(256))
               : int64_t(i) % width ? 0
                                    : uint8_t(dice.below(3));
  return *tensor;
}

Attributes randomAttributes(Dice &dice) {
  Attributes result;
  for (const char *name : {"axes", "perm", "steps", "strides", "pads", "dilations",
                           "window", "outputPadding", "dims"})
    if (dice.below(3))
      result.set(name, randomList(dice));
  for (const char *name : {"axis", "batchDims", "block", "groups", "hiddenSize", "width",
                           "keepDims", "ceilMode", "transposeLhs", "last", "exclusive"})
    if (dice.below(3))
      result.set(name, dice.below(12) == 0 ? dice.oneOf({INT64_MIN, INT64_MAX})
                                           : int64_t(dice.below(4)) - 1);
  result.set("fn", dice.oneOf<std::string>(
                       {"max", "sum", "add", "avg", "set", "prod", "pow", "abs"}));
  result.set("kind", dice.oneOf<std::string>({"relu", "elu", "swish"}));
  result.set("predicate", dice.oneOf<std::string>({"lt", "eq"}));
  result.set("mode", dice.oneOf<std::string>({"linear", "cubic", "nearest", "edge",
                                              "reflect", "wrap", "constant"}));
  result.set("layout", dice.oneOf<std::string>({"nchw", "nhwc"}));
  result.set("padPolicy",
             dice.oneOf<std::string>({"explicit_pads", "same_upper", "same_lower"}));
  result.set("coordinates",
             dice.oneOf<std::string>(
                 {"half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"}));
  result.set("form", dice.oneOf<std::string>({"matmul", "matmul_transposed", "conv"}));
  result.set("antialias", int64_t(dice.below(2)));
  return result;
}

/// Every op on operands of any type and size: what comes out does not matter,
/// that it is a result or a typed error does.
TEST(Errors, everyOpSurvivesAnything) {
  Dice dice(1);
  RunOptions options;
  options.maxResultBytes = 1 << 16;
  std::map<std::string_view, int> good;
  int rounds = 3000;
  if (const char *text = std::getenv("HEXIN_FUZZ_ROUNDS"))
    rounds = std::atoi(text);
  for (std::string_view op : ops())
    for (int round = 0; round < rounds; ++round) {
      DType main = dice.oneOf({DType::f32, DType::f32, DType::i32, DType::u64,
                               DType::boolean, DType::f8e8m0, DType::c64, DType::i4});
      std::vector<Tensor> tensors;
      std::vector<const Tensor *> operands;
      uint32_t count = 1 + dice.below(5);
      for (uint32_t i = 0; i < count; ++i)
        tensors.push_back(randomOperand(dice, dice.below(3) ? main : DType::i64));
      for (const Tensor &tensor : tensors)
        operands.push_back(operands.size() && !dice.below(9) ? nullptr : &tensor);
      std::vector<DType> types(1 + dice.below(3), dice.below(4) ? main : DType::i64);
      if (dice.below(10) == 0)
        options.box = OutputBox{randomList(dice), randomList(dice)};
      else
        options.box.reset();
      auto result = call(op, randomAttributes(dice), operands, types, options);
      if (result.ok())
        ++good[op];
      else
        EXPECT_FALSE(result.status().message().empty());
    }
  EXPECT_GT(good.size(), 25u); // it does reach the kernels
}

TEST(Errors, indicesOutOfRange) {
  Tensor x = makeTensor<float>(DType::f32, {3}, {1, 2, 3});
  Tensor bad = makeTensor<int64_t>(DType::i64, {1}, {3});
  Tensor low = makeTensor<int64_t>(DType::i64, {1}, {-4});
  Tensor one = makeTensor<float>(DType::f32, {1}, {9});
  Attributes axis = attributes({{"axis", int64_t(0)}});
  for (const Tensor *index : {&bad, &low}) {
    for (std::string_view op : {"gather", "gather_elements", "gather_nd"})
      EXPECT_EQ(call(op, axis, {&x, index}, {DType::f32}).status().code(),
                StatusCode::outOfRange)
          << op;
    EXPECT_EQ(
        call("scatter_elements", axis, {&x, index, &one}, {DType::f32}).status().code(),
        StatusCode::outOfRange);
  }
  EXPECT_NE(call("gather", axis, {&x, &bad}, {DType::f32}).status().message().find("3"),
            std::string::npos);
}

TEST(Errors, lengthsOutOfRange) {
  Tensor limit = shape({3});
  for (int32_t length : {-1, 4}) {
    Tensor lengths = makeTensor<int32_t>(DType::i32, {2}, {0, length});
    EXPECT_EQ(call("check_lengths", {}, {&lengths, &limit}, {DType::i32}).status().code(),
              StatusCode::outOfRange);
  }
  Tensor good = makeTensor<int32_t>(DType::i32, {2}, {0, 3});
  EXPECT_TRUE(call("check_lengths", {}, {&good, &limit}, {DType::i32}).ok());
}

TEST(Errors, aHugeResultIsRefusedBeforeItIsAllocated) {
  Tensor sizes = shape({int64_t(1) << 40, 8});
  auto result = call("iota", attributes({{"axis", int64_t(0)}}), {&sizes}, {DType::f32});
  EXPECT_EQ(result.status().code(), StatusCode::resourceExhausted);
  RunOptions options;
  options.maxResultBytes = 15;
  Tensor small = shape({4});
  EXPECT_EQ(
      call("iota", attributes({{"axis", int64_t(0)}}), {&small}, {DType::f32}, options)
          .status()
          .code(),
      StatusCode::resourceExhausted);
}

TEST(Errors, messagesNameTheOpAndWhatCame) {
  Tensor x = makeTensor<float>(DType::f32, {1, 3, 2, 2}, std::vector<float>(12));
  Tensor w = makeTensor<float>(DType::f32, {2, 1, 1, 1}, {1, 2});
  auto result =
      call("conv", attributes({{"groups", int64_t(2)}}), {&x, &w}, {DType::f32});
  EXPECT_EQ(result.status().code(), StatusCode::invalidArgument);
  EXPECT_NE(result.status().message().find("hx.conv: groups=2 does not fit C=3"),
            std::string::npos)
      << result.status().message();
}

} // namespace
} // namespace hexin::reference
