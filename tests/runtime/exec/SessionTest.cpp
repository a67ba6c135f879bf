#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;

class Sessions : public OnFakes {};

Tensor ramp(int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    values[static_cast<size_t>(i)] = static_cast<float>(i);
  return makeTensor({n}, values);
}

TEST_P(Sessions, RunWithAWeightAndATemporary) {
  auto session = start(makeAddScale(device()));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", makeTensor({4}, {1, 2, 3, 4})}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{33, 66, 99, 132}));
}

TEST_P(Sessions, ShareTheWeights) {
  auto model = makeAddScale(device()).open();
  ASSERT_TRUE(model);
  auto first = Session::create(*model, {.device = device()});
  uint64_t after = fakeCounters().allocations + fakeCounters().wraps;
  auto second = Session::create(*model, {.device = device()});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(fakeCounters().allocations + fakeCounters().wraps, after);
}

TEST_P(Sessions, WriteIntoTheCallersTensors) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  Tensor y = makeTensor({4}, {0, 0, 0, 0});
  NamedValues outputs = {{"y", y}};
  ASSERT_TRUE(session->run({{"x", ramp(4)}}, outputs));
  EXPECT_EQ(floatsOf(Value(y)), (std::vector<float>{0, 6, 12, 18}));

  auto run = [&](NamedValues outputs) { return session->run({{"x", ramp(4)}}, outputs); };
  EXPECT_STATUS(invalidArgument, "no output 'z'", run({{"z", y}}));
  EXPECT_STATUS(invalidArgument, "given twice", run({{"y", y}, {"y", y}}));
  EXPECT_STATUS(invalidArgument, "expected a tensor of f32, got i64",
                run({{"y", makeInts({4}, {0, 0, 0, 0})}}));
  EXPECT_STATUS(invalidArgument, "expected sizes [4], got a tensor of [2]",
                run({{"y", makeTensor({2}, {0, 0})}}));
  EXPECT_TRUE(run({})); // nobody wants the output
}

TEST_P(Sessions, AllowAnOutputThatIsItsInput) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  Tensor x = ramp(4);
  NamedValues outputs = {{"y", x}};
  ASSERT_TRUE(session->run({{"x", x}}, outputs));
  EXPECT_EQ(floatsOf(Value(x)), (std::vector<float>{0, 6, 12, 18}));
}

TEST_P(Sessions, GiveOutValuesOfEveryKind) {
  ArtifactMaker m = makeAddScale(device());
  m.outputOf("the input", 0);
  m.outputOf("the weight", 1);
  m.outputOf("the temporary", 2);
  m.outputOf("a view", m.alias(2, m.constant(4), DType::f32, {m.constant(2)}));
  m.outputOf("y again", 3);
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto outputs = session->run({{"x", ramp(4)}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_EQ(floatsOf((*outputs)[1].value), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(floatsOf((*outputs)[2].value), (std::vector<float>{10, 20, 30, 40}));
  EXPECT_EQ(floatsOf((*outputs)[3].value), (std::vector<float>{10, 21, 32, 43}));
  EXPECT_EQ(floatsOf((*outputs)[4].value), (std::vector<float>{21, 32}));
  EXPECT_EQ(floatsOf((*outputs)[5].value), floatsOf((*outputs)[0].value));
}

TEST_P(Sessions, KeepResultsOfRunsNobodyWaitedFor) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  auto first = session->submit({{"x", ramp(2)}}); // the tensor lives on in the run
  auto second = session->submit({{"x", ramp(3)}});
  ASSERT_TRUE(first && second);
  auto third = session->run({{"x", ramp(4)}});
  ASSERT_TRUE(third);
  auto two = second->wait();
  auto one = first->wait();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(floatsOf((*one)[0].value), (std::vector<float>{0, 6}));
  EXPECT_EQ(floatsOf((*two)[0].value), (std::vector<float>{0, 6, 12}));
  EXPECT_STATUS(failedPrecondition, "called before", first->wait().status());
}

TEST_P(Sessions, MayGoBeforeTheirRuns) {
  std::optional<hexin::Run> run;
  {
    auto session = start(makeScaleTwice(device()));
    ASSERT_TRUE(session);
    auto submitted = session->submit({{"x", ramp(2)}});
    ASSERT_TRUE(submitted);
    run.emplace(*std::move(submitted));
  }
  auto outputs = run->wait();
  ASSERT_TRUE(outputs);
  EXPECT_EQ(floatsOf((*outputs)[0].value), (std::vector<float>{0, 6}));
}

TEST_P(Sessions, ReportADeviceThatFails) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  failSubmissions(1);
  EXPECT_STATUS(deviceLost, "told to fail", session->run({{"x", ramp(2)}}).status());
  EXPECT_TRUE(session->run({{"x", ramp(2)}}));
}

TEST_P(Sessions, DumpInnerValues) {
  auto session = start(makeAddScale(device()), {.dump = {"sum", "x"}});
  ASSERT_TRUE(session);
  EXPECT_STATUS(failedPrecondition, "before the first run", session->dumped().status());
  ASSERT_TRUE(session->run({{"x", ramp(4)}}));
  auto dumped = session->dumped();
  ASSERT_TRUE(dumped);
  ASSERT_EQ(dumped->size(), 2u);
  EXPECT_EQ((*dumped)[0].name, "sum");
  EXPECT_EQ(floatsOf((*dumped)[0].value), (std::vector<float>{10, 21, 32, 43}));

  auto model = makeAddScale(device()).open();
  auto other = Session::create(*model, {.device = device(), .dump = {"nosuch"}});
  EXPECT_STATUS(notFound, "'nosuch'", other.status());
}

TEST_P(Sessions, TraceWhatRan) {
  auto session = start(makeAddScale(device()), {.profile = true});
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->run({{"x", ramp(4)}}));
  auto trace = session->trace();
  ASSERT_TRUE(trace);
  EXPECT_NE(trace->find("\"name\":\"scale\""), std::string::npos) << *trace;
  EXPECT_NE(trace->find("\"node\":\"node0\""), std::string::npos);
  auto silent = start(makeAddScale(device()));
  EXPECT_STATUS(failedPrecondition, "profile", silent->trace().status());
}

TEST_P(Sessions, SayWhyTheyCannotBeCreated) {
  auto model = makeAddScale(device()).open();
  ASSERT_TRUE(model);
  std::string other = isNear() ? "far" : "near";
  EXPECT_STATUS(notFound, "has no program for '" + other + "', only for: " + device(),
                Session::create(*model, {.device = other}).status());
  EXPECT_STATUS(unavailable, "nosuch",
                Session::create(*model, {.device = "nosuch"}).status());
  EXPECT_STATUS(invalidArgument, "fake-v1",
                Session::create(*model, {.device = device(), .maxIsa = "v9"}).status());
  EXPECT_TRUE(Session::create(*model, {.device = device(), .maxIsa = "fake-v1"}));

  ArtifactMaker newer = makeAddScale(device());
  newer.program().kernel_abi = 99;
  EXPECT_STATUS(versionMismatch, "kernel ABI 99",
                Session::create(*newer.open(), {.device = device()}).status());
  ArtifactMaker foreign = makeAddScale(device());
  foreign.program().images[0]->arch = "sparc";
  EXPECT_STATUS(unsupported, "has code for sparc",
                Session::create(*foreign.open(), {.device = device()}).status());
}

TEST_P(Sessions, LeaveNothingBehind) {
  FakeCounters before = fakeCounters();
  {
    auto session = start(makeAddScale(device()));
    ASSERT_TRUE(session);
    for (int64_t n = 1; n <= 4; ++n)
      ASSERT_TRUE(session->run({{"x", ramp(n)}}));
    EXPECT_GT(fakeCounters().commandsAlive, before.commandsAlive);
  }
  EXPECT_EQ(fakeCounters().commandsAlive, before.commandsAlive);
  EXPECT_EQ(fakeCounters().buffersAlive, before.buffersAlive);
  EXPECT_EQ(fakeCounters().devicesAlive, before.devicesAlive);
}

TEST_P(Sessions, AMovedFromSessionSaysSo) {
  auto session = start(makeScaleTwice(device()));
  ASSERT_TRUE(session);
  Session other = std::move(*session);
  EXPECT_STATUS(failedPrecondition, "moved from", session->run({}).status());
  EXPECT_STATUS(failedPrecondition, "moved from", session->submit({}).status());
  EXPECT_STATUS(failedPrecondition, "moved from", session->resetState());
  EXPECT_EQ(session->stats().runs, 0u);
  EXPECT_EQ(session->device(), "");
  EXPECT_TRUE(other.resetState());
}

HEXIN_ON_BOTH_FAKES(Sessions);

} // namespace
} // namespace hexin
