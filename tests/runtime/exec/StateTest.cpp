#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

class States : public OnFakes {
protected:
  /// total += x; y = total, x and total: f32[n]
  static ArtifactMaker sum(const std::string &device) {
    ArtifactMaker m(device);
    uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
    uint32_t before = m.input("total_in", DType::f32, {-1}, {"n"});
    int32_t n = m.inputDim(0, 0);
    uint32_t after = m.output("total_out", DType::f32, {n});
    m.outputOf("y", after);
    m.runKernel(m.kernel("add", {false, false, true}, 1), {x, before, after}, {n});
    m.state("total", 1, 0);
    return m;
  }
  std::vector<float> step(Session &session, std::vector<float> x) {
    auto n = static_cast<int64_t>(x.size());
    auto outputs = session.run({{"x", makeTensor({n}, x)}});
    if (!outputs) {
      ADD_FAILURE() << outputs.status().toString();
      return {};
    }
    EXPECT_EQ(outputs->size(), 1u);
    return floatsOf((*outputs)[0].value);
  }
};

TEST_P(States, OutliveRuns) {
  auto session = start(sum(device()));
  ASSERT_TRUE(session);
  EXPECT_EQ(session->model().inputs().size(), 1u);
  EXPECT_EQ(session->model().outputs().size(), 1u);
  EXPECT_EQ(session->model().states()[0].name, "total");
  EXPECT_EQ(step(*session, {1, 2}), (std::vector<float>{1, 2}));
  EXPECT_EQ(step(*session, {1, 2}), (std::vector<float>{2, 4}));
  EXPECT_EQ(step(*session, {1, 2}), (std::vector<float>{3, 6}));
  auto total = session->getState("total");
  ASSERT_TRUE(total);
  EXPECT_EQ(floatsOf(Value(*total)), (std::vector<float>{3, 6}));
  ASSERT_TRUE(session->resetState());
  EXPECT_EQ(step(*session, {5, 5, 5}), (std::vector<float>{5, 5, 5}));
}

TEST_P(States, CanBeSet) {
  auto session = start(sum(device()));
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->setState("total", makeTensor({2}, {100, 200})));
  EXPECT_EQ(step(*session, {1, 2}), (std::vector<float>{101, 202}));
  EXPECT_STATUS(notFound, "no state 'nosuch'; its states are 'total'",
                session->getState("nosuch").status());
  EXPECT_STATUS(invalidArgument, "expected f32 [-1]",
                session->setState("total", makeTensor({1, 1}, {0})));
  EXPECT_STATUS(invalidArgument, "call resetState()",
                session->run({{"x", makeTensor({3}, {1, 1, 1})}}).status());
}

TEST_P(States, MoveBetweenSessions) {
  auto from = start(sum(device()));
  ASSERT_TRUE(from);
  step(*from, {1, 2});
  auto blob = from->exportState();
  ASSERT_TRUE(blob);
  auto to = start(sum(device()));
  ASSERT_TRUE(to);
  ASSERT_TRUE(to->importState(*blob));
  EXPECT_EQ(step(*to, {10, 10}), (std::vector<float>{11, 12}));

  for (size_t length = 0; length < blob->size(); ++length)
    EXPECT_FALSE(to->importState(std::span(*blob).first(length))) << length;
  for (size_t at = 0; at + 8 < blob->size(); ++at) {
    std::vector<std::byte> bad = *blob;
    bad[at] ^= std::byte{0x90};
    static_cast<void>(to->importState(bad).ok()); // refused or not: no crash
  }
  EXPECT_FALSE(to->importState({}));
}

TEST_P(States, AFailedRunLeavesThemAlone) {
  auto session = start(sum(device()));
  ASSERT_TRUE(session);
  step(*session, {1, 2});
  failSubmissions(1);
  EXPECT_FALSE(session->run({{"x", makeTensor({2}, {50, 50})}}));
  EXPECT_EQ(step(*session, {1, 2}), (std::vector<float>{2, 4}));
}

TEST_P(States, MayChangeInPlace) {
  ArtifactMaker m(device());
  uint32_t count = m.input("count", DType::f32, {2});
  // As the importer of a stateful op would: the value is the state itself.
  m.program().values[count]->kind = fmt::ValueKind::state;
  m.program().values[count]->index = 0;
  m.outputOf("count_out", count);
  m.outputOf("y", count);
  m.state("count", 0, 0);
  m.runKernel(m.kernel("increment", {true}, 1), {count}, {m.constant(2)});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  for (float expected : {1.f, 2.f, 3.f}) {
    auto outputs = session->run({});
    ASSERT_TRUE(outputs) << outputs.status().toString();
    EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{expected, expected}));
  }
}

TEST_P(States, MayGrow) {
  // log_out = concat(log_in, x): the size follows what is there.
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {1});
  uint32_t log = m.input("log_in", DType::f32, {-1}, {"length"});
  int32_t one = m.constant(1), length = m.inputDim(1, 0);
  uint32_t longer = m.output("log_out", DType::f32, {m.op(Op::add, length, one)});
  uint32_t head = m.alias(longer, -1, DType::f32, {length});
  uint32_t tail =
      m.alias(longer, m.op(Op::mul, length, m.constant(4)), DType::f32, {one});
  int32_t scale = m.kernel("scale", {false, true}, 2);
  m.runKernel(scale, {log, head}, {length, one});
  m.runKernel(scale, {x, tail}, {one, one});
  m.state("log", 1, 0);
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  for (float value : {7.f, 8.f, 9.f})
    ASSERT_TRUE(session->run({{"x", makeTensor({1}, {value})}}));
  EXPECT_EQ(floatsOf(Value(*session->getState("log"))), (std::vector<float>{7, 8, 9}));
}

HEXIN_ON_BOTH_FAKES(States);

} // namespace
} // namespace hexin
