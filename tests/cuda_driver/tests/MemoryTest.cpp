//===- MemoryTest.cpp - loads, stores, atomics, cp.async and their counters --------------===//
#include "tests/cuda_driver/simt/Memory.h"
#include "tests/cuda_driver/tests/Kernel.h"

#include <gtest/gtest.h>

#include <bit>

using namespace standin;

namespace {

TEST(Memory, vectorsAndWiderRegisters) {
  Kernel kernel(
      entry("ld.param.u64 %rd0, [p0];\nld.param.u64 %rd1, [p1];\n"
            "ld.global.nc.L1::no_allocate.v4.b32 {%r0, %r1, %r2, %r3}, [%rd0];\n"
            "ld.global.s8 %r4, [%rd0+3];\nld.global.u8 %h0, [%rd0+3];\n"
            "cvt.u32.u16 %r5, %h0;\n"
            "st.global.v4.b32 [%rd1], {%r3, %r2, %r1, %r0};\n"
            "st.global.v2.b32 [%rd1+16], {%r4, %r5};\nst.global.b8 [%rd1+24], %r1;",
            2));
  kernel.buffer<uint32_t>({0xfe000001, 0x12, 3, 4});
  DeviceAddress out = kernel.buffer(28);
  ASSERT_FALSE(kernel.run());
  EXPECT_EQ(
      kernel.read<uint32_t>(out, 7),
      (std::vector<uint32_t>{4, 3, 0x12, 0xfe000001, 0xfffffffe, 0xfe, 0xffffff12}));
}

TEST(Memory, spacesAndGenericAddresses) {
  Kernel kernel(
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".const .align 4 .b8 table[8] = {1, 0, 0, 0, 2};\n"
      ".global .align 4 .u32 words[2] = {7, 8};\n"
      ".extern .shared .align 16 .b8 dynamic[];\n.shared .b32 fixed;\n"
      ".entry k(.param .u64 p0, .param .align 4 .b8 p1[8])\n{\n"
      ".local .align 8 .b8 depot[16];\n.reg .b64 %rd<10>;\n.reg .b32 %r<10>;\n"
      "ld.param.u64 %rd0, [p0];\nld.const.b32 %r0, [table+4];\nld.global.b32 %r1, "
      "[words+4];\n"
      "st.shared.b32 [fixed], 9;\nmov.b64 %rd1, dynamic;\nst.shared.b32 [%rd1+4], 10;\n"
      "cvta.shared.u64 %rd2, %rd1;\nld.b32 %r2, [%rd2+4];\n"
      "mov.b64 %rd3, depot;\ncvta.local.u64 %rd4, %rd3;\nst.b32 [%rd4+8], 11;\n"
      "ld.local.b32 %r3, [depot+8];\nld.param.b32 %r4, [p1+4];\nld.shared.b32 %r5, "
      "[fixed];\n"
      "st.global.v4.b32 [%rd0], {%r0, %r1, %r2, %r3};\nst.global.v2.b32 [%rd0+16], {%r4, "
      "%r5};\n"
      "ret;\n}\n");
  DeviceAddress out = kernel.buffer(24);
  kernel.launch.params.resize(16);
  uint32_t last = 12;
  std::memcpy(kernel.launch.params.data() + 12, &last, 4);
  kernel.launch.dynamicSharedBytes = 8;
  std::optional<Fault> fault = kernel.run();
  ASSERT_FALSE(fault) << fault->message;
  EXPECT_EQ(kernel.read<uint32_t>(out, 6), (std::vector<uint32_t>{2, 8, 10, 11, 12, 9}));
}

TEST(Memory, packsAndUnpacks) {
  Kernel kernel(entry("ld.param.u64 %rd0, [p0];\nmov.b32 %r0, 0x11112222;\n"
                      "mov.b32 {%h0, %h1}, %r0;\nmov.b32 %r1, {%h1, %h0};\n"
                      "mov.b64 %rd1, {%r0, %r1};\nmov.b64 {_, %r2}, %rd1;\n"
                      "st.global.v2.b32 [%rd0], {%r1, %r2};",
                      1));
  DeviceAddress out = kernel.buffer(8);
  ASSERT_FALSE(kernel.run());
  EXPECT_EQ(kernel.read<uint32_t>(out, 2),
            (std::vector<uint32_t>{0x22221111, 0x22221111}));
}

/// One atomic by each of 32 lanes with the lane's number as operand.
uint64_t atomicResult(const std::string &text, uint64_t initial,
                      const std::string &prologue = "") {
  Kernel kernel(entry("ld.param.u64 %rd0, [p0];\nmov.u32 %r0, %laneid;\n"
                      "cvt.u64.u32 %rd1, %r0;\n" +
                          prologue + text,
                      1));
  DeviceAddress out = kernel.buffer<uint64_t>({initial});
  std::optional<Fault> fault = kernel.run();
  EXPECT_FALSE(fault) << fault->message;
  return kernel.read<uint64_t>(out, 1)[0];
}

TEST(Memory, atomics) {
  uint64_t one = std::bit_cast<uint32_t>(1.0f), x = std::bit_cast<uint32_t>(33.0f);
  EXPECT_EQ(atomicResult("atom.global.add.u32 %r1, [%rd0], %r0;", 4), 500u);
  EXPECT_EQ(atomicResult("red.global.add.f32 [%rd0], 0f3F800000;", one), x);
  EXPECT_EQ(atomicResult("red.relaxed.gpu.global.max.s32 [%rd0], %r0;", 0xffffffff), 31u);
  EXPECT_EQ(atomicResult("atom.min.u32 %r1, [%rd0], %r0;", 77), 0u);
  EXPECT_EQ(atomicResult("atom.global.inc.u32 %r1, [%rd0], 4;", 0), 2u);
  EXPECT_EQ(atomicResult("atom.global.dec.u32 %r1, [%rd0], 4;", 0), 3u);
  EXPECT_EQ(atomicResult("atom.global.exch.b64 %rd2, [%rd0], %rd1;", 0), 31u);
  EXPECT_EQ(
      atomicResult("add.u32 %r2, %r0, 1;\natom.global.cas.b32 %r1, [%rd0], %r0, %r2;", 0),
      32u);
  EXPECT_EQ(atomicResult("red.global.add.noftz.f16x2 [%rd0], %r5;", 0,
                         "mov.b32 %r5, 0x3c004000;\n"),
            0x50005400u);
}

TEST(Memory, asynchronousCopiesArriveWithTheirWait) {
  // Group 0 copies word 0, group 1 word 1; wait_group 1 demands group 0 only.
  Kernel kernel(
      entry(".shared .align 16 .b8 s[32];\nld.param.u64 %rd0, [p0];\n"
            "ld.param.u64 %rd1, [p1];\nmov.b64 %rd2, s;\n"
            "cp.async.cg.shared.global [%rd2], [%rd0], 16;\ncp.async.commit_group;\n"
            "cp.async.ca.shared.global [%rd2+16], [%rd0+16], 16, 4;\n"
            "cp.async.commit_group;\ncp.async.wait_group 1;\n"
            "ld.shared.v2.b32 {%r0, %r1}, [s+8];\nld.shared.b32 %r2, [s+16];\n"
            "cp.async.wait_all;\nld.shared.v2.b32 {%r3, %r4}, [s+16];\n"
            "st.global.v4.b32 [%rd1], {%r0, %r1, %r2, %r3};\n"
            "st.global.b32 [%rd1+16], %r4;",
            2));
  kernel.buffer<uint32_t>({1, 2, 3, 4, 5, 6, 7, 8});
  DeviceAddress out = kernel.buffer(20);
  kernel.launch.block = {1, 1, 1};
  std::optional<Fault> fault = kernel.run();
  ASSERT_FALSE(fault) << fault->message;
  EXPECT_EQ(kernel.read<uint32_t>(out, 5), (std::vector<uint32_t>{3, 4, ~0u, 5, 0}));
}

TEST(Counters, sectorsOfGoodAndBadAccess) {
  auto sectors = [](unsigned stride) {
    Kernel kernel(entry("ld.param.u64 %rd0, [p0];\nmov.u32 %r0, %tid.x;\n"
                        "mad.wide.u32 %rd1, %r0, " +
                            std::to_string(stride) +
                            ", %rd0;\nld.global.b32 %r1, [%rd1];",
                        1));
    kernel.buffer(32 * 128);
    EXPECT_FALSE(kernel.run());
    return std::pair(kernel.counters.globalSectors, kernel.counters.idealGlobalSectors);
  };
  EXPECT_EQ(sectors(4), std::pair(uint64_t(4), uint64_t(4)));
  EXPECT_EQ(sectors(8), std::pair(uint64_t(8), uint64_t(4)));
  EXPECT_EQ(sectors(128), std::pair(uint64_t(32), uint64_t(4)));
  EXPECT_EQ(sectors(0), std::pair(uint64_t(1), uint64_t(1)));
}

TEST(Counters, wavefrontsOfBankConflicts) {
  auto taken = [](unsigned stride, unsigned bytes) {
    std::array<uint64_t, numLanes> addresses;
    for (unsigned lane = 0; lane < numLanes; ++lane)
      addresses[lane] = lane * stride;
    return countWavefronts(addresses, allLanes, bytes).taken;
  };
  EXPECT_EQ(taken(4, 4), 1u);
  EXPECT_EQ(taken(0, 4), 1u);
  EXPECT_EQ(taken(8, 4), 2u);
  EXPECT_EQ(taken(128, 4), 32u);
  EXPECT_EQ(taken(132, 4), 1u);
  EXPECT_EQ(taken(8, 8), 2u);
  EXPECT_EQ(taken(16, 16), 4u);
  EXPECT_EQ(taken(32, 16), 8u);
}

} // namespace
