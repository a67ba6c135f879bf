// A run on a ready plan allocates nothing of ours.
#include "tests/runtime/exec/SessionFixture.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<bool> isCounting{false};
std::atomic<uint64_t> newCalls{0};
} // namespace

void *operator new(size_t bytes) {
  if (isCounting)
    ++newCalls;
  if (void *memory = std::malloc(bytes))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

namespace hexin {
namespace {

using namespace test;

class Allocation : public OnFakes {
protected:
  /// Calls of operator new in one run.
  uint64_t count(Session &session, const NamedValues &inputs, NamedValues &outputs) {
    newCalls = 0;
    isCounting = true;
    Status status = session.run(inputs, outputs);
    isCounting = false;
    EXPECT_TRUE(status) << status.toString();
    return newCalls;
  }
};

TEST_P(Allocation, ARepeatedRunDoesNone) {
  auto session = start(makeAddScale(device()));
  ASSERT_TRUE(session);
  NamedValues inputs = {{"x", makeTensor({4}, {1, 2, 3, 4})}};
  NamedValues outputs = {{"y", makeTensor({4}, {0, 0, 0, 0})}};
  ASSERT_TRUE(session->run(inputs, outputs));
  ASSERT_TRUE(session->run(inputs, outputs));
  FakeCounters before = fakeCounters();
  uint64_t calls = count(*session, inputs, outputs);
  EXPECT_EQ(fakeCounters().allocations, before.allocations);
  EXPECT_EQ(fakeCounters().wraps, before.wraps);
  // What is left is the fake's own: an event, its copies of the arrays, the
  // pointers of two commands.
  EXPECT_LE(calls, 10u);
  std::vector<uint64_t> again;
  for (int i = 0; i < 3; ++i)
    again.push_back(count(*session, inputs, outputs));
  EXPECT_EQ(again, std::vector<uint64_t>(3, calls));
}

HEXIN_ON_BOTH_FAKES(Allocation);

} // namespace
} // namespace hexin
