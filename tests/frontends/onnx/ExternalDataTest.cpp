// Weights outside of the model's file, and attempts to reach other files.
#include "frontends/onnx/wire/Reader.h"
#include "frontends/onnx/wire/TensorLoader.h"

#include "tests/frontends/onnx/ModelBytes.h"

#include "gtest/gtest.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace hexin;
using namespace hexin::onnx;
using namespace hexin::onnx::testing;

namespace {

namespace fs = std::filesystem;

class ExternalData : public ::testing::Test {
protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("hexin-external-" + std::to_string(::getpid()));
    fs::create_directories(root / "model" / "sub");
    write(root / "outside.bin", "outside!");
    write(root / "model" / "sub" / "weights.bin", std::string(8, '\0') + "abcdefgh");
  }
  void TearDown() override { fs::remove_all(root); }

  static void write(const fs::path &path, const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  /// Two floats from the external entries `pairs`, read through a file.
  Result<Tensor> load(std::vector<std::pair<std::string, std::string>> pairs) {
    std::string bytes = modelBytes(pairs);
    write(root / "model" / "model.onnx", bytes);
    HEXIN_ASSIGN_OR_RETURN(Model parsed,
                           readModel((root / "model" / "model.onnx").string()));
    return TensorLoader(parsed).load(parsed.graph.initializers[0]);
  }

  static std::string
  modelBytes(const std::vector<std::pair<std::string, std::string>> &pairs) {
    return model(message([&](Writer &w) {
      w.add_message(5, message([&](Writer &tensor) {
                      tensor.add_int64(1, 2);
                      tensor.add_int32(2, 1);
                      tensor.add_int32(14, 1);
                      for (const auto &[key, value] : pairs)
                        tensor.add_message(13, message([&](Writer &pair) {
                                             pair.add_string(1, key);
                                             pair.add_string(2, value);
                                           }));
                    }));
      w.add_message(12, valueInfo("y", 1, {}));
    }));
  }

  fs::path root;
};

TEST_F(ExternalData, IsMapped) {
  auto tensor = load({{"location", "sub/weights.bin"}, {"offset", "8"}, {"length", "8"}});
  ASSERT_TRUE(tensor.ok()) << tensor.status().toString();
  EXPECT_EQ(std::string_view(tensor->as<char>(), 8), "abcdefgh");
  auto toTheEnd = load({{"location", "./sub/weights.bin"}, {"offset", "8"}});
  EXPECT_TRUE(toTheEnd.ok()) << toTheEnd.status().toString();
}

TEST_F(ExternalData, StaysInsideTheFolder) {
  fs::create_symlink(root / "outside.bin", root / "model" / "link.bin");
  fs::create_symlink(root, root / "model" / "up");
  fs::create_symlink(root / "model" / "sub" / "weights.bin",
                     root / "model" / "inner.bin");
  for (std::string location :
       {std::string("../outside.bin"), (root / "outside.bin").string(),
        std::string("sub/../../outside.bin"), std::string("link.bin"),
        std::string("up/outside.bin"), std::string("/etc/passwd"), std::string(""),
        std::string("a\0b", 3)}) {
    auto tensor = load({{"location", location}});
    EXPECT_EQ(tensor.status().code(), StatusCode::corruptData) << location;
  }
  EXPECT_TRUE(load({{"location", "inner.bin"}, {"offset", "8"}}).ok());
}

TEST_F(ExternalData, RangesAreChecked) {
  auto code = [&](const std::string &offset, const std::string &length) {
    return load({{"location", "sub/weights.bin"}, {"offset", offset}, {"length", length}})
        .status()
        .code();
  };
  EXPECT_EQ(code("12", "8"), StatusCode::corruptData);
  EXPECT_EQ(code("17", "0"), StatusCode::corruptData);
  EXPECT_EQ(code("18446744073709551612", "8"), StatusCode::corruptData);
  EXPECT_EQ(code("0", "4"), StatusCode::corruptData); // not what the sizes need
  EXPECT_EQ(code("-1", "8"), StatusCode::corruptData);
  EXPECT_EQ(code("99999999999999999999999", "8"), StatusCode::corruptData);
  EXPECT_EQ(load({{"location", "missing.bin"}}).status().code(), StatusCode::notFound);
  EXPECT_EQ(load({{"location", "sub"}}).status().code(), StatusCode::invalidArgument);
}

TEST_F(ExternalData, IsRefusedFromMemory) {
  std::string bytes = modelBytes({{"location", "sub/weights.bin"}, {"offset", "8"}});
  auto parsed = readModel(asBytes(bytes));
  ASSERT_TRUE(parsed.ok());
  auto tensor = TensorLoader(*parsed).load(parsed->graph.initializers[0]);
  EXPECT_EQ(tensor.status().code(), StatusCode::invalidArgument);
}

} // namespace
