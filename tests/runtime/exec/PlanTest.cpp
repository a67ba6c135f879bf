#include "tests/runtime/exec/SessionFixture.h"

#include "runtime/artifact/Format.h"

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

class Plans : public OnFakes {};

Tensor ones(int64_t n) {
  return makeTensor({n}, std::vector<float>(static_cast<size_t>(n), 1));
}

TEST_P(Plans, AreMadeOncePerShape) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  for (int round = 0; round < 3; ++round)
    for (int64_t n : {5, 1, 100}) {
      auto outputs = session->run({{"x", ones(n)}});
      ASSERT_TRUE(outputs) << outputs.status().toString();
      EXPECT_EQ(floatsOf((*outputs)[0].value),
                std::vector<float>(static_cast<size_t>(n), 6));
    }
  EXPECT_EQ(session->stats().plans, 3u);
  EXPECT_EQ(session->stats().commandsPrepared, 6u);
  EXPECT_EQ(session->stats().runs, 9u);
  EXPECT_EQ(session->stats().arenaBytes, 448u); // of the largest: 100 floats
}

TEST_P(Plans, CanBeMadeAhead) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  std::vector<std::vector<int64_t>> dims = {{7}};
  ASSERT_TRUE(session->prepare(dims));
  EXPECT_EQ(session->stats().plans, 1u);
  ASSERT_TRUE(session->run({{"x", ones(7)}}));
  EXPECT_EQ(session->stats().plans, 1u);
  EXPECT_STATUS(invalidArgument, "1 inputs", session->prepare({}));
}

TEST_P(Plans, AreForgottenUnderABudget) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  for (int64_t n = 1; n <= 1000; ++n)
    ASSERT_TRUE(session->run({{"x", ones(n)}}));
  EXPECT_EQ(session->stats().plans, 1000u);
  for (int64_t n = 1000; n > 744; --n)
    ASSERT_TRUE(session->run({{"x", ones(n)}}));
  EXPECT_EQ(session->stats().plans, 1000u) << "the last 256 are kept";
  ASSERT_TRUE(session->run({{"x", ones(1)}}));
  EXPECT_EQ(session->stats().plans, 1001u);
}

TEST_P(Plans, ShareMemoryOfValuesThatDoNotMeet) {
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0), two = m.constant(2);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  uint32_t value = x;
  for (int i = 0; i < 9; ++i) {
    uint32_t next = m.temp(DType::f32, {n});
    m.runKernel(scale, {value, next}, {n, two});
    value = next;
  }
  uint32_t y = m.output("y", DType::f32, {n});
  m.runKernel(scale, {value, y}, {n, two});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(16)}});
  ASSERT_TRUE(outputs);
  EXPECT_EQ(floatsOf((*outputs)[0].value), std::vector<float>(16, 1024));
  EXPECT_EQ(session->stats().arenaBytes, 128u); // two of 64, in turn
}

TEST_P(Plans, UseSeveralSlabsWhenOneIsNotEnough) {
  // The fakes allow 1 MiB per buffer.
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0), one = m.constant(1);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  int32_t add = m.kernel("add", {false, false, true}, 1);
  uint32_t a = m.temp(DType::f32, {n}), b = m.temp(DType::f32, {n});
  uint32_t y = m.output("y", DType::f32, {n});
  m.runKernel(scale, {x, a}, {n, one});
  m.runKernel(scale, {x, b}, {n, one});
  m.runKernel(add, {a, b, y}, {n});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(200000)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), std::vector<float>(200000, 2));
  EXPECT_EQ(session->stats().arenaBytes, 1600000u);
  EXPECT_STATUS(resourceExhausted, "larger than",
                session->run({{"x", ones(300000)}}).status());
}

TEST_P(Plans, ReadAndWriteThroughViews) {
  // y = concat(x * 2, x * 3), each written to its half of y.
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0), two = m.constant(2);
  int32_t bytes = m.op(Op::mul, n, m.constant(4));
  uint32_t y = m.output("y", DType::f32, {m.op(Op::mul, n, two)});
  uint32_t first = m.alias(y, -1, DType::f32, {n});
  uint32_t second = m.alias(y, bytes, DType::f32, {n});
  int32_t scale = m.kernel("scale", {false, true}, 2);
  m.runKernel(scale, {x, first}, {n, two});
  m.runKernel(scale, {x, second}, {n, m.constant(3)});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(3)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{2, 2, 2, 3, 3, 3}));
}

TEST_P(Plans, TakeOneBranch) {
  // y = (n > 2 ? x * 2 : x * 5) * 1
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0), one = m.constant(1);
  int32_t isBig = m.op(Op::lt, m.constant(2), n);
  int32_t isSmall = m.op(Op::eq, isBig, m.constant(0));
  int32_t scale = m.kernel("scale", {false, true}, 2);
  uint32_t a = m.temp(DType::f32, {n}), b = m.temp(DType::f32, {n});
  uint32_t chosen = m.phi(isBig, a, b, DType::f32, {n});
  uint32_t y = m.output("y", DType::f32, {n});
  m.runKernel(scale, {x, a}, {n, m.constant(2)}).predicate = isBig;
  m.runKernel(scale, {x, b}, {n, m.constant(5)}).predicate = isSmall;
  m.runKernel(scale, {chosen, y}, {n, one});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto big = session->run({{"x", ones(3)}});
  auto small = session->run({{"x", ones(2)}});
  ASSERT_TRUE(big && small);
  EXPECT_EQ(floatsOf((*big)[0].value), (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(floatsOf((*small)[0].value), (std::vector<float>{5, 5}));
  EXPECT_EQ(session->stats().commandsPrepared, 4u);
}

TEST_P(Plans, TakeTheFirstVariantThatRuns) {
  // A library the device does not have, one whose guard does not hold, the rest.
  ArtifactMaker m = makeScaleTwice(device());
  auto &variants = m.program().instructions[0]->variants;
  auto guarded = std::make_unique<fmt::VariantT>(*variants[0]);
  guarded->guard = m.constant(0);
  auto library = std::make_unique<fmt::VariantT>(*variants[0]);
  library->engine = fmt::Engine::library;
  library->name = "nosuch.scale";
  library->params.clear();
  variants.insert(variants.begin(), std::move(guarded));
  variants.insert(variants.begin(), std::move(library));
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(2)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{6, 6}));

  ArtifactMaker none = makeScaleTwice(device());
  none.program().instructions[0]->variants[0]->engine = fmt::Engine::library;
  none.program().instructions[0]->variants[0]->name = "nosuch.scale";
  auto refused = start(std::move(none));
  ASSERT_TRUE(refused);
  EXPECT_STATUS(unsupported, "there is no library here",
                refused->run({{"x", ones(2)}}).status());
}

TEST_P(Plans, PassOverKernelsForTeams) {
  // What would be 5 times is for devices with local memory; the fakes have none.
  ArtifactMaker m = makeScaleTwice(device());
  m.program().required_features = fmt::teamKernelsFeature;
  auto &variants = m.program().instructions[0]->variants;
  auto forTeams = std::make_unique<fmt::VariantT>(*variants[0]);
  forTeams->kernel = m.kernel("scale", {false, true}, 2);
  forTeams->params[1] = m.constant(5);
  m.program().kernels.back()->team_threads = 64;
  m.program().kernels.back()->local_bytes = 1024;
  variants.insert(variants.begin(), std::move(forTeams));
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(2)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{6, 6}));

  ArtifactMaker none = makeScaleTwice(device());
  none.program().required_features = fmt::teamKernelsFeature;
  none.program().kernels[0]->team_threads = 64;
  auto model = none.open();
  ASSERT_TRUE(model) << model.status().toString();
  EXPECT_STATUS(unsupported, "has only kernels for teams, of 64 threads",
                Session::create(*model, {.device = device()}).status());
}

TEST_P(Plans, PassOverKernelsWithAWorkspace) {
  // The fakes have none to give.
  ArtifactMaker m = makeScaleTwice(device());
  m.program().required_features = fmt::workspaceFeature;
  auto &variants = m.program().instructions[0]->variants;
  auto other = std::make_unique<fmt::VariantT>(*variants[0]);
  other->kernel = m.kernel("scale", {false, true}, 2);
  other->params[1] = m.constant(5);
  m.program().kernels.back()->workspace_bytes = m.program().kernels.back()->items;
  variants.insert(variants.begin(), std::move(other));
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(2)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{6, 6}));

  ArtifactMaker none = makeScaleTwice(device());
  none.program().required_features = fmt::workspaceFeature;
  none.program().kernels[0]->workspace_bytes = none.program().kernels[0]->items;
  auto model = none.open();
  ASSERT_TRUE(model) << model.status().toString();
  EXPECT_STATUS(unsupported, "has only kernels that want a workspace",
                Session::create(*model, {.device = device()}).status());
}

TEST_P(Plans, GiveKernelsScratch) {
  ArtifactMaker m(device());
  uint32_t x = m.input("x", DType::f32, {-1}, {"n"});
  int32_t n = m.inputDim(0, 0);
  uint32_t y = m.output("y", DType::f32, {n});
  int32_t kernel = m.kernel("scale_by_scratch", {false, true, true}, 2);
  auto &instruction = m.runKernel(kernel, {x, y}, {n, m.constant(4)});
  instruction.variants[0]->scratch_bytes = m.op(Op::mul, n, m.constant(4));
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ones(20)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), std::vector<float>(20, 4));
  EXPECT_EQ(session->stats().arenaBytes, 128u);
}

HEXIN_ON_BOTH_FAKES(Plans);

} // namespace
} // namespace hexin
