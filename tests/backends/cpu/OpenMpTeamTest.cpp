//===- OpenMpTeamTest.cpp - our kernels on oneDNN's threads -----------------===//
#include "backends/cpu/runtime/Executor.h"

#include <chrono>
#include <cstdio>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

using namespace hexin::cpu;

namespace {

const hexin_onednn_api &shim() {
  static const hexin_onednn_api *api = [] {
    void *library = dlopen(HEXIN_ONEDNN_FILE, RTLD_NOW | RTLD_LOCAL);
    if (!library)
      std::abort();
    return reinterpret_cast<hexin_onednn_query_fn>(dlsym(library, "hexin_onednn_query"))(
        HEXIN_ONEDNN_SHIM_VERSION);
  }();
  return *api;
}

TEST(OpenMpTeam, oneDispatcherForAllCallers) {
  auto executor = Executor::get(2, true);
  executor->useOpenMp(shim());
  std::mutex mutex;
  std::set<std::thread::id> dispatchers, workers;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        std::vector<int> hits(1001);
        executor->run([&](Team &team) {
          EXPECT_EQ(team.threads(), 2u);
          {
            std::lock_guard<std::mutex> lock(mutex);
            dispatchers.insert(std::this_thread::get_id());
          }
          team.parallelFor(1001, 1, [&](int64_t begin, int64_t end, unsigned) {
            {
              std::lock_guard<std::mutex> lock(mutex);
              workers.insert(std::this_thread::get_id());
            }
            for (int64_t i = begin; i < end; ++i)
              ++hits[i];
          });
          team.parallelFor(1, 1, [&](int64_t begin, int64_t end, unsigned) {
            EXPECT_EQ(begin, 0);
            EXPECT_EQ(end, 1);
          });
        });
        for (int hit : hits)
          ASSERT_EQ(hit, 1);
      }
    });
  for (std::thread &thread : callers)
    thread.join();
  EXPECT_EQ(dispatchers.size(), 1u);
  EXPECT_EQ(workers.size(), 2u);
}

TEST(OpenMpTeam, singleThreadStaysOnTheCaller) {
  auto executor = Executor::get(1, true);
  executor->useOpenMp(shim());
  std::thread::id ran;
  executor->run([&](Team &team) {
    team.parallelFor(
        10, 1, [&](int64_t, int64_t, unsigned) { ran = std::this_thread::get_id(); });
  });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(OpenMpTeam, overhead) {
  auto executor = Executor::get(2, true);
  executor->useOpenMp(shim());
  double best = 1e9, bestTurn = 1e9;
  for (int round = 0; round < 20; ++round) {
    auto start = std::chrono::steady_clock::now();
    executor->run([&](Team &team) {
      for (int i = 0; i < 1000; ++i)
        team.parallelFor(2, 1, [](int64_t, int64_t, unsigned) {});
    });
    std::chrono::duration<double, std::micro> time =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count() / 1000);
    start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i)
      executor->run([](Team &) {});
    time = std::chrono::steady_clock::now() - start;
    bestTurn = std::min(bestTurn, time.count() / 100);
  }
  std::printf(
      "  parallelFor on 2 OpenMP threads: %.2f us, a turn of the dispatcher: %.2f us\n",
      best, bestTurn);
}

} // namespace
