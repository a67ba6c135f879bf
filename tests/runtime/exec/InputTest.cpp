#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;

class Inputs : public OnFakes {
protected:
  /// y = a + b, a and b: f32[n, 2]
  static ArtifactMaker add(const std::string &device) {
    ArtifactMaker m(device);
    uint32_t a = m.input("a", DType::f32, {-1, 2}, {"n", ""});
    uint32_t b = m.input("b", DType::f32, {-1, 2}, {"n", ""});
    int32_t n = m.inputDim(0, 0), two = m.constant(2);
    uint32_t y = m.output("y", DType::f32, {n, two});
    m.runKernel(m.kernel("add", {false, false, true}, 1), {a, b, y},
                {m.op(fmt::ExprOp::mul, n, two)});
    return m;
  }
  Tensor rows(int64_t n) {
    return makeTensor({n, 2}, std::vector<float>(static_cast<size_t>(2 * n), 1));
  }
};

TEST_P(Inputs, AreFoundByName) {
  auto session = start(add(device()));
  ASSERT_TRUE(session);
  auto outputs = session->run(
      {{"b", makeTensor({1, 2}, {10, 20})}, {"a", makeTensor({1, 2}, {1, 2})}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ((*outputs)[0].name, "y");
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{11, 22}));
}

TEST_P(Inputs, SayWhatIsWrongWithThem) {
  auto session = start(add(device()));
  ASSERT_TRUE(session);
  auto run = [&](const NamedValues &inputs) { return session->run(inputs).status(); };
  EXPECT_STATUS(invalidArgument, "input 'b' is missing", run({{"a", rows(1)}}));
  EXPECT_STATUS(invalidArgument, "no input 'c'; its inputs are 'a', 'b'",
                run({{"c", rows(1)}}));
  EXPECT_STATUS(invalidArgument, "'a' is given twice",
                run({{"a", rows(1)}, {"a", rows(1)}}));
  EXPECT_STATUS(invalidArgument, "input 'a': expected f32, got i64",
                run({{"a", makeInts({1, 2}, {1, 2})}, {"b", rows(1)}}));
  EXPECT_STATUS(invalidArgument, "expected rank 2, got sizes [2]",
                run({{"a", makeTensor({2}, {1, 2})}, {"b", rows(1)}}));
  EXPECT_STATUS(invalidArgument, "input 'a', axis 1: expected size 2, got 1",
                run({{"a", makeTensor({2, 1}, {1, 2})}, {"b", rows(2)}}));
  EXPECT_STATUS(invalidArgument,
                "input 'b', axis 0: size 'n' is 3 here, but 2 in input 'a', axis 0",
                run({{"a", rows(2)}, {"b", rows(3)}}));
  EXPECT_STATUS(invalidArgument, "another kind of value",
                run({{"a", StringTensor{{1}, {"x"}}}, {"b", rows(1)}}));
  EXPECT_TRUE(run({{"a", rows(2)}, {"b", rows(2)}})); // and it still works
}

TEST_P(Inputs, MayBeEmpty) {
  auto session = start(add(device()));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"a", rows(0)}, {"b", rows(0)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(dimsOf((*outputs)[0].value), (std::vector<int64_t>{0, 2}));
}

TEST_P(Inputs, NeedNotBeAligned) {
  auto session = start(add(device()));
  ASSERT_TRUE(session);
  alignas(64) float memory[8] = {0, 1, 2, 3, 4};
  std::vector<int64_t> dims = {2, 2};
  auto a = Tensor::wrap(DType::f32, dims, memory + 1, 16);
  ASSERT_TRUE(a);
  auto outputs = session->run({{"a", *a}, {"b", rows(2)}});
  ASSERT_TRUE(outputs);
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{2, 3, 4, 5}));
}

TEST_P(Inputs, AreNotCopiedWhereTheDeviceCanReachThem) {
  auto session = start(add(device()));
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->run({{"a", rows(2)}, {"b", rows(2)}}));
  EXPECT_EQ(session->stats().transfers, isNear() ? 0u : 3u);
}

TEST_P(Inputs, AConstraintShowsItsValues) {
  ArtifactMaker m = add(device());
  int32_t n = m.inputDim(0, 0);
  m.constraint(n, 1, 8, "n is {0}, not {1}; {2} {x} {");
  m.program().constraints.back()->shown = {n, m.constant(18)};
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  EXPECT_TRUE(session->run({{"a", rows(8)}, {"b", rows(8)}}));
  EXPECT_STATUS(invalidArgument, "n is 9, not 18; {2} {x} {",
                session->run({{"a", rows(9)}, {"b", rows(9)}}).status());
}

TEST_P(Inputs, ConstraintsAreCheckedWithTheirMessage) {
  ArtifactMaker m = add(device());
  m.constraint(m.inputDim(0, 0), 1, 8, "n must be 1 to 8");
  auto divisible = std::make_unique<fmt::ConstraintT>();
  divisible->expr = 0;
  divisible->divisor = 2;
  m.program().constraints.push_back(std::move(divisible));
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto run = [&](int64_t n) {
    return session->run({{"a", rows(n)}, {"b", rows(n)}}).status();
  };
  EXPECT_TRUE(run(8));
  EXPECT_STATUS(invalidArgument, "n must be 1 to 8: expected 1 to 8, got 10", run(10));
  EXPECT_STATUS(invalidArgument, "expected a multiple of 2, got 3", run(3));
}

HEXIN_ON_BOTH_FAKES(Inputs);

} // namespace
} // namespace hexin
