//===- DeviceTest.cpp - the C ABI without images ----------------------------===//
#include "backends/cpu/runtime/IsaDetect.h"
#include "hexin/status.h"
#include "runtime/device/hexin_device.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>

extern "C" const hexin_device_api *hexin_backend_query(uint32_t abi_major);

using hexin::StatusCode;

namespace {

class Device : public testing::Test {
protected:
  void SetUp() override {
    error.struct_size = sizeof(error);
    hexin_device_options options{};
    options.struct_size = sizeof(options);
    ASSERT_EQ(api.open(0, &options, &device, &error), 0u) << error.message;
  }
  void TearDown() override { api.close(device); }

  void expectError(uint32_t code, StatusCode expected, const char *text) {
    EXPECT_EQ(code, static_cast<uint32_t>(expected)) << error.message;
    EXPECT_NE(std::strstr(error.message, text), nullptr) << error.message;
  }

  const hexin_device_api &api = *hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR);
  hexin_error error{};
  hexin_device *device = nullptr;
};

TEST_F(Device, versions) {
  EXPECT_EQ(hexin_backend_query(HEXIN_DEVICE_ABI_MAJOR + 1), nullptr);
  EXPECT_EQ(api.struct_size, sizeof(hexin_device_api));
  EXPECT_STREQ(api.backend, "cpu");
}

TEST_F(Device, enumerate) {
  hexin_device_info info{};
  info.struct_size = sizeof(info);
  uint32_t count = 1;
  ASSERT_EQ(api.enumerate(&count, &info, &error), 0u);
  EXPECT_EQ(count, 1u);
  EXPECT_NE(std::strstr(info.image_archs, "x86-64-v2"), nullptr);
  EXPECT_GE(info.compute_units, 1u);
  EXPECT_GT(info.memory_bytes, 0u);
  EXPECT_TRUE(info.flags & HEXIN_DEVICE_HOST_MEMORY);
  // A caller of an older, shorter struct.
  hexin_device_info old{};
  old.struct_size = 8 + 128;
  old.driver[0] = 'x';
  ASSERT_EQ(api.enumerate(&count, &old, &error), 0u);
  EXPECT_NE(old.name[0], 0);
  EXPECT_EQ(old.driver[0], 'x');
}

TEST_F(Device, openErrors) {
  hexin_device *other = nullptr;
  hexin_device_options options{};
  options.struct_size = sizeof(options);
  expectError(api.open(3, &options, &other, &error), StatusCode::notFound,
              "cpu device 3");
  options.max_isa = "x86-64-v9";
  expectError(api.open(0, &options, &other, &error), StatusCode::invalidArgument,
              "x86-64-v9");
}

TEST_F(Device, maxIsa) {
  hexin_device *other = nullptr;
  hexin_device_options options{};
  options.struct_size = sizeof(options);
  options.max_isa = "x86-64-v2";
  ASSERT_EQ(api.open(0, &options, &other, &error), 0u) << error.message;
  hexin_image image{};
  image.struct_size = sizeof(image);
  image.arch = "x86-64-v3";
  hexin_module *module = nullptr;
  expectError(api.load(other, &image, &module, &error), StatusCode::unsupported,
              "x86-64-v3");
  api.close(other);
}

TEST_F(Device, buffersAndCopies) {
  hexin_buffer *buffer = nullptr;
  expectError(api.allocate(device, 0, &buffer, &error), StatusCode::invalidArgument,
              "at least");
  expectError(api.allocate(device, UINT64_MAX / 2, &buffer, &error),
              StatusCode::resourceExhausted, "no memory");
  for (uint64_t bytes : {uint64_t(1), uint64_t(100), uint64_t(3) << 20}) {
    ASSERT_EQ(api.allocate(device, bytes, &buffer, &error), 0u) << error.message;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(api.host_pointer(device, buffer)) % 64, 0u);
    api.release(device, buffer);
  }
  ASSERT_EQ(api.allocate(device, 8, &buffer, &error), 0u);
  char text[9] = "abcdefgh", back[9] = {};
  hexin_copy copy{};
  copy.struct_size = sizeof(copy);
  copy.dst = buffer;
  copy.src_pointer = text;
  copy.length = 8;
  EXPECT_EQ(api.copy(device, &copy, &error), 0u) << error.message;
  hexin_copy out{};
  out.struct_size = sizeof(out);
  out.dst_pointer = back;
  out.src = buffer;
  out.src_offset = 2;
  out.length = 6;
  EXPECT_EQ(api.copy(device, &out, &error), 0u);
  EXPECT_STREQ(back, "cdefgh");
  out.length = 7;
  expectError(api.copy(device, &out, &error), StatusCode::outOfRange, "source buffer");
  out.src_offset = UINT64_MAX;
  expectError(api.copy(device, &out, &error), StatusCode::outOfRange, "source buffer");
  api.release(device, buffer);
}

TEST_F(Device, brokenImage) {
  hexin_image image{};
  image.struct_size = sizeof(image);
  image.arch = "x86-64-v2";
  image.data = "nonsense";
  image.size = 8;
  image.fd = -1;
  hexin_module *module = nullptr;
  expectError(api.load(device, &image, &module, &error), StatusCode::corruptData,
              "cpu image");
}

TEST_F(Device, unknownLibrary) {
  hexin_command_desc desc{};
  desc.struct_size = sizeof(desc);
  desc.kind = HEXIN_COMMAND_LIBRARY;
  desc.name = "other.conv";
  hexin_command *command = nullptr;
  expectError(api.prepare(device, &desc, &command, &error), StatusCode::unsupported,
              "other.conv");
  desc.kind = 99;
  expectError(api.prepare(device, &desc, &command, &error), StatusCode::unsupported,
              "99");
}

} // namespace
