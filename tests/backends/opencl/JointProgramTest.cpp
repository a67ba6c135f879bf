// Modules that wait together become one program; what does not go together does not
// harm what does.
#include "tests/backends/opencl/OpenclTesting.h"

#include <cstdlib>
#include <filesystem>

namespace hexin::test {
namespace {

const std::string head = "// OpenCL C 1.2\n\n";

/// A kernel that fills its output with p0 * `factor`.
std::string fill(const std::string &name, int factor) {
  return "static inline int times_" + std::to_string(factor) +
         "(long x) {\n  return (int)x * " + std::to_string(factor) +
         ";\n}\n\n__kernel void " + name +
         "(__global uchar *b0, ulong o0, long p0, long items) {\n"
         "  const long i = get_global_id(0);\n"
         "  if (i < items)\n"
         "    ((__global int *)(b0 + o0))[i] = times_" +
         std::to_string(factor) + "(p0);\n}\n\n";
}

class OpenclJointProgram : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "hexin-joint-XXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    folder = pattern;
    if (!TestDevice().device)
      GTEST_SKIP() << "no OpenCL device";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string folder;
};

/// 7 times the kernel's factor, or the error.
std::string use(TestDevice &test, hexin_module *module, const std::string &name,
                int expected) {
  std::vector<int> out(5);
  std::string error = runKernel(test, module, name, {bound(out)}, {7}, 5);
  if (error.empty() && out != std::vector<int>(5, expected))
    return "got " + std::to_string(out[0]);
  return error;
}

uint64_t built(const TestDevice &test) {
  return test.api->counter(test.device, "kernels_compiled");
}
uint64_t cached(const TestDevice &test) {
  return test.api->counter(test.device, "kernels_cached");
}

TEST_F(OpenclJointProgram, WaitingModulesAreBuiltOnce) {
  for (uint64_t fromText : {1, 0}) { // then from the cache
    TestDevice test(folder.c_str());
    hexin_module *a = test.load(head + fill("fill_a", 2));
    hexin_module *b = test.load(head + fill("fill_b", 2) + fill("fill_c", 3));
    EXPECT_EQ(built(test), 0u);
    EXPECT_EQ(use(test, b, "fill_c", 21), "");
    EXPECT_EQ(use(test, a, "fill_a", 14), "");
    test.api->unload(test.device, a); // b keeps what it is in
    EXPECT_EQ(use(test, b, "fill_b", 14), "");
    EXPECT_EQ(built(test), fromText);
    EXPECT_EQ(cached(test), 1 - fromText);
    test.api->unload(test.device, b);
  }
}

TEST_F(OpenclJointProgram, OneNameOfTwoMeaningsIsTwoPrograms) {
  TestDevice test;
  hexin_module *a = test.load(head + fill("fill_it", 2));
  hexin_module *b = test.load(head + fill("fill_it", 3));
  EXPECT_EQ(use(test, a, "fill_it", 14), "");
  EXPECT_EQ(use(test, b, "fill_it", 21), "");
  EXPECT_EQ(built(test), 2u);
  test.api->unload(test.device, a);
  test.api->unload(test.device, b);
}

TEST_F(OpenclJointProgram, WhatCannotBeBuiltFailsAlone) {
  TestDevice test;
  hexin_module *bad =
      test.load(head + "__kernel void broken(__global int *x) {\n  nonsense;\n}\n");
  hexin_module *good = test.load(head + fill("fill_it", 2));
  EXPECT_EQ(use(test, good, "fill_it", 14), "");
  EXPECT_NE(use(test, bad, "broken", 0).find("build log: "), std::string::npos);
  EXPECT_NE(use(test, bad, "broken", 0).find("nonsense"), std::string::npos);
  test.api->unload(test.device, bad);
  test.api->unload(test.device, good);
}

TEST_F(OpenclJointProgram, OtherHeadsAreOtherPrograms) {
  TestDevice test;
  hexin_module *a = test.load(head + fill("fill_a", 2));
  hexin_module *b = test.load("// another head\n\n" + fill("fill_b", 3));
  EXPECT_EQ(use(test, a, "fill_a", 14), "");
  EXPECT_EQ(built(test), 1u);
  EXPECT_EQ(use(test, b, "fill_b", 21), "");
  EXPECT_EQ(built(test), 2u);
  test.api->unload(test.device, a);
  test.api->unload(test.device, b);
}

TEST_F(OpenclJointProgram, UnloadedModulesAreNotBuilt) {
  TestDevice test;
  hexin_module *a =
      test.load(head + "__kernel void broken(__global int *x) {\n  nonsense;\n}\n");
  test.api->unload(test.device, a);
  hexin_module *b = test.load(head + fill("fill_b", 3));
  EXPECT_EQ(use(test, b, "fill_b", 21), "");
  EXPECT_EQ(built(test), 1u);
  test.api->unload(test.device, b);
}

} // namespace
} // namespace hexin::test
