// The structs that come out of a model's bytes, and what damaged bytes give.
#include "frontends/onnx/wire/Reader.h"
#include "frontends/onnx/wire/TensorLoader.h"
#include "frontends/onnx/wire/Utf8.h"

#include "tests/frontends/onnx/ModelBytes.h"

#include "gtest/gtest.h"

#include <random>

using namespace hexin;
using namespace hexin::onnx;
using namespace hexin::onnx::testing;

namespace {

/// Reads and then looks at every tensor: what an importer would touch.
void readAll(const std::string &bytes) {
  auto model = readModel(asBytes(bytes));
  if (!model.ok()) {
    EXPECT_FALSE(model.status().message().empty());
    return;
  }
  TensorLoader loader(*model);
  for (const TensorData &tensor : model->graph.initializers) {
    auto loaded = loader.load(tensor);
    if (loaded.ok())
      EXPECT_LE(loaded->byteLength(), 64 * bytes.size());
  }
}

TEST(WireModel, ReadsEveryPart) {
  std::string bytes = smallModel();
  auto model = readModel(asBytes(bytes));
  ASSERT_TRUE(model.ok()) << model.status().toString();
  EXPECT_EQ(model->irVersion, 8);
  EXPECT_EQ(model->producerName, "test");
  ASSERT_EQ(model->opsets.size(), 1u);
  EXPECT_EQ(model->opsets[0].version, 17);
  ASSERT_EQ(model->metadata.size(), 1u);
  EXPECT_EQ(model->metadata[0].value, "nobody");

  ASSERT_EQ(model->graph.nodes.size(), 1u);
  const Node &node = model->graph.nodes[0];
  EXPECT_EQ(node.opType, "MaxPool");
  EXPECT_EQ(node.inputs, (std::vector<std::string_view>{"x"}));
  ASSERT_EQ(node.attributes.size(), 2u);
  EXPECT_EQ(node.attributes[0].kind, Attribute::Kind::integers);
  EXPECT_EQ(node.attributes[0].ints, (std::vector<int64_t>{3, 3}));
  EXPECT_EQ(node.attributes[1].ints, (std::vector<int64_t>{0, 1, -1, 300}));

  ASSERT_EQ(model->graph.inputs.size(), 1u);
  const TypeInfo &type = model->graph.inputs[0].type;
  EXPECT_EQ(type.kind, TypeInfo::Kind::tensor);
  ASSERT_TRUE(type.shape.has_value());
  EXPECT_EQ((*type.shape)[1].param, "C");
  EXPECT_FALSE((*type.shape)[1].value.has_value());
}

TEST(WireModel, StringsLookIntoTheBytes) {
  std::string bytes = smallModel();
  auto model = readModel(asBytes(bytes));
  ASSERT_TRUE(model.ok());
  const char *name = model->graph.nodes[0].name.data();
  EXPECT_TRUE(name >= bytes.data() && name < bytes.data() + bytes.size());
}

TEST(WireModel, SurvivesTruncationAtEveryByte) {
  std::string bytes = smallModel();
  for (size_t length = 0; length < bytes.size(); ++length)
    readAll(std::string(bytes.data(), length));
}

TEST(WireModel, SurvivesEveryByteChanged) {
  const std::string bytes = smallModel();
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int mask : {0x01, 0x08, 0x40, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ mask);
      readAll(damaged);
    }
}

TEST(WireModel, SurvivesGarbage) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 300, '\0');
    for (char &c : bytes)
      c = static_cast<char>(random());
    readAll(bytes);
  }
}

TEST(WireModel, NamesThePlaceOfDamage) {
  std::string bad = node("Conv", "c1", {"x"}, {"y"});
  bad += std::string("\x2a\x7f", 2); // an attribute of 127 bytes that is not there
  std::string bytes = model(message([&](Writer &w) { w.add_message(1, bad); }));
  auto result = readModel(asBytes(bytes));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::corruptData);
  EXPECT_NE(result.status().message().find("graph: node 'c1': (Conv)"), std::string::npos)
      << result.status().message();
}

TEST(WireModel, RefusesWhatIsNoModel) {
  EXPECT_EQ(readModel(std::span<const std::byte>()).status().code(),
            StatusCode::corruptData);
  EXPECT_EQ(readModel("/nonexistent/model.onnx").status().code(), StatusCode::notFound);
  EXPECT_EQ(readModel("/").status().code(), StatusCode::invalidArgument);
}

TEST(WireModel, TextBecomesUtf8) {
  for (const char *good : {"", "abc", "\xc3\xa9", "\xe5\x90\x88", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(isUtf8(good));
    EXPECT_EQ(toUtf8(good), good);
  }
  for (const char *bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_FALSE(isUtf8(bad)) << toUtf8(bad);
  EXPECT_EQ(toUtf8("a\xa0z"), "a?z");
}

TEST(WireModel, BoundsNesting) {
  std::string graph = message([](Writer &w) { w.add_string(2, "leaf"); });
  for (int level = 0; level < 3000; ++level)
    graph = message([&](Writer &w) {
      w.add_message(1, node("If", "", {}, {}, {message([&](Writer &attribute) {
                              attribute.add_string(1, "then_branch");
                              attribute.add_message(6, graph);
                            })}));
    });
  auto result = readModel(asBytes(model(graph)));
  EXPECT_EQ(result.status().code(), StatusCode::resourceExhausted);
}

TEST(WireModel, BoundsMemory) {
  std::string graph;
  for (int i = 0; i < 1 << 20; ++i)
    graph += std::string("\x0a\x00", 2); // an empty node in two bytes
  auto result = readModel(asBytes(model(graph)));
  EXPECT_EQ(result.status().code(), StatusCode::resourceExhausted);
}

TEST(WireModel, BoundsFileSize) {
  ReadLimits limits;
  limits.maxFileBytes = 10;
  auto result = readModel(asBytes(smallModel()), nullptr, limits);
  EXPECT_EQ(result.status().code(), StatusCode::resourceExhausted);
}

TEST(WireModel, HostileLengthsAreErrors) {
  for (const char *length :
       {"\xff\xff\xff\xff\x07", "\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}) {
    auto result = readModel(asBytes(std::string("\x3a") + length + "abc"));
    EXPECT_EQ(result.status().code(), StatusCode::corruptData);
  }
}

} // namespace
