// Prepared commands are found again: by loops, other plans, other sessions.
#include "tests/runtime/exec/SessionFixture.h"

#include "runtime/device/BackendRegistry.h"
#include "runtime/exec/CommandCache.h"

#include <atomic>
#include <thread>

namespace hexin {
namespace {

using namespace test;

// -- The cache alone ------------------------------------------------------------------

class Cached : public testing::Test {
protected:
  void SetUp() override {
    registerFakeDevices();
    device_ = *BackendRegistry::instance().open("near", {});
    std::byte text{};
    hexin_image image{};
    image.struct_size = sizeof image;
    image.arch = "fake-v1";
    image.data = &text;
    image.size = 1;
    module_ = *device_->load(image);
  }

  Command make() const {
    hexin_command_desc desc{};
    desc.struct_size = sizeof desc;
    desc.module = module_.get();
    desc.name = "scale";
    return *device_->prepare(desc);
  }
  CommandRef insert(CommandCache &cache, CommandKey key, uint64_t bytes = 10) const {
    return cache.insert(std::move(key), make(), bytes);
  }

  std::shared_ptr<Device> device_;
  Module module_;
};

TEST_F(Cached, FindsWhatWasInserted) {
  CommandCache cache(100);
  EXPECT_FALSE(cache.find({1, 2}));
  CommandRef made = insert(cache, {1, 2});
  CommandRef found = cache.find({1, 2});
  ASSERT_TRUE(found);
  EXPECT_EQ(found.get(), made.get());
  EXPECT_FALSE(cache.find({1, 3}));
  EXPECT_FALSE(cache.find({1, 2, 0}));
}

TEST_F(Cached, TheFirstOfTwoStays) {
  uint64_t before = fakeCounters().commandsAlive;
  CommandCache cache(100);
  CommandRef first = insert(cache, {7}), second = insert(cache, {7});
  EXPECT_EQ(first.get(), second.get());
  EXPECT_EQ(fakeCounters().commandsAlive, before + 1);
}

TEST_F(Cached, IdleOnesGoLeastRecentlyHeldFirst) {
  uint64_t before = fakeCounters().commandsAlive;
  {
    CommandCache cache(30);
    for (int64_t key : {1, 2, 3})
      insert(cache, {key}); // dropped at once
    EXPECT_EQ(cache.idleBytes(), 30u);
    cache.find({1}); // the most recent now
    insert(cache, {4});
    EXPECT_EQ(cache.idleBytes(), 30u);
    EXPECT_FALSE(cache.find({2}));
    EXPECT_TRUE(cache.find({1}));
    insert(cache, {5}, 31); // more than the budget on its own
    EXPECT_FALSE(cache.find({5}));
    EXPECT_EQ(cache.size(), 0u) << "all are older than the one that did not fit";
  }
  EXPECT_EQ(fakeCounters().commandsAlive, before);
}

TEST_F(Cached, HeldOnesStay) {
  CommandCache cache(0);
  CommandRef a = insert(cache, {1}), b = insert(cache, {2}), again = cache.find({1});
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.idleBytes(), 0u);
  a = CommandRef();
  EXPECT_TRUE(cache.find({1})) << "held once more";
  again = CommandRef();
  EXPECT_FALSE(cache.find({1}));
  EXPECT_TRUE(cache.find({2}));
}

TEST_F(Cached, ThreadsShareIt) {
  uint64_t before = fakeCounters().commandsAlive;
  {
    CommandCache cache(200); // of 50 keys: some go, some stay
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        std::vector<CommandRef> held;
        for (int64_t i = 0; i < 500; ++i) {
          CommandKey key = {(i * (t + 1)) % 50};
          CommandRef ref = cache.find(key);
          if (!ref)
            ref = insert(cache, key);
          wrong += !ref.get();
          if (i % 3 == 0)
            held.push_back(std::move(ref));
          if (held.size() > 10)
            held.clear();
        }
      });
    for (std::thread &thread : threads)
      thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_LE(cache.idleBytes(), 200u);
  }
  EXPECT_EQ(fakeCounters().commandsAlive, before);
}

// -- Who finds them ---------------------------------------------------------------------

class Shared : public OnFakes {
protected:
  static Tensor ones(int64_t n) {
    return makeTensor({n}, std::vector<float>(static_cast<size_t>(n), 1));
  }
  static bool isRight(const Result<NamedValues> &outputs, int64_t n, float each) {
    return outputs && floatsOf((*outputs)[0].value) ==
                          std::vector<float>(static_cast<size_t>(n), each);
  }
};

TEST_P(Shared, SessionsFindEachOthers) {
  auto model = makeScaleTwice(device()).open();
  ASSERT_TRUE(model);
  auto first = Session::create(*model, {.device = device()});
  auto second = Session::create(*model, {.device = device()});
  ASSERT_TRUE(first && second);
  // In another order, so that their arenas differ.
  for (int64_t n : {3, 50, 7})
    EXPECT_TRUE(isRight(first->run({{"x", ones(n)}}), n, 6));
  for (int64_t n : {7, 3, 50})
    EXPECT_TRUE(isRight(second->run({{"x", ones(n)}}), n, 6));
  EXPECT_EQ(first->stats().commandsPrepared, 6u);
  EXPECT_EQ(first->stats().commandsReused, 0u);
  EXPECT_EQ(second->stats().plans, 3u);
  EXPECT_EQ(second->stats().commandsPrepared, 0u);
  EXPECT_EQ(second->stats().commandsReused, 6u);
}

TEST_P(Shared, OtherSizesFindWhatDoesNotHangOnThem) {
  // y = scaled(x)[n], z = four fixed numbers by way of temporaries, which lie behind
  // those of x in the arena: their places hang on n, their launches do not.
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  uint32_t w = m.weight("w", {1, 2, 3, 4});
  int32_t n = m.inputDim(0, 0), four = m.constant(4), two = m.constant(2);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  uint32_t big = m.temp(DType::f32, {n}), small = m.temp(DType::f32, {four});
  uint32_t y = m.output("y", DType::f32, {n}), z = m.output("z", DType::f32, {four});
  m.runKernel(scale, {x, big}, {n, two});
  m.runKernel(scale, {w, small}, {four, two});
  m.runKernel(scale, {small, z}, {four, two});
  m.runKernel(scale, {big, y}, {n, two});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  for (int64_t size : {5, 100, 1, 5}) {
    auto outputs = session->run({{"x", ones(size)}});
    ASSERT_TRUE(isRight(outputs, size, 4));
    EXPECT_EQ(floatsOf((*outputs)[1].value), (std::vector<float>{4, 8, 12, 16}));
  }
  EXPECT_EQ(session->stats().plans, 3u);
  EXPECT_EQ(session->stats().commandsPrepared, 4u + 2u + 2u);
  EXPECT_EQ(session->stats().commandsReused, 2u + 2u);
  EXPECT_EQ(session->stats().arenaBytes, 448u + 64u) << "as the largest alone";
}

TEST_P(Shared, ForgottenPlansFindTheirs) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  for (int round = 0; round < 2; ++round)
    for (int64_t n = 1; n <= 300; ++n) // more than a session keeps plans
      ASSERT_TRUE(isRight(session->run({{"x", ones(n)}}), n, 6));
  EXPECT_EQ(session->stats().plans, 600u);
  EXPECT_EQ(session->stats().commandsPrepared, 600u);
  EXPECT_EQ(session->stats().commandsReused, 600u);
}

TEST_P(Shared, SessionsUseThemAtOnce) {
  auto model = makeScaleTwice(device()).open();
  ASSERT_TRUE(model);
  std::atomic<int> wrong{0};
  std::atomic<uint64_t> made{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto session = Session::create(*model, {.device = device()});
      for (int i = 0; session && i < 100; ++i) {
        int64_t n = 1 + (i * (t + 1)) % 40;
        wrong += !isRight(session->run({{"x", ones(n)}}), n, 6);
      }
      if (session)
        made += session->stats().commandsPrepared + session->stats().commandsReused;
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(made, 0u);
}

HEXIN_ON_BOTH_FAKES(Shared);

} // namespace
} // namespace hexin
