#include "runtime/artifact/Container.h"
#include "runtime/artifact/Format.h"

#include "runtime/artifact/Format.h"
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

TEST(Container, NoticesEveryBitThatFlipsInACompressedHeader) {
  std::vector<std::byte> good = makeAddScale("near").assemble(/*isCompressed=*/true);
  ASSERT_EQ(memoryCode(good), StatusCode::ok);
  size_t numNoticed = 0, headerStart = 3 * sectionAlignment;
  for (size_t at = headerStart; at < good.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> bad = good;
      bad[at] ^= static_cast<std::byte>(1 << bit);
      EXPECT_EQ(memoryCode(bad), StatusCode::corruptData);
      // The frame has a checksum of its own; a bit that means nothing to it changes
      // nothing.
      fixHashes(bad);
      StatusCode code = memoryCode(bad);
      EXPECT_TRUE(isTyped(code) || code == StatusCode::ok)
          << "byte " << at << ", bit " << bit;
      numNoticed += isTyped(code);
    }
  EXPECT_GT(numNoticed, 8 * (good.size() - headerStart) * 95 / 100);
}

TEST(Container, RefusesAHeaderThatSaysItIsCompressed) {
  std::vector<std::byte> bad = makeAddScale("near").assemble();
  Preamble preamble;
  std::memcpy(&preamble, bad.data(), sizeof preamble);
  preamble.requiredFeatures = compressedHeaderFeature;
  std::memcpy(bad.data(), &preamble, sizeof preamble);
  fixHashes(bad);
  EXPECT_EQ(memoryCode(bad), StatusCode::corruptData);
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

TEST(Container, ReadsACompressedSection) {
  std::string path = temporaryPath("frame.hxm");
  std::vector<std::byte> bytes = makeAddScale("near").assemble(/*isCompressed=*/true);
  writeFile(path, bytes);
  auto container = Container::open(path, /*verifyHashes=*/true);
  ASSERT_TRUE(container) << container.status().toString();
  auto contents = container->contents(0);
  ASSERT_TRUE(contents) << contents.status().toString();
  std::string text(reinterpret_cast<const char *>(contents->bytes.data()),
                   contents->bytes.size());
  EXPECT_TRUE(text.starts_with("fake kernel 1;") && text.ends_with("fake kernel 5;"));

  bytes[sectionAlignment + container->section(0).size() / 2] ^= std::byte{1};
  writeFile(path, bytes);
  container = Container::open(path, /*verifyHashes=*/false);
  ASSERT_TRUE(container) << container.status().toString();
  Status damaged = container->contents(0).status();
  EXPECT_EQ(damaged.code(), StatusCode::corruptData);
  EXPECT_NE(damaged.message().find("section 0"), std::string::npos);
}

TEST(Container, ChecksWhatIsSaidToBeCompressed) {
  ArtifactMaker maker = makeAddScale("near");
  std::vector<std::byte> good = maker.assemble(/*isCompressed=*/true);
  ASSERT_EQ(memoryCode(good), StatusCode::ok);
  auto codeWith = [&](size_t section, fmt::Compression compression, uint64_t offset) {
    Preamble preamble;
    std::vector<std::byte> file(good.begin(), good.begin() + 3 * sectionAlignment);
    std::memcpy(&preamble, file.data(), sizeof preamble);
    fmt::SectionT before = *maker.header.sections[section];
    maker.header.sections[section]->compression = compression;
    maker.header.sections[section]->offset += offset;
    flatbuffers::FlatBufferBuilder builder;
    fmt::FinishHeaderBuffer(builder, fmt::Header::Pack(builder, &maker.header));
    *maker.header.sections[section] = before;
    auto header = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    file.insert(file.end(), header.begin(), header.end());
    preamble.requiredFeatures = compressedSectionsFeature;
    preamble.headerLength = header.size();
    preamble.fileLength = file.size();
    std::memcpy(file.data(), &preamble, sizeof preamble);
    fixHashes(file);
    return memoryCode(file);
  };
  EXPECT_EQ(codeWith(0, fmt::Compression::zstd, 0), StatusCode::ok);
  EXPECT_EQ(codeWith(0, fmt::Compression::zstd, 64), StatusCode::ok); // read: damaged
  EXPECT_EQ(codeWith(0, fmt::Compression::zstd, 32), StatusCode::corruptData);
  EXPECT_EQ(codeWith(0, fmt::Compression::none, 64), StatusCode::corruptData);
  EXPECT_EQ(codeWith(0, fmt::Compression(2), 0), StatusCode::versionMismatch);
  EXPECT_EQ(codeWith(1, fmt::Compression::zstd, 0), StatusCode::corruptData); // weights
}

TEST(Container, SaysWhatIsNotThere) {
  auto model = Model::open("/no/such/model.hxm");
  EXPECT_EQ(model.status().code(), StatusCode::notFound);
  EXPECT_NE(model.status().message().find("/no/such/model.hxm"), std::string::npos);
  EXPECT_EQ(Model::open("/tmp").status().code(), StatusCode::invalidArgument);
  EXPECT_EQ(Model::open(std::string("/tmp\0x", 6)).status().code(),
            StatusCode::invalidArgument);
}

TEST(Container, RefusesFeaturesItDoesNotKnow) {
  ArtifactMaker maker = makeAddScale("near");
  maker.header.required_features = fmt::knownFeatures + 1;
  EXPECT_EQ(openCode(maker.assemble()), StatusCode::versionMismatch);
  std::vector<std::byte> file = makeAddScale("near").assemble();
  Preamble preamble;
  std::memcpy(&preamble, file.data(), sizeof preamble);
  preamble.requiredFeatures = knownContainerFeatures + 1;
  std::memcpy(file.data(), &preamble, sizeof preamble);
  fixHashes(file);
  EXPECT_EQ(openCode(file), StatusCode::versionMismatch);
}

} // namespace
} // namespace hexin
