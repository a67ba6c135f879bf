//===- DeviceTest.cpp - start-up, devices, profiles -----------------------------------===//
#include "tests/cuda_driver/driver/Profiles.h"
#include "tests/cuda_driver/driver/tests/Fixture.h"

using namespace standin;

namespace {

using DeviceTest = DriverTest;

int attribute(CUdevice_attribute which, CUdevice device = 0) {
  int value = -1;
  EXPECT_EQ(cuDeviceGetAttribute(&value, which, device), CUDA_SUCCESS) << unsigned(which);
  return value;
}

TEST_F(DeviceTest, initTakesNoFlags) {
  EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuInit(0), CUDA_SUCCESS);
}

TEST_F(DeviceTest, noDevice) {
  set("DEVICES", "none");
  standinReset();
  EXPECT_EQ(cuInit(0), CUDA_ERROR_NO_DEVICE);
  int count = 0;
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
}

TEST_F(DeviceTest, initFailsAsTold) {
  set("FAIL_INIT", "803");
  EXPECT_EQ(cuInit(0), CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
}

TEST_F(DeviceTest, versionsBeforeInit) {
  set("DRIVER", "12.4");
  standinReset();
  int version = 0;
  EXPECT_EQ(cuDriverGetVersion(&version), CUDA_SUCCESS);
  EXPECT_EQ(version, 12040);
  EXPECT_EQ(cuDriverGetVersion(nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DeviceTest, twoDevices) {
  set("DEVICES", "sm_86,sm_120");
  set("MEMORY", "64M");
  standinReset();
  ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
  int count = 0;
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_SUCCESS);
  EXPECT_EQ(count, 2);
  CUdevice device = -1;
  EXPECT_EQ(cuDeviceGet(&device, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuDeviceGet(&device, 2), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGet(&device, -1), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGet(nullptr, 0), CUDA_ERROR_INVALID_VALUE);

  char name[32], shortName[4];
  EXPECT_EQ(cuDeviceGetName(name, sizeof name, 1), CUDA_SUCCESS);
  EXPECT_STREQ(name, "Stand-in RTX 5090");
  EXPECT_EQ(cuDeviceGetName(shortName, sizeof shortName, 1), CUDA_SUCCESS);
  EXPECT_STREQ(shortName, "Sta");
  EXPECT_EQ(cuDeviceGetName(name, 0, 1), CUDA_ERROR_INVALID_VALUE);
  size_t bytes = 0;
  EXPECT_EQ(cuDeviceTotalMem_v2(&bytes, 1), CUDA_SUCCESS);
  EXPECT_EQ(bytes, 64u << 20);
  EXPECT_EQ(cuDeviceTotalMem_v2(&bytes, 7), CUDA_ERROR_INVALID_DEVICE);
  CUuuid first, second;
  EXPECT_EQ(cuDeviceGetUuid_v2(&first, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuDeviceGetUuid_v2(&second, 1), CUDA_SUCCESS);
  EXPECT_NE(memcmp(&first, &second, sizeof first), 0);
  EXPECT_EQ(cuDeviceGetUuid(&second, 0), CUDA_SUCCESS);
  EXPECT_EQ(memcmp(&first, &second, sizeof first), 0);

  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0), 8);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0), 6);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 1), 12);
  int can = 1;
  EXPECT_EQ(cuDeviceCanAccessPeer(&can, 0, 1), CUDA_SUCCESS);
  EXPECT_EQ(can, 0);
}

TEST_F(DeviceTest, attributesOfEveryProfile) {
  for (const char *arch : {"sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"}) {
    set("DEVICES", arch);
    standinReset();
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
#define STANDIN_ATTRIBUTE(name, number, result)                                          \
  EXPECT_GE(attribute(CU_DEVICE_ATTRIBUTE_##name), 0) << #name;
#include "tests/cuda_driver/driver/Attributes.def"
#undef STANDIN_ATTRIBUTE
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
                  attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
              atoi(arch + 3));
  }
  int value = 0;
  EXPECT_EQ(cuDeviceGetAttribute(&value, CUdevice_attribute(9999), 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuDeviceGetAttribute(nullptr, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DeviceTest, everyErrorHasNameAndText) {
  const char *text = nullptr;
#define STANDIN_ERROR(name, value, words)                                                \
  EXPECT_EQ(cuGetErrorName(name, &text), CUDA_SUCCESS);                                  \
  EXPECT_STREQ(text, #name);                                                             \
  EXPECT_EQ(cuGetErrorString(name, &text), CUDA_SUCCESS);                                \
  EXPECT_STRNE(text, "");
#include "tests/cuda_driver/driver/Errors.def"
#undef STANDIN_ERROR
  EXPECT_EQ(cuGetErrorName(CUresult(12345), &text), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(text, nullptr);
  EXPECT_EQ(cuGetErrorString(CUresult(12345), &text), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGetErrorName(CUDA_SUCCESS, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DeviceTest, switchesAreChecked) {
  EXPECT_FALSE(standinSet("NO_SUCH", "1"));
  EXPECT_FALSE(standinSet(nullptr, "1"));
  for (auto [name, value] : {std::pair{"DEVICES", "sm_70"},
                             {"MEMORY", "lots"},
                             {"MEMORY", "0"},
                             {"DRIVER", "13"},
                             {"SEED", "x"},
                             {"SCHEDULE", "never"},
                             {"SABOTAGE", "everything"},
                             {"FAIL_ALLOCATION", "-1"},
                             {"LOSE_DEVICE", "0:1:2"}})
    EXPECT_FALSE(standinSet(name, value)) << name << "=" << value;
}

// Numbers of the toolkit's occupancy table.
TEST(Occupancy, publishedFormula) {
  const Profile *sm80 = findProfile("sm_80"), *sm86 = findProfile("sm_86");
  EXPECT_EQ(residentBlocks(*sm80, {256, 32, 0}), 8);        // threads
  EXPECT_EQ(residentBlocks(*sm80, {32, 16, 0}), 32);        // blocks
  EXPECT_EQ(residentBlocks(*sm80, {256, 128, 0}), 2);       // registers
  EXPECT_EQ(residentBlocks(*sm80, {128, 32, 48 << 10}), 3); // shared
  EXPECT_EQ(residentBlocks(*sm86, {256, 32, 0}), 6);
  EXPECT_EQ(residentBlocks(*sm86, {1024, 65, 0}), 0); // not one
  EXPECT_EQ(findProfile("sm_70"), nullptr);
}

} // namespace
