// Programs on disk, through the device: built once, loaded after, rebuilt when
// what lies there is useless.
#include "tests/backends/opencl/OpenclTesting.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace hexin::test {
namespace {

namespace fs = std::filesystem;

const char *fillSource = R"(
__kernel void fill_it(__global uchar *b0, ulong o0, long p0, long items) {
  const long i = get_global_id(0);
  if (i < items)
    ((__global int *)(b0 + o0))[i] = (int)p0;
})";

class OpenclProgramCache : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "hexin-programs-XXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    folder = pattern;
    if (!TestDevice().device)
      GTEST_SKIP() << "no OpenCL device";
  }
  void TearDown() override { fs::remove_all(folder); }

  struct Counts {
    uint64_t built, cached;
    bool operator==(const Counts &) const = default;
  };

  /// Opens the device, loads and runs the program, closes everything.
  Counts useOnce() {
    TestDevice test(folder.c_str());
    hexin_module *module = test.load(fillSource);
    EXPECT_TRUE(module) << test.error.message;
    std::vector<int> out(10);
    EXPECT_EQ(runKernel(test, module, "fill_it", {bound(out)}, {7}, 10), "");
    EXPECT_EQ(out, std::vector<int>(10, 7));
    test.api->unload(test.device, module);
    return {test.api->counter(test.device, "kernels_compiled"),
            test.api->counter(test.device, "kernels_cached")};
  }

  std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    for (const auto &entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file())
        found.push_back(entry.path());
    return found;
  }

  fs::path folder;
};

TEST_F(OpenclProgramCache, SecondUseCompilesNothing) {
  EXPECT_EQ(useOnce(), (Counts{1, 0}));
  ASSERT_EQ(entries().size(), 1u);
  EXPECT_EQ(useOnce(), (Counts{0, 1}));
  EXPECT_EQ(entries().size(), 1u);
}

TEST_F(OpenclProgramCache, DamagedEntriesAreRebuilt) {
  useOnce();
  fs::path entry = entries().at(0);
  fs::resize_file(entry, fs::file_size(entry) / 2);
  EXPECT_EQ(useOnce(), (Counts{1, 0}));
  EXPECT_EQ(useOnce(), (Counts{0, 1}));
}

TEST_F(OpenclProgramCache, UnusableFolderIsIgnored) {
  fs::path real = folder;
  std::ofstream(real / "file") << "no folder";
  folder = real / "file" / "cache";
  EXPECT_EQ(useOnce(), (Counts{1, 0}));
  EXPECT_EQ(useOnce(), (Counts{1, 0}));
  folder = real;
}

TEST_F(OpenclProgramCache, WritersDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] { useOnce(); });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(entries().size(), 1u);
  EXPECT_EQ(useOnce(), (Counts{0, 1}));
}

} // namespace
} // namespace hexin::test
