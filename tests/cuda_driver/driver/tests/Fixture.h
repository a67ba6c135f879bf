//===- Fixture.h - a fresh driver for each test ---------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_TESTS_FIXTURE_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_TESTS_FIXTURE_H

#include "tests/cuda_driver/Standin.h"
#include "tests/cuda_driver/driver/CudaAbi.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace standin {

constexpr const char *kernelText = R"(.version 8.0
.target sm_80
.address_size 64
.global table 8
.entry store
.param .u64 dst
.param .u32 value
.entry copy
.param .u64 dst
.param .u64 src
.param .u32 bytes
.entry crash
.entry store_limited
.param .u64 dst
.param .u32 value
.maxntid 64
.entry store_exact
.param .u64 dst
.param .u32 value
.reqntid 32
.entry store_shared
.param .u64 dst
.param .u32 value
.shared 1024
)";

/// Switches go before `start`. With a context and the module of `kernelText` then.
class DriverTest : public testing::Test {
protected:
  static constexpr const char *switchNames[] = {
      "DEVICES",     "MEMORY",        "DRIVER",       "SEED",        "SCHEDULE",
      "LEAKS",       "VERBOSE",       "FAIL_INIT",    "REPORT",      "FAIL_ALLOCATION",
      "FAIL_MODULE", "REFUSE_LAUNCH", "FAULT_LAUNCH", "LOSE_DEVICE", "LOSE_LAUNCH",
      "IGNORE_WAIT", "SABOTAGE",      "PTXAS",        "TRACE",       "PEER_ACCESS"};

  void SetUp() override {
    for (const char *name : switchNames)
      ASSERT_TRUE(standinSet(name, nullptr));
    // What a test leaves on purpose is no news; leaks() looks.
    ASSERT_TRUE(standinSet("LEAKS", "ignore"));
    standinReset();
    cuCtxSetCurrent(nullptr);
  }

  void set(const char *name, const char *value) { ASSERT_TRUE(standinSet(name, value)); }

  void start() {
    standinReset();
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleLoadData(&module, kernelText), CUDA_SUCCESS);
  }

  CUfunction kernel(const char *name) {
    CUfunction function = nullptr;
    EXPECT_EQ(cuModuleGetFunction(&function, module, name), CUDA_SUCCESS);
    return function;
  }
  CUdeviceptr allocate(size_t bytes) {
    CUdeviceptr address = 0;
    EXPECT_EQ(cuMemAlloc_v2(&address, bytes), CUDA_SUCCESS);
    return address;
  }
  CUstream stream(unsigned flags = CU_STREAM_NON_BLOCKING) {
    CUstream made = nullptr;
    EXPECT_EQ(cuStreamCreate(&made, flags), CUDA_SUCCESS);
    return made;
  }
  CUevent event(unsigned flags = 0) {
    CUevent made = nullptr;
    EXPECT_EQ(cuEventCreate(&made, flags), CUDA_SUCCESS);
    return made;
  }
  /// Page-locked.
  uint32_t *pinned(size_t words = 1) {
    void *memory = nullptr;
    EXPECT_EQ(cuMemHostAlloc(&memory, words * 4, 0), CUDA_SUCCESS);
    return static_cast<uint32_t *>(memory);
  }

  CUresult store(CUdeviceptr dst, uint32_t value, CUstream stream,
                 const char *name = "store") {
    void *params[] = {&dst, &value};
    return cuLaunchKernel(kernel(name), 1, 1, 1, 32, 1, 1, 0, stream, params, nullptr);
  }
  CUresult copy(CUdeviceptr dst, CUdeviceptr src, uint32_t bytes, CUstream stream) {
    void *params[] = {&dst, &src, &bytes};
    return cuLaunchKernel(kernel("copy"), 1, 1, 1, 32, 1, 1, 0, stream, params, nullptr);
  }
  CUresult crash(CUstream stream) {
    return cuLaunchKernel(kernel("crash"), 1, 1, 1, 32, 1, 1, 0, stream, nullptr,
                          nullptr);
  }
  /// What is in device memory, all work done.
  uint32_t load(CUdeviceptr address) {
    uint32_t value = 0;
    EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyDtoH_v2(&value, address, 4), CUDA_SUCCESS);
    return value;
  }

  static StandinCounters counters() {
    StandinCounters sum{};
    sum.structSize = sizeof sum;
    standinCounters(&sum);
    return sum;
  }
  static std::string report() {
    std::string text(standinReport(nullptr, 0), 0);
    standinReport(text.data(), text.size() + 1);
    return text;
  }
  static std::string lastError() {
    std::string text(standinLastError(nullptr, 0), 0);
    standinLastError(text.data(), text.size() + 1);
    return text;
  }

  static constexpr uint32_t poison = 0xFFFFFFFF;
  CUcontext context = nullptr;
  CUmodule module = nullptr;
};

/// A handle that is none.
template <typename Handle> Handle rubbish() {
  return reinterpret_cast<Handle>(0x1234560);
}

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_TESTS_FIXTURE_H
