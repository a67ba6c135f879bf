// Tensors in the memory of a device whose addresses the caller knows.
#include "tests/runtime/exec/SessionFixture.h"

#include "hexin/device.h"

namespace hexin {
namespace {

using namespace test;

class DeviceTensors : public testing::Test {
protected:
  void SetUp() override { registerFakeDevices(); }

  Session start(const char *device = "far") {
    auto model = makeScaleTwice(device).open();
    auto session = Session::create(*model, {.device = device});
    EXPECT_TRUE(session) << session.status().toString();
    return *std::move(session);
  }
  Tensor onDevice(std::initializer_list<float> values) {
    auto tensor = copyTo(
        makeTensor({static_cast<int64_t>(values.size())}, std::vector<float>(values)),
        "far");
    EXPECT_TRUE(tensor) << tensor.status().toString();
    return *std::move(tensor);
  }
  std::vector<float> onHost(const Tensor &tensor) {
    auto copy = copyTo(tensor, "");
    EXPECT_TRUE(copy) << copy.status().toString();
    return floatsOf(Value(*std::move(copy)));
  }
  static Tensor at(uint64_t address, std::vector<int64_t> dims,
                   std::optional<uint64_t> stream = std::nullopt,
                   const char *device = "far") {
    auto tensor = Tensor::wrapDevice(DType::f32, dims, device, address,
                                     static_cast<size_t>(dims[0]) * 4, nullptr, stream);
    EXPECT_TRUE(tensor) << tensor.status().toString();
    return *std::move(tensor);
  }
};

TEST_F(DeviceTensors, AreReadAndWrittenInPlace) {
  Session session = start();
  Tensor x = onDevice({1, 2, 3, 4}), y = onDevice({0, 0, 0, 0});
  EXPECT_EQ(x.data(), nullptr);
  EXPECT_EQ(x.device(), "far:0");
  uint64_t copies = fakeCounters().copies;
  NamedValues outputs = {{"y", y}};
  ASSERT_TRUE(session.run({{"x", x}}, outputs));
  EXPECT_EQ(fakeCounters().copies, copies);
  EXPECT_EQ(session.stats().transfers, 0u);
  EXPECT_EQ(onHost(y), (std::vector<float>{6, 12, 18, 24}));
}

TEST_F(DeviceTensors, StayThereWhenAskedTo) {
  Session session = start();
  auto outputs = session.run({{"x", onDevice({1, 2})}}, {.onDevice = {"y"}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  const Tensor &y = *(*outputs)[0].value.tensor();
  EXPECT_EQ(y.device(), "far:0");
  EXPECT_EQ(onHost(y), (std::vector<float>{6, 12}));
  EXPECT_STATUS(invalidArgument, "no output 'z'",
                session.run({{"x", y}}, {.onDevice = {"z"}}).status());
  auto next = session.run({{"x", y}});
  ASSERT_TRUE(next) << next.status().toString();
  EXPECT_EQ(floatsOf((*next)[0].value), (std::vector<float>{36, 72}));
}

TEST_F(DeviceTensors, OnHostMemoryStayTheHosts) {
  Session session = start("near");
  auto outputs = session.run({{"x", makeTensor({2}, {1, 2})}}, {.onDevice = {"y"}});
  ASSERT_TRUE(outputs) << outputs.status().toString();
  EXPECT_TRUE((*outputs)[0].value.tensor()->isOnHost());
}

TEST_F(DeviceTensors, ThatAreNotAlignedGoThroughACopyOnTheDevice) {
  Session session = start();
  Tensor base = onDevice({9, 1, 2, 9}), into = onDevice({9, 9, 9, 9});
  Tensor x = at(base.deviceAddress() + 4, {2});
  NamedValues outputs = {{"y", at(into.deviceAddress() + 4, {2})}};
  Status status = session.run({{"x", x}}, outputs);
  ASSERT_TRUE(status) << status.toString();
  EXPECT_EQ(onHost(into), (std::vector<float>{9, 6, 12, 9}));
  EXPECT_EQ(session.stats().transfers, 0u);
  EXPECT_STATUS(
      invalidArgument, "no multiple of its 4 bytes",
      Tensor::wrapDevice(DType::f32, std::vector<int64_t>{1}, "far", 6, 4).status());
}

TEST_F(DeviceTensors, MayBeInputAndOutputAtOnce) {
  Session session = start();
  Tensor x = onDevice({1, 2});
  NamedValues outputs = {{"y", x}};
  Status status = session.run({{"x", x}}, outputs);
  ASSERT_TRUE(status) << status.toString();
  EXPECT_EQ(onHost(x), (std::vector<float>{6, 12}));
}

TEST_F(DeviceTensors, ComeBehindTheirStream) {
  Session session = start();
  Tensor x = onDevice({1, 2});
  uint64_t waits = fakeCounters().streamWaits;
  ASSERT_TRUE(session.run({{"x", at(x.deviceAddress(), {2}, 7)}}));
  EXPECT_EQ(fakeCounters().streamWaits, waits + 1);
  EXPECT_STATUS(invalidArgument, "input 'x': device 'far:0': no live stream",
                session.run({{"x", at(x.deviceAddress(), {2}, 0)}}).status());
}

TEST_F(DeviceTensors, OfElsewhereAreRefused) {
  Session session = start();
  EXPECT_STATUS(invalidArgument, "input 'x': device 'far:0': no memory of this device",
                session.run({{"x", at(4096, {2})}}).status());
  EXPECT_STATUS(invalidArgument, "lies on 'far:1', the session runs on 'far",
                session.run({{"x", at(4096, {2}, std::nullopt, "far:1")}}).status());
  EXPECT_STATUS(invalidArgument, "lies on 'far:0'",
                start("near").run({{"x", onDevice({1, 2})}}).status());
  NamedValues outputs = {{"y", at(4096, {2})}};
  EXPECT_STATUS(invalidArgument, "output 'y': device 'far:0': no memory",
                session.run({{"x", onDevice({1, 2})}}, outputs));
  EXPECT_TRUE(session.run({{"x", onDevice({1, 2})}})); // usable after all that
}

TEST_F(DeviceTensors, FailuresNameTheNodes) {
  Session session = start();
  Tensor x = onDevice({1, 2});
  failSubmissions(1);
  EXPECT_STATUS(deviceLost, "one of the nodes 'node", session.run({{"x", x}}).status());
}

} // namespace
} // namespace hexin
