// Programs that pass the verifier and lie about sizes.
#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

class HostileProgram : public OnFakes {
protected:
  Status run(ArtifactMaker maker, int64_t n = 4) {
    auto session = start(std::move(maker));
    if (!session)
      return internalError("no session");
    return session
        ->run({{"x", makeTensor({n}, std::vector<float>(static_cast<size_t>(n), 1))}})
        .status();
  }
};

TEST_P(HostileProgram, FootprintsMustFitTheirMemory) {
  ArtifactMaker m = makeAddScale(device());
  EXPECT_TRUE(run(makeAddScale(device()), 4));
  // Five elements of a weight that has four.
  EXPECT_STATUS(corruptData, "footprint on binding 1 is 20 bytes", run(std::move(m), 5));

  ArtifactMaker tooMany = makeScaleTwice(device());
  tooMany.program().instructions[0]->variants[0]->params[0] = tooMany.constant(5);
  EXPECT_STATUS(corruptData, "'node0'", run(std::move(tooMany), 4));

  ArtifactMaker overflowing = makeScaleTwice(device());
  overflowing.program().instructions[0]->variants[0]->params[0] =
      overflowing.constant(INT64_MAX);
  EXPECT_STATUS(corruptData, "overflows", run(std::move(overflowing)));

  ArtifactMaker negative = makeScaleTwice(device());
  negative.program().instructions[0]->variants[0]->params[0] = negative.constant(-1);
  EXPECT_STATUS(corruptData, "work items are -1", run(std::move(negative)));
}

TEST_P(HostileProgram, ALaunchHasABound) {
  auto withItems = [&](int64_t items) {
    ArtifactMaker m = makeScaleTwice(device());
    auto &kernel = *m.program().kernels[0];
    kernel.exprs.push_back(fmt::ExprNode(items, 0, 0, 0, Op::constant));
    kernel.items = static_cast<int32_t>(kernel.exprs.size() - 1);
    return run(std::move(m));
  };
  EXPECT_TRUE(withItems(4));
  EXPECT_STATUS(unsupported, "at most 2147483647", withItems(int64_t(1) << 31));
  EXPECT_STATUS(unsupported, "1099511627776 work items", withItems(int64_t(1) << 40));
}

TEST_P(HostileProgram, InputsAreAsLargeAsTheyAre) {
  // The program says that its input has a hundred elements.
  ArtifactMaker m = makeScaleTwice(device());
  int32_t hundred = m.constant(100);
  for (auto &value : m.program().values)
    value->dims[0] = hundred;
  for (auto &instruction : m.program().instructions)
    instruction->variants[0]->params[0] = hundred;
  EXPECT_STATUS(corruptData, "footprint", run(std::move(m)));
}

TEST_P(HostileProgram, BindingsStayInside) {
  ArtifactMaker offset = makeScaleTwice(device());
  int32_t far = offset.constant(17);
  offset.program().instructions[0]->variants[0]->bindings[0] = fmt::Binding(0, far);
  EXPECT_STATUS(corruptData, "outside its memory", run(std::move(offset)));

  ArtifactMaker negative = makeScaleTwice(device());
  int32_t minus = negative.constant(-4);
  negative.program().instructions[0]->variants[0]->bindings[0] = fmt::Binding(0, minus);
  EXPECT_STATUS(corruptData, "outside its memory", run(std::move(negative)));

  ArtifactMaker askew = makeScaleTwice(device());
  int32_t two = askew.constant(2);
  askew.program().instructions[0]->variants[0]->bindings[0] = fmt::Binding(0, two);
  EXPECT_STATUS(corruptData, "no multiple of its 4-byte elements", run(std::move(askew)));

  ArtifactMaker view = makeScaleTwice(device());
  uint32_t outside = view.alias(1, view.constant(1000), DType::f32, {0});
  view.program().instructions[1]->variants[0]->bindings[0] = fmt::Binding(outside, -1);
  EXPECT_STATUS(corruptData, "outside its memory", run(std::move(view)));

  ArtifactMaker wide = makeScaleTwice(device());
  wide.outputOf("wide", wide.alias(1, -1, DType::f32, {wide.constant(1000)}));
  EXPECT_STATUS(corruptData, "does not fit its memory", run(std::move(wide)));
}

TEST_P(HostileProgram, WhatAKernelCountsOnIsTrue) {
  auto with = [&](std::vector<uint8_t> alignments, std::vector<uint8_t> multiples,
                  int64_t offset = 0) {
    ArtifactMaker m = makeScaleTwice(device());
    auto &kernel = *m.program().kernels[0];
    kernel.alignments = std::move(alignments);
    kernel.param_multiples = std::move(multiples);
    if (offset > 0) {
      auto &variant = *m.program().instructions[0]->variants[0];
      variant.bindings[0] = fmt::Binding(0, m.constant(offset));
      variant.params[0] = m.constant(0); // no items; nothing is checked but this
    }
    return m;
  };
  size_t numParams = with({}, {}).program().kernels[0]->param_count;
  std::vector<uint8_t> fours(numParams, 1);
  fours[0] = 4;
  EXPECT_TRUE(run(with({64, 64}, fours), 4));
  EXPECT_STATUS(corruptData, "param 0 is 6, the kernel counts on a multiple of 4",
                run(with({}, fours), 6));
  EXPECT_STATUS(corruptData, "binding 0 begins at byte 4 of its memory",
                run(with({16, 1}, {}, 4)));
}

TEST_P(HostileProgram, SizesAreSizes) {
  auto withSize = [&](int64_t size) {
    ArtifactMaker m = makeScaleTwice(device());
    m.program().values[1]->dims = {m.constant(size), m.constant(size)};
    return run(std::move(m));
  };
  EXPECT_STATUS(invalidArgument, "gets size -1", withSize(-1));
  EXPECT_STATUS(invalidArgument, "overflow", withSize(int64_t(1) << 40));
  EXPECT_STATUS(resourceExhausted, "larger than", withSize(int64_t(1) << 20));

  ArtifactMaker divided = makeScaleTwice(device());
  divided.program().values[1]->dims = {
      divided.op(Op::floordiv, divided.constant(8), divided.constant(0))};
  EXPECT_STATUS(invalidArgument, "divides by zero", run(std::move(divided)));
}

TEST_P(HostileProgram, NothingIsReadBeforeItIsMade) {
  ArtifactMaker m = makeScaleTwice(device());
  std::swap(m.program().instructions[0], m.program().instructions[1]);
  EXPECT_STATUS(corruptData, "where nothing put it", run(std::move(m)));

  ArtifactMaker output = makeScaleTwice(device());
  output.program().instructions.clear();
  EXPECT_STATUS(corruptData, "nothing made it", run(std::move(output)));

  ArtifactMaker endless = makeScaleTwice(device());
  uint32_t never = endless.temp(DType::i64, {});
  endless.program().instructions[0]->variants[0]->params[0] = endless.element(never, 0);
  EXPECT_STATUS(corruptData, "nothing before it makes known", run(std::move(endless)));

  ArtifactMaker host = makeScaleTwice(device());
  host.toHost(1);
  std::swap(host.program().instructions[0], host.program().instructions[2]);
  EXPECT_STATUS(corruptData, "before the device made it", run(std::move(host)));
}

TEST_P(HostileProgram, HostValuesAreNotGivenToTheDevice) {
  ArtifactMaker m = makeScaleTwice(device());
  m.program().values[1]->residency = fmt::Residency::host;
  EXPECT_STATUS(corruptData, "lives on the host only", run(std::move(m)));
}

TEST_P(HostileProgram, KernelsMustExist) {
  ArtifactMaker m = makeScaleTwice(device());
  m.program().kernels[0]->name = "nosuch";
  EXPECT_STATUS(notFound, "no kernel nosuch", run(std::move(m)));
  ArtifactMaker codeless = makeScaleTwice(device());
  codeless.program().images.clear();
  EXPECT_STATUS(corruptData, "has no code", run(std::move(codeless)));
}

HEXIN_ON_BOTH_FAKES(HostileProgram);

} // namespace
} // namespace hexin
