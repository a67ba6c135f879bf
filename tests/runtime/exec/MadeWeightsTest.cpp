// Weights that are made out of others: when, how often, and where they are kept.
#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/ModelImpl.h"

#include "tests/runtime/ArtifactMaker.h"
#include "tests/runtime/FakeDevice.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

namespace hexin {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr int64_t inputs = 2, outputs = 8, width = 8;

/// Where a session runs, and how its weights are made.
struct Case {
  const char *device;
  fmt::Encoding encoding;

  DerivedForm form() const {
    if (encoding == fmt::Encoding::winograd)
      return WinogradForm{
          .tile = 4, .inputs = inputs, .outputs = outputs, .groups = 1, .width = width};
    std::array<int64_t, 4> dims = {outputs, inputs, 3, 3};
    return *makePanelShape(PlainForm::conv, dims, width, sizeof(float));
  }
  int64_t numElements() const {
    return form().numParts() * form().partBytes() / int64_t(sizeof(float));
  }
  uint32_t make(ArtifactMaker &maker) const {
    return encoding == fmt::Encoding::winograd ? maker.winograd(0, 4) : maker.undone(0);
  }
};

/// y = x + U for x: f32[elements], U made out of the panels; where n > elements / 2.
/// Else y = x + panels.
ArtifactMaker makeProgram(const Case &of) {
  ArtifactMaker maker(of.device);
  uint32_t x = maker.input("x", DType::f32, {-1}, {"n"});
  uint32_t panels = maker.panels("w", outputs, inputs);
  uint32_t u = of.make(maker);
  int32_t n = maker.inputDim(0, 0);
  uint32_t y = maker.output("y", DType::f32, {n});
  int32_t add = maker.kernel("add", {false, false, true}, 1);
  fmt::InstructionT &instruction = maker.runKernel(add, {x, u, y}, {n});
  instruction.variants[0]->guard =
      maker.op(fmt::ExprOp::lt, maker.constant(of.numElements() / 2), n);
  auto other = std::make_unique<fmt::VariantT>(*instruction.variants[0]);
  other->guard = -1;
  other->bindings[1] = fmt::Binding(panels, -1);
  instruction.variants.push_back(std::move(other));
  return maker;
}

class MadeWeights : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    registerFakeDevices();
    static int count = 0;
    folder = temporaryPath("made" + std::to_string(count++));
    path = folder + ".hxm";
    ASSERT_TRUE(makeProgram(GetParam()).write(path).ok());
  }

  Result<Session> open() {
    HEXIN_ASSIGN_OR_RETURN(Model model, Model::open(path));
    SessionOptions options;
    options.device = GetParam().device;
    options.cacheDir = folder;
    return Session::create(model, options);
  }

  /// Runs at a size that takes the made weight, and checks it against it.
  static void expectRight(Session &session) {
    const int64_t elements = GetParam().numElements();
    std::vector<float> expected(elements);
    DerivedForm form = GetParam().form();
    auto panels = session.model().impl()->container.weights().first(9 * inputs * width *
                                                                    sizeof(float));
    ASSERT_TRUE(
        form.make(0, form.numParts(), panels, std::as_writable_bytes(std::span(expected)))
            .ok());
    auto outputs =
        session.run({{"x", makeTensor({elements}, std::vector<float>(elements, 0.0f))}});
    ASSERT_TRUE(outputs.ok()) << outputs.status().toString();
    EXPECT_EQ(floatsOf(outputs->front().value), expected);
  }

  std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto &entry : fs::recursive_directory_iterator(folder, none))
      if (entry.is_regular_file())
        found.push_back(entry.path());
    return found;
  }

  std::string folder, path;
};

TEST_P(MadeWeights, AreKeptForTheNextProcess) {
  {
    auto session = open();
    ASSERT_TRUE(session.ok()) << session.status().toString();
    expectRight(*session);
    expectRight(*session);
  }
  ASSERT_EQ(entries().size(), 1u);
  auto written = fs::last_write_time(entries()[0]) - std::chrono::hours(1);
  fs::last_write_time(entries()[0], written);
  auto session = open(); // nobody has them in memory any more: as in another process
  ASSERT_TRUE(session.ok());
  expectRight(*session);
  ASSERT_EQ(entries().size(), 1u);
  EXPECT_GT(fs::last_write_time(entries()[0]), written) << "it was not looked at";
}

TEST_P(MadeWeights, AreNotMadeForAVariantThatIsNotTaken) {
  auto session = open();
  ASSERT_TRUE(session.ok());
  auto outputs = session->run({{"x", makeTensor({4}, {0, 0, 0, 0})}});
  ASSERT_TRUE(outputs.ok()) << outputs.status().toString();
  EXPECT_EQ(floatsOf(outputs->front().value), (std::vector<float>{-15, -14, -13, -12}));
  EXPECT_TRUE(entries().empty());
  expectRight(*session); // and now another plan of the same session makes them
  EXPECT_EQ(entries().size(), 1u);
}

TEST_P(MadeWeights, AreMadeAgainWhenTheFileIsDamaged) {
  {
    auto session = open();
    ASSERT_TRUE(session.ok());
    expectRight(*session);
  }
  ASSERT_EQ(entries().size(), 1u);
  {
    std::fstream file(entries()[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-8, std::ios::end);
    file.write("rubbish!", 8);
  }
  auto session = open();
  ASSERT_TRUE(session.ok());
  expectRight(*session);
}

TEST_P(MadeWeights, NeedNoFolder) {
  std::ofstream(folder) << "a file stands where the folder should";
  auto unusable = open();
  ASSERT_TRUE(unusable.ok());
  expectRight(*unusable);
  folder = "none";
  auto without = open();
  ASSERT_TRUE(without.ok());
  expectRight(*without);
}

TEST_P(MadeWeights, AreSharedBySessionsAndThreads) {
  auto first = open();
  ASSERT_TRUE(first.ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto session = open();
      ASSERT_TRUE(session.ok());
      expectRight(*session);
    });
  for (std::thread &thread : threads)
    thread.join();
  expectRight(*first);
  EXPECT_EQ(entries().size(), 1u);
}

TEST_P(MadeWeights, OfAFileThatLiesAboutItsPanelsAreNotKept) {
  ArtifactMaker maker = makeProgram(GetParam());
  ++maker.header.weights[0]->hash;
  maker.header.weights[1]->hash = GetParam().form().hash(maker.header.weights[0]->hash);
  ASSERT_TRUE(maker.write(path).ok());
  auto session = open();
  ASSERT_TRUE(session.ok()) << session.status().toString();
  expectRight(*session);
  EXPECT_TRUE(entries().empty());
}

TEST_P(MadeWeights, AreNotReadOnTheHost) {
  ArtifactMaker maker(GetParam().device);
  maker.panels("w", outputs, inputs);
  maker.outputOf("u", GetParam().make(maker));
  ASSERT_TRUE(maker.write(path).ok());
  auto session = open();
  Status status = session.ok() ? session->run({}).status() : session.status();
  EXPECT_EQ(status.code(), StatusCode::corruptData) << status.toString();
}

INSTANTIATE_TEST_SUITE_P(Devices, MadeWeights,
                         testing::Values(Case{"near", fmt::Encoding::winograd},
                                         Case{"far", fmt::Encoding::winograd},
                                         Case{"near", fmt::Encoding::plain},
                                         Case{"far", fmt::Encoding::plain}));

} // namespace
} // namespace hexin
