// Kernels that work-groups run together. This process says that the device's local
// memory is worth using (HEXIN_OPENCL_LOCAL_MEMORY=1, see CMakeLists.txt).
#include "tests/backends/opencl/OpenclTesting.h"

#include <gmock/gmock.h>

#include <numeric>

namespace hexin::test {
namespace {

using testing::HasSubstr;

/// `body` for teams of `threads`, with %t for the thread's number, %local for 8 shared
/// floats.
std::string teamKernel(const std::string &body, const std::string &threads = "8") {
  std::string text = kernel("team_f32", {"f32", "f32"}, 0, body);
  auto insertBefore = [&](const std::string &mark, const std::string &what) {
    text.insert(text.find(mark), what);
  };
  insertBefore("hx.bindings",
               "hx.team_threads = " + threads + " : i64, hx.local_bytes = 32 : i64, ");
  insertBefore("%one_ = ", "%t = gpu.thread_id x\n%local = memref.alloca() : "
                           "memref<8xf32, #gpu.address_space<workgroup>>\n");
  return text;
}

/// out[8 * item + t] = in[8 * item + 7 - t]
const char *reverse = R"(
    %c7 = arith.constant 7 : index
    %c8 = arith.constant 8 : index
    %first = arith.muli %i, %c8 : index
    %at = arith.addi %first, %t : index
    %x = memref.load %b0[%at] : memref<?xf32>
    memref.store %x, %local[%t] : memref<8xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %other = arith.subi %c7, %t : index
    %y = memref.load %local[%other] : memref<8xf32, #gpu.address_space<workgroup>>
    memref.store %y, %b1[%at] : memref<?xf32>)";

std::string refusal(const std::string &mlirText) {
  std::string errors;
  EXPECT_EQ(emitOpencl(mlirText, &errors), "");
  return errors;
}

TEST(OpenclTeams, AreWorkGroups) {
  std::string text = emitOpencl(teamKernel(reverse));
  for (const char *part :
       {"#ifdef HXH_LOCAL_MEMORY\n__kernel __attribute__((reqd_work_group_size(8, 1, "
        "1)))",
        "const long begin = get_group_id(0);", "__local float l", "get_local_id(0)",
        "barrier(CLK_LOCAL_MEM_FENCE);", "}\n#endif\n"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(OpenclTeams, OnlyTeamKernelsShare) {
  EXPECT_THAT(refusal(kernel("alone", {"f32"}, 0, "gpu.barrier")),
              HasSubstr("no hx.team_threads"));
  EXPECT_THAT(refusal(teamKernel("gpu.barrier", "0")),
              HasSubstr("is no number of threads"));
  EXPECT_THAT(refusal(teamKernel("%y = gpu.thread_id y\n%z = memref.load %b0[%y] : "
                                 "memref<?xf32>\nmemref.store %z, %b1[%y] : "
                                 "memref<?xf32>")),
              HasSubstr("teams have one dimension"));
  EXPECT_THAT(refusal(teamKernel(
                  "%l = memref.alloca() : memref<8xf32, #gpu.address_space<workgroup>>\n"
                  "%z = memref.load %l[%t] : memref<8xf32, #gpu.address_space<workgroup>>"
                  "\nmemref.store %z, %b1[%t] : memref<?xf32>")),
              HasSubstr("inside of a loop or branch"));
}

class OpenclTeamLaunch : public testing::Test {
protected:
  void SetUp() override {
    if (!test.device)
      GTEST_SKIP() << "no OpenCL device: " << test.error.message;
    module = test.load(emitOpencl(teamKernel(reverse)));
    ASSERT_TRUE(module) << test.error.message;
  }
  void TearDown() override {
    if (module)
      test.api->unload(test.device, module);
  }
  /// The code of preparing a launch in teams of `threads`.
  StatusCode prepare(uint32_t threads) {
    hexin_binding bindings[2] = {};
    hexin_command_desc desc{};
    desc.struct_size = sizeof desc;
    desc.module = module;
    desc.name = "team_f32";
    desc.bindings = bindings;
    desc.binding_count = 2;
    desc.items = 4;
    desc.grain = 1;
    desc.team_threads = threads;
    desc.local_bytes = 32;
    hexin_command *command = nullptr;
    if (test.api->prepare(test.device, &desc, &command, &test.error) != 0)
      return test.code();
    test.api->discard(test.device, command);
    return StatusCode::ok;
  }

  TestDevice test;
  hexin_module *module = nullptr;
};

TEST_F(OpenclTeamLaunch, RunsOneGroupPerItem) {
  std::vector<float> in(40), out(40, -1);
  std::iota(in.begin(), in.end(), 0.0f);
  // The last item is not asked for.
  EXPECT_EQ(runKernel(test, module, "team_f32", {bound(in), bound(out)}, {}, 4, 1, 8),
            "");
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(out[i], i < 32 ? float(i / 8 * 8 + 7 - i % 8) : -1.0f) << i;
}

TEST_F(OpenclTeamLaunch, ChecksItsSize) {
  EXPECT_EQ(prepare(8), StatusCode::ok);
  EXPECT_EQ(prepare(16), StatusCode::corruptData);
  EXPECT_THAT(test.error.message, HasSubstr("compiled for work-groups of 8 x 1 x 1"));
}

TEST_F(OpenclTeamLaunch, ReportsWhatTheDeviceHas) {
  EXPECT_TRUE(test.info.flags & HEXIN_DEVICE_LOCAL_MEMORY);
  EXPECT_GE(test.info.max_team_threads, 1u);
  EXPECT_GE(test.info.local_memory_bytes, 32u * 1024);
}

} // namespace
} // namespace hexin::test
