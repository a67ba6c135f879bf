// What devices say of themselves; memory, copies, threads.
#include "tests/backends/cuda/CudaTesting.h"

#include <numeric>
#include <thread>

namespace hexin::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StrEq;

class CudaDevice : public CudaTest {};

TEST_F(CudaDevice, TellsAboutItself) {
  hexin_device_info infos[2] = {};
  infos[0].struct_size = infos[1].struct_size = sizeof infos[0];
  uint32_t count = 2;
  ASSERT_EQ(api->enumerate(&count, infos, &error), 0u);
  EXPECT_EQ(infos[0].index, 0u);
  EXPECT_THAT(infos[0].driver, HasSubstr(", compute capability "));
  EXPECT_THAT(infos[0].image_archs, EndsWith("ptx-sm_80"));
  if (isStandin()) {
    ASSERT_EQ(count, 2u);
    EXPECT_THAT(infos[0].driver, StrEq("CUDA 13.0, compute capability 8.0"));
    EXPECT_THAT(infos[0].image_archs, StrEq("ptx-sm_80"));
    EXPECT_THAT(infos[1].image_archs, StrEq("ptx-sm_120;ptx-sm_90;ptx-sm_80"));
    EXPECT_EQ(infos[1].index, 1u);
  }
  EXPECT_EQ(infos[0].flags,
            uint32_t(HEXIN_DEVICE_LOCAL_MEMORY | HEXIN_DEVICE_FP64 | HEXIN_DEVICE_FP16));
  EXPECT_EQ(infos[0].max_team_threads, 1024u);
  EXPECT_GE(infos[0].local_memory_bytes, uint64_t(48 << 10));
  EXPECT_GE(infos[0].memory_bytes, uint64_t(1) << 30);
}

TEST_F(CudaDevice, CopiesLargerThanItsStaging) {
  size_t count = (uint64_t(19) << 20) / 4; // five pieces, the last one shorter
  std::vector<int32_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  hexin_buffer *buffer = allocate(count * 4 + 4), *other = allocate(count * 4);
  ASSERT_EQ(upload(buffer, values, 4), 0u) << error.message;
  hexin_copy across{};
  across.struct_size = sizeof across;
  across.dst = other;
  across.src = buffer;
  across.src_offset = 4;
  across.length = count * 4;
  ASSERT_EQ(api->copy(device, &across, &error), 0u) << error.message;
  EXPECT_TRUE(download(other, count) == values);
}

TEST_F(CudaDevice, HostMemoryIsFreeAfterAnUpload) {
  hexin_buffer *buffer = allocate(8);
  std::vector<int32_t> values{1, 2};
  ASSERT_EQ(upload(buffer, values), 0u);
  values = {8, 9};
  EXPECT_EQ(download(buffer, 2), (std::vector<int32_t>{1, 2}));
}

TEST_F(CudaDevice, RefusesCopiesBeyondABuffer) {
  hexin_buffer *buffer = allocate(8);
  EXPECT_NE(upload(buffer, {1, 2, 3}), 0u);
  EXPECT_EQ(code(), StatusCode::outOfRange);
  EXPECT_TRUE(download(buffer, 1, ~uint64_t(0)).empty());
  EXPECT_EQ(code(), StatusCode::outOfRange);
  hexin_copy copy{};
  copy.struct_size = sizeof copy;
  copy.dst = copy.src = buffer;
  copy.dst_offset = 2;
  copy.length = 4;
  EXPECT_NE(api->copy(device, &copy, &error), 0u);
  EXPECT_THAT(error.message, HasSubstr("overlap"));
}

TEST_F(CudaDevice, RefusesImpossibleBuffers) {
  EXPECT_FALSE(allocate(0));
  EXPECT_EQ(code(), StatusCode::invalidArgument);
  EXPECT_FALSE(allocate(~uint64_t(0)));
  EXPECT_EQ(code(), StatusCode::resourceExhausted);
}

TEST_F(CudaDevice, TakesNoDeviceThatIsNotThere) {
  hexin_device *none = nullptr;
  uint32_t count = 0;
  ASSERT_EQ(api->enumerate(&count, nullptr, &error), 0u);
  EXPECT_NE(api->open(count, nullptr, &none, &error), 0u);
  EXPECT_EQ(code(), StatusCode::notFound);
  EXPECT_THAT(error.message, HasSubstr("there are " + std::to_string(count)));
}

TEST_F(CudaDevice, IsUsedFromManyThreads) {
  constexpr int threads = 4, rounds = 8;
  std::vector<hexin_command *> commands;
  std::vector<hexin_slot> slots;
  for (int t = 0; t < threads; ++t) {
    slots.push_back({allocate(4), 0});
    ASSERT_EQ(upload(slots.back().buffer, {0}), 0u);
    uint32_t slot = static_cast<uint32_t>(t);
    commands.push_back(prepare({"add_to", {slot, slot}, {t + 1}, 1, 4}));
    ASSERT_TRUE(commands.back()) << error.message;
  }
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      for (int round = 0; round < rounds; ++round) {
        hexin_error mine{};
        mine.struct_size = sizeof mine;
        hexin_command *both[] = {commands[t], commands[t]};
        hexin_submission submission{};
        submission.struct_size = sizeof submission;
        submission.command_count = 2;
        submission.commands = both;
        submission.slots = slots.data();
        submission.slot_count = threads;
        hexin_event *event = nullptr;
        EXPECT_EQ(api->submit(device, &submission, &event, &mine), 0u) << mine.message;
        EXPECT_EQ(api->wait(device, event, &mine), 0u) << mine.message;
      }
    });
  for (std::thread &thread : running)
    thread.join();
  for (int t = 0; t < threads; ++t)
    EXPECT_EQ(download(slots[t].buffer, 1), (std::vector<int32_t>{2 * rounds * (t + 1)}));
}

} // namespace
} // namespace hexin::test
