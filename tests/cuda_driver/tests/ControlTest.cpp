//===- ControlTest.cpp - branches, barriers and what lanes do together ------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

using namespace standin;
using testing::HasSubstr;

namespace {

/// A kernel that leaves %r9 of each thread at p0.
std::string storing(const std::string &body, int target = 90) {
  return entry("mov.u32 %r0, %tid.x;\nmov.u32 %r1, %laneid;\n" + body +
                   "\nld.param.u64 %rd0, [p0];\nmad.wide.u32 %rd1, %r0, 4, %rd0;\n"
                   "st.global.b32 [%rd1], %r9;",
               1, target);
}

std::vector<uint32_t> results(const std::string &body, uint32_t threads = 32,
                              uint64_t seed = 0) {
  Kernel kernel(storing(body));
  kernel.launch.block = {threads, 1, 1};
  kernel.launch.seed = seed;
  DeviceAddress out = kernel.buffer(threads * 4);
  std::optional<Fault> fault = kernel.run();
  EXPECT_FALSE(fault) << fault->message;
  return kernel.read<uint32_t>(out, threads);
}

TEST(Control, lanesLoopAsOftenAsEachNeeds) {
  auto sums = results("mov.b32 %r9, 0;\nmov.b32 %r2, 0;\nLOOP:\n"
                      "setp.gt.u32 %p0, %r2, %r1;\n@%p0 bra DONE;\n"
                      "add.u32 %r9, %r9, %r2;\nadd.u32 %r2, %r2, 1;\nbra LOOP;\nDONE:");
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(sums[lane], lane * (lane + 1) / 2);
}

TEST(Control, branchTablesSplitTheWarp) {
  auto values = results("and.b32 %r2, %r1, 3;\nTABLE: .branchtargets A, B, C, B;\n"
                        "brx.idx %r2, TABLE;\n"
                        "A: mov.b32 %r9, 10;\nbra.uni END;\n"
                        "B: mov.b32 %r9, 20;\nbra.uni END;\n"
                        "C: mov.b32 %r9, 30;\nEND:");
  const uint32_t expected[] = {10, 20, 30, 20};
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(values[lane], expected[lane & 3]);
}

TEST(Control, fragmentsMeetAgain) {
  // Were the halves still apart, the shuffle would wait for ever.
  auto values = results("setp.lt.u32 %p0, %r1, 16;\nmov.b32 %r3, 1;\n"
                        "@%p0 bra SKIP;\nmov.b32 %r3, 2;\nSKIP:\n"
                        "shfl.sync.bfly.b32 %r9, %r3, 16, 31, -1;");
  EXPECT_EQ(values[0], 2u);
  EXPECT_EQ(values[31], 1u);
}

TEST(Control, labelsAndRegistersOfScopesAreTheirOwn) {
  auto values = results("mov.b32 %r9, 5;\n{\n.reg .b32 t;\nmov.b32 t, 7;\nbra L;\n"
                        "mov.b32 t, 8;\nL:\nadd.u32 %r9, %r9, t;\n}\n"
                        "{\n.reg .b32 t;\nmov.b32 t, 1;\nbra L;\nL:\n"
                        "add.u32 %r9, %r9, t;\n}");
  EXPECT_EQ(values[0], 13u);
}

TEST(Control, barriersOrderSharedMemory) {
  for (uint64_t seed : {0, 1, 2, 3}) {
    auto values = results(".shared .align 4 .b8 s[1024];\nmov.b64 %rd5, s;\n"
                          "mad.wide.u32 %rd6, %r0, 4, %rd5;\nst.shared.b32 [%rd6], %r0;\n"
                          "bar.sync 0;\nsub.u32 %r2, 255, %r0;\n"
                          "mad.wide.u32 %rd6, %r2, 4, %rd5;\nld.shared.b32 %r9, [%rd6];",
                          256, seed);
    for (uint32_t thread = 0; thread < 256; ++thread)
      EXPECT_EQ(values[thread], 255 - thread);
  }
}

TEST(Control, barriersWithACountLeaveTheOtherWarpsAlone) {
  auto values = results("mov.b32 %r9, 1;\nsetp.ge.u32 %p0, %r0, 64;\n@%p0 bra OUT;\n"
                        "bar.sync 1, 64;\nmov.b32 %r9, 2;\nOUT:",
                        128);
  EXPECT_EQ(values[0], 2u);
  EXPECT_EQ(values[127], 1u);
}

TEST(Control, threadsThatExitWhileOthersWaitAreNotWaitedFor) {
  auto values = results("mov.b32 %r9, 3;\nsetp.ge.u32 %p0, %r0, 20;\n@%p0 bra OUT;\n"
                        "bar.sync 0;\nbra END;\nOUT:\nexit;\nEND:");
  EXPECT_EQ(values[19], 3u);
  EXPECT_EQ(values[20], ~0u);
}

TEST(Control, exitedThreadsAreNotWaitedFor) {
  auto values = results("mov.b32 %r9, 3;\nsetp.ge.u32 %p0, %r0, 96;\n@%p0 exit;\n"
                        "bar.sync 0;",
                        128);
  EXPECT_EQ(values[95], 3u);
  EXPECT_EQ(values[96], ~0u) << "poison";
}

struct Shuffle {
  const char *text;
  uint32_t (*source)(uint32_t lane);
};

TEST(Collective, shufflesReachTheirLanes) {
  const Shuffle shuffles[] = {
      {"shfl.sync.up.b32 %r9, %r1, 4, 0, -1;",
       [](uint32_t lane) { return lane < 4 ? lane : lane - 4; }},
      {"shfl.sync.down.b32 %r9, %r1, 4, 31, -1;",
       [](uint32_t lane) { return lane + 4 > 31 ? lane : lane + 4; }},
      {"shfl.sync.bfly.b32 %r9, %r1, 5, 31, -1;", [](uint32_t lane) { return lane ^ 5; }},
      {"shfl.sync.idx.b32 %r9, %r1, 9, 31, -1;", [](uint32_t) { return 9u; }},
      // Segments of eight: mask 24 << 8, clamp 7 within the segment.
      {"shfl.sync.down.b32 %r9, %r1, 3, 6175, -1;",
       [](uint32_t lane) { return (lane & 7) + 3 > 7 ? lane : lane + 3; }},
      {"shfl.sync.idx.b32 %r9, %r1, 2, 6175, -1;",
       [](uint32_t lane) { return (lane & 24) + 2; }},
  };
  for (const Shuffle &shuffle : shuffles) {
    auto values = results(shuffle.text);
    for (uint32_t lane = 0; lane < 32; ++lane)
      EXPECT_EQ(values[lane], shuffle.source(lane)) << shuffle.text << lane;
  }
  auto inRange = results("shfl.sync.down.b32 %r2|%p0, %r1, 8, 31, -1;\n"
                         "selp.b32 %r9, 1, 0, %p0;");
  EXPECT_EQ(std::accumulate(inRange.begin(), inRange.end(), 0u), 24u);
}

TEST(Collective, votesMatchesAndReductions) {
  struct Case {
    const char *text;
    uint32_t expected; // of lane 5
  };
  const Case cases[] = {
      {"setp.lt.u32 %p0, %r1, 4;\nvote.sync.ballot.b32 %r9, %p0, -1;", 0xf},
      {"setp.lt.u32 %p0, %r1, 4;\nvote.sync.ballot.b32 %r9, !%p0, -1;", 0xfffffff0},
      {"setp.lt.u32 %p0, %r1, 4;\nvote.sync.any.pred %p1, %p0, -1;\n"
       "selp.b32 %r9, 1, 0, %p1;",
       1},
      {"setp.lt.u32 %p0, %r1, 4;\nvote.sync.all.pred %p1, %p0, -1;\n"
       "selp.b32 %r9, 1, 0, %p1;",
       0},
      {"redux.sync.add.u32 %r9, %r1, -1;", 496},
      {"sub.s32 %r2, 3, %r1;\nredux.sync.min.s32 %r9, %r2, -1;", uint32_t(-28)},
      {"redux.sync.xor.b32 %r9, %r1, -1;", 0},
      {"shr.u32 %r2, %r1, 2;\nmatch.any.sync.b32 %r9, %r2, -1;", 0xf0},
      {"match.all.sync.b32 %r9|%p0, %r1, -1;", 0},
      {"elect.sync %r9|%p0, -1;", 0},
      {"mov.b32 %r9, 0;\nsetp.gt.u32 %p0, %r1, 3;\n@%p0 activemask.b32 %r9;", 0xfffffff0},
  };
  for (const Case &row : cases)
    EXPECT_EQ(results(row.text)[5], row.expected) << row.text;
}

TEST(Collective, specialRegistersTellThePlace) {
  Kernel kernel(
      entry("mov.u32 %r0, %tid.x;\nmov.u32 %r1, %tid.y;\nmov.u32 %r2, %ntid.x;\n"
            "mov.u32 %r3, %ctaid.x;\nmov.u32 %r4, %ctaid.y;\nmov.u32 %r5, %nctaid.x;\n"
            "mad.lo.u32 %r6, %r1, %r2, %r0;\nmad.lo.u32 %r7, %r4, %r5, %r3;\n"
            "mad.lo.u32 %r8, %r7, 20, %r6;\nld.param.u64 %rd0, [p0];\n"
            "mad.wide.u32 %rd1, %r8, 4, %rd0;\nst.global.b32 [%rd1], %r8;",
            1));
  kernel.launch.block = {5, 4, 1};
  kernel.launch.grid = {3, 2, 1};
  kernel.launch.seed = 7;
  DeviceAddress out = kernel.buffer(120 * 4);
  ASSERT_FALSE(kernel.run());
  auto values = kernel.read<uint32_t>(out, 120);
  for (uint32_t i = 0; i < 120; ++i)
    EXPECT_EQ(values[i], i);
  EXPECT_EQ(kernel.counters.launches, 1u);
  EXPECT_EQ(kernel.counters.warpInstructions, 6 * 13u);
  EXPECT_EQ(kernel.counters.threadInstructions, 120 * 13u);
}

} // namespace
