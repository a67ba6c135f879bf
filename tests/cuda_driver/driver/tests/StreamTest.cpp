//===- StreamTest.cpp - the order of queued work, events, host functions ---------------===//
#include "tests/cuda_driver/driver/tests/Fixture.h"

#include <set>

using namespace standin;

namespace {

class StreamTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    start();
    memory = allocate(64);
  }
  CUdeviceptr memory = 0;
};

TEST_F(StreamTest, createAndDestroy) {
  CUstream work = nullptr;
  EXPECT_EQ(cuStreamCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamCreate(&work, 7), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamCreateWithPriority(&work, CU_STREAM_NON_BLOCKING, -99), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 4, work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy_v2(work), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy_v2(work), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(load(memory), 4u); // what was queued ran
}

TEST_F(StreamTest, queryMakesProgress) {
  CUstream work = stream();
  EXPECT_EQ(cuStreamQuery(work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 2, work), CUDA_SUCCESS);
  int polls = 0;
  while (cuStreamQuery(work) == CUDA_ERROR_NOT_READY)
    ASSERT_LT(++polls, 10);
  EXPECT_EQ(polls, 2);
  EXPECT_EQ(counters().launches, 2u);
}

TEST_F(StreamTest, theDefaultStreamWaitsAndIsWaitedFor) {
  for (int seed = 1; seed < 20; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    CUstream blocking = stream(CU_STREAM_DEFAULT);
    EXPECT_EQ(store(memory, 1, blocking), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, nullptr), CUDA_SUCCESS);
    EXPECT_EQ(store(memory, 2, blocking), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(blocking), CUDA_SUCCESS);
    EXPECT_EQ(load(memory + 4), 1u);
    EXPECT_EQ(cuMemsetD32_v2(memory, 0, 2), CUDA_SUCCESS);
  }
}

TEST_F(StreamTest, theDefaultStreamWaitsForDestroyedStreams) {
  for (int seed = 1; seed < 10; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    CUstream blocking = stream(CU_STREAM_DEFAULT);
    EXPECT_EQ(store(memory, 100 + seed, blocking), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamDestroy_v2(blocking), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, nullptr), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(nullptr), CUDA_SUCCESS);
    EXPECT_EQ(load(memory + 4), 100u + seed);
  }
}

TEST_F(StreamTest, perThreadStream) {
  EXPECT_EQ(store(memory, 5, CU_STREAM_PER_THREAD_HANDLE), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(CU_STREAM_PER_THREAD_HANDLE), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), 5u);
  EXPECT_EQ(store(memory, 6, CU_STREAM_LEGACY_HANDLE), CUDA_SUCCESS);
  EXPECT_EQ(load(memory), 6u);
}

TEST_F(StreamTest, eventsOrderStreams) {
  for (int seed = 0; seed < 20; ++seed) {
    set("SEED", std::to_string(seed).c_str());
    CUstream producer = stream(), consumer = stream();
    CUevent ready = event();
    EXPECT_EQ(store(memory, 100 + seed, producer), CUDA_SUCCESS);
    EXPECT_EQ(cuEventRecord(ready, producer), CUDA_SUCCESS);
    EXPECT_EQ(store(memory + 32, 1, producer), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamWaitEvent(consumer, ready, 0), CUDA_SUCCESS);
    EXPECT_EQ(copy(memory + 4, memory, 4, consumer), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamSynchronize(consumer), CUDA_SUCCESS);
    EXPECT_EQ(load(memory + 4), 100u + seed);
  }
}

TEST_F(StreamTest, onlyWhatIsNeededRuns) {
  CUstream needed = stream(), other = stream();
  CUevent mark = event();
  EXPECT_EQ(store(memory, 1, other), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 2, needed), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(mark, needed), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 3, needed), CUDA_SUCCESS);
  EXPECT_EQ(cuEventSynchronize(mark), CUDA_SUCCESS);
  EXPECT_EQ(counters().launches, 1u);
  EXPECT_EQ(cuStreamSynchronize(needed), CUDA_SUCCESS);
  EXPECT_EQ(counters().launches, 2u);
}

TEST_F(StreamTest, earlySchedule) {
  set("SCHEDULE", "early");
  EXPECT_EQ(store(memory, 1, stream()), CUDA_SUCCESS);
  EXPECT_EQ(counters().launches, 1u);
}

TEST_F(StreamTest, mixedScheduleRunsSomeEarly) {
  set("SCHEDULE", "mixed");
  CUstream work = stream();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(store(memory, i, work), CUDA_SUCCESS);
  EXPECT_GT(counters().launches, 5u);
  EXPECT_EQ(load(memory), 99u);
}

/// The order of two streams that nothing orders differs by seed, and only by it.
TEST_F(StreamTest, seedsDecideTheOrder) {
  auto resultOf = [&](int seed) {
    set("SEED", std::to_string(seed).c_str());
    start();
    memory = allocate(64);
    CUstream a = stream(), b = stream();
    for (uint32_t i = 0; i < 4; ++i) {
      EXPECT_EQ(store(memory + 4 * i, 1, a), CUDA_SUCCESS);
      EXPECT_EQ(store(memory + 4 * i, 2, b), CUDA_SUCCESS);
    }
    std::vector<uint32_t> values;
    for (uint32_t i = 0; i < 4; ++i)
      values.push_back(load(memory + 4 * i));
    return values;
  };
  std::set<std::vector<uint32_t>> seen;
  for (int seed = 0; seed < 12; ++seed) {
    std::vector<uint32_t> result = resultOf(seed);
    EXPECT_EQ(result, resultOf(seed));
    seen.insert(result);
  }
  EXPECT_GT(seen.size(), 3u);
}

TEST_F(StreamTest, events) {
  CUevent mark = nullptr;
  EXPECT_EQ(cuEventCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuEventCreate(&mark, 0x100), CUDA_ERROR_INVALID_VALUE);
  CUevent start = event(), end = event(), untimed = event(CU_EVENT_DISABLE_TIMING);
  CUstream work = stream();
  EXPECT_EQ(cuEventQuery(start), CUDA_SUCCESS); // never recorded
  float time = -1;
  EXPECT_EQ(cuEventElapsedTime_v2(&time, start, end), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventRecord(start, work), CUDA_SUCCESS);
  EXPECT_EQ(store(memory, 1, work), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(end, work), CUDA_SUCCESS);
  EXPECT_EQ(cuEventRecord(untimed, work), CUDA_SUCCESS);
  EXPECT_EQ(cuEventElapsedTime_v2(&time, start, end), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cuEventQuery(end), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cuEventSynchronize(end), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(end), CUDA_SUCCESS);
  EXPECT_EQ(cuEventElapsedTime(&time, start, end), CUDA_SUCCESS);
  EXPECT_GE(time, 0);
  EXPECT_EQ(cuEventElapsedTime_v2(&time, start, untimed), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventElapsedTime_v2(nullptr, start, end), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamWaitEvent(work, end, 5), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuStreamWaitEvent(work, rubbish<CUevent>(), 0), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventRecord(end, rubbish<CUstream>()), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventDestroy_v2(end), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy_v2(end), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StreamTest, hostFunctionsRunInOrderAndMayNotCall) {
  struct Seen {
    CUdeviceptr memory;
    int count = 0;
    CUresult inside = CUDA_SUCCESS;
  } seen{memory};
  CUstream work = stream();
  auto function = [](void *data) {
    auto *seen = static_cast<Seen *>(data);
    ++seen->count;
    seen->inside = cuCtxSynchronize();
  };
  EXPECT_EQ(cuLaunchHostFunc(work, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuLaunchHostFunc(work, function, &seen), CUDA_SUCCESS);
  EXPECT_EQ(seen.count, 0);
  EXPECT_EQ(cuStreamSynchronize(work), CUDA_SUCCESS);
  EXPECT_EQ(seen.count, 1);
  EXPECT_EQ(seen.inside, CUDA_ERROR_NOT_PERMITTED);
}

} // namespace
