#include "tests/runtime/exec/SessionFixture.h"

#include <atomic>
#include <thread>

namespace hexin {
namespace {

using namespace test;

class Concurrency : public OnFakes {
protected:
  static bool isRight(const Result<NamedValues> &outputs, int64_t n, float x) {
    return outputs && floatsOf((*outputs)[0].value) ==
                          std::vector<float>(static_cast<size_t>(n), 6 * x);
  }
  static Tensor filled(int64_t n, float x) {
    return makeTensor({n}, std::vector<float>(static_cast<size_t>(n), x));
  }
};

TEST_P(Concurrency, ThreadsTakeTurnsInOneSession) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        int64_t n = 1 + (i + t) % 7;
        auto x = static_cast<float>(t * 100 + i);
        if (i % 3 == 0) {
          auto run = session->submit({{"x", filled(n, x)}});
          wrong += !run || !isRight(run->wait(), n, x);
        } else {
          wrong += !isRight(session->run({{"x", filled(n, x)}}), n, x);
        }
        static_cast<void>(session->stats());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(Concurrency, SessionsRunSideBySide) {
  auto model = makeScaleTwice(device()).open();
  ASSERT_TRUE(model);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 4; ++round) {
        auto session = Session::create(*model, {.device = device()});
        if (!session) {
          ++wrong;
          return;
        }
        for (int i = 0; i < 20; ++i) {
          int64_t n = 1 + (i * t) % 5;
          auto x = static_cast<float>(t + i);
          wrong += !isRight(session->run({{"x", filled(n, x)}}), n, x);
        }
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

HEXIN_ON_BOTH_FAKES(Concurrency);

} // namespace
} // namespace hexin
