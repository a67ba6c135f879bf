#include "runtime/base/FileCache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace hexin {
namespace {

namespace fs = std::filesystem;

class FileCacheTest : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "hexin-cache-XXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    folder = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::permissions(folder, fs::perms::owner_all, ignored);
    fs::remove_all(folder, ignored);
  }
  static std::vector<std::byte> bytesOf(size_t count, unsigned seed) {
    std::vector<std::byte> bytes(count);
    for (size_t i = 0; i < count; ++i)
      bytes[i] = static_cast<std::byte>((i * 31 + seed) & 255);
    return bytes;
  }
  size_t countFiles() const { return countFiles(folder); }
  static size_t countFiles(const fs::path &in) {
    size_t count = 0;
    for ([[maybe_unused]] const auto &entry : fs::directory_iterator(in))
      ++count;
    return count;
  }

  fs::path folder;
};

TEST_F(FileCacheTest, FindsWhatWasStored) {
  FileCache cache(folder / "made" / "on demand");
  EXPECT_FALSE(cache.find("a"));
  cache.store("a", bytesOf(1000, 1));
  cache.store("b", bytesOf(0, 2));
  EXPECT_EQ(cache.find("a"), bytesOf(1000, 1));
  EXPECT_EQ(cache.find("b"), bytesOf(0, 2));
  cache.store("a", bytesOf(10, 3));
  EXPECT_EQ(cache.find("a"), bytesOf(10, 3));
  cache.remove("a");
  EXPECT_FALSE(cache.find("a"));
}

TEST_F(FileCacheTest, MakesAnEntryPieceByPiece) {
  FileCache cache(folder / "made" / "on demand", 100 << 10);
  std::vector<std::byte> wanted = bytesOf(70000, 4);
  auto fill = [&](const FileCache::Append &append) {
    std::span<const std::byte> value(wanted);
    return append(value.first(1)) && append(value.subspan(1, 0)) &&
           append(value.subspan(1, 40000)) && append(value.subspan(40001));
  };
  auto made = cache.make("key", wanted.size(), fill);
  ASSERT_TRUE(made);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(made->bytes().data()) % 64, 0u);
  EXPECT_TRUE(std::ranges::equal(made->bytes(), wanted));
  EXPECT_EQ(cache.find("key"), wanted);
  EXPECT_TRUE(cache.make("none", 0, [](const FileCache::Append &) { return true; }));
  EXPECT_EQ(cache.find("none"), std::vector<std::byte>());

  EXPECT_FALSE(cache.make("no", 1, [](const FileCache::Append &) { return false; }));
  EXPECT_FALSE(cache.make("too little", wanted.size() + 1, fill));
  EXPECT_FALSE(cache.make("too much", wanted.size() - 1, fill));
  EXPECT_EQ(countFiles(folder / "made" / "on demand"), 2u);
  EXPECT_FALSE(cache.make("large", 200 << 10, fill)) << "larger than the cache";
  EXPECT_FALSE(FileCache("").make("key", wanted.size(), fill));
  std::ofstream(folder / "file") << "no folder";
  EXPECT_FALSE(FileCache(folder / "file").make("key", wanted.size(), fill));
}

/// A file that cannot grow stands for a full disk.
TEST_F(FileCacheTest, MakesNothingWhereThereIsNoRoom) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto *handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  FileCache cache(folder);
  bool isTaken = true;
  auto made = cache.make("key", 1 << 20, [&](const FileCache::Append &append) {
    isTaken = append(bytesOf(1 << 20, 1));
    return isTaken;
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(made);
  EXPECT_FALSE(isTaken);
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(FileCacheTest, AMappedEntryOutlivesItsFile) {
  FileCache cache(folder);
  cache.store("a", bytesOf(100'000, 1));
  auto mapped = cache.map("a");
  ASSERT_TRUE(mapped);
  cache.store("a", bytesOf(10, 2));
  cache.remove("a");
  EXPECT_FALSE(cache.map("a"));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(mapped->bytes().data()) % 64, 0u);
  EXPECT_TRUE(std::ranges::equal(mapped->bytes(), bytesOf(100'000, 1)));
}

TEST_F(FileCacheTest, OffWithoutAFolder) {
  FileCache cache("");
  cache.store("a", bytesOf(10, 1));
  EXPECT_FALSE(cache.find("a"));
}

TEST_F(FileCacheTest, DamagedEntriesAreForgotten) {
  FileCache cache(folder);
  for (int damage = 0; damage < 5; ++damage) {
    cache.store("key", bytesOf(500, 1));
    fs::path path = cache.pathOf("key");
    if (damage == 0)
      fs::resize_file(path, 100);
    else if (damage == 1)
      fs::resize_file(path, 0);
    else if (damage == 2)
      std::ofstream(path, std::ios::app) << "tail";
    else { // one byte: in the magic, the lengths, the contents
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(damage == 3 ? 9 : 300);
      file.put('\x7f');
    }
    EXPECT_FALSE(cache.find("key")) << damage;
    EXPECT_FALSE(fs::exists(path)) << damage;
  }
}

TEST_F(FileCacheTest, AnotherKeyUnderTheSameNameIsNotMistaken) {
  FileCache cache(folder);
  cache.store("one", bytesOf(10, 1));
  fs::rename(cache.pathOf("one"), cache.pathOf("two"));
  EXPECT_FALSE(cache.find("two"));
}

TEST_F(FileCacheTest, LeastRecentlyUsedGoFirst) {
  FileCache cache(folder, 4500); // four of these do not fit, three do
  auto age = [&](const std::string &key, int hours) {
    fs::last_write_time(cache.pathOf(key),
                        fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  cache.store("old", bytesOf(1000, 1));
  cache.store("older", bytesOf(1000, 2));
  cache.store("used", bytesOf(1000, 3));
  age("old", 2);
  age("older", 3);
  age("used", 4);
  EXPECT_TRUE(cache.find("used")); // now the youngest
  cache.store("new", bytesOf(1500, 4));
  EXPECT_FALSE(cache.find("older"));
  EXPECT_TRUE(cache.find("old"));
  EXPECT_TRUE(cache.find("used"));
  EXPECT_TRUE(cache.find("new"));
  cache.store("huge", bytesOf(5000, 5));
  EXPECT_FALSE(cache.find("huge"));
  EXPECT_TRUE(cache.find("new"));
}

TEST_F(FileCacheTest, TheBoundHoldsOverManyStoresAndCopies) {
  FileCache cache(folder, 20'000);
  FileCache other = cache;
  for (unsigned i = 0; i < 200; ++i) {
    (i % 2 ? cache : other).store(std::to_string(i), bytesOf(500, i));
    uint64_t bytes = 0;
    for (const auto &entry : fs::directory_iterator(folder))
      bytes += entry.file_size();
    ASSERT_LE(bytes, 20'000u) << i;
  }
  EXPECT_GT(countFiles(), 25u);
}

TEST_F(FileCacheTest, AbandonedTemporariesAreSwept) {
  FileCache cache(folder);
  std::ofstream(folder / "1-2-3.tmp") << "half";
  fs::last_write_time(folder / "1-2-3.tmp",
                      fs::file_time_type::clock::now() - std::chrono::hours(5));
  cache.store("a", bytesOf(10, 1));
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(FileCacheTest, ReadOnlyFolderStillFinds) {
  FileCache cache(folder);
  cache.store("a", bytesOf(10, 1));
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
  cache.store("b", bytesOf(10, 2));
  EXPECT_EQ(cache.find("a"), bytesOf(10, 1));
  if (geteuid() != 0) // root writes anywhere
    EXPECT_FALSE(cache.find("b"));
}

TEST_F(FileCacheTest, UnusableFoldersHoldNothing) {
  std::ofstream(folder / "file") << "no folder";
  FileCache inFile(folder / "file" / "cache"), inSystem("/proc/hexin-cache");
  for (const FileCache &cache : {inFile, inSystem}) {
    cache.store("a", bytesOf(10, 1));
    EXPECT_FALSE(cache.find("a"));
    cache.remove("a");
  }
}

TEST_F(FileCacheTest, FullDiskIsIgnored) {
  // A limit on file sizes stops a write half way, as a full disk does.
  FileCache cache(folder);
  struct rlimit before, tight;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto previous = std::signal(SIGXFSZ, SIG_IGN);
  tight = before;
  tight.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  cache.store("large", bytesOf(100'000, 1));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, previous);
  EXPECT_FALSE(cache.find("large"));
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(FileCacheTest, ConcurrentWritersAndReaders) {
  FileCache cache(folder, 100'000);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (unsigned round = 0; round < 100; ++round) {
        std::string key = std::to_string((t + round) % 5);
        unsigned seed = static_cast<unsigned>(key[0]);
        cache.store(key, bytesOf(20'000 + seed * 100, seed));
        if (auto found = cache.find(key);
            found && *found != bytesOf(20'000 + seed * 100, seed))
          ++wrong;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  for (const auto &entry : fs::directory_iterator(folder))
    EXPECT_EQ(entry.path().extension(), ".entry");
}

} // namespace
} // namespace hexin
