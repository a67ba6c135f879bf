// Sizes and decisions that come from contents.
#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;
using Residency = fmt::Residency;

class DataDependent : public OnFakes {};

/// y = first `count` elements of x times 2; count is an input on the host.
ArtifactMaker makeTake(const std::string &device) {
  ArtifactMaker m(device);
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  uint32_t count = m.input("count", DType::i64, {1}, {}, Residency::host);
  int32_t size = m.element(count, 0);
  uint32_t y = m.output("y", DType::f32, {size});
  m.runKernel(m.kernel("scale", {false, true}, 2), {x, y}, {size, m.constant(2)});
  return m;
}

TEST_P(DataDependent, ElementsOfInputsGiveSizes) {
  auto session = start(makeTake(device()));
  ASSERT_TRUE(session);
  Tensor x = makeTensor({4}, {1, 2, 3, 4});
  for (int64_t count : {2, 4, 0, 2}) {
    auto outputs = session->run({{"x", x}, {"count", makeInts({1}, {count})}});
    ASSERT_TRUE(outputs) << outputs.status().toString();
    EXPECT_EQ(dimsOf((*outputs)[0].value), std::vector<int64_t>{count});
  }
  EXPECT_EQ(session->stats().plans, 3u);
  auto run = [&](int64_t count) {
    return session->run({{"x", x}, {"count", makeInts({1}, {count})}}).status();
  };
  EXPECT_STATUS(corruptData, "footprint", run(5));
  EXPECT_STATUS(invalidArgument, "size -1", run(-1));
  EXPECT_STATUS(invalidArgument, "overflow", run(INT64_MAX));
}

TEST_P(DataDependent, ElementsOutsideAreErrors) {
  ArtifactMaker m = makeTake(device());
  for (auto &node : m.program().exprs)
    if (node.op() == Op::element)
      node = fmt::ExprNode(0, node.a(), 1, 0, Op::element);
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  EXPECT_STATUS(outOfRange, "outside its tensor",
                session->run({{"x", makeTensor({1}, {1})}, {"count", makeInts({1}, {1})}})
                    .status());
}

TEST_P(DataDependent, DeviceCountsGiveSizes) {
  // y = the positive elements of x, z = x * 7 (planned before the count is known)
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0), one = m.constant(1);
  uint32_t count = m.temp(DType::i64, {one}, Residency::both);
  uint32_t kept = m.temp(DType::f32, {n});
  int32_t counting = m.kernel("count_positive", {false, true}, 1);
  auto &footprints = m.program().kernels[counting];
  footprints->items = 3;
  footprints->exprs.push_back(fmt::ExprNode(1, 0, 0, 0, Op::constant));
  footprints->exprs.push_back(fmt::ExprNode(8, 0, 0, 0, Op::constant));
  footprints->footprints = {2, 4};
  int32_t scale = m.kernel("scale", {false, true}, 2);
  m.runKernel(scale, {x, kept}, {n, m.constant(7)});
  m.runKernel(counting, {x, count}, {n});
  m.toHost(count);
  int32_t size = m.element(count, 0);
  uint32_t y = m.output("y", DType::f32, {size});
  uint32_t z = m.output("z", DType::f32, {n});
  int32_t compact = m.kernel("compact_positive", {false, true}, 2);
  auto &filling = m.program().kernels[compact];
  filling->items = 3;
  filling->exprs.push_back(fmt::ExprNode(1, 0, 0, 0, Op::constant));
  filling->exprs.push_back(fmt::ExprNode(0, 1, 0, 0, Op::param));
  filling->exprs.push_back(fmt::ExprNode(0, 4, 1, 0, Op::mul));
  filling->footprints = {2, 5};
  m.runKernel(compact, {x, y}, {n, size});
  m.runKernel(scale, {kept, z}, {n, one});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  for (int round = 0; round < 2; ++round) {
    auto two = session->run({{"x", makeTensor({4}, {-1, 5, -1, 6})}});
    auto none = session->run({{"x", makeTensor({4}, {-1, -2, -3, -4})}});
    ASSERT_TRUE(two) << two.status().toString();
    ASSERT_TRUE(none) << none.status().toString();
    EXPECT_EQ(floatsOf((*two)[0].value), (std::vector<float>{5, 6}));
    EXPECT_EQ(floatsOf((*two)[1].value), (std::vector<float>{-7, 35, -7, 42}));
    EXPECT_EQ(dimsOf((*none)[0].value), std::vector<int64_t>{0});
  }
  EXPECT_EQ(session->stats().plans, 2u);
}

TEST_P(DataDependent, ConstraintsOnResultsAreChecked) {
  // What a kernel counts must not be above 1: an error word in the making.
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0);
  uint32_t count = m.output("count", DType::i64, {m.constant(1)}, Residency::both);
  int32_t counting = m.kernel("count_positive", {false, true}, 1, 4);
  m.program().kernels[counting]->exprs.push_back(fmt::ExprNode(1, 0, 0, 0, Op::constant));
  m.program().kernels[counting]->items = 3;
  m.runKernel(counting, {x, count}, {n});
  m.toHost(count);
  m.constraint(m.element(count, 0), 0, 1, "at most one may be positive");
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  EXPECT_TRUE(session->run({{"x", makeTensor({2}, {1, -1})}}));
  EXPECT_STATUS(invalidArgument, "at most one may be positive",
                session->run({{"x", makeTensor({2}, {1, 1})}}).status());
}

// Host instructions: those that the reference kernels know.

TEST_P(DataDependent, HostOpsComputeSizes) {
  // size = a + b on the host; y = x[0:size] * 2
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  uint32_t a = m.input("a", DType::i64, {1}, {}, Residency::host);
  uint32_t b = m.input("b", DType::i64, {1}, {}, Residency::host);
  int32_t n = m.inputDim(0, 0);
  uint32_t copy = m.temp(DType::f32, {n});
  uint32_t sum = m.temp(DType::i64, {m.constant(1)}, Residency::host);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  m.runKernel(scale, {x, copy}, {n, m.constant(1)});
  Attributes kind;
  kind.set("fn", std::string("add"));
  m.runHost("binary", kind, {a, b}, {sum});
  int32_t size = m.element(sum, 0);
  uint32_t y = m.output("y", DType::f32, {size});
  m.runKernel(scale, {copy, y}, {size, m.constant(2)});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto run = [&](int64_t a, int64_t b) {
    return session->run({{"x", makeTensor({4}, {1, 2, 3, 4})},
                         {"a", makeInts({1}, {a})},
                         {"b", makeInts({1}, {b})}});
  };
  auto outputs = run(1, 2);
  if (outputs.status().code() == StatusCode::unavailable)
    GTEST_SKIP() << "built without the reference kernels";
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(dimsOf((*run(2, 2))[0].value), std::vector<int64_t>{4});
  EXPECT_EQ(dimsOf((*run(3, 1))[0].value), std::vector<int64_t>{4});
  EXPECT_EQ(session->stats().plans, 2u);
}

TEST_P(DataDependent, ValuesCrossBothWays) {
  // y = binary add on the host of (x * 2) and x, times 3 on the device
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"}, Residency::both);
  int32_t n = m.inputDim(0, 0);
  uint32_t twice = m.temp(DType::f32, {n}, Residency::both);
  uint32_t sum = m.temp(DType::f32, {n}, Residency::both);
  uint32_t y = m.output("y", DType::f32, {n});
  uint32_t h = m.output("h", DType::f32, {n}, Residency::host);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  Attributes kind;
  kind.set("fn", std::string("add"));
  m.runKernel(scale, {x, twice}, {n, m.constant(2)});
  m.toHost(twice);
  m.runHost("binary", kind, {twice, x}, {sum});
  m.toDevice(sum);
  m.runKernel(scale, {sum, y}, {n, m.constant(3)});
  m.runHost("hx.binary", kind, {sum, sum}, {h});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", makeTensor({3}, {1, 2, 3})}});
  if (outputs.status().code() == StatusCode::unavailable)
    GTEST_SKIP() << "built without the reference kernels";
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{9, 18, 27}));
  EXPECT_EQ(floatsOf((*outputs)[1].value), (std::vector<float>{6, 12, 18}));
  // The host's result goes to the device by a copy on both kinds of device.
  EXPECT_EQ(session->stats().transfers, isNear() ? 1u : 4u);

  Tensor given = makeTensor({3}, {0, 0, 0});
  NamedValues some = {{"h", given}};
  ASSERT_TRUE(session->run({{"x", makeTensor({3}, {1, 2, 3})}}, some));
  EXPECT_EQ(floatsOf(Value(given)), (std::vector<float>{6, 12, 18}));
}

TEST_P(DataDependent, HostErrorsNameTheirNode) {
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"}, Residency::host);
  uint32_t y = m.output("y", DType::f32, {m.inputDim(0, 0)}, Residency::host);
  m.runHost("no_such_op", {}, {x}, {y});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  Status status = session->run({{"x", makeTensor({1}, {1})}}).status();
  EXPECT_FALSE(status);
  if (status.code() != StatusCode::unavailable)
    EXPECT_NE(status.message().find("'node0' on the host"), std::string::npos);
}

HEXIN_ON_BOTH_FAKES(DataDependent);

} // namespace
} // namespace hexin
