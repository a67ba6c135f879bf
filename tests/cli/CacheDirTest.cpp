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
    std::ofstream(path_ + "/opencl/0123456789abcdef.entry") << "12345";
    ::setenv("HEXIN_CACHE_DIR", path_.c_str(), 1);
  }
  void TearDown() override { ::unsetenv("HEXIN_CACHE_DIR"); }

  /// Of this test alone: others run at the same time.
  std::string path_ = ::testing::TempDir() + "hexin-cache-" +
                      ::testing::UnitTest::GetInstance()->current_test_info()->name();
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
  std::string kept = path_ + "-kept";
  fs::create_directories(kept);
  std::ofstream(kept + "/file") << "x";
  fs::create_directory_symlink(kept, path_ + "/link");
  fs::create_directory_symlink(kept, path_ + "/kernels");
  auto left = clearCache(path_);
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(*left, (std::vector<std::string>{path_ + "/kernels", path_ + "/link"}));
  EXPECT_FALSE(fs::exists(path_ + "/opencl"));
  EXPECT_TRUE(fs::exists(kept + "/file"));
}

TEST_F(CacheDir, ClearingLeavesWhatIsNotACaches) {
  fs::create_directories(path_ + "/thesis/opencl");
  fs::create_directories(path_ + "/opencl/below");
  std::vector<std::string> foreign = {
      "/note.txt", "/opencl/0123456789abcdef", "/opencl/below/0123456789abcdef.entry",
      "/opencl/my.entry", "/thesis/opencl/0123456789abcdef.entry"};
  for (const std::string &file : foreign)
    std::ofstream(path_ + file) << "mine";
  std::ofstream(path_ + "/opencl/12-345-6.tmp") << "own";
  auto left = clearCache(path_);
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(*left,
            (std::vector<std::string>{
                path_ + "/note.txt", path_ + "/opencl/0123456789abcdef",
                path_ + "/opencl/below", path_ + "/opencl/my.entry", path_ + "/thesis"}));
  for (const std::string &file : foreign)
    EXPECT_TRUE(fs::exists(path_ + file)) << file;
  EXPECT_FALSE(fs::exists(path_ + "/opencl/0123456789abcdef.entry"));
  EXPECT_FALSE(fs::exists(path_ + "/opencl/12-345-6.tmp"));
}

TEST_F(CacheDir, RefusesWhatIsMoreThanACache) {
  for (const char *path : {"/", "/.."})
    EXPECT_EQ(clearCache(path).status().code(), StatusCode::failedPrecondition) << path;
  ::setenv("HOME", (path_ + "/home").c_str(), 1);
  EXPECT_EQ(clearCache(path_).status().code(), StatusCode::failedPrecondition);
}

} // namespace
} // namespace hexin::cli
