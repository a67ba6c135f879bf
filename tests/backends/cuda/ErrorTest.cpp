#include "backends/cuda/runtime/CudaError.h"

#include <gmock/gmock.h>

namespace hexin::cuda {
namespace {

using testing::HasSubstr;

TEST(CudaError, SuccessIsSuccess) {
  EXPECT_TRUE(cudaStatus(0, "anything").ok());
  EXPECT_EQ(cudaErrorName(0), "CUDA_SUCCESS");
}

TEST(CudaError, SaysWhatAndWhatToDo) {
  Status status = cudaStatus(2, "allocating 8 bytes");
  EXPECT_EQ(status.code(), StatusCode::resourceExhausted);
  EXPECT_THAT(status.message(),
              HasSubstr("allocating 8 bytes: CUDA_ERROR_OUT_OF_MEMORY (2); free memory"));
}

TEST(CudaError, DeadContextsAreLostDevices) {
  for (int code : {46, 700, 702, 714, 715, 716, 717, 718, 719, 999})
    EXPECT_EQ(cudaStatus(code, "x").code(), StatusCode::deviceLost) << code;
  EXPECT_EQ(cudaStatus(701, "x").code(), StatusCode::unsupported);
  EXPECT_EQ(cudaStatus(222, "x").code(), StatusCode::versionMismatch);
}

TEST(CudaError, UnknownCodesKeepTheirNumber) {
  Status status = cudaStatus(4711, "launching");
  EXPECT_EQ(status.code(), StatusCode::internal);
  EXPECT_THAT(status.message(), HasSubstr("CUDA error 4711 (4711)"));
}

} // namespace
} // namespace hexin::cuda
