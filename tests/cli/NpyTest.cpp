// Round trips through .npy files, and files that lie.

#include "runtime/tools/Npy.h"
#include "runtime/tools/NpyHeader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>

namespace hexin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string tempPath() {
  const auto *info = ::testing::UnitTest::GetInstance()->current_test_info();
  return ::testing::TempDir() + "hexin-" + info->name() + ".npy";
}

std::string writeBytes(const std::string &bytes) {
  std::string path = tempPath();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// A version 1 file with this dictionary and these bytes of data.
std::string npy(const std::string &dictionary, const std::string &data = "") {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + dictionary + data;
}

std::string header(const std::string &type, const std::string &order,
                   const std::string &shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape +
         ", }\n";
}

TEST(Npy, EveryTypeSurvives) {
  for (int code = 0; code <= static_cast<int>(DType::f4e2m1); ++code) {
    DType dtype = static_cast<DType>(code);
    if (dtype == DType::string)
      continue;
    auto tensor = Tensor::allocate(dtype, std::vector<int64_t>{2, 3});
    ASSERT_TRUE(tensor.ok());
    auto *bytes = tensor->as<uint8_t>();
    // 0 and 1 only: booleans are made 0 or 1 on the way in.
    for (size_t i = 0; i < tensor->byteLength(); ++i)
      bytes[i] = i % 2;
    ASSERT_TRUE(writeNpy(tempPath(), *tensor).ok()) << toString(dtype);
    auto file = readNpy(tempPath(), dtype);
    ASSERT_TRUE(file.ok()) << file.status().toString();
    const Tensor &read = *file->value.tensor();
    EXPECT_EQ(read.dtype(), dtype);
    EXPECT_THAT(read.dims(), ElementsAre(2, 3));
    ASSERT_EQ(read.byteLength(), tensor->byteLength());
    EXPECT_EQ(std::memcmp(read.data(), tensor->data(), read.byteLength()), 0);
  }
}

TEST(Npy, ScalarsAndEmptyTensorsSurvive) {
  for (auto dims : {std::vector<int64_t>{}, std::vector<int64_t>{0, 3}}) {
    auto tensor = Tensor::allocate(DType::i64, dims);
    std::memset(tensor->data(), 5, tensor->byteLength());
    ASSERT_TRUE(writeNpy(tempPath(), *tensor).ok());
    auto file = readNpy(tempPath());
    ASSERT_TRUE(file.ok()) << file.status().toString();
    EXPECT_EQ(std::vector<int64_t>(file->value.tensor()->dims().begin(),
                                   file->value.tensor()->dims().end()),
              dims);
  }
}

TEST(Npy, StringsSurvive) {
  StringTensor strings{{3}, {"", "a", "\u5408\u82af\U0001F600"}};
  ASSERT_TRUE(writeNpy(tempPath(), strings).ok());
  auto file = readNpy(tempPath());
  ASSERT_TRUE(file.ok()) << file.status().toString();
  EXPECT_EQ(file->value.strings()->elements, strings.elements);
}

TEST(Npy, FortranOrderIsTransposed) {
  // [[0, 1, 2], [3, 4, 5]] by columns.
  auto file = readNpy(writeBytes(
      npy(header("|u1", "True", "(2, 3)"), std::string("\x00\x03\x01\x04\x02\x05", 6))));
  ASSERT_TRUE(file.ok()) << file.status().toString();
  EXPECT_TRUE(file->wasTransposed);
  const auto *data = file->value.tensor()->as<uint8_t>();
  EXPECT_THAT(std::vector<int>(data, data + 6), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Npy, BooleansBecomeZeroOrOne) {
  auto file = readNpy(writeBytes(npy(header("|b1", "False", "(2,)"), "\x01\x7f")));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->value.tensor()->as<uint8_t>()[1], 1);
}

TEST(Npy, BitsAreTakenAsWhatIsExpected) {
  std::string path = writeBytes(npy(header("<V2", "False", "(1,)"), "\x80\x3f"));
  EXPECT_EQ(readNpy(path, DType::bf16)->value.tensor()->dtype(), DType::bf16);
  EXPECT_EQ(readNpy(path, DType::f16).status().code(), StatusCode::unsupported);
}

TEST(Npy, SizesThatLieAreRefusedBeforeMemoryIsTaken) {
  for (const char *shape : {"(1000000000000,)", "(4294967296, 4294967296, 4294967296)",
                            "(2,)", "(9223372036854775807,)", "()"}) {
    auto file = readNpy(writeBytes(npy(header("<f4", "False", shape), "12345678abcd")));
    EXPECT_EQ(file.status().code(), StatusCode::corruptData) << shape;
  }
  // Strings without bytes: any number of them fits no file.
  auto file = readNpy(writeBytes(npy(header("<U0", "False", "(1000000000000,)"))));
  EXPECT_EQ(file.status().code(), StatusCode::corruptData);
}

TEST(Npy, DamagedHeadersAreRefused) {
  std::string good = header("<f4", "False", "(1,)");
  for (const std::string &text :
       {std::string(), std::string("{}"), std::string("{'descr'"), good + "x",
        header("<f4", "Maybe", "(1,)"), header("<f4", "False", "1"),
        header("<f4", "False", "(-1,)"),
        header("<f4", "False", "(99999999999999999999,)"),
        std::string(
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"),
        std::string("{'descr': '<f4', 'fortran_order': False}"),
        std::string(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}")})
    EXPECT_EQ(readNpy(writeBytes(npy(text, "1234"))).status().code(),
              StatusCode::corruptData)
        << text;
}

TEST(Npy, EveryTruncationIsAnError) {
  std::string whole = npy(header("<f4", "False", "(2,)"), "12345678");
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(readNpy(writeBytes(whole.substr(0, length))).ok()) << length;
  EXPECT_TRUE(readNpy(writeBytes(whole)).ok());
  EXPECT_FALSE(readNpy(writeBytes(whole + "x")).ok());
}

TEST(Npy, WhatIsNotReadSaysWhy) {
  auto message = [](const std::string &type) {
    return readNpy(writeBytes(npy(header(type, "False", "(1,)"), "12345678")))
        .status()
        .message();
  };
  EXPECT_THAT(message(">f4"), HasSubstr("big endian"));
  EXPECT_THAT(message("|O"), HasSubstr("Python objects"));
  EXPECT_THAT(message("<M8[ns]"), HasSubstr("does not read"));
  EXPECT_EQ(readNpy(tempPath() + ".none").status().code(), StatusCode::notFound);
  EXPECT_THAT(readNpy(writeBytes("hello")).status().message(), HasSubstr("no .npy file"));
}

TEST(Npy, AFullDiskLeavesNoFile) {
  auto tensor = Tensor::allocate(DType::f32, std::vector<int64_t>{1});
  EXPECT_EQ(writeNpy("/nonexistent/a.npy", *tensor).code(), StatusCode::ioError);
  EXPECT_EQ(writeNpy(tempPath(), Sequence{}).code(), StatusCode::invalidArgument);
}

TEST(NpyHeader, TheDataIsAligned) {
  for (size_t rank = 0; rank < 20; ++rank) {
    NpyHeader header{{'f', 4}, false, std::vector<int64_t>(rank, 123456789)};
    EXPECT_EQ(formatNpyPreamble(header).size() % 64, 0u);
  }
}

} // namespace
} // namespace hexin::cli
