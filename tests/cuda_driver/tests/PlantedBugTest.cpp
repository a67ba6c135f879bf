//===- PlantedBugTest.cpp - kernels that are wrong, and must not seem right ---------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace standin;
using testing::AllOf;
using testing::HasSubstr;

namespace {

constexpr int illegalAddress = 700, launchTimeout = 702, illegalInstruction = 715,
              misalignedAddress = 716, launchFailed = 719;

Fault faultOf(const std::string &body, uint32_t threads = 32, uint64_t bytes = 128,
              uint64_t seed = 0) {
  Kernel kernel(entry("mov.u32 %r0, %tid.x;\nld.param.u64 %rd0, [p0];\n"
                      "mad.wide.u32 %rd1, %r0, 4, %rd0;\n" +
                          body,
                      1));
  kernel.buffer(bytes);
  kernel.launch.block = {threads, 1, 1};
  kernel.launch.seed = seed;
  return kernel.run().value_or(Fault{});
}

TEST(PlantedBug, accessPastABuffer) {
  Fault fault = faultOf("ld.global.b32 %r1, [%rd1+4];");
  EXPECT_EQ(fault.code, illegalAddress);
  EXPECT_THAT(fault.message,
              AllOf(HasSubstr("kernel 'k'"), HasSubstr("PTX line"), HasSubstr("lane 31"),
                    HasSubstr("128 bytes from the beginning of an allocation of 128")));
  EXPECT_EQ(faultOf("st.global.b32 [%rd1+-4], %r0;").code, illegalAddress);
  EXPECT_EQ(faultOf("ld.global.b32 %r1, [%rd1];").code, 0);
  EXPECT_EQ(
      faultOf(".shared .b32 s[4];\nmov.b64 %rd2, s;\nld.shared.b32 %r1, [%rd2+16];").code,
      illegalAddress);
  EXPECT_EQ(faultOf(".local .b32 l[4];\nst.local.b32 [l+16], 1;").code, illegalAddress);
}

TEST(PlantedBug, hostPointerOnTheDevice) {
  Fault fault = faultOf("mov.b64 %rd2, 0x7fff12345678;\nld.global.b32 %r1, [%rd2];");
  EXPECT_EQ(fault.code, illegalAddress);
  EXPECT_EQ(faultOf("mov.b64 %rd2, 0;\nst.b32 [%rd2], 1;").code, illegalAddress);
}

TEST(PlantedBug, useAfterRelease) {
  Kernel kernel(entry("ld.param.u64 %rd0, [p0];\nld.global.b32 %r1, [%rd0];", 1));
  kernel.memory.release(kernel.buffer(64));
  EXPECT_EQ(kernel.run()->code, illegalAddress);
}

TEST(PlantedBug, misalignedVector) {
  Fault fault = faultOf("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1];", 2);
  EXPECT_EQ(fault.code, misalignedAddress);
  EXPECT_THAT(fault.message, HasSubstr("lane 1"));
}

TEST(PlantedBug, removedBarrier) {
  std::string body =
      ".shared .align 4 .b8 s[256];\nmov.b64 %rd5, s;\n"
      "mad.wide.u32 %rd6, %r0, 4, %rd5;\nst.shared.b32 [%rd6], %r0;\n"
      "bar.sync 0;\nxor.b32 %r2, %r0, 63;\nmad.wide.u32 %rd6, %r2, 4, %rd5;\n"
      "ld.shared.b32 %r3, [%rd6];\nst.global.b32 [%rd1], %r3;";
  auto firstWrong = [&](const std::string &text, bool sabotaged) {
    Kernel kernel(entry("mov.u32 %r0, %tid.x;\nld.param.u64 %rd0, [p0];\n"
                        "mad.wide.u32 %rd1, %r0, 4, %rd0;\n" +
                            text,
                        1));
    DeviceAddress out = kernel.buffer(256);
    kernel.launch.block = {64, 1, 1};
    kernel.launch.sabotage.dropsBarriers = sabotaged;
    EXPECT_FALSE(kernel.run());
    auto values = kernel.read<uint32_t>(out, 64);
    for (uint32_t i = 0; i < 64; ++i)
      if (values[i] != (i ^ 63))
        return int(i);
    return -1;
  };
  EXPECT_EQ(firstWrong(body, false), -1);
  EXPECT_EQ(firstWrong(body, true), 0);
  size_t at = body.find("bar.sync 0;\n");
  EXPECT_EQ(firstWrong(body.erase(at, 12), false), 0);
}

TEST(PlantedBug, barrierInADivergentBranch) {
  Fault fault = faultOf("setp.lt.u32 %p0, %r0, 16;\n@!%p0 bra SKIP;\nbar.sync 0;\n"
                        "st.global.b32 [%rd1], %r0;\nSKIP:\nbar.sync 0;");
  EXPECT_EQ(fault.code, launchTimeout);
  EXPECT_THAT(fault.message,
              AllOf(HasSubstr("deadlock"), HasSubstr("lanes 0xffff wait")));
}

TEST(PlantedBug, barrierThatOneWarpMisses) {
  Fault fault =
      faultOf("setp.lt.u32 %p0, %r0, 32;\n@%p0 bra.uni SKIP;\nbar.sync 1;\nSKIP:\n"
              "bar.sync 0;",
              64);
  EXPECT_EQ(fault.code, launchTimeout);
  EXPECT_THAT(fault.message, AllOf(HasSubstr("(barrier 1)"), HasSubstr("(barrier 0)")));
}

TEST(PlantedBug, shuffleWithALaneThatHasExited) {
  Fault fault = faultOf("setp.ge.u32 %p0, %r0, 24;\n@%p0 exit;\n"
                        "shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;");
  EXPECT_EQ(fault.code, illegalInstruction);
  EXPECT_THAT(fault.message, HasSubstr("lanes 0xff000000"));
}

TEST(PlantedBug, shuffleInADivergentBranch) {
  Fault fault = faultOf("setp.ge.u32 %p0, %r0, 24;\n@%p0 bra END;\n"
                        "shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;\nEND:");
  EXPECT_THAT(fault.message, HasSubstr("lanes 0xff000000"));
  EXPECT_NE(faultOf("shfl.sync.bfly.b32 %r1, %r0, 1, 31, 15;").code, 0) << "no member";
  EXPECT_NE(faultOf("setp.lt.u32 %p0, %r0, 8;\n"
                    "@%p0 shfl.sync.idx.b32 %r1, %r0, 9, 31, 255;")
                .code,
            0)
      << "reads a lane that is no member";
}

TEST(PlantedBug, shufflesOfTheTwoSidesOfABranch) {
  Fault fault = faultOf("setp.ge.u32 %p0, %r0, 24;\n@%p0 bra OTHER;\n"
                        "shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;\nbra END;\nOTHER:\n"
                        "shfl.sync.bfly.b32 %r1, %r0, 2, 31, -1;\nEND:");
  EXPECT_EQ(fault.code, launchTimeout);
  EXPECT_THAT(fault.message, AllOf(HasSubstr("lanes 0xffffff wait"),
                                   HasSubstr("lanes 0xff000000 wait")));
}

TEST(PlantedBug, waitForAGroupTooFew) {
  auto firstWord = [](const char *wait, bool dropped) {
    Kernel kernel(entry(".shared .align 16 .b8 s[16];\nld.param.u64 %rd0, [p0];\n"
                        "ld.param.u64 %rd1, [p1];\nmov.b64 %rd2, s;\n"
                        "cp.async.ca.shared.global [%rd2], [%rd0], 4;\n"
                        "cp.async.commit_group;\n" +
                            std::string(wait) +
                            "\nld.shared.b32 %r0, [s];\nst.global.b32 [%rd1], %r0;",
                        2));
    kernel.buffer<uint32_t>({42});
    DeviceAddress out = kernel.buffer(4);
    kernel.launch.sabotage.dropsAsyncCopies = dropped;
    EXPECT_FALSE(kernel.run());
    return kernel.read<uint32_t>(out, 1)[0];
  };
  EXPECT_EQ(firstWord("cp.async.wait_group 0;", false), 42u);
  EXPECT_EQ(firstWord("cp.async.wait_group 1;", false), ~0u);
  EXPECT_EQ(firstWord("", false), ~0u);
  EXPECT_EQ(firstWord("cp.async.wait_group 0;", true), ~0u);
}

TEST(PlantedBug, registerThatNobodyWrote) {
  Kernel kernel(entry("ld.param.u64 %rd0, [p0];\nst.global.b32 [%rd0], %r7;", 1));
  DeviceAddress out = kernel.buffer<uint32_t>({0});
  ASSERT_FALSE(kernel.run());
  EXPECT_EQ(kernel.read<uint32_t>(out, 1)[0], ~0u);
}

TEST(PlantedBug, sabotageOfShufflesAndProducts) {
  auto value = [](const std::string &text, Sabotage sabotage) {
    Kernel kernel(entry("mov.u32 %r0, %laneid;\nmov.f32 %f0, 0f40000000;\n" + text +
                            "\nld.param.u64 %rd0, [p0];\nst.global.b32 [%rd0], %r1;",
                        1));
    DeviceAddress out = kernel.buffer(4);
    kernel.launch.sabotage = sabotage;
    EXPECT_FALSE(kernel.run());
    return kernel.read<uint32_t>(out, 1)[0];
  };
  Sabotage shuffles, products;
  shuffles.breaksShuffles = true;
  products.breaksFma = true;
  const char *shuffle = "shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;";
  const char *product = "fma.rn.f32 %f1, %f0, %f0, %f0;\nmov.b32 %r1, %f1;";
  EXPECT_NE(value(shuffle, {}), value(shuffle, shuffles));
  EXPECT_NE(value(product, {}), value(product, products));
}

TEST(PlantedBug, kernelsThatNeverEndOrTrap) {
  EXPECT_EQ(faultOf("trap;").code, launchFailed);
  // A warp that waits for what a later one writes goes on when that one had its turn.
  EXPECT_EQ(
      faultOf("setp.ge.u32 %p0, %r0, 32;\n@%p0 bra WRITE;\nSPIN:\n"
              "ld.volatile.global.b32 %r1, [%rd0];\nsetp.ne.b32 %p1, %r1, 5;\n"
              "@%p1 bra SPIN;\nbra END;\nWRITE:\nst.volatile.global.b32 [%rd0], 5;\nEND:",
              64)
          .code,
      0);
}

} // namespace
