//===- ParserTest.cpp - what is not known is an error with its line ----------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>

using namespace standin;
using testing::HasSubstr;

namespace {

TEST(Parser, readsWhatADriverMustKnow) {
  auto parsed = parseModule(
      "// a comment\n.version 8.3\n.target sm_90a\n.address_size 64\n"
      ".visible .global .align 4 .b8 g[16] = {1, 2};\n.const .u32 c = 5;\n"
      ".visible .entry first(\n\t.param .u64 .ptr .global .align 16 first_param_0,\n"
      "\t.param .u32 first_param_1,\n\t.param .u64 first_param_2\n)\n"
      ".maxntid 256, 1, 1\n.minnctapersm 2\n{\n\t.reg .b32 \t%r<4>;\n\t.reg .b64 "
      "%rd<2>;\n"
      "\t.shared .align 16 .b8 s[100];\n\t.local .align 8 .b8 l[24];\n\tret;\n}\n"
      ".entry second()\n.reqntid 32\n{ exit; }\n");
  auto *error = std::get_if<ParseError>(&parsed);
  ASSERT_FALSE(error) << error->line << error->message;
  Module &module = *std::get<std::unique_ptr<Module>>(parsed);
  EXPECT_EQ(module.version, 83);
  EXPECT_EQ(module.target, 90);
  EXPECT_TRUE(module.isArchSpecific);
  ASSERT_EQ(module.globals.size(), 2u);
  EXPECT_EQ(module.globals[0].bytes, 16u);
  EXPECT_EQ(module.globals[0].init, (std::vector<uint8_t>{1, 2}));
  EXPECT_TRUE(module.globals[1].isConstant);
  ASSERT_EQ(module.entries.size(), 2u);
  const Entry &first = module.entries[0];
  EXPECT_EQ(first.params.size(), 3u);
  EXPECT_EQ(first.params[2].offset, 16u);
  EXPECT_EQ(first.paramBytes, 24u);
  EXPECT_EQ(first.maxThreads[0], 256u);
  EXPECT_EQ(first.staticSharedBytes, 100u);
  EXPECT_EQ(first.localBytes, 24u);
  EXPECT_EQ(first.registers, 8u);
  EXPECT_EQ(module.entries[1].requiredThreads, (std::array<uint32_t, 3>{32, 1, 1}));
}

struct Bad {
  const char *body, *message;
};

TEST(Parser, refusesWithTheLine) {
  const Bad bodies[] = {
      {"frobnicate.b32 %r0, %r1;", "instruction 'frobnicate.b32' is not known"},
      {"add.rn.s32 %r0, %r1, %r2;", "modifier '.rn' is not known"},
      {"add.s32 %r0, %r1;", "operands, expected at least 3"},
      {"add.s32 %r0, %r1, %r2, %r3;", "has 4 operands, expected 3"},
      {"add.s32 %r0, %r1, %rd2;", "register '%rd2' has 64 bits"},
      {"add.s32 %r0, %r1, %r99;", "'%r99' is not known"},
      {"and.pred %p0, %p1, !%p2;", "'!' belongs before"},
      {"mov.b128 {%rd0, %rd1}, 5;", "128 bits"},
      {"add.s32 5, %r1, %r2;", "a destination must be a register"},
      {"fma.f32 %f0, %f1, %f2, %f3;", "needs a rounding"},
      {"cvt.s32.f32 %r0, %f1;", "needs a rounding"},
      {"cvt.rn.s32.f32 %r0, %f1;", "rounding to an integer"},
      {"bra NOWHERE;", "label 'NOWHERE' is not defined"},
      {"@%r0 bra X;\nX:", "'%r0' is no predicate"},
      {"mov.b32 %r0, 1", "expected ';'"},
      {"mov.b32 %r0, 0f3F;", "is no number"},
      {"call.uni foo, ();", "calls are not supported"},
      {"st.param.b32 [p0], %r0;", "read-only"},
      {"setp.lt.b32 %p0, %r0, %r1;", "bits have no order"},
      {"mul.s32 %r0, %r1, %r2;", "needs .lo, .hi or .wide"},
      {"shfl.bfly.b32 %r0, %r1, 1, 31;", "needs .sync"},
      {".reg .b32 %r0;", "declared twice"},
      {".frob 3;", "directive '.frob' is not known"},
      {"cp.async.cg.shared.global [%rd0], [%rd1], 8;", "cannot copy 8 bytes"},
      {"ld.global.v2.b32 {%r0}, [%rd0];", "has 1 elements, expected 2"},
  };
  for (const Bad &bad : bodies) {
    std::string text = entry("", 1);
    size_t end = text.rfind("\nret;");
    int line = 1 + int(std::count(text.begin(), text.begin() + end + 1, '\n'));
    ParseError error = parseErrorOf(text.insert(end + 1, std::string(bad.body) + "\n"));
    EXPECT_THAT(error.message, HasSubstr(bad.message)) << bad.body;
    // The ';' is missed where the next line begins.
    EXPECT_EQ(error.line, std::string(bad.body).ends_with("1") ? line + 1 : line)
        << bad.body;
  }
}

TEST(Parser, refusesWhatTheTargetLacks) {
  auto errorFor = [](const std::string &body, int target) {
    return parseErrorOf(entry(body, 0, target)).message;
  };
  EXPECT_THAT(errorFor("cp.async.wait_all;", 75), HasSubstr("needs .target sm_80"));
  EXPECT_EQ(errorFor("cp.async.wait_all;", 80), "");
  EXPECT_THAT(errorFor("add.rn.bf16x2 %r0, %r1, %r2;", 80), HasSubstr("sm_90"));
  EXPECT_THAT(errorFor("elect.sync %r0|%p0, -1;", 80), HasSubstr("sm_90"));
}

TEST(Parser, survivesTextsThatAreCutShort) {
  std::string text = entry(".shared .align 16 .b8 s[32];\nld.param.u64 %rd0, [p0];\n"
                           "{ mov.b64 {%r0, %r1}, %rd0; }\n"
                           "@!%p0 add.f32 %f0, %f1, 0f3F800000;\nL: bra L;",
                           1);
  // The head alone is a module, an empty one.
  for (size_t length = text.find(".visible") + 1; length + 2 < text.size(); ++length)
    EXPECT_NE(parseErrorOf(text.substr(0, length)).message, "") << length;
}

/// Words of a good text exchanged at random: read or refused, never worse.
TEST(Parser, survivesWordsThatAreOutOfPlace) {
  std::string text = entry(
      ".shared .align 16 .b8 s[32];\n.local .b32 l[4];\nld.param.u64 %rd0, [p0];\n"
      "{ .reg .b32 t; mov.b64 {t, %r0}, %rd0; mov.b32 %r1, {%h0, %h1}; }\n"
      "@!%p0 add.rn.ftz.f32 %f0, %f1, 0f3F800000;\nfma.rn.f16x2 %r1, %r2, %r3, %r4;\n"
      "setp.lt.and.s32 %p1|%p2, %r1, -5, !%p0;\ncvt.rn.f16x2.f32 %r2, %f0, %f1;\n"
      "ld.global.v4.b32 {%r1, %r2, %r3, _}, [%rd0+-16];\natom.shared.cas.b32 %r5, [s], "
      "1, 2;\n"
      "shfl.sync.bfly.b32 %r6|%p3, %r1, 1, 31, -1;\nvote.sync.ballot.b32 %r7, %p0, -1;\n"
      "cp.async.ca.shared.global [s], [%rd0], 16, %r1;\ncp.async.wait_group 1;\n"
      "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r8, %r9}, [s];\n"
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f2, %f3, %f4, %f5}, "
      "{%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f2, %f3, %f4, %f5};\n"
      "lop3.b32 %r1, %r2, %r3, %r4, 0x96;\nT: .branchtargets L, L;\nbrx.idx %r1, T;\n"
      "L: @%p0 bra.uni L;\nbar.sync 1, 64;\nmov.u32 %r1, %tid.x;",
      1);
  ASSERT_EQ(parseErrorOf(text).message, "");
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) &&
           std::isalnum(static_cast<unsigned char>(text[end])))
      ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  std::mt19937 random(5);
  unsigned refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> changed = words;
    for (int change = 0; change < 1 + round % 3; ++change)
      changed[random() % words.size()] = words[random() % words.size()];
    std::string joined;
    for (const std::string &word : changed)
      joined += word;
    refused += !parseErrorOf(joined).message.empty();
  }
  EXPECT_GT(refused, 1000u);
}

TEST(Parser, refusesModulesItCannotRun) {
  const std::string head = ".version 8.0\n.target sm_80\n.address_size 64\n";
  EXPECT_THAT(parseErrorOf("").message, HasSubstr("expected '.version'"));
  EXPECT_THAT(parseErrorOf(".version 8\n.target sm_80").message,
              HasSubstr("no PTX version"));
  EXPECT_THAT(parseErrorOf(".version 8.0\n.target gfx906").message,
              HasSubstr("target 'gfx906'"));
  EXPECT_THAT(parseErrorOf(head + ".extern .func llvm.nvvm.what;").message,
              HasSubstr("functions are not supported"));
  EXPECT_THAT(parseErrorOf(head + ".global .b8 x[99999999999];").message,
              HasSubstr("too large"));
  EXPECT_THAT(parseErrorOf(head + ".entry k()\n{ .reg .b32 %r<99999999>; }").message,
              HasSubstr("more than a million"));
}

} // namespace
