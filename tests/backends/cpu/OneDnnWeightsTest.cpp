//===- OneDnnWeightsTest.cpp - weights in panels, and kept on disk ------------===//
#include "runtime/base/Packing.h"
#include "tests/backends/cpu/LibraryFixture.h"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <span>

using namespace hexin::test;

namespace {

/// `weights` as the artifact stores them; see runtime/base/Packing.h.
void storeInPanels(HostTensor &weights, hexin::PlainForm form, int64_t width,
                   int64_t groups) {
  Dims dims = weights.dims;
  dims[0] /= groups;
  auto shape = hexin::makePanelShape(form, dims, width, 4);
  ASSERT_TRUE(shape.ok());
  weights.stored.resize(shape->packedBytes() * groups / 4);
  auto plain = std::as_bytes(std::span(weights.data));
  auto packed = std::as_writable_bytes(std::span(weights.stored));
  for (int64_t g = 0; g < groups; ++g)
    ASSERT_TRUE(hexin::packPanels(
                    *shape, plain.subspan(g * shape->plainBytes(), shape->plainBytes()),
                    packed.subspan(g * shape->packedBytes(), shape->packedBytes()))
                    .ok());
}

struct PanelsCase {
  const char *name;
  Dims src, weights, dst;
  int64_t groups, width, panelGroups;
  bool isTransposed;
};
const PanelsCase panelsCases[] = {
    {"conv", {1, 9, 7, 16}, {40, 16, 3, 3}, {1, 7, 5, 40}, 1, 32, 1, false},
    {"conv", {2, 6, 6, 16}, {24, 4, 3, 3}, {2, 4, 4, 24}, 4, 8, 4, false},
    {"conv", {1, 8, 8, 24}, {24, 1, 3, 3}, {1, 6, 6, 24}, 24, 32, 1, false}, // depthwise
    {"matmul", {3, 5, 16}, {16, 20}, {3, 5, 20}, 1, 32, 1, false},
    {"matmul", {5, 16}, {20, 16}, {5, 20}, 1, 16, 1, true}};

/// The command with weights stored plainly or in panels; `cacheDir` as for OpenDevice.
HostTensor runCase(const PanelsCase &c, bool inPanels, OpenDevice &device) {
  bool isConv = std::string(c.name) == "conv";
  auto src = randomTensor(c.src, 21), weights = randomTensor(c.weights, 22);
  HostTensor dst{c.dst, std::vector<float>(numElements(c.dst), NAN)};
  std::vector<Attribute> attributes = {{"layout", 2, 0, "nhwc"},
                                       {"groups", 0, c.groups},
                                       {"transposeRhs", 0, c.isTransposed}};
  if (inPanels) {
    auto form = isConv           ? hexin::PlainForm::conv
                : c.isTransposed ? hexin::PlainForm::matmulTransposed
                                 : hexin::PlainForm::matmul;
    storeInPanels(weights, form, c.width, c.panelGroups);
    attributes.push_back({"panels", 3, 0, "", {c.width, c.panelGroups}});
  }
  EXPECT_EQ(device.run(std::string("onednn.") + c.name, {&src, &weights, &dst},
                       attributes, /*constant=*/1),
            "");
  return dst;
}

TEST(OneDnn, weightsInPanels) {
  OpenDevice device(0);
  for (const PanelsCase &c : panelsCases)
    EXPECT_EQ(runCase(c, true, device).data, runCase(c, false, device).data);
}

TEST(OneDnn, panelsThatDoNotFit) {
  OpenDevice device(0);
  auto lhs = randomTensor({5, 16}, 1), rhs = randomTensor({16, 20}, 2),
       dst = randomTensor({5, 20}, 3);
  auto error = [&](Dims panels, int constant) {
    return device.run("onednn.matmul", {&lhs, &rhs, &dst}, {{"panels", 3, 0, "", panels}},
                      constant);
  };
  for (const Dims &panels : {Dims{32, 1}, Dims{0, 1}, Dims{32}, Dims{32, 0}, Dims{32, 3}})
    EXPECT_NE(error(panels, 1), "");
  EXPECT_NE(error({INT64_MAX, 1}, 1).find("overflow"), std::string::npos);
  EXPECT_NE(error({4, 1}, -1).find("not constant"), std::string::npos);
  EXPECT_EQ(error({4, 1}, 1), ""); // 20 columns in panels of 4: nothing is filled up
}

TEST(OneDnn, weightsAreKeptOnDisk) {
  std::string folder = testing::TempDir() + "hexin-onednn-XXXXXX";
  ASSERT_TRUE(mkdtemp(folder.data()));
  std::vector<HostTensor> first;
  {
    OpenDevice device(0, folder.c_str());
    for (const PanelsCase &c : panelsCases)
      first.push_back(runCase(c, true, device));
    EXPECT_EQ(device.counter("weights_reordered"), std::size(panelsCases));
    EXPECT_EQ(device.counter("weights_cached"), 0u);
    EXPECT_EQ(device.counter("no_such_counter"), 0u);
  }
  // What is in memory went with its command: as in another process.
  OpenDevice device(0, folder.c_str());
  for (size_t i = 0; i < std::size(panelsCases); ++i)
    EXPECT_EQ(runCase(panelsCases[i], true, device).data, first[i].data);
  EXPECT_EQ(device.counter("weights_reordered"), 0u);
  EXPECT_EQ(device.counter("weights_cached"), std::size(panelsCases));
  std::filesystem::remove_all(folder);
}

} // namespace
