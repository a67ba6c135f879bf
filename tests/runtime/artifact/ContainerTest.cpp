#include "runtime/artifact/Container.h"

#include "tests/runtime/ArtifactMaker.h"

#include <gtest/gtest.h>

#include <cstring>

namespace hexin {
namespace {

using namespace test;

StatusCode openCode(const std::vector<std::byte> &bytes, OpenOptions options = {}) {
  std::string path = temporaryPath("container.hxm");
  writeFile(path, bytes);
  return Model::open(path, options).status().code();
}

/// The same without a file: there are many of them.
StatusCode memoryCode(const std::vector<std::byte> &bytes) {
  struct alignas(64) Block {
    std::byte bytes[64];
  };
  std::vector<Block> aligned(bytes.size() / 64 + 1);
  std::copy(bytes.begin(), bytes.end(), aligned[0].bytes);
  return Container::fromMemory({aligned[0].bytes, bytes.size()}, false).status().code();
}

bool isTyped(StatusCode code) {
  return code == StatusCode::corruptData || code == StatusCode::versionMismatch;
}

TEST(Container, OpensWhatWasWritten) {
  auto model = makeAddScale("near").open();
  ASSERT_TRUE(model) << model.status().toString();
  EXPECT_EQ(model->name(), "made by hand");
  ASSERT_EQ(model->inputs().size(), 1u);
  EXPECT_EQ(model->inputs()[0].symbols[0], "n");
  EXPECT_EQ(model->targets(), std::vector<std::string>{"near"});
  std::string json = model->describeJson();
  EXPECT_NE(json.find("\"scale\""), std::string::npos);
}

TEST(Container, NoticesEveryBitThatFlips) {
  std::vector<std::byte> good = makeAddScale("near").assemble();
  ASSERT_EQ(openCode(good), StatusCode::ok);
  size_t headerStart = 3 * sectionAlignment;
  for (size_t at = 0; at < good.size(); ++at) {
    if (at == sizeof(Preamble))
      at = headerStart; // sections are hashed only when asked for
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> bad = good;
      bad[at] ^= static_cast<std::byte>(1 << bit);
      EXPECT_TRUE(isTyped(memoryCode(bad))) << "byte " << at << ", bit " << bit;
    }
  }
}

TEST(Container, NoticesEveryTruncation) {
  std::vector<std::byte> good = makeAddScale("near").assemble();
  for (size_t length = 0; length < good.size();
       length += length < 100 || length > 3 * sectionAlignment - 10 ? 1 : 97) {
    std::vector<std::byte> bad(good.begin(),
                               good.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_EQ(memoryCode(bad), StatusCode::corruptData) << length;
  }
  EXPECT_EQ(openCode({good.begin(), good.begin() + 63}), StatusCode::corruptData);
  EXPECT_EQ(openCode({}), StatusCode::corruptData);
  good.push_back({});
  EXPECT_EQ(openCode(good), StatusCode::corruptData);
}

TEST(Container, ChecksSectionsWhenAsked) {
  std::vector<std::byte> bad = makeAddScale("near").assemble();
  bad[2 * sectionAlignment + 5] ^= std::byte{1}; // a weight
  EXPECT_EQ(openCode(bad), StatusCode::ok);
  EXPECT_EQ(openCode(bad, {.verifyHashes = true}), StatusCode::corruptData);
}

TEST(Container, SaysWhatIsNotThere) {
  auto model = Model::open("/no/such/model.hxm");
  EXPECT_EQ(model.status().code(), StatusCode::notFound);
  EXPECT_NE(model.status().message().find("/no/such/model.hxm"), std::string::npos);
  EXPECT_EQ(Model::open("/tmp").status().code(), StatusCode::invalidArgument);
}

TEST(Container, RefusesFeaturesItDoesNotKnow) {
  ArtifactMaker maker = makeAddScale("near");
  maker.header.required_features = 4;
  EXPECT_EQ(openCode(maker.assemble()), StatusCode::versionMismatch);
}

} // namespace
} // namespace hexin
