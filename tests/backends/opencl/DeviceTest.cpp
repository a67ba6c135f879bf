// The device ABI: memory, launches, errors, threads, times.
#include "tests/backends/opencl/OpenclTesting.h"

#include "hexin/value.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <sys/mman.h>
#include <thread>

namespace hexin::test {
namespace {

using testing::HasSubstr;

/// out[i] = in[i] + p0, and in place.
const char *addSource = R"(
__kernel void add_to(__global const uchar *b0, ulong o0, __global uchar *b1, ulong o1, long p0,
                     long items) {
  const long i = get_global_id(0);
  if (i >= items)
    return;
  ((__global int *)(b1 + o1))[i] = ((__global const int *)(b0 + o0))[i] + (int)p0;
})";

class OpenclDevice : public testing::Test {
protected:
  explicit OpenclDevice(bool profile = false) : test(nullptr, profile) {}

  void SetUp() override {
    if (!test.device)
      GTEST_SKIP() << "no OpenCL device: " << test.error.message;
    module = test.load(addSource);
    ASSERT_TRUE(module) << test.error.message;
  }
  void TearDown() override {
    for (hexin_buffer *buffer : buffers)
      api().release(test.device, buffer);
    if (module)
      api().unload(test.device, module);
  }

  const hexin_device_api &api() { return *test.api; }

  hexin_buffer *allocate(uint64_t bytes) {
    hexin_buffer *buffer = nullptr;
    EXPECT_EQ(api().allocate(test.device, bytes, &buffer, &test.error), 0u)
        << test.error.message;
    buffers.push_back(buffer);
    return buffer;
  }

  uint32_t copy(hexin_buffer *dst, void *dstPointer, uint64_t dstOffset,
                hexin_buffer *src, const void *srcPointer, uint64_t srcOffset,
                uint64_t length) {
    hexin_copy copy{sizeof copy, dst,        dstPointer, dstOffset,
                    src,         srcPointer, srcOffset,  length};
    return api().copy(test.device, &copy, &test.error);
  }

  hexin_command_desc describe(const char *name, int64_t items, uint64_t length) {
    bindings[0] = {};
    bindings[1] = {};
    bindings[1].slot = 1;
    bindings[0].length = bindings[1].length = length;
    bindings[0].dtype = bindings[1].dtype = static_cast<uint32_t>(DType::i32);
    hexin_command_desc desc{};
    desc.struct_size = sizeof desc;
    desc.module = module;
    desc.name = name;
    desc.bindings = bindings;
    desc.binding_count = 2;
    desc.params = &param;
    desc.param_count = 1;
    desc.items = items;
    desc.grain = 16;
    return desc;
  }

  hexin_command *prepareAdd(int64_t items, uint64_t length) {
    hexin_command_desc desc = describe("add_to", items, length);
    hexin_command *command = nullptr;
    EXPECT_EQ(api().prepare(test.device, &desc, &command, &test.error), 0u)
        << test.error.message;
    return command;
  }

  uint32_t run(const std::vector<hexin_command *> &commands,
               const std::vector<hexin_slot> &slots, uint64_t *times = nullptr) {
    hexin_submission submission{};
    submission.struct_size = sizeof submission;
    submission.command_count = static_cast<uint32_t>(commands.size());
    submission.commands = commands.data();
    submission.slots = slots.data();
    submission.slot_count = static_cast<uint32_t>(slots.size());
    submission.command_ns = times;
    hexin_event *event = nullptr;
    hexin_error error{};
    error.struct_size = sizeof error;
    uint32_t code = api().submit(test.device, &submission, &event, &error);
    if (code == 0)
      code = api().wait(test.device, event, &error);
    if (code != 0)
      test.error = error;
    return code;
  }

  TestDevice test;
  hexin_module *module = nullptr;
  std::vector<hexin_buffer *> buffers;
  hexin_binding bindings[2];
  int64_t param = 5;
};

TEST_F(OpenclDevice, DescribesItself) {
  EXPECT_NE(test.info.name[0], 0);
  EXPECT_NE(test.info.driver[0], 0);
  EXPECT_STREQ(test.info.image_archs, "opencl-c-1.2");
  EXPECT_GE(test.info.base_alignment, 64u);
  EXPECT_GT(test.info.max_buffer_bytes, uint64_t(1) << 20);
  EXPECT_GT(test.info.compute_units, 0u);
  EXPECT_EQ(hexin_backend_query(99), nullptr);
}

TEST_F(OpenclDevice, CopiesBothWaysAndBetweenBuffers) {
  std::vector<int> in(100), out(100, -1);
  std::iota(in.begin(), in.end(), 0);
  hexin_buffer *a = allocate(400), *b = allocate(400);
  ASSERT_EQ(copy(a, nullptr, 0, nullptr, in.data(), 0, 400), 0u);
  ASSERT_EQ(copy(b, nullptr, 40, a, nullptr, 80, 200), 0u);
  ASSERT_EQ(copy(nullptr, out.data(), 8, b, nullptr, 40, 200), 0u);
  EXPECT_EQ(out[1], -1);
  EXPECT_EQ(out[2], 20);
  EXPECT_EQ(out[51], 69);
  EXPECT_EQ(out[52], -1);
  ASSERT_EQ(copy(nullptr, out.data(), 0, nullptr, in.data(), 0, 400), 0u);
  EXPECT_EQ(out, in);
}

TEST_F(OpenclDevice, RefusesRangesOutside) {
  std::vector<int> host(100);
  hexin_buffer *a = allocate(400);
  EXPECT_NE(copy(a, nullptr, 1, nullptr, host.data(), 0, 400), 0u);
  EXPECT_EQ(test.code(), StatusCode::outOfRange);
  EXPECT_THAT(test.error.message, HasSubstr("400"));
  EXPECT_NE(copy(nullptr, host.data(), 0, a, nullptr, ~uint64_t(0), 8), 0u);
  EXPECT_EQ(test.code(), StatusCode::outOfRange);
  EXPECT_NE(copy(a, nullptr, 0, nullptr, nullptr, 0, 4), 0u);
  EXPECT_EQ(test.code(), StatusCode::invalidArgument);

  hexin_command *command = prepareAdd(100, 400);
  EXPECT_NE(run({command}, {{a, 0}, {a, 4}}), 0u);
  EXPECT_EQ(test.code(), StatusCode::outOfRange);
  EXPECT_THAT(test.error.message, HasSubstr("add_to"));
  EXPECT_NE(run({command}, {{a, 0}}), 0u);
  EXPECT_EQ(test.code(), StatusCode::invalidArgument);
  EXPECT_NE(run({command}, {{a, 0}, {nullptr, 0}}), 0u);
  EXPECT_EQ(test.code(), StatusCode::outOfRange);
  api().discard(test.device, command);
  // The device goes on working.
  EXPECT_EQ(copy(a, nullptr, 0, nullptr, host.data(), 0, 400), 0u);
}

TEST_F(OpenclDevice, RefusesBuffersThatAreTooLarge) {
  hexin_buffer *buffer = nullptr;
  EXPECT_NE(api().allocate(test.device, ~uint64_t(0) / 2, &buffer, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::resourceExhausted);
  EXPECT_THAT(test.error.message, HasSubstr("largest"));
  EXPECT_NE(api().allocate(test.device, 0, &buffer, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::invalidArgument);
}

TEST_F(OpenclDevice, RunsCommandsInOrder) {
  std::vector<int> in(100), out(100);
  std::iota(in.begin(), in.end(), 0);
  hexin_buffer *a = allocate(4096);
  ASSERT_EQ(copy(a, nullptr, 0, nullptr, in.data(), 0, 400), 0u);
  hexin_command *first = prepareAdd(100, 400);
  param = 1000;
  hexin_command *second = prepareAdd(100, 400), *none = prepareAdd(0, 0);
  // a -> a + 1024 bytes -> in place there.
  ASSERT_EQ(run({first}, {{a, 0}, {a, 1024}}), 0u) << test.error.message;
  ASSERT_EQ(run({second, none, second, none}, {{a, 1024}, {a, 1024}}), 0u)
      << test.error.message;
  ASSERT_EQ(copy(nullptr, out.data(), 0, a, nullptr, 1024, 400), 0u);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(out[i], i + 2005);
  ASSERT_EQ(run({none}, {{a, 0}, {a, 0}}), 0u);
  ASSERT_EQ(run({}, {}), 0u);
  for (hexin_command *command : {first, second, none})
    api().discard(test.device, command);
}

TEST_F(OpenclDevice, RefusesLaunchesThatDoNotFit) {
  hexin_command *command = nullptr;
  hexin_command_desc desc = describe("not_there", 1, 4);
  EXPECT_NE(api().prepare(test.device, &desc, &command, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::notFound);
  EXPECT_THAT(test.error.message, HasSubstr("not_there"));
  desc = describe("add_to", 1, 4);
  desc.param_count = 0;
  EXPECT_NE(api().prepare(test.device, &desc, &command, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::corruptData);
  desc = describe("add_to", -1, 4);
  EXPECT_NE(api().prepare(test.device, &desc, &command, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::invalidArgument);
  desc = describe("onednn.conv", 1, 4);
  desc.kind = HEXIN_COMMAND_LIBRARY;
  EXPECT_NE(api().prepare(test.device, &desc, &command, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::unsupported);
}

TEST_F(OpenclDevice, BuildFailuresShowTheLog) {
  hexin_module *broken =
      test.load("__kernel void broken(__global int *a) { a[0] = undeclared_thing; }");
  std::string error = runKernel(test, broken, "broken", {}, {}, 1);
  EXPECT_EQ(test.code(), StatusCode::unsupported);
  EXPECT_THAT(error, HasSubstr("undeclared_thing"));
  EXPECT_THAT(error, HasSubstr("CL_BUILD_PROGRAM_FAILURE"));
  api().unload(test.device, broken);
  hexin_image image{sizeof image, "sm_80", addSource, 10, -1, 0, 0};
  hexin_module *out = nullptr;
  EXPECT_NE(api().load(test.device, &image, &out, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::unsupported);
  image.arch = "opencl-c-1.2";
  image.size = 0;
  EXPECT_NE(api().load(test.device, &image, &out, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::corruptData);
}

TEST_F(OpenclDevice, HostPointersStayValidBetweenRuns) {
  if (!(test.info.flags & HEXIN_DEVICE_HOST_MEMORY))
    GTEST_SKIP() << "the device has memory of its own";
  hexin_buffer *a = allocate(400), *b = allocate(400);
  auto *in = static_cast<int *>(api().host_pointer(test.device, a));
  auto *out = static_cast<int *>(api().host_pointer(test.device, b));
  ASSERT_TRUE(in && out);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(in) % test.info.base_alignment, 0u);
  hexin_command *command = prepareAdd(100, 400);
  for (int round = 0; round < 3; ++round) {
    std::iota(in, in + 100, round * 10);
    ASSERT_EQ(run({command}, {{a, 0}, {b, 0}}), 0u) << test.error.message;
    for (int i = 0; i < 100; ++i)
      ASSERT_EQ(out[i], i + round * 10 + 5);
  }
  EXPECT_EQ(api().host_pointer(test.device, a), in);
  std::vector<int> copied(100);
  ASSERT_EQ(copy(nullptr, copied.data(), 0, b, nullptr, 0, 400), 0u);
  EXPECT_EQ(copied[99], out[99]);
  api().discard(test.device, command);
}

TEST_F(OpenclDevice, WrapsHostMemory) {
  alignas(4096) static int memory[2048];
  hexin_buffer *wrapped = nullptr;
  uint32_t code =
      api().wrap_host(test.device, memory, sizeof memory, &wrapped, &test.error);
  if (!(test.info.flags & HEXIN_DEVICE_HOST_MEMORY)) {
    EXPECT_EQ(code, static_cast<uint32_t>(StatusCode::unsupported));
    return;
  }
  ASSERT_EQ(code, 0u) << test.error.message;
  hexin_command *command = prepareAdd(1024, 4096);
  for (int round = 0; round < 3; ++round) {
    std::iota(memory, memory + 1024, round);
    ASSERT_EQ(run({command}, {{wrapped, 0}, {wrapped, 4096}}), 0u) << test.error.message;
    for (int i = 0; i < 1024; ++i)
      ASSERT_EQ(memory[1024 + i], i + round + 5);
  }
  api().release(test.device, wrapped);
  api().discard(test.device, command);
  EXPECT_EQ(api().wrap_host(test.device, reinterpret_cast<char *>(memory) + 4, 64,
                            &wrapped, &test.error),
            static_cast<uint32_t>(StatusCode::invalidArgument));
  EXPECT_THAT(test.error.message, HasSubstr("copy it instead"));
}

// Weights lie in a file that is mapped for reading only.
TEST_F(OpenclDevice, WrapsReadOnlyMemory) {
  if (!(test.info.flags & HEXIN_DEVICE_HOST_MEMORY))
    GTEST_SKIP() << "the device has memory of its own";
  constexpr size_t bytes = 4096;
  void *memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::iota(static_cast<int *>(memory), static_cast<int *>(memory) + 1024, 0);
  ASSERT_EQ(mprotect(memory, bytes, PROT_READ), 0);
  hexin_buffer *wrapped = nullptr, *out = allocate(bytes);
  ASSERT_EQ(api().wrap_host(test.device, memory, bytes, &wrapped, &test.error), 0u)
      << test.error.message;
  hexin_command *command = prepareAdd(1024, bytes);
  std::vector<int> values(1024);
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(run({command}, {{wrapped, 0}, {out, 0}}), 0u) << test.error.message;
    ASSERT_EQ(copy(nullptr, values.data(), 0, out, nullptr, 0, bytes), 0u);
    EXPECT_EQ(values[1023], 1028);
  }
  api().discard(test.device, command);
  api().release(test.device, wrapped);
  munmap(memory, bytes);
}

TEST_F(OpenclDevice, ThreadsShareCommandsAndBuffers) {
  constexpr int count = 1000;
  hexin_buffer *shared = allocate(count * 4);
  std::vector<int> in(count);
  std::iota(in.begin(), in.end(), 0);
  ASSERT_EQ(copy(shared, nullptr, 0, nullptr, in.data(), 0, count * 4), 0u);
  api().host_pointer(test.device, shared); // mapped around every submission
  hexin_command *command = prepareAdd(count, count * 4);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  std::vector<hexin_buffer *> outs;
  for (int t = 0; t < 4; ++t)
    outs.push_back(allocate(count * 4));
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      hexin_error error{};
      error.struct_size = sizeof error;
      for (int round = 0; round < 20; ++round) {
        std::vector<int> out(count);
        hexin_copy read{sizeof read, nullptr, out.data(), 0,
                        outs[t],     nullptr, 0,          count * 4};
        bool ok = run({command}, {{shared, 0}, {outs[t], 0}}) == 0 &&
                  api().copy(test.device, &read, &error) == 0;
        wrong[t] += !ok || out[count - 1] != count + 4 || out[0] != 5;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  api().discard(test.device, command);
}

class OpenclProfilingDevice : public OpenclDevice {
protected:
  OpenclProfilingDevice() : OpenclDevice(true) {}
};

TEST_F(OpenclProfilingDevice, TimesLieOnTheSteadyClock) {
  auto now = [] {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
  };
  hexin_buffer *a = allocate(400'000);
  hexin_command *command = prepareAdd(100'000, 400'000), *none = prepareAdd(0, 0);
  uint64_t times[6] = {};
  uint64_t begin = now();
  ASSERT_EQ(run({command, none, command}, {{a, 0}, {a, 0}}, times), 0u)
      << test.error.message;
  uint64_t end = now(), slack = 5'000'000;
  for (int i = 0; i < 6; ++i) {
    EXPECT_GE(times[i] + slack, begin);
    EXPECT_LE(times[i], end + slack);
    if (i > 0)
      EXPECT_GE(times[i], times[i - 1]);
  }
  EXPECT_GT(times[1], times[0]);
  EXPECT_EQ(times[2], times[3]);
  api().discard(test.device, command);
  api().discard(test.device, none);
}

TEST(OpenclBackend, OpenRefusesUnknownDevices) {
  TestDevice test;
  hexin_device *device = nullptr;
  EXPECT_NE(test.api->open(1000, nullptr, &device, &test.error), 0u);
  EXPECT_EQ(test.code(), StatusCode::notFound);
  EXPECT_THAT(test.error.message, HasSubstr("opencl:1000"));
}

} // namespace
} // namespace hexin::test
