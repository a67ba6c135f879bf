// Loops: instructions that are repeated, on both fake devices.
#include "tests/runtime/exec/DoublingLoop.h"
#include "tests/runtime/exec/SessionFixture.h"

#include <functional>

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

class Loops : public OnFakes {};

TEST_P(Loops, CarriedValuesAndStacks) {
  auto session = start(std::move(DoublingLoop(device()).m));
  ASSERT_TRUE(session);
  for (int64_t trips : {3, 1, 0, -5, 3}) {
    auto outputs = session->run(
        {{"x", makeTensor({2}, {1, -3})}, {"trips", makeInts({1}, {trips})}});
    ASSERT_TRUE(outputs) << outputs.status().toString();
    int64_t ran = std::max<int64_t>(trips, 0);
    auto factor = static_cast<float>(1 << ran);
    EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{factor, -3 * factor}));
    EXPECT_EQ(dimsOf((*outputs)[1].value), (std::vector<int64_t>{ran, 2}));
    if (ran == 3) {
      EXPECT_EQ(floatsOf((*outputs)[1].value),
                (std::vector<float>{0, 0, 4, -12, 16, -48}));
    }
  }
}

TEST_P(Loops, IterationsShareCommands) {
  auto session = start(std::move(DoublingLoop(device()).m));
  ASSERT_TRUE(session);
  auto outputs =
      session->run({{"x", makeTensor({2}, {1, -3})}, {"trips", makeInts({1}, {20})}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{1 << 20, -3 << 20}));
  // What an iteration hands on lies in two places in turn; the slices differ.
  EXPECT_GE(session->stats().commandsReused, 20u - 4u);
}

TEST_P(Loops, ManyIterationsAreAnError) {
  auto session = start(std::move(DoublingLoop(device()).m));
  ASSERT_TRUE(session);
  EXPECT_STATUS(
      resourceExhausted, "iterations",
      session->run({{"x", makeTensor({1}, {1})}, {"trips", makeInts({1}, {INT64_MAX})}})
          .status());
}

TEST_P(Loops, ValuesThatNothingMadeAreAnError) {
  DoublingLoop loop(device());
  loop.m.program().loops[0]->nexts = {loop.m.temp(DType::f32, {loop.m.constant(2)})};
  auto session = start(std::move(loop.m));
  ASSERT_TRUE(session);
  EXPECT_STATUS(
      corruptData, "which nothing made on the device",
      session->run({{"x", makeTensor({2}, {1, 2})}, {"trips", makeInts({1}, {1})}})
          .status());
}

TEST_P(Loops, MalformedOnesAreRefused) {
  auto refused = [&](const char *part, std::function<void(DoublingLoop &)> spoil) {
    DoublingLoop loop(device());
    spoil(loop);
    std::string message = loop.m.open().status().message();
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  auto loopOf = [](DoublingLoop &l) -> fmt::LoopT & { return *l.m.program().loops[0]; };
  refused("or a loop has it already",
          [&](DoublingLoop &l) { loopOf(l).nexts = loopOf(l).carried; });
  refused("is no temporary", [&](DoublingLoop &l) { loopOf(l).entries = {0}; });
  refused("is no temporary", [&](DoublingLoop &l) { loopOf(l).stacks = {1000}; });
  refused("where there must be 1", [&](DoublingLoop &l) { loopOf(l).results.clear(); });
  refused("element type or rank",
          [&](DoublingLoop &l) { std::swap(loopOf(l).stacks, loopOf(l).results); });
  refused("is no expression", [&](DoublingLoop &l) { loopOf(l).again = 10000; });
  refused("loop that does not exist",
          [&](DoublingLoop &l) { l.mark(fmt::InstructionKind::loop_end, 7); });
  refused("ends another loop",
          [&](DoublingLoop &l) { l.mark(fmt::InstructionKind::loop_end, 0); });
  refused("begins a loop again",
          [&](DoublingLoop &l) { l.mark(fmt::InstructionKind::loop_begin, 0); });
  refused("does not begin and end", [&](DoublingLoop &l) {
    l.m.program().loops.push_back(std::make_unique<fmt::LoopT>());
  });
  refused("fills its stacks", [&](DoublingLoop &l) {
    l.m.program().instructions.resize(5); // ends with the loop
  });
  refused("counts a loop", [&](DoublingLoop &l) { l.m.op(Op::iteration, 3, -1); });
}

HEXIN_ON_BOTH_FAKES(Loops);

} // namespace
} // namespace hexin
