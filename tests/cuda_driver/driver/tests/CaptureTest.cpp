//===- CaptureTest.cpp - streams captured into graphs -----------------------------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <thread>

using namespace standin;

namespace {

class CaptureTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    start();
    memory = allocate(64);
    work = stream();
  }
  CUresult begin(CUstream which,
                 CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL) {
    return cuStreamBeginCapture_v2(which, mode);
  }
  CUstreamCaptureStatus status(CUstream which) {
    CUstreamCaptureStatus status{};
    EXPECT_EQ(cuStreamIsCapturing(which, &status), CUDA_SUCCESS);
    return status;
  }
  /// The capture is broken by what was just called, and ends so.
  void expectInvalidated() {
    EXPECT_EQ(status(work), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
    EXPECT_EQ(store(memory, 1, work), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    CUgraph graph = rubbish<CUgraph>();
    EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(status(work), CU_STREAM_CAPTURE_STATUS_NONE);
  }
  CUdeviceptr memory = 0;
  CUstream work = nullptr;
};

TEST_F(CaptureTest, recordsInsteadOfRunning) {
  EXPECT_EQ(status(work), CU_STREAM_CAPTURE_STATUS_NONE);
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(status(work), CU_STREAM_CAPTURE_STATUS_ACTIVE);
  EXPECT_EQ(begin(work), CUDA_ERROR_ILLEGAL_STATE);
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32Async(memory + 4, 2, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(memory + 8, memory, 8, work), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  ASSERT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), poison);
  size_t count = 0;
  EXPECT_EQ(cuGraphGetNodes(graph, nullptr, &count), CUDA_SUCCESS);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(CaptureTest, beginAndEndAreChecked) {
  CUgraph graph = nullptr;
  EXPECT_EQ(begin(nullptr), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(begin(work, CUstreamCaptureMode(7)), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_ERROR_ILLEGAL_STATE);
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamEndCapture(work, nullptr), CUDA_ERROR_INVALID_VALUE);
  std::thread([&] {
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  }).join();
  EXPECT_EQ(cuStreamIsCapturing(work, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
}

TEST_F(CaptureTest, unsafeCallsBreakIt) {
  CUdeviceptr address = 0;
  void *host = nullptr;
  CUmodule other = nullptr;
  CUevent mark = event();
  CUstream another = stream();
  auto unsafe = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree_v2(memory), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostAlloc(&host, 4, 0), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleLoadData(&other, kernelText), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(another), unsafe);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(mark), unsafe);
  expectInvalidated();
}

TEST_F(CaptureTest, modesSayWhoMayDoWhat) {
  CUdeviceptr address = 0;
  CUgraph graph = nullptr;
  auto allocateElsewhere = [&] {
    CUresult result = CUDA_SUCCESS;
    std::thread([&] {
      CUdeviceptr address = 0;
      cuCtxSetCurrent(context);
      result = cuMemAlloc_v2(&address, 4);
    }).join();
    return result;
  };
  ASSERT_EQ(begin(work, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  expectInvalidated();
  ASSERT_EQ(begin(work, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), CUDA_SUCCESS);
  EXPECT_EQ(allocateElsewhere(), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(allocateElsewhere(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  expectInvalidated();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_SUCCESS);
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_SUCCESS);
  EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_RELAXED);
  mode = CUstreamCaptureMode(9);
  EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
}

TEST_F(CaptureTest, theDefaultStreamBreaksBlockingCaptures) {
  work = stream(CU_STREAM_DEFAULT);
  ASSERT_EQ(begin(work, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32Async(memory, 1, 1, nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  expectInvalidated();
}

TEST_F(CaptureTest, forksMustJoin) {
  CUstream side = stream();
  CUevent fork = event(), join = event();
  CUgraph graph = nullptr;
  auto forked = [&] {
    ASSERT_EQ(begin(work), CUDA_SUCCESS);
    EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
    EXPECT_EQ(cuEventRecord(fork, work), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamWaitEvent(side, fork, 0), CUDA_SUCCESS);
    EXPECT_EQ(status(side), CU_STREAM_CAPTURE_STATUS_ACTIVE);
    EXPECT_EQ(copy(memory + 4, memory, 4, side), CUDA_SUCCESS);
  };
  forked();
  EXPECT_EQ(cuStreamEndCapture(side, &graph), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT_EQ(status(side), CU_STREAM_CAPTURE_STATUS_NONE);
  forked();
  EXPECT_EQ(cuEventQuery(fork), CUDA_ERROR_CAPTURED_EVENT);
  EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  forked();
  EXPECT_EQ(cuEventRecord(join, side), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(work, join, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamEndCapture(work, &graph), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(work, join, 0), CUDA_ERROR_CAPTURED_EVENT);
}

TEST_F(CaptureTest, eventsFromOutsideAndOtherCaptures) {
  CUevent outside = event(), inside = event();
  EXPECT_EQ(cuEventRecord(outside, stream()), CUDA_SUCCESS);
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(work, outside, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  expectInvalidated();
  CUstream other = stream();
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  ASSERT_EQ(begin(other), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(inside, other), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(work, inside, 0), CUDA_ERROR_STREAM_CAPTURE_MERGE);
  expectInvalidated();
}

TEST_F(CaptureTest, streamOrderedMemoryIsRefusedByName) {
  CUdeviceptr address = 0;
  ASSERT_EQ(begin(work), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAllocAsync(&address, 4, work), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(cuMemFreeAsync(memory, work), CUDA_ERROR_NOT_SUPPORTED);
}

} // namespace
