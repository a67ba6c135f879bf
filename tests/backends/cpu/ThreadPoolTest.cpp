//===- ThreadPoolTest.cpp - ParallelFor and turns ---------------------------===//
#include "backends/cpu/runtime/ThreadPool.h"
#include "backends/cpu/runtime/Executor.h"

#include <chrono>
#include <cstdio>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

using namespace hexin::cpu;

namespace {

TEST(Share, coversTheRange) {
  for (int64_t items : {int64_t(1), int64_t(7), int64_t(64), INT64_MAX})
    for (unsigned count : {1u, 2u, 5u, 64u}) {
      int64_t at = 0;
      for (unsigned i = 0; i < count; ++i) {
        Share share = shareOf(items, i, count);
        EXPECT_EQ(share.begin, at);
        EXPECT_LE(share.end - share.begin - 1, items / count);
        at = share.end;
      }
      EXPECT_EQ(at, items);
    }
}

TEST(Share, grain) {
  EXPECT_EQ(threadsFor(100, 1, 8), 8u);
  EXPECT_EQ(threadsFor(100, 50, 8), 2u);
  EXPECT_EQ(threadsFor(100, 51, 8), 1u);
  EXPECT_EQ(threadsFor(3, 0, 8), 3u);
  EXPECT_EQ(threadsFor(INT64_MAX, 1, 8), 8u);
}

TEST(ThreadPool, eachItemOnce) {
  ThreadPool pool(4, false);
  for (int64_t items : {0, 1, 3, 4, 1000, 4097}) {
    std::vector<int> hits(items);
    pool.parallelFor(items, 1, [&](int64_t begin, int64_t end, unsigned) {
      for (int64_t i = begin; i < end; ++i)
        ++hits[i];
    });
    EXPECT_EQ(std::accumulate(hits.begin(), hits.end(), 0), items);
    EXPECT_TRUE(items == 0 || *std::min_element(hits.begin(), hits.end()) == 1);
  }
}

TEST(ThreadPool, manyShortJobs) {
  ThreadPool pool(3, true);
  std::vector<int64_t> sums(3);
  for (int round = 0; round < 2000; ++round)
    pool.parallelFor(3, 1, [&](int64_t begin, int64_t end, unsigned) {
      for (int64_t i = begin; i < end; ++i)
        ++sums[i];
    });
  EXPECT_EQ(sums, std::vector<int64_t>(3, 2000));
}

TEST(Executor, sharedByThreadCount) {
  auto a = Executor::get(2, false), b = Executor::get(2, false),
       c = Executor::get(1, false);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

// N sessions x M callers: one job at a time per executor, and each sees its own data.
TEST(Executor, callersTakeTurns) {
  auto executor = Executor::get(3, false);
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller)
    callers.emplace_back([&, caller] {
      std::vector<int> data(300);
      for (int round = 0; round < 300; ++round)
        executor->run([&](Team &team) {
          if (inside.fetch_add(1) != 0)
            overlapped = true;
          team.parallelFor(300, 1, [&](int64_t begin, int64_t end, unsigned) {
            for (int64_t i = begin; i < end; ++i)
              data[i] += caller + 1;
          });
          inside.fetch_sub(1);
        });
      for (int value : data)
        ASSERT_EQ(value, 300 * (caller + 1));
    });
  for (std::thread &thread : callers)
    thread.join();
  EXPECT_FALSE(overlapped);
}

TEST(Executor, singleThreadRunsOnTheCaller) {
  auto executor = Executor::get(1, false);
  std::thread::id ran;
  executor->run([&](Team &team) {
    team.parallelFor(
        100, 1, [&](int64_t, int64_t, unsigned) { ran = std::this_thread::get_id(); });
  });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(ThreadPool, overhead) {
  unsigned cores = std::max(2u, std::thread::hardware_concurrency());
  ThreadPool pool(cores, true);
  std::atomic<int64_t> sum{0};
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i)
      pool.parallelFor(cores, 1, [&](int64_t begin, int64_t, unsigned) {
        sum.fetch_add(begin, std::memory_order_relaxed);
      });
    std::chrono::duration<double, std::micro> time =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count() / 1000);
  }
  std::printf("  parallelFor on %u threads: %.2f us (best of 20)\n", cores, best);
}

} // namespace
