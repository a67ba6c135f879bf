// What kernels report about their data.
#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;

class Faults : public OnFakes {};

/// z = x, copied twice by kernels that do not like what is below zero: the first copy
/// is of x, the second of `other`.
ArtifactMaker makeTwoCopies(const std::string &device) {
  ArtifactMaker m(device);
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  uint32_t other = m.input("other", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0), five = m.constant(5);
  uint32_t y = m.output("y", DType::f32, {n});
  uint32_t z = m.output("z", DType::f32, {n});
  uint32_t rows = m.faults(2);
  int32_t copy = m.kernel("copy_not_negative", {false, true, true}, 2);
  auto &kernel = m.program().kernels[copy];
  kernel->exprs.push_back(fmt::ExprNode(16, 0, 0, 0, fmt::ExprOp::constant));
  kernel->footprints[2] = static_cast<int32_t>(kernel->exprs.size() - 1);
  for (uint32_t i = 0; i < 2; ++i) {
    fmt::InstructionT &run =
        m.runKernel(copy, {i ? other : x, i ? z : y, rows}, {n, five});
    run.variants[0]->result_count = 2;
    run.variants[0]->bindings[2] = fmt::Binding(rows, m.constant(16 * int64_t(i)));
  }
  return m;
}

TEST_P(Faults, AreTheRunsErrorAndGoneAfterIt) {
  auto session = start(makeTwoCopies(device()));
  ASSERT_TRUE(session);
  auto run = [&](float x, float other) {
    return session->run(
        {{"x", makeTensor({2}, {1, x})}, {"other", makeTensor({2}, {other, 1})}});
  };
  for (int repeat = 0; repeat < 2; ++repeat) {
    auto good = run(2, 3);
    ASSERT_TRUE(good) << good.status().toString();
    EXPECT_STATUS(outOfRange, "'node1' (pick): index -7 ", run(2, -7).status());
    EXPECT_STATUS(outOfRange, "'node0' (pick): index -6 ", run(-6, -7).status());
    EXPECT_STATUS(outOfRange, "expected one from -5 to 4", run(-6, 1).status());
  }
}

TEST_P(Faults, BelongToTheirOwnRunAndSession) {
  auto session = start(makeTwoCopies(device()));
  auto other = start(makeTwoCopies(device()));
  ASSERT_TRUE(session);
  ASSERT_TRUE(other);
  Tensor good = makeTensor({1}, {1}), bad = makeTensor({1}, {-1});
  auto failing = session->submit({{"x", bad}, {"other", good}});
  ASSERT_TRUE(failing) << failing.status().toString();
  EXPECT_TRUE(other->run({{"x", good}, {"other", good}}));
  // The next run brings the one in flight to its end and keeps its error for it.
  EXPECT_TRUE(session->run({{"x", good}, {"other", good}}));
  EXPECT_STATUS(outOfRange, "'node0'", failing->wait().status());
}

HEXIN_ON_BOTH_FAKES(Faults);

} // namespace
} // namespace hexin
