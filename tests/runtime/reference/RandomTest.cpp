// The generator against the vectors that its authors published, and hx.random_bits.

#include "runtime/reference/Philox.h"

#include "ReferenceTest.h"

namespace hexin::reference {
namespace {

// Random123, kat_vectors: philox4x32, 10 rounds.
TEST(Philox, knownAnswers) {
  constexpr uint32_t ones = ~0u;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                       {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomBits, countsElements) {
  int64_t key = 0x123456789abcdef0, count = 0x700000005;
  Tensor stream = shape({key, count}), sizes = shape({2, 3});
  auto bits =
      call("random_bits", attributes({{"node", int64_t(9)}, {"word", int64_t(2)}}),
           {&stream, &sizes}, {DType::u32});
  ASSERT_TRUE(bits.ok()) << bits.status().toString();
  EXPECT_EQ(dimsOf((*bits)[0]), (std::vector<int64_t>{2, 3}));
  for (uint32_t i = 0; i < 6; ++i)
    EXPECT_EQ(valuesOf<uint32_t>((*bits)[0])[i],
              philox4x32({i, 0, 5, 9}, {0x9abcdef0, 0x12345678})[2]);
}

TEST(RandomBits, seedTakesTheKeysPlace) {
  Tensor stream = shape({1, 4}), other = shape({77, 4}), sizes = shape({50});
  auto one = call("random_bits", {}, {&other, &sizes}, {DType::u32});
  auto two = call("random_bits", attributes({{"seed", int64_t(77)}}), {&stream, &sizes},
                  {DType::u32});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(valuesOf<uint32_t>((*one)[0]), valuesOf<uint32_t>((*two)[0]));
}

TEST(RandomBits, errors) {
  Tensor stream = shape({1, 4}), three = shape({1, 2, 3}), sizes = shape({2}),
         negative = shape({-2});
  auto codeOf = [&](Tensor &stream, Tensor &sizes, int64_t word, DType type) {
    return call("random_bits", attributes({{"word", word}}), {&stream, &sizes}, {type})
        .status()
        .code();
  };
  EXPECT_EQ(codeOf(stream, sizes, 4, DType::u32), StatusCode::invalidArgument);
  EXPECT_EQ(codeOf(three, sizes, 0, DType::u32), StatusCode::invalidArgument);
  EXPECT_EQ(codeOf(stream, negative, 0, DType::u32), StatusCode::invalidArgument);
  EXPECT_EQ(codeOf(stream, sizes, 0, DType::i32), StatusCode::unsupported);
}

} // namespace
} // namespace hexin::reference
