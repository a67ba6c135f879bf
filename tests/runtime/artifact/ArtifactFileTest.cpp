#include "runtime/artifact/ArtifactFile.h"

#include "runtime/artifact/Container.h"
#include "tests/runtime/ArtifactMaker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sys/resource.h>

namespace hexin {
namespace {

using namespace test;

size_t filesBeside(const std::string &path) {
  size_t count = 0;
  for (const auto &entry :
       std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()))
    count += entry.path().string().starts_with(path);
  return count;
}

TEST(ArtifactFile, ReplacesAnOldFileOnlyWhenCommitted) {
  std::string path = temporaryPath("replaced.hxm");
  ASSERT_TRUE(makeScaleTwice("near").write(path));
  auto before = readFile(path);
  {
    auto file = ArtifactFile::create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->beginSection(fmt::SectionKind::portable));
    ASSERT_TRUE((*file)->append("never finished"));
  }
  EXPECT_EQ(readFile(path), before);
  EXPECT_EQ(filesBeside(path), 1u);
  ASSERT_TRUE(makeAddScale("near").write(path));
  EXPECT_NE(readFile(path), before);
}

TEST(ArtifactFile, SurvivesAFullDisk) {
  std::string path = temporaryPath("full.hxm");
  ASSERT_TRUE(makeScaleTwice("near").write(path));
  auto before = readFile(path);
  // A limit on file sizes is met the way a full disk is.
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 1 << 16;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Status status;
  {
    auto file = ArtifactFile::create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->beginSection(fmt::SectionKind::weights));
    std::vector<std::byte> weights(1 << 20);
    for (int i = 0; i < 8 && status.ok(); ++i)
      status = (*file)->append(weights);
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), StatusCode::resourceExhausted) << status.toString();
  EXPECT_EQ(readFile(path), before);
  EXPECT_EQ(filesBeside(path), 1u);
}

TEST(ArtifactFile, NamesTheFolderThatIsMissing) {
  auto file = ArtifactFile::create("/no/such/folder/model.hxm");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.status().code(), StatusCode::notFound);
  EXPECT_NE(file.status().message().find("/no/such/folder"), std::string::npos);
}

TEST(ArtifactFile, RefusesWhatIsNoFile) {
  EXPECT_EQ(ArtifactFile::create("/dev/full").status().code(),
            StatusCode::invalidArgument);
}

TEST(ArtifactFile, ChecksWhatItWrites) {
  ArtifactMaker maker = makeScaleTwice("near");
  maker.program().instructions[0]->variants[0]->kernel = 17;
  Status status = maker.write(temporaryPath("wrong.hxm"));
  EXPECT_EQ(status.code(), StatusCode::internal);
  EXPECT_NE(status.message().find("kernel that does not exist"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(temporaryPath("wrong.hxm")));
}

TEST(ArtifactFile, CompressesOnlyWhatGetsSmaller) {
  std::string path = temporaryPath("compressed.hxm");
  auto file = ArtifactFile::create(path);
  ASSERT_TRUE(file);
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += "line " + std::to_string(i) + " of a program\n";
  ASSERT_TRUE((*file)->addCompressed(fmt::SectionKind::portable, "x"));
  ASSERT_TRUE((*file)->addCompressed(fmt::SectionKind::image, text));
  fmt::HeaderT header;
  ASSERT_TRUE((*file)->commit(header));
  auto container = Container::open(path, /*verifyHashes=*/true);
  ASSERT_TRUE(container) << container.status().toString();
  EXPECT_EQ(container->section(0).size(), 1u);
  EXPECT_LT(container->section(1).size(), text.size() / 4);
  auto contents = container->contents(1);
  ASSERT_TRUE(contents) << contents.status().toString();
  auto expected = std::as_bytes(std::span(text));
  EXPECT_TRUE(std::ranges::equal(contents->bytes, expected));
}

TEST(ArtifactFile, WantsOneSectionAtATime) {
  auto file = ArtifactFile::create(temporaryPath("sections.hxm"));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->append("x").code(), StatusCode::failedPrecondition);
  ASSERT_TRUE((*file)->beginSection(fmt::SectionKind::weights));
  EXPECT_EQ((*file)->beginSection(fmt::SectionKind::image).code(),
            StatusCode::failedPrecondition);
  fmt::HeaderT header;
  EXPECT_EQ((*file)->commit(header).status().code(), StatusCode::failedPrecondition);
}

} // namespace
} // namespace hexin
