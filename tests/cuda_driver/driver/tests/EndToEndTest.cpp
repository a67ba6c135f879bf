//===- EndToEndTest.cpp - PTX text through the driver, run by the interpreter -----------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

constexpr const char *axpyText = R"(
.version 8.0
.target sm_80
.address_size 64

.visible .global .align 4 .f32 bias = 0f3F000000; // 0.5

.visible .entry axpy(.param .u64 dst, .param .u64 src, .param .f32 scale, .param .u32 n)
.maxntid 256
{
  .reg .pred %p<2>;
  .reg .b32 %r<5>;
  .reg .b32 %f<5>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [dst];
  ld.param.u64 %rd2, [src];
  ld.param.f32 %f1, [scale];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r2, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r2, %r1;
  @%p1 bra $L__end;
  cvta.to.global.u64 %rd1, %rd1;
  cvta.to.global.u64 %rd2, %rd2;
  mul.wide.u32 %rd3, %r2, 4;
  add.s64 %rd4, %rd2, %rd3;
  add.s64 %rd5, %rd1, %rd3;
  ld.global.f32 %f2, [%rd4];
  ld.global.f32 %f3, [bias];
  fma.rn.f32 %f4, %f1, %f2, %f3;
  st.global.f32 [%rd5], %f4;
$L__end:
  ret;
}
)";

class EndToEndTest : public DriverTest {
protected:
  static constexpr uint32_t n = 1000;

  void SetUp() override {
    DriverTest::SetUp();
    if (const char *ptxas = std::getenv("HEXIN_PTXAS"))
      set("PTXAS", ptxas);
    standinReset();
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleLoadData(&module, axpyText), CUDA_SUCCESS) << lastError();
    src = allocate(n * 4);
    dst = allocate(n * 4);
    for (uint32_t i = 0; i < n; ++i)
      values.push_back(float(i));
    ASSERT_EQ(cuMemcpyHtoD_v2(src, values.data(), n * 4), CUDA_SUCCESS);
  }
  CUresult axpy(uint32_t count, CUstream stream) {
    float scale = 2;
    void *params[] = {&dst, &src, &scale, &count};
    return cuLaunchKernel(kernel("axpy"), (count + 255) / 256, 1, 1, 256, 1, 1, 0, stream,
                          params, nullptr);
  }
  /// How many results are not `scale * value + bias`.
  int wrong() {
    std::vector<float> got(n);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyDtoH_v2(got.data(), dst, n * 4), CUDA_SUCCESS);
    int count = 0;
    for (uint32_t i = 0; i < n; ++i)
      count += got[i] != 2 * values[i] + 0.5f;
    return count;
  }
  std::vector<float> values;
  CUdeviceptr src = 0, dst = 0;
};

TEST_F(EndToEndTest, runs) {
  for (const char *seed : {"0", "1", "2"}) {
    set("SEED", seed);
    EXPECT_EQ(cuMemsetD32_v2(dst, 0, n), CUDA_SUCCESS);
    EXPECT_EQ(axpy(n, stream(CU_STREAM_DEFAULT)), CUDA_SUCCESS);
    EXPECT_EQ(wrong(), 0) << "seed " << seed;
  }
  StandinCounters sum = counters();
  EXPECT_EQ(sum.launches, 3u);
  EXPECT_EQ(sum.fma, 3u * 32); // 1000 threads are in 32 warps
  EXPECT_GT(sum.warpInstructions, 3u * 32 * 15);
  EXPECT_NE(report().find("kernel axpy: 3 launches"), std::string::npos);
}

TEST_F(EndToEndTest, replaysAGraph) {
  CUstream work = stream();
  CUgraph graph = nullptr;
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(work, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
            CUDA_SUCCESS);
  EXPECT_EQ(axpy(n, work), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphLaunch(exec, work), CUDA_SUCCESS);
  EXPECT_EQ(wrong(), 0);
}

TEST_F(EndToEndTest, aFaultNamesItsPlace) {
  CUstream work = stream();
  EXPECT_EQ(axpy(n + 24, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_ILLEGAL_ADDRESS);
  std::string text = lastError();
  EXPECT_NE(text.find("axpy"), text.npos) << text;
  EXPECT_NE(text.find("line"), text.npos) << text;
}

TEST_F(EndToEndTest, sabotageShows) {
  set("SABOTAGE", "fma");
  EXPECT_EQ(axpy(n, nullptr), CUDA_SUCCESS);
  EXPECT_GT(wrong(), 0);
}

TEST_F(EndToEndTest, aTextIsReadToItsEnd) {
  CUmodule other = nullptr;
  std::string text = axpyText;
  text.replace(text.find("fma.rn.f32"), 10, "fuse.rn.f32");
  EXPECT_EQ(cuModuleLoadData(&other, text.c_str()), CUDA_ERROR_INVALID_PTX);
}

} // namespace
