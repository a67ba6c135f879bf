// Headers whose hashes are right and whose contents are not.
#include "runtime/artifact/Container.h"
#include "runtime/artifact/Format.h"

#include "tests/runtime/ArtifactMaker.h"
#include "tests/runtime/FakeDevice.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>

namespace hexin {
namespace {

using namespace test;

Status openStatus(const std::vector<std::byte> &bytes) {
  std::string path = temporaryPath("hostile.hxm");
  writeFile(path, bytes);
  return Model::open(path).status();
}

/// Opens the smallest program after `change`, which must be refused.
void expectRefused(const char *what, const std::function<void(ArtifactMaker &)> &change) {
  ArtifactMaker maker = makeAddScale("near");
  change(maker);
  Status status = openStatus(maker.assemble());
  EXPECT_TRUE(status.code() == StatusCode::corruptData ||
              status.code() == StatusCode::versionMismatch)
      << what << ": " << status.toString();
}

TEST(HostileHeader, TeamsAreChecked) {
  auto teams = [](ArtifactMaker &m, uint64_t features, uint32_t threads, uint32_t bytes) {
    m.program().required_features = features;
    m.program().kernels[0]->team_threads = threads;
    m.program().kernels[0]->local_bytes = bytes;
  };
  constexpr uint64_t bit = fmt::teamKernelsFeature;
  expectRefused("teams without the bit", [&](auto &m) { teams(m, 0, 64, 1024); });
  expectRefused("threads", [&](auto &m) { teams(m, bit, 1 << 20, 1024); });
  expectRefused("local memory", [&](auto &m) { teams(m, bit, 64, 1u << 31); });
  expectRefused("memory of nobody", [&](auto &m) { teams(m, bit, 0, 64); });
}

TEST(HostileHeader, WorkspacesAreChecked) {
  auto workspace = [](uint64_t features, int32_t bytes, uint32_t threads) {
    return [=](ArtifactMaker &m) {
      m.program().required_features = features;
      m.program().kernels[0]->workspace_bytes = bytes;
      m.program().kernels[0]->team_threads = threads;
    };
  };
  constexpr uint64_t bit = fmt::workspaceFeature;
  expectRefused("a workspace without the bit", workspace(0, 0, 0));
  expectRefused("no expression", workspace(bit, 1 << 20, 0));
  expectRefused("no expression", workspace(bit, -2, 0));
  expectRefused("for teams", workspace(bit | fmt::teamKernelsFeature, 0, 64));
}

TEST(HostileHeader, WeightsThatAreMadeAreChecked) {
  auto made = [](auto change) {
    return [=](ArtifactMaker &m) { // weight 0: of the program; 1: panels; 2: made
      m.panels("panels", 12, 3);
      m.winograd(1, 4);
      change(*m.header.weights[1], *m.header.weights[2], m);
    };
  };
  ArtifactMaker good = makeAddScale("near");
  made([](auto &, auto &, auto &) {})(good);
  EXPECT_TRUE(openStatus(good.assemble()).ok()) << openStatus(good.assemble()).toString();

  expectRefused("no such source",
                made([](auto &, auto &w, auto &) { w.derived_from = 3; }));
  expectRefused("itself", made([](auto &, auto &w, auto &) { w.derived_from = 2; }));
  expectRefused("a plain source",
                made([](auto &, auto &w, auto &) { w.derived_from = 0; }));
  expectRefused("a cycle", made([](auto &source, auto &w, auto &) {
                  source = w;
                  source.derived_from = 2;
                }));
  expectRefused("no feature bit",
                made([](auto &, auto &, auto &m) { m.header.required_features = 0; }));
  expectRefused("a place", made([](auto &, auto &w, auto &) { w.offset = 64; }));
  expectRefused("length", made([](auto &, auto &w, auto &) { w.length += 4; }));
  expectRefused("huge", made([](auto &, auto &w, auto &) {
                  w.dims = {int64_t(1) << 31, int64_t(1) << 31, 3, 3};
                  w.length = ~uint64_t(0);
                }));
  expectRefused("other sizes", made([](auto &, auto &w, auto &) {
                  w.dims = {11, 3, 3, 3}; // as many panels
                }));
  expectRefused("tile", made([](auto &, auto &w, auto &) { w.winograd_tile = 3; }));
  expectRefused("hash", made([](auto &, auto &w, auto &) { ++w.hash; }));
  expectRefused("encoding", made([](auto &, auto &w, auto &) {
                  w.encoding = fmt::Encoding::panels;
                  w.length = w.length / 36 * 9;
                }));
  expectRefused("two alike", made([](auto &, auto &, auto &m) { m.winograd(1, 4); }));
  expectRefused("panels undone twice", made([](auto &, auto &, auto &m) {
                  m.undone(1);
                  m.undone(1);
                }));
  expectRefused("undone out of what is made", made([](auto &, auto &, auto &m) {
                  m.undone(1);
                  m.header.weights.back()->derived_from = 2;
                }));
  expectRefused("undone with other sizes", made([](auto &, auto &, auto &m) {
                  m.undone(1);
                  m.header.weights.back()->dims = {3, 12, 3, 3};
                }));
  expectRefused("undone groups", made([](auto &source, auto &, auto &m) {
                  m.undone(1);
                  source.panel_groups = 5;
                }));
  expectRefused("a negative source",
                made([](auto &, auto &w, auto &) { w.derived_from = -1; }));
}

TEST(HostileHeader, WhatKernelsCountOnIsChecked) {
  auto change = [](std::vector<uint8_t> alignments, std::vector<uint8_t> multiples) {
    return [=](ArtifactMaker &m) {
      m.program().kernels[0]->alignments = alignments;
      m.program().kernels[0]->param_multiples = multiples;
    };
  };
  expectRefused("not one for each binding", change({16}, {}));
  expectRefused("no power of two", change({16, 16, 12}, {}));
  expectRefused("zero", change({16, 16, 0}, {}));
  expectRefused("not one for each param", change({}, {4, 4, 4, 4, 4, 4}));
}

TEST(HostileHeader, IndicesAreChecked) {
  expectRefused("kernel index",
                [](auto &m) { m.program().instructions[0]->variants[0]->kernel = 2; });
  expectRefused("binding's value", [](auto &m) {
    m.program().instructions[0]->variants[0]->bindings[0] = fmt::Binding(99, -1);
  });
  expectRefused("binding's offset", [](auto &m) {
    m.program().instructions[0]->variants[0]->bindings[0] = fmt::Binding(0, 99);
  });
  expectRefused("param expression", [](auto &m) {
    m.program().instructions[0]->variants[0]->params[0] = -1;
  });
  expectRefused("too few bindings", [](auto &m) {
    m.program().instructions[0]->variants[0]->bindings.pop_back();
  });
  expectRefused("predicate",
                [](auto &m) { m.program().instructions[0]->predicate = 99; });
  expectRefused("guard",
                [](auto &m) { m.program().instructions[0]->variants[0]->guard = 99; });
  expectRefused("no variant",
                [](auto &m) { m.program().instructions[0]->variants.clear(); });
  expectRefused("dims expression", [](auto &m) { m.program().values[0]->dims[0] = 99; });
  expectRefused("weight index", [](auto &m) { m.program().values[1]->index = 1; });
  expectRefused("input index", [](auto &m) { m.program().values[0]->index = -1; });
  expectRefused("program's input", [](auto &m) { m.program().inputs[0] = 2; });
  expectRefused("program's output", [](auto &m) { m.program().outputs[0] = 99; });
  expectRefused("too few outputs", [](auto &m) { m.program().outputs.clear(); });
  expectRefused("image's section", [](auto &m) { m.program().images[0]->section = 1; });
  expectRefused("footprint", [](auto &m) { m.program().kernels[0]->footprints[0] = 3; });
  expectRefused("footprint count",
                [](auto &m) { m.program().kernels[0]->footprints.clear(); });
  expectRefused("items", [](auto &m) { m.program().kernels[0]->items = -1; });
  expectRefused("grain", [](auto &m) { m.program().kernels[0]->grain = 0; });
  expectRefused("transferred value", [](auto &m) { m.toHost(99); });
}

TEST(HostileHeader, FaultsHaveOneValueOfTheirSize) {
  expectRefused("no faults to report", [](auto &m) {
    m.faults(1);
    m.program().faults.clear();
  });
  expectRefused("two values", [](auto &m) {
    m.faults(1);
    m.faults(1);
  });
  expectRefused("too many rows", [](auto &m) {
    uint32_t rows = m.faults(1);
    m.program().values[rows]->dims[0] = m.constant(2);
  });
  expectRefused("rows of an unknown number", [](auto &m) {
    uint32_t rows = m.faults(1);
    m.program().values[rows]->dims[0] = m.inputDim(0, 0);
  });
  expectRefused("not integers", [](auto &m) {
    m.program().values[m.faults(1)]->dtype = static_cast<uint8_t>(DType::f32);
  });
}

TEST(HostileHeader, StringsMayBeSharedButNotWithoutEnd) {
  // Equal strings are stored once.
  auto statusOf = [](size_t length, size_t uses) {
    ArtifactMaker maker = makeAddScale("near");
    auto &instructions = maker.program().instructions;
    instructions.reserve(uses);
    while (instructions.size() < uses)
      instructions.push_back(std::make_unique<fmt::InstructionT>(*instructions.back()));
    for (auto &instruction : instructions)
      instruction->reason = std::string(length, 'x');
    return openStatus(maker.assemble());
  };
  EXPECT_TRUE(statusOf(2000, 500));
  Status status = statusOf(1 << 20, 500);
  EXPECT_EQ(status.code(), StatusCode::corruptData);
  EXPECT_NE(status.message().find("share strings"), std::string::npos);
}

TEST(HostileHeader, ExpressionsLookBackOnly) {
  auto node = [](fmt::ExprOp op, int32_t a, int32_t b) {
    return [=](ArtifactMaker &m) { m.op(op, a, b); };
  };
  expectRefused("itself", node(fmt::ExprOp::add, 4, 0));
  expectRefused("ahead", node(fmt::ExprOp::add, 0, 100));
  expectRefused("negative", node(fmt::ExprOp::mul, -1, 0));
  expectRefused("no such input", node(fmt::ExprOp::input_dim, 1, 0));
  expectRefused("no such axis", node(fmt::ExprOp::input_dim, 0, 1));
  expectRefused("no such value", node(fmt::ExprOp::element, 99, 0));
  expectRefused("element of floats", node(fmt::ExprOp::element, 0, 0));
  expectRefused("param in a program", node(fmt::ExprOp::param, 0, 0));
  expectRefused("unknown op", node(static_cast<fmt::ExprOp>(77), 0, 0));
  expectRefused("param of a kernel", [](ArtifactMaker &m) {
    m.program().kernels[0]->exprs[0] = fmt::ExprNode(0, 5, 0, 0, fmt::ExprOp::param);
  });
  expectRefused("input in a kernel", [](ArtifactMaker &m) {
    m.program().kernels[0]->exprs[0] = fmt::ExprNode(0, 0, 0, 0, fmt::ExprOp::input_dim);
  });
}

TEST(HostileHeader, ViewsLookBackOnlyAndNotFar) {
  expectRefused("itself", [](ArtifactMaker &m) {
    m.alias(static_cast<uint32_t>(m.program().values.size()), -1, DType::f32, {});
  });
  expectRefused("phi of nothing",
                [](ArtifactMaker &m) { m.phi(-1, 0, 1, DType::f32, {}); });
  expectRefused("a tower of views", [](ArtifactMaker &m) {
    uint32_t value = 0;
    for (int i = 0; i < 2000; ++i)
      value = m.alias(value, -1, DType::f32, {});
  });
}

TEST(HostileHeader, InputsAndWeightsAreNotWritten) {
  expectRefused("an input", [](ArtifactMaker &m) {
    m.program().instructions[0]->variants[0]->bindings[2] = fmt::Binding(0, -1);
  });
  expectRefused("a weight, through a view", [](ArtifactMaker &m) {
    uint32_t view = m.alias(1, -1, DType::f32, {});
    m.program().instructions[0]->variants[0]->bindings[2] = fmt::Binding(view, -1);
  });
}

TEST(HostileHeader, WeightsFitTheirBytes) {
  auto weight = [](auto change) {
    return [=](ArtifactMaker &m) { change(*m.header.weights[0]); };
  };
  expectRefused("offset", weight([](auto &w) { w.offset = 64; }));
  expectRefused("alignment", weight([](auto &w) { w.offset = 1; }));
  expectRefused("wrap-around", weight([](auto &w) { w.offset = ~uint64_t(63); }));
  expectRefused("length", weight([](auto &w) { w.length = 15; }));
  expectRefused("dims", weight([](auto &w) { w.dims = {5}; }));
  expectRefused("huge dims",
                weight([](auto &w) { w.dims = {int64_t(1) << 62, int64_t(1) << 62}; }));
  expectRefused("negative dims", weight([](auto &w) { w.dims = {-4}; }));
  expectRefused("rank", weight([](auto &w) { w.dims.assign(100, 1); }));
  expectRefused("dtype", weight([](auto &w) { w.dtype = 200; }));
  expectRefused("encoding",
                weight([](auto &w) { w.encoding = static_cast<fmt::Encoding>(9); }));
  expectRefused("panels without a width",
                weight([](auto &w) { w.encoding = fmt::Encoding::panels; }));
  expectRefused("another dtype", [](auto &m) { m.program().values[1]->dtype = 0; });
}

TEST(HostileHeader, PanelsHaveTheirExactSize) {
  // The weight has 16 bytes: one panel of width 4 for [1, 1], [1, 3] or [1, 4].
  auto packed = [](std::vector<int64_t> dims, auto change) {
    ArtifactMaker m = makeAddScale("near");
    fmt::WeightT &weight = *m.header.weights[0];
    weight.dims = dims;
    weight.encoding = fmt::Encoding::panels;
    weight.panel_width = 4;
    change(weight);
    return openStatus(m.assemble()).code();
  };
  auto keep = [](fmt::WeightT &) {};
  auto transposed = [](fmt::WeightT &w) { w.panel_transposed = true; };
  auto conv = [](fmt::WeightT &w) { w.panel_conv = true; };
  auto grouped = [](fmt::WeightT &w) { w.panel_conv = true, w.panel_groups = 2; };
  EXPECT_EQ(packed({1, 3}, keep), StatusCode::ok);
  EXPECT_EQ(packed({1, 5}, keep), StatusCode::corruptData);
  EXPECT_EQ(packed({3, 1}, keep), StatusCode::corruptData);
  EXPECT_EQ(packed({3, 1}, transposed), StatusCode::ok);
  EXPECT_EQ(packed({3, 1, 1, 1}, conv), StatusCode::ok);
  EXPECT_EQ(packed({4, 1, 1, 1}, grouped), StatusCode::corruptData);
  EXPECT_EQ(packed({3, 1, 1, 1}, grouped), StatusCode::corruptData);
  EXPECT_EQ(packed({4}, keep), StatusCode::corruptData);
  EXPECT_EQ(packed({1, INT64_MAX}, keep), StatusCode::corruptData);
  EXPECT_EQ(packed({1, 3}, [](fmt::WeightT &w) { w.panel_groups = 0; }),
            StatusCode::corruptData);
}

TEST(HostileHeader, WinogradWeightsHaveTheSizeOfTheirPoints) {
  auto winograd = [](std::vector<int64_t> dims, uint8_t tile, size_t floats,
                     uint32_t groups = 1) {
    ArtifactMaker m = makeAddScale("near");
    m.weight("w", std::vector<float>(floats, 1.0f));
    fmt::WeightT &weight = *m.header.weights.back();
    weight.dims = dims;
    weight.encoding = fmt::Encoding::winograd;
    weight.panel_conv = true;
    weight.panel_groups = groups;
    weight.panel_width = 4;
    weight.winograd_tile = tile;
    return openStatus(m.assemble()).code();
  };
  EXPECT_EQ(winograd({4, 2, 3, 3}, 4, 36 * 8), StatusCode::ok);
  EXPECT_EQ(winograd({3, 2, 3, 3}, 2, 16 * 8), StatusCode::ok);
  EXPECT_EQ(winograd({4, 2, 3, 3}, 4, 36 * 16, 2), StatusCode::ok);
  EXPECT_EQ(winograd({4, 2, 3, 3}, 3, 25 * 8), StatusCode::corruptData);
  EXPECT_EQ(winograd({4, 2, 3, 3}, 4, 16 * 8), StatusCode::corruptData);
  EXPECT_EQ(winograd({4, 2, 1, 3}, 4, 36 * 8), StatusCode::corruptData);
  EXPECT_EQ(winograd({4, 2, 3, 3}, 4, 36 * 8, 3), StatusCode::corruptData);
  EXPECT_EQ(winograd({4, 2, 3, 3}, 4, 36 * 8, 0), StatusCode::corruptData);
  EXPECT_EQ(winograd({INT64_MAX / 8, 2, 3, 3}, 4, 36 * 8), StatusCode::corruptData);
}

TEST(HostileHeader, SectionsDoNotOverlapOrLeaveTheFile) {
  auto patched = [](const std::function<void(fmt::Section *, fmt::Section *)> &change) {
    std::vector<std::byte> file = makeAddScale("near").assemble();
    auto *preamble = reinterpret_cast<Preamble *>(file.data());
    auto *header =
        flatbuffers::GetMutableRoot<fmt::Header>(file.data() + preamble->headerOffset);
    auto *sections = const_cast<flatbuffers::Vector<flatbuffers::Offset<fmt::Section>> *>(
        header->sections());
    change(sections->GetMutableObject(0), sections->GetMutableObject(1));
    fixHashes(file);
    return openStatus(file).code();
  };
  // Fields of FlatBuffers tables are patched where they lie.
  auto setOffset = [](fmt::Section *section, uint64_t value) {
    auto *table = reinterpret_cast<flatbuffers::Table *>(section);
    ASSERT_TRUE(table->SetField<uint64_t>(fmt::Section::VT_OFFSET, value, 0));
  };
  auto setLength = [](fmt::Section *section, uint64_t value) {
    auto *table = reinterpret_cast<flatbuffers::Table *>(section);
    ASSERT_TRUE(table->SetField<uint64_t>(fmt::Section::VT_LENGTH, value, 0));
  };
  EXPECT_EQ(patched([](auto *, auto *) {}), StatusCode::ok);
  EXPECT_EQ(patched([&](auto *, auto *b) { setOffset(b, 4096); }),
            StatusCode::corruptData);
  EXPECT_EQ(patched([&](auto *a, auto *) { setLength(a, 4097); }),
            StatusCode::corruptData);
  EXPECT_EQ(patched([&](auto *, auto *b) { setLength(b, 1 << 20); }),
            StatusCode::corruptData);
  EXPECT_EQ(patched([&](auto *, auto *b) { setLength(b, ~uint64_t(0)); }),
            StatusCode::corruptData);
  EXPECT_EQ(patched([&](auto *, auto *b) { setOffset(b, ~uint64_t(4095)); }),
            StatusCode::corruptData);
  EXPECT_EQ(patched([&](auto *, auto *b) { setOffset(b, 8193); }),
            StatusCode::corruptData);
}

TEST(HostileHeader, PortsAndStatesAgree) {
  expectRefused("two inputs of a name",
                [](ArtifactMaker &m) { m.input("x", DType::f32, {}); });
  expectRefused("port's size", [](auto &m) { m.header.inputs[0]->dims[0] = -2; });
  expectRefused("port's dtype", [](auto &m) { m.header.inputs[0]->dtype = 99; });
  expectRefused("port's rank", [](auto &m) {
    m.header.inputs[0]->dims.push_back(1);
    m.header.inputs[0]->symbols.push_back("");
  });
  expectRefused("state's ports", [](auto &m) {
    m.state("s", 0, 0);
    m.header.states[0]->output = 4;
  });
  expectRefused("state's dtype", [](auto &m) {
    m.state("s", 0, 0);
    m.header.states[0]->dtype = 1;
  });
  expectRefused("state's first sizes", [](auto &m) {
    m.state("s", 0, 0);
    m.header.states[0]->first_dims.assign(9, 1);
  });
  expectRefused("state's negative first size", [](auto &m) {
    m.state("s", 0, 0);
    m.header.states[0]->first_dims.assign(m.header.states[0]->dims.size(), -2);
  });
  expectRefused("a state of random numbers that is no pair", [](auto &m) {
    m.state("s", 0, 0);
    m.header.states[0]->random = true;
  });
  expectRefused("two states of one input", [](auto &m) {
    m.state("s", 0, 0);
    m.state("t", 0, 0);
  });
  expectRefused("two programs of a target", [](auto &m) {
    m.header.programs.push_back(std::make_unique<fmt::ProgramT>());
    m.header.programs[1]->target = "near";
  });
}

/// Every byte of a header, changed, with the hashes put right: refused, or a
/// model that runs or fails with a Status. Under ASan this finds wild reads.
TEST(HostileHeader, AnyByteMayBeWrong) {
  registerFakeDevices();
  ArtifactMaker maker = makeAddScale("near");
  maker.constraint(maker.inputDim(0, 0), 1, 4, "n fits");
  maker.phi(maker.constant(1), 0, 1, DType::f32, {0});
  maker.alias(2, maker.constant(0), DType::f32, {0});
  std::vector<std::byte> good = maker.assemble();
  Preamble preamble;
  std::memcpy(&preamble, good.data(), sizeof preamble);
  size_t ran = 0;
  for (size_t at = preamble.headerOffset; at < good.size(); ++at) {
    constexpr std::array<int, 3> changes = {0x01, 0x80, 0xFF};
    std::vector<std::byte> bad = good;
    bad[at] ^= static_cast<std::byte>(changes[at % changes.size()]);
    fixHashes(bad);
    std::string path = temporaryPath("fuzzed.hxm");
    writeFile(path, bad);
    auto model = Model::open(path);
    if (!model)
      continue;
    EXPECT_FALSE(model->describeJson().empty());
    auto session = Session::create(*model, {.device = "near"});
    if (!session)
      continue;
    auto outputs = session->run({{"x", makeTensor({4}, {1, 2, 3, 4})}});
    ran += outputs.ok();
  }
  EXPECT_GT(ran, 0u);
}

} // namespace
} // namespace hexin
