// Memory and streams that somebody else has in the device's primary context.
#include "tests/backends/cuda/CudaTesting.h"

#include <cstdlib>
#include <dlfcn.h>
#include <optional>

namespace hexin::test {
namespace {

using testing::HasSubstr;
using Values = std::vector<int32_t>;

/// The driver, as another library of the process uses it.
class Other {
public:
  Other() : library(dlopen(std::getenv("HEXIN_CUDA_LIBRARY"), RTLD_NOW | RTLD_LOCAL)) {
    void *context = nullptr;
    call("cuDevicePrimaryCtxRetain", &context, 0);
    call("cuCtxPushCurrent_v2", context);
  }
  ~Other() {
    void *popped = nullptr;
    call("cuCtxPopCurrent_v2", &popped);
    call("cuDevicePrimaryCtxRelease_v2", 0);
    dlclose(library);
  }
  template <class... Args> void call(const char *name, Args... arguments) {
    auto *function = reinterpret_cast<int (*)(Args...)>(dlsym(library, name));
    ASSERT_TRUE(function) << name;
    EXPECT_EQ(function(arguments...), 0) << name;
  }

private:
  void *library;
};

class CudaForeignMemory : public CudaTest {
protected:
  void SetUp() override {
    CudaTest::SetUp();
    if (device) {
      other.emplace();
      other->call("cuMemAlloc_v2", &address, size_t(16));
    }
  }
  void TearDown() override {
    if (other)
      other->call("cuMemFree_v2", address);
    other.reset();
    CudaTest::TearDown();
  }
  hexin_buffer *wrap(uint64_t at, uint64_t bytes) {
    hexin_buffer *buffer = nullptr;
    return api->wrap_device(device, at, bytes, &buffer, &error) == 0 ? buffer : nullptr;
  }

  std::optional<Other> other;
  unsigned long long address = 0;
};

TEST_F(CudaForeignMemory, IsUsedInPlaceAndStaysItsOwners) {
  hexin_buffer *wrapped = wrap(address, 16), *result = allocate(16);
  ASSERT_TRUE(wrapped && result) << error.message;
  EXPECT_EQ(api->device_address(device, wrapped), address);
  hexin_command *add = prepare({"add_to", {0, 1}, {10}, 4, 16});
  for (int32_t i = 0; i < 4; ++i) { // launched, captured, replayed
    ASSERT_EQ(upload(wrapped, {i, 2, 3, 4}), 0u) << error.message;
    ASSERT_EQ(run({add}, {{wrapped, 0}, {result, 0}}), 0u) << error.message;
    EXPECT_EQ(download(result, 4), (Values{i + 10, 12, 13, 14}));
  }
  api->release(device, wrapped);
  wrapped = wrap(address, 16);
  ASSERT_TRUE(wrapped) << "release has freed what is not ours: " << error.message;
  EXPECT_EQ(download(wrapped, 4), (Values{3, 2, 3, 4}));
  api->release(device, wrapped);
}

/// A graph of 16 bytes does not serve 8 that are at the same address.
TEST_F(CudaForeignMemory, OfOtherSizeIsCheckedAnew) {
  hexin_buffer *result = allocate(16), *wrapped = wrap(address, 16);
  ASSERT_TRUE(wrapped && result) << error.message;
  hexin_command *add = prepare({"add_to", {0, 1}, {10}, 4, 16});
  ASSERT_TRUE(add) << error.message;
  for (int i = 0; i < 3; ++i) // launched, captured, replayed
    ASSERT_EQ(run({add, add}, {{wrapped, 0}, {result, 0}}), 0u) << error.message;
  api->release(device, wrapped);
  wrapped = wrap(address, 8);
  ASSERT_TRUE(wrapped) << error.message;
  EXPECT_NE(run({add, add}, {{wrapped, 0}, {result, 0}}), 0u);
  EXPECT_EQ(code(), StatusCode::outOfRange);
  api->release(device, wrapped);
}

TEST_F(CudaForeignMemory, MayBeAPartOfABufferOfOurs) {
  hexin_buffer *buffer = allocate(16);
  ASSERT_EQ(upload(buffer, {1, 2, 3, 4}), 0u);
  hexin_buffer *part = wrap(api->device_address(device, buffer) + 4, 8);
  ASSERT_TRUE(part) << error.message;
  EXPECT_EQ(download(part, 2), (Values{2, 3}));
  api->release(device, part);
}

TEST_F(CudaForeignMemory, MustBeWhereItIsSaidToBe) {
  EXPECT_FALSE(wrap(0x1234, 4));
  EXPECT_EQ(code(), StatusCode::invalidArgument);
  EXPECT_THAT(error.message, HasSubstr("none that the driver has given out"));
  EXPECT_FALSE(wrap(address + 8, 12));
  EXPECT_EQ(code(), StatusCode::invalidArgument);
  EXPECT_THAT(error.message,
              HasSubstr("12 bytes are asked for, its allocation ends after 8"));
  void *host = nullptr;
  other->call("cuMemHostAlloc", &host, size_t(16), 0u);
  EXPECT_FALSE(wrap(reinterpret_cast<uint64_t>(host), 16));
  EXPECT_THAT(error.message, HasSubstr("is the host's"));
  other->call("cuMemFreeHost", host);
}

TEST_F(CudaForeignMemory, OfAnotherDeviceIsRefused) {
  uint32_t count = 0;
  ASSERT_EQ(api->enumerate(&count, nullptr, &error), 0u);
  if (count < 2)
    GTEST_SKIP() << "one device only";
  hexin_device_options options{};
  options.struct_size = sizeof options;
  hexin_device *second = nullptr;
  ASSERT_EQ(api->open(1, &options, &second, &error), 0u) << error.message;
  hexin_buffer *wrapped = nullptr;
  EXPECT_NE(api->wrap_device(second, address, 16, &wrapped, &error), 0u);
  EXPECT_EQ(code(), StatusCode::invalidArgument);
  EXPECT_THAT(error.message, HasSubstr("is of device cuda:0"));
  api->close(second);
}

TEST_F(CudaForeignMemory, IsReadBehindWhatItsStreamHolds) {
  void *stream = nullptr;
  other->call("cuStreamCreate", &stream, 1u); // that waits for no other stream
  hexin_buffer *wrapped = wrap(address, 16), *result = allocate(16);
  ASSERT_TRUE(wrapped && result) << error.message;
  hexin_command *add = prepare({"add_to", {0, 1}, {1}, 4, 16});
  for (int32_t i = 0; i < 4; ++i) {
    Values values{i, i, i, i};
    other->call("cuMemcpyHtoDAsync_v2", address, static_cast<const void *>(values.data()),
                size_t(16), stream);
    ASSERT_EQ(api->wait_stream(device, reinterpret_cast<uint64_t>(stream), &error), 0u)
        << error.message;
    ASSERT_EQ(run({add}, {{wrapped, 0}, {result, 0}}), 0u) << error.message;
    EXPECT_EQ(download(result, 4), Values(4, i + 1));
  }
  api->release(device, wrapped);
  other->call("cuStreamDestroy_v2", stream);
  if (!isStandin())
    return; // a real driver need not notice
  EXPECT_NE(api->wait_stream(device, reinterpret_cast<uint64_t>(stream), &error), 0u);
  EXPECT_EQ(code(), StatusCode::invalidArgument);
  EXPECT_THAT(error.message, HasSubstr("no live stream"));
}

} // namespace
} // namespace hexin::test
