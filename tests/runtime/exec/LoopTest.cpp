// Loops: instructions that are repeated, on both fake devices.
#include "tests/runtime/exec/SessionFixture.h"

#include <functional>

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

class Loops : public OnFakes {};

/// y = x doubled `trips` times (at most; as long as `again`), steps = what each
/// iteration made; `trips` is an input on the host.
struct DoublingLoop {
  explicit DoublingLoop(const std::string &device) : m(device) {
    uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
    uint32_t trips = m.input("trips", DType::i64, {1}, {}, fmt::Residency::host);
    int32_t n = m.inputDim(0, 0), one = m.constant(1);
    scale = m.kernel("scale", {false, true}, 2);
    uint32_t entry = m.temp(DType::f32, {n});
    // Values of the loop have the sizes that they are handed on with.
    auto loopTemp = [&](uint32_t rank) {
      auto id = static_cast<uint32_t>(m.program().values.size());
      std::vector<int32_t> dims;
      for (uint32_t axis = 0; axis < rank; ++axis)
        dims.push_back(m.resultDim(id, static_cast<int32_t>(axis)));
      return m.temp(DType::f32, dims);
    };
    uint32_t carried = loopTemp(1);
    uint32_t next = m.temp(DType::f32, {n}), slice = m.temp(DType::f32, {n});
    uint32_t result = loopTemp(1), stack = loopTemp(2);
    uint32_t y = m.output("y", DType::f32, {n});
    uint32_t steps = m.output("steps", DType::f32, {m.resultDim(stack, 0), n});
    auto made = std::make_unique<fmt::LoopT>();
    made->trip_count = m.element(trips, 0);
    made->entries = {entry};
    made->carried = {carried};
    made->nexts = {next};
    made->results = {result};
    made->slices = {slice};
    made->stacks = {stack};
    m.program().loops.push_back(std::move(made));

    m.runKernel(scale, {x, entry}, {n, one});
    mark(fmt::InstructionKind::loop_begin, 0);
    m.runKernel(scale, {carried, next}, {n, m.constant(2)});
    m.runKernel(scale, {next, slice}, {n, m.op(Op::iteration, 0, -1)});
    mark(fmt::InstructionKind::loop_end, 0);
    m.runKernel(scale, {slice, stack}, {n, one});
    m.runKernel(scale, {result, y}, {n, one});
    m.runKernel(scale, {stack, steps}, {m.op(Op::mul, m.resultDim(stack, 0), n), one});
  }

  void mark(fmt::InstructionKind kind, int32_t loop) {
    auto instruction = std::make_unique<fmt::InstructionT>();
    instruction->kind = kind;
    instruction->value = loop;
    m.program().instructions.push_back(std::move(instruction));
  }

  ArtifactMaker m;
  int32_t scale = 0;
};

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
