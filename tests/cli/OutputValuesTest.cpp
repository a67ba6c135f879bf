#include "runtime/tools/OutputValues.h"
#include "runtime/tools/RandomTensor.h"
#include "runtime/tools/Scalars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

namespace hexin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Tensor filled(std::vector<int64_t> dims, float value) {
  Tensor tensor = *Tensor::allocate(DType::f32, dims);
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.as<float>()[i] = value;
  return tensor;
}

/// Of the running test alone: others run at the same time.
std::string tempDirectory() {
  const auto *info = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string path = ::testing::TempDir() + "hexin-outputs-" + info->name();
  std::filesystem::remove_all(path);
  return path;
}

TEST(OutputValues, FileNamesAreSafe) {
  EXPECT_EQ(safeFileName("out-1.x_Y"), "out-1.x_Y");
  EXPECT_EQ(safeFileName("../../etc/passwd"), "_._.._etc_passwd");
  EXPECT_EQ(safeFileName("a b:c\n\u5408"), "a_b_c____");
  EXPECT_EQ(safeFileName(".hidden"), "_hidden");
  EXPECT_EQ(safeFileName(""), "_");
  EXPECT_EQ(safeFileName(std::string(1000, 'a')).size(), 200u);
}

TEST(OutputValues, EqualNamesAreToldApart) {
  auto directory = OutputDirectory::open(tempDirectory());
  ASSERT_TRUE(directory.ok());
  EXPECT_THAT(*directory->write("a/b", filled({1}, 1)), ElementsAre("a_b.npy"));
  EXPECT_THAT(*directory->write("a:b", filled({1}, 1)), ElementsAre("a_b_2.npy"));
}

TEST(OutputValues, NestedValuesHaveFilesOfTheirOwn) {
  auto directory = OutputDirectory::open(tempDirectory());
  ASSERT_TRUE(directory.ok());
  Sequence sequence{{filled({1}, 1), StringTensor{{1}, {"a"}}}};
  EXPECT_THAT(*directory->write("s", sequence), ElementsAre("s.0.npy", "s.1.npy"));
  EXPECT_THAT(*directory->write("o", Optional{}), IsEmpty());
  Map map;
  map.entries[int64_t{3}] = filled({}, 2);
  EXPECT_THAT(*directory->write("m", map), ElementsAre("m.json"));
}

TEST(OutputValues, ADirectoryThatCannotBeIsAnError) {
  EXPECT_EQ(OutputDirectory::open("/dev/null/x").status().code(), StatusCode::ioError);
  EXPECT_EQ(OutputDirectory::open("/dev/null").status().code(), StatusCode::ioError);
}

TEST(OutputValues, SummariesLeaveOutWhatIsNotFinite) {
  Tensor tensor = filled({3}, 2);
  tensor.as<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  auto summary = summarise(tensor);
  EXPECT_EQ(summary["min"], 2.0);
  EXPECT_EQ(summary["nonFinite"], 1);
  EXPECT_EQ(formatSummary(summary), "f32 [3]  min 2  max 2  mean 2  not finite: 1");
  EXPECT_EQ(formatSummary(summarise(filled({0}, 0))), "f32 [0]");
}

TEST(Scalars, NumbersMustFit) {
  Tensor bytes = *Tensor::allocate(DType::u8, std::vector<int64_t>{1});
  EXPECT_TRUE(storeElement(bytes, 0, 255));
  for (double value : {256.0, -1.0, 0.5, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_FALSE(storeElement(bytes, 0, value)) << value;
  Tensor longs = *Tensor::allocate(DType::i64, std::vector<int64_t>{1});
  EXPECT_TRUE(storeElement(longs, 0, -9223372036854775808.0));
  EXPECT_FALSE(storeElement(longs, 0, 9223372036854775808.0));
  Tensor half = *Tensor::allocate(DType::bf16, std::vector<int64_t>{1});
  EXPECT_TRUE(storeElement(half, 0, 1.00390625)); // halfway: to even
  EXPECT_EQ(*elementAsDouble(half, 0), 1.0);
}

TEST(RandomTensor, DependsOnSeedNameAndIndexOnly) {
  auto make = [](uint64_t seed, const char *name, int64_t count) {
    Tensor tensor = *randomTensor(DType::f32, std::vector<int64_t>{count}, name, seed);
    return std::vector<float>(tensor.as<float>(), tensor.as<float>() + count);
  };
  auto first = make(1, "x", 100), longer = make(1, "x", 200);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), longer.begin()));
  EXPECT_NE(first, make(2, "x", 100));
  EXPECT_NE(first, make(1, "y", 100));
  for (float value : longer)
    EXPECT_TRUE(value >= 0 && value < 1);
}

} // namespace
} // namespace hexin::cli
