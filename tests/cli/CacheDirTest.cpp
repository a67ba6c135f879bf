#include "runtime/tools/CacheDir.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hexin::cli {
namespace {

namespace fs = std::filesystem;

/// A directory that is set as HEXIN_CACHE_DIR while the test runs.
class CacheDir : public ::testing::Test {
protected:
  void SetUp() override {
    fs::remove_all(path_);
    fs::create_directories(path_ + "/opencl");
    std::ofstream(path_ + "/opencl/program") << "12345";
    ::setenv("HEXIN_CACHE_DIR", path_.c_str(), 1);
  }
  void TearDown() override { ::unsetenv("HEXIN_CACHE_DIR"); }

  std::string path_ = ::testing::TempDir() + "hexin-cache";
};

TEST_F(CacheDir, TheVariableDecides) {
  auto directory = findCacheDirectory();
  ASSERT_TRUE(directory.ok());
  EXPECT_EQ(directory->path, path_);
  ::setenv("HEXIN_CACHE_DIR", "none", 1);
  EXPECT_EQ(findCacheDirectory().status().code(), StatusCode::failedPrecondition);
}

TEST_F(CacheDir, ShowsWhatIsThere) {
  auto usages = measureCache(path_);
  ASSERT_TRUE(usages.ok());
  ASSERT_EQ(usages->size(), 1u);
  EXPECT_EQ((*usages)[0].name, "opencl");
  EXPECT_EQ((*usages)[0].bytes, 5u);
  EXPECT_TRUE(measureCache(path_ + "/none")->empty());
}

TEST_F(CacheDir, ClearingKeepsWhatLinksPointTo) {
  std::string kept = ::testing::TempDir() + "hexin-kept";
  fs::create_directories(kept);
  std::ofstream(kept + "/file") << "x";
  fs::create_directory_symlink(kept, path_ + "/link");
  ASSERT_TRUE(clearCache(path_).ok());
  EXPECT_TRUE(fs::is_empty(path_));
  EXPECT_TRUE(fs::exists(kept + "/file"));
}

TEST_F(CacheDir, RefusesWhatIsMoreThanACache) {
  for (const char *path : {"/", "/.."})
    EXPECT_EQ(clearCache(path).code(), StatusCode::failedPrecondition) << path;
  ::setenv("HOME", (path_ + "/home").c_str(), 1);
  EXPECT_EQ(clearCache(path_).code(), StatusCode::failedPrecondition);
}

} // namespace
} // namespace hexin::cli
