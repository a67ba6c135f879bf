// Values that are no tensors of numbers: given, made, handed on, given out; and programs
// that lie about them.
#include "tests/runtime/exec/SessionFixture.h"

namespace hexin {
namespace {

using namespace test;
using Op = fmt::ExprOp;

std::unique_ptr<fmt::TypeDefT> tensorType(DType dtype, int rank) {
  auto type = std::make_unique<fmt::TypeDefT>();
  type->dtype = static_cast<uint8_t>(dtype);
  type->rank = rank;
  type->dims.assign(static_cast<size_t>(std::max(rank, 0)), -1);
  return type;
}

std::unique_ptr<fmt::TypeDefT> holding(ValueKind kind,
                                       std::unique_ptr<fmt::TypeDefT> held) {
  auto type = std::make_unique<fmt::TypeDefT>();
  type->kind = static_cast<uint8_t>(kind);
  type->held = std::move(held);
  return type;
}

void makeHost(fmt::ValueDefT &value, ValueKind kind) {
  value.holds = static_cast<uint8_t>(kind);
  value.residency = fmt::Residency::host;
  if (kind != ValueKind::strings)
    value.dtype = 0;
}

void makePort(fmt::PortT &port, ValueKind kind) {
  port.kind = static_cast<uint8_t>(kind);
  if (kind != ValueKind::strings)
    port.type = holding(kind, tensorType(static_cast<DType>(port.dtype), 1));
}

uint32_t valueInput(ArtifactMaker &m, const std::string &name, ValueKind kind,
                    DType dtype = DType::f32, std::vector<int64_t> dims = {}) {
  uint32_t value = m.input(name, dtype, std::move(dims));
  makeHost(*m.program().values[value], kind);
  makePort(*m.header.inputs.back(), kind);
  return value;
}

uint32_t valueOutput(ArtifactMaker &m, const std::string &name, ValueKind kind,
                     DType dtype = DType::f32, std::vector<int32_t> dims = {}) {
  uint32_t value = m.output(name, dtype, std::move(dims));
  makeHost(*m.program().values[value], kind);
  makePort(*m.header.outputs.back(), kind);
  return value;
}

uint32_t valueTemp(ArtifactMaker &m, ValueKind kind) {
  uint32_t value = m.temp(DType::f32, {});
  makeHost(*m.program().values[value], kind);
  return value;
}

Sequence sequenceOf(std::vector<Value> elements) {
  Sequence sequence;
  sequence.elements = std::move(elements);
  return sequence;
}

/// t = s with 2 x s[at] at its end
ArtifactMaker makeTakeAndPut(const std::string &device) {
  ArtifactMaker m(device);
  uint32_t s = valueInput(m, "s", ValueKind::sequence);
  uint32_t at = m.input("at", DType::i64, {});
  auto x = static_cast<uint32_t>(m.program().values.size());
  int32_t size = m.resultDim(x, 0);
  m.temp(DType::f32, {size}, fmt::Residency::both);
  uint32_t y = m.temp(DType::f32, {size}, fmt::Residency::both);
  uint32_t t = valueOutput(m, "t", ValueKind::sequence);
  m.runHost("seq_at", {}, {s, at}, {x});
  m.toDevice(x);
  int32_t scale = m.kernel("scale", {false, true}, 2);
  m.runKernel(scale, {x, y}, {size, m.constant(2)});
  m.toHost(y);
  m.runHost("seq_insert", {}, {s, y}, {t});
  return m;
}

class Values : public OnFakes {};

TEST_P(Values, SequencesGoInAndOut) {
  auto session = start(makeTakeAndPut(device()));
  ASSERT_TRUE(session);
  Tensor a = makeTensor({3}, {1, 2, 3}), b = makeTensor({1}, {4});
  for (int64_t at : {0, 1, 0}) {
    auto outputs = session->run({{"s", sequenceOf({a, b})}, {"at", makeInts({}, {at})}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().toString();
    const Sequence *t = (*outputs)[0].value.sequence();
    ASSERT_TRUE(t && t->elements.size() == 3);
    EXPECT_EQ(floatsOf(t->elements[0]), (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(floatsOf(t->elements[2]),
              at == 0 ? (std::vector<float>{2, 4, 6}) : std::vector<float>{8});
    // What comes out is not the caller's own memory.
    EXPECT_NE(t->elements[0].tensor()->data(), a.data());
  }
  EXPECT_EQ(session->stats().plans, 2u);
}

TEST_P(Values, GivenOutputsAreReplacedAndRunsWaitedFor) {
  auto session = start(makeTakeAndPut(device()));
  ASSERT_TRUE(session);
  NamedValues given{{"t", Value()}};
  Sequence s = sequenceOf({makeTensor({1}, {4})});
  ASSERT_TRUE(session->run({{"s", s}, {"at", makeInts({}, {0})}}, given));
  ASSERT_TRUE(given[0].value.sequence());
  EXPECT_EQ(given[0].value.sequence()->elements.size(), 2u);

  auto run = session->submit({{"s", s}, {"at", makeInts({}, {-1})}});
  ASSERT_TRUE(run.ok()) << run.status().toString();
  s.elements.clear();
  auto outputs = run->wait();
  ASSERT_TRUE(outputs.ok()) << outputs.status().toString();
  EXPECT_EQ((*outputs)[0].value.sequence()->elements.size(), 2u);
}

TEST_P(Values, InputsAreChecked) {
  auto session = start(makeTakeAndPut(device()));
  ASSERT_TRUE(session);
  auto status = [&](Value s) {
    return session->run({{"s", std::move(s)}, {"at", makeInts({}, {0})}}).status();
  };
  EXPECT_STATUS(invalidArgument, "input 's': expected sequence of f32[?], got f32[1]",
                status(makeTensor({1}, {1})));
  EXPECT_STATUS(invalidArgument, "input 's'[1]: expected f32[?], got f32[1, 1]",
                status(sequenceOf({makeTensor({1}, {1}), makeTensor({1, 1}, {1})})));
  EXPECT_STATUS(invalidArgument, "input 's'[0]: expected f32[?], got i64[1]",
                status(sequenceOf({makeInts({1}, {1})})));
  EXPECT_STATUS(outOfRange, "position 0 of a sequence of 0", status(Sequence{}));
  EXPECT_STATUS(invalidArgument, "'s' is missing",
                session->run({{"at", makeInts({}, {0})}}).status());
  EXPECT_TRUE(status(sequenceOf({makeTensor({1}, {1})})));
}

TEST_P(Values, StringsHaveSizes) {
  ArtifactMaker m(device());
  uint32_t s = valueInput(m, "s", ValueKind::strings, DType::string, {-1});
  auto parts = static_cast<uint32_t>(m.program().values.size());
  valueTemp(m, ValueKind::strings);
  m.program().values[parts]->dtype = static_cast<uint8_t>(DType::string);
  m.program().values[parts]->dims = {m.inputDim(0, 0), m.resultDim(parts, 1)};
  uint32_t counts = m.temp(DType::i64, {m.inputDim(0, 0)}, fmt::Residency::both);
  uint32_t x = m.input("x", DType::f32, {4});
  int32_t most = m.resultDim(parts, 1);
  uint32_t y = m.output("y", DType::f32, {most});
  m.runHost("string_split", {}, {s}, {parts, counts});
  m.runKernel(m.kernel("scale", {false, true}, 2), {x, y}, {most, m.constant(2)});
  auto session = start(std::move(m));
  ASSERT_TRUE(session);
  auto run = [&](StringTensor strings) {
    return session->run(
        {{"s", std::move(strings)}, {"x", makeTensor({4}, {1, 2, 3, 4})}});
  };
  for (auto &[texts, count] : {std::pair(std::vector<std::string>{"a b c", "d"}, 3),
                               std::pair(std::vector<std::string>{"a", "b c"}, 2)}) {
    auto outputs = run({{2}, texts});
    ASSERT_TRUE(outputs.ok()) << outputs.status().toString();
    EXPECT_EQ(dimsOf((*outputs)[0].value), std::vector<int64_t>{count});
  }
  EXPECT_STATUS(invalidArgument, "has 1 elements", run({{2}, {"a"}}).status());
  EXPECT_STATUS(corruptData, "footprint",
                run({{1}, {"more than x has elements"}}).status());
}

/// `change` makes a program that must not be opened.
void expectRefused(const char *what, const std::string &device,
                   const std::function<void(ArtifactMaker &)> &change) {
  ArtifactMaker maker = makeTakeAndPut(device);
  change(maker);
  std::string path = temporaryPath("hostile-values.hxm");
  writeFile(path, maker.assemble());
  Status status = Model::open(path).status();
  EXPECT_TRUE(status.code() == StatusCode::corruptData ||
              status.code() == StatusCode::versionMismatch)
      << what << ": " << status.toString();
}

TEST_P(Values, LiesInFilesAreRefused) {
  auto refused = [&](const char *what,
                     const std::function<void(ArtifactMaker &)> &change) {
    expectRefused(what, device(), change);
  };
  constexpr uint32_t s = 0, x = 2, t = 4;
  refused("a kernel that reads a sequence", [&](auto &m) {
    m.program().instructions[2]->variants[0]->bindings[0] = fmt::Binding(s, -1);
  });
  refused("a sequence to the device", [&](auto &m) { m.toDevice(t); });
  refused("a sequence to the host", [&](auto &m) { m.toHost(s); });
  refused("an element of a sequence",
          [&](auto &m) { m.program().values[x]->dims = {m.element(s, 0)}; });
  refused("sizes of a sequence",
          [&](auto &m) { m.program().values[t]->dims = {m.constant(1)}; });
  refused("a sequence on the device",
          [&](auto &m) { m.program().values[t]->residency = fmt::Residency::both; });
  refused("a view of a sequence", [&](auto &m) { m.alias(s, -1, DType::f32, {}); });
  refused("strings without their type", [&](auto &m) {
    m.program().values[x]->holds = static_cast<uint8_t>(ValueKind::strings);
    m.program().values[x]->residency = fmt::Residency::host;
  });
  refused("a tensor of strings that is none", [&](auto &m) {
    m.program().values[x]->dtype = static_cast<uint8_t>(DType::string);
  });
  refused("a kind of the future", [&](auto &m) { m.program().values[x]->holds = 9; });
  refused("a port of another kind than its value",
          [&](auto &m) { m.header.inputs[0]->kind = 0; });
  refused("a port that does not say what it holds",
          [&](auto &m) { m.header.inputs[0]->type.reset(); });
  refused("a type of another kind",
          [&](auto &m) { m.header.inputs[0]->type = tensorType(DType::f32, 1); });
  refused("a type that holds nothing",
          [&](auto &m) { m.header.inputs[0]->type->held.reset(); });
  refused("a tensor that holds something", [&](auto &m) {
    m.header.inputs[0]->type->held->held = tensorType(DType::f32, 1);
  });
  refused("a rank without sizes",
          [&](auto &m) { m.header.inputs[0]->type->held->dims.clear(); });
  refused("a rank beyond all", [&](auto &m) {
    m.header.inputs[0]->type->held = tensorType(DType::f32, 1000);
  });
  refused("a type of a type of ...", [&](auto &m) {
    for (int i = 0; i < 20; ++i)
      m.header.inputs[0]->type =
          holding(ValueKind::sequence, std::move(m.header.inputs[0]->type));
  });
  refused("a choice between a tensor and a sequence",
          [&](auto &m) { m.phi(m.constant(1), s, x, DType::f32, {}); });
  refused("features of the future",
          [&](auto &m) { m.header.required_features = 1 << 20; });
}

TEST_P(Values, LiesInProgramsEndTheRun) {
  auto run = [&](const std::function<void(ArtifactMaker &)> &change) {
    ArtifactMaker m = makeTakeAndPut(device());
    change(m);
    auto session = start(std::move(m));
    if (!session)
      return internalError("no session");
    return session
        ->run({{"s", sequenceOf({makeTensor({1}, {1})})}, {"at", makeInts({}, {0})}})
        .status();
  };
  constexpr uint32_t s = 0, at = 1, x = 2, t = 4;
  EXPECT_STATUS(invalidArgument, "must be a sequence", run([&](auto &m) {
                  m.program().instructions[0]->variants[0]->bindings[0] =
                      fmt::Binding(at, -1);
                }));
  EXPECT_STATUS(invalidArgument, "gave f32[1]", run([&](auto &m) {
                  m.program().values[x]->dtype = static_cast<uint8_t>(DType::f64);
                }));
  EXPECT_STATUS(invalidArgument, "of rank 2", run([&](auto &m) {
                  m.program().values[x]->dims.push_back(m.constant(1));
                }));
  EXPECT_STATUS(invalidArgument, "sequence", run([&](auto &m) {
                  m.program().values[t]->holds = static_cast<uint8_t>(ValueKind::map);
                  m.header.outputs[0]->kind = static_cast<uint8_t>(ValueKind::map);
                  m.header.outputs[0]->type =
                      holding(ValueKind::map, tensorType(DType::f32, 1));
                  m.header.outputs[0]->type->dtype = static_cast<uint8_t>(DType::i64);
                }));
  EXPECT_STATUS(corruptData, "nothing put it", run([&](auto &m) {
                  uint32_t never = valueTemp(m, ValueKind::sequence);
                  m.program().instructions[0]->variants[0]->bindings[0] =
                      fmt::Binding(never, -1);
                }));
  EXPECT_STATUS(corruptData, "value 4",
                run([&](auto &m) { m.program().instructions.pop_back(); }));
  EXPECT_STATUS(unsupported, "no kernel", run([&](auto &m) {
                  m.program().instructions[0]->variants[0]->name = "seq_dance";
                }));
  (void)s;
}

HEXIN_ON_BOTH_FAKES(Values);

} // namespace
} // namespace hexin
