#include "runtime/base/Packing.h"

#include "ReferenceTest.h"

#include <algorithm>
#include <numeric>

namespace hexin::reference {
namespace {

Result<std::vector<Tensor>> pack(const Tensor &plain, std::string form, int64_t width) {
  return call("pack_panels", attributes({{"form", form}, {"width", width}}), {&plain},
              {plain.dtype()});
}

TEST(Packing, theExampleOfTheHeader) {
  Tensor plain = makeTensor<char>(DType::u8, {2, 3}, {'a', 'b', 'c', 'd', 'e', 'f'});
  auto packed = pack(plain, "matmul", 2);
  ASSERT_TRUE(packed.ok()) << packed.status().toString();
  EXPECT_EQ(dimsOf((*packed)[0]), (std::vector<int64_t>{2, 2, 2}));
  EXPECT_EQ(valuesOf<char>((*packed)[0]),
            (std::vector<char>{'a', 'b', 'd', 'e', 'c', 0, 'f', 0}));
}

TEST(Packing, aTransposedMatrixPacksAlike) {
  Tensor plain = makeTensor<char>(DType::u8, {3, 2}, {'a', 'd', 'b', 'e', 'c', 'f'});
  auto packed = pack(plain, "matmul_transposed", 2);
  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(valuesOf<char>((*packed)[0]),
            (std::vector<char>{'a', 'b', 'd', 'e', 'c', 0, 'f', 0}));
}

TEST(Packing, convRowsAreTapsThenChannels) {
  // [M = 2, C/g = 2, taps = 3], value = 100 m + 10 c + tap
  std::vector<int16_t> values;
  for (int m = 0; m < 2; ++m)
    for (int c = 0; c < 2; ++c)
      for (int tap = 0; tap < 3; ++tap)
        values.push_back(int16_t(100 * m + 10 * c + tap));
  Tensor plain = makeTensor(DType::i16, {2, 2, 3}, values);
  auto packed = pack(plain, "conv", 2);
  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(valuesOf<int16_t>((*packed)[0]),
            (std::vector<int16_t>{0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112}));
}

TEST(Packing, unpackingIsTheInverse) {
  struct Case {
    std::string form;
    std::vector<int64_t> dims;
  };
  for (const Case &c :
       {Case{"matmul", {2, 3, 5, 7}}, Case{"matmul_transposed", {3, 9, 4}},
        Case{"conv", {6, 3, 3, 2}}, Case{"conv", {5, 4}}, Case{"matmul", {3, 0, 5}}})
    for (int64_t width : {1, 4, 8, 16})
      for (DType dtype : {DType::u8, DType::f16, DType::f32, DType::f64, DType::c128}) {
        auto plain = Tensor::allocate(dtype, c.dims);
        ASSERT_TRUE(plain.ok());
        auto *bytes = plain->as<uint8_t>();
        for (size_t i = 0; i < plain->byteLength(); ++i)
          bytes[i] = uint8_t(i * 31 + 1);
        auto packed = pack(*plain, c.form, width);
        ASSERT_TRUE(packed.ok()) << packed.status().toString();
        auto back =
            call("unpack_panels",
                 attributes({{"form", c.form}, {"width", width}, {"dims", c.dims}}),
                 {&(*packed)[0]}, {dtype});
        ASSERT_TRUE(back.ok()) << back.status().toString();
        EXPECT_EQ(dimsOf((*back)[0]), c.dims);
        EXPECT_EQ(0, plain->byteLength()
                         ? std::memcmp((*back)[0].data(), bytes, plain->byteLength())
                         : 0);
      }
}

TEST(Packing, rowsUnpackByThemselves) {
  for (PlainForm form : {PlainForm::matmul, PlainForm::matmulTransposed, PlainForm::conv})
    for (auto [groups, steps] : {std::pair(1, 1), {3, 1}, {1, 2}, {3, 2}, {3, 4}}) {
      auto shape =
          makePanelShape(form, std::vector<int64_t>{6, 5, 7}, 4, 2, groups, steps);
      ASSERT_TRUE(shape.ok()) << shape.status().toString();
      std::vector<std::byte> plain(shape->plainBytes()), packed(shape->packedBytes());
      for (size_t i = 0; i < plain.size(); ++i)
        plain[i] = std::byte(i * 31 + 1);
      ASSERT_TRUE(packPanels(*shape, plain, packed).ok());
      ASSERT_EQ(shape->plainRows() * shape->plainRowBytes(), int64_t(plain.size()));
      for (int64_t first = 0; first < shape->plainRows(); ++first)
        for (int64_t last : {first, first + 1, shape->plainRows()}) {
          std::vector<std::byte> rows((last - first) * shape->plainRowBytes());
          ASSERT_TRUE(unpackRows(*shape, first, last, packed, rows).ok());
          EXPECT_TRUE(std::equal(rows.begin(), rows.end(),
                                 plain.begin() + first * shape->plainRowBytes()))
              << first << " to " << last;
        }
      std::vector<std::byte> none;
      EXPECT_FALSE(unpackRows(*shape, 2, 1, packed, none).ok());
      EXPECT_FALSE(unpackRows(*shape, 0, 1, packed, none).ok());
    }
}

TEST(Packing, stepsOfAColumnStandSideBySide) {
  // Rows abc, def, ghi; two panels of two columns, of 32 rows each.
  auto shape = makePanelShape(PlainForm::matmul, std::vector<int64_t>{3, 3}, 2, 1,
                              /*groups=*/1, /*steps=*/2);
  ASSERT_TRUE(shape.ok()) << shape.status().toString();
  const std::string_view plain = "abcdefghi", first("adbeg\0h\0", 8);
  ASSERT_EQ(shape->packedBytes(), 2u * 32 * 2);
  std::string packed(shape->packedBytes(), 'x');
  ASSERT_TRUE(packPanels(*shape, std::as_bytes(std::span(plain)),
                         std::as_writable_bytes(std::span(packed)))
                  .ok());
  EXPECT_EQ(packed.substr(0, 8), first);
  EXPECT_EQ(packed.substr(64, 8), std::string_view("cf\0\0i\0\0\0", 8));
  EXPECT_EQ(std::ranges::count(packed, '\0'), 128 - 9);
}

TEST(Packing, refusesWhatDoesNotFit) {
  EXPECT_EQ(
      makePanelShape(PlainForm::matmul, std::vector<int64_t>{4}, 8, 4).status().code(),
      StatusCode::invalidArgument);
  EXPECT_EQ(
      makePanelShape(PlainForm::matmul, std::vector<int64_t>{4, 4}, 0, 4).status().code(),
      StatusCode::invalidArgument);
  EXPECT_FALSE(
      makePanelShape(PlainForm::matmul, std::vector<int64_t>{4, 4}, int64_t(1) << 62, 4)
          .ok());
  EXPECT_FALSE(makePanelShape(PlainForm::conv, std::vector<int64_t>{4, 4}, 8, 4, 3).ok());
  EXPECT_FALSE(
      makePanelShape(PlainForm::conv, std::vector<int64_t>{4, 4}, 8, 4, 1, 3).ok());
  auto shape = makePanelShape(PlainForm::matmul, std::vector<int64_t>{4, 4}, 8, 4);
  ASSERT_TRUE(shape.ok());
  std::vector<std::byte> plain(shape->plainBytes()), packed(shape->packedBytes() - 1);
  EXPECT_EQ(packPanels(*shape, plain, packed).code(), StatusCode::invalidArgument);
}

} // namespace
} // namespace hexin::reference
