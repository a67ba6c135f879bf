//===- ProcAddressTest.cpp - functions by name and version ------------------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

class ProcAddressTest : public DriverTest {
protected:
  void *get(const char *name, int version) {
    void *function = rubbish<CUstream>();
    CUresult result = cuGetProcAddress_v2(name, &function, version, 0, &status);
    EXPECT_EQ(result, function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND) << name;
    return function;
  }
  CUdriverProcAddressQueryResult status{};
};

TEST_F(ProcAddressTest, newestThatBothKnow) {
  EXPECT_EQ(get("cuInit", 13000), reinterpret_cast<void *>(&cuInit));
  EXPECT_EQ(get("cuMemAlloc", 13000), reinterpret_cast<void *>(&cuMemAlloc_v2));
  EXPECT_EQ(get("cuEventElapsedTime", 13000),
            reinterpret_cast<void *>(&cuEventElapsedTime_v2));
  EXPECT_EQ(get("cuEventElapsedTime", 12000),
            reinterpret_cast<void *>(&cuEventElapsedTime));
  EXPECT_EQ(get("cuGraphInstantiate", 12000),
            reinterpret_cast<void *>(&cuGraphInstantiateWithFlags));
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SUCCESS);
  EXPECT_EQ(get("cuMakeCoffee", 13000), nullptr);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  EXPECT_EQ(get("cuGraphExecUpdate", 11080), nullptr);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
  void *function = nullptr;
  EXPECT_EQ(cuGetProcAddress_v2(nullptr, &function, 13000, 0, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGetProcAddress("cuInit", nullptr, 13000, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ProcAddressTest, anOldDriverHasFewer) {
  set("DRIVER", "11.4");
  standinReset();
  EXPECT_EQ(get("cuLaunchKernelEx", 13000), nullptr);
  EXPECT_EQ(get("cuEventElapsedTime", 13000),
            reinterpret_cast<void *>(&cuEventElapsedTime));
  EXPECT_NE(get("cuMemAllocAsync", 13000), nullptr);
}

} // namespace
