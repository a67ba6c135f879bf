// Elements of a TensorProto in all the forms that files use.
#include "frontends/onnx/wire/Reader.h"
#include "frontends/onnx/wire/TensorLoader.h"

#include "tests/frontends/onnx/ModelBytes.h"

#include "gtest/gtest.h"

using namespace hexin;
using namespace hexin::onnx;
using namespace hexin::onnx::testing;

namespace {

struct Loaded {
  std::string bytes; ///< what the tensor may look into
  Result<Tensor> tensor = internalError("not loaded");
};

/// A tensor of `dims` and `dataType` whose data fields `fill` writes.
std::unique_ptr<Loaded> load(std::vector<int64_t> dims, int dataType,
                             const std::function<void(Writer &)> &fill) {
  auto loaded = std::make_unique<Loaded>();
  loaded->bytes = model(message([&](Writer &w) {
    w.add_message(5, message([&](Writer &tensor) {
                    tensor.add_packed_int64(1, dims.begin(), dims.end());
                    tensor.add_int32(2, dataType);
                    fill(tensor);
                  }));
    w.add_message(12, valueInfo("y", 1, {}));
  }));
  auto parsed = readModel(asBytes(loaded->bytes));
  if (!parsed.ok())
    loaded->tensor = parsed.status();
  else
    loaded->tensor = TensorLoader(*parsed).load(parsed->graph.initializers[0]);
  return loaded;
}

template <typename T> std::vector<T> elements(const Loaded &loaded) {
  if (!loaded.tensor.ok()) {
    ADD_FAILURE() << loaded.tensor.status().toString();
    return {};
  }
  std::vector<T> values(static_cast<size_t>(loaded.tensor->numElements()));
  std::memcpy(values.data(), loaded.tensor->data(), loaded.tensor->byteLength());
  return values;
}

TEST(WireTensor, RawDataIsNotCopied) {
  auto loaded = load({2}, 1, [](Writer &w) {
    w.add_bytes(9, std::string("\0\0\x80\x3f\0\0\0\x40", 8));
  });
  EXPECT_EQ(elements<float>(*loaded), (std::vector<float>{1, 2}));
  const char *data = loaded->tensor->as<char>();
  EXPECT_TRUE(data >= loaded->bytes.data() &&
              data < loaded->bytes.data() + loaded->bytes.size());
}

TEST(WireTensor, TypedDataPackedAndNot) {
  std::vector<float> floats = {1.5f, -2};
  auto packed = load(
      {2}, 1, [&](Writer &w) { w.add_packed_float(4, floats.begin(), floats.end()); });
  EXPECT_EQ(elements<float>(*packed), floats);
  auto single = load({2}, 1, [&](Writer &w) {
    w.add_float(4, 1.5f);
    w.add_float(4, -2);
  });
  EXPECT_EQ(elements<float>(*single), floats);

  std::vector<int64_t> longs = {-1, int64_t(1) << 40, 7};
  auto mixed = load({3}, 7, [&](Writer &w) {
    w.add_packed_int64(7, longs.begin(), longs.begin() + 2);
    w.add_int64(7, 7);
  });
  EXPECT_EQ(elements<int64_t>(*mixed), longs);

  auto doubles = load({1}, 11, [](Writer &w) { w.add_double(10, 0.25); });
  EXPECT_EQ(elements<double>(*doubles), (std::vector<double>{0.25}));
  auto unsigneds = load({1}, 12, [](Writer &w) { w.add_uint64(11, 0xffffffffu); });
  EXPECT_EQ(elements<uint32_t>(*unsigneds), (std::vector<uint32_t>{0xffffffffu}));
}

TEST(WireTensor, NarrowTypesShareInt32Data) {
  auto bytes = load({2}, 3, [](Writer &w) {
    w.add_int32(5, -3);
    w.add_int32(5, 127);
  });
  EXPECT_EQ(elements<int8_t>(*bytes), (std::vector<int8_t>{-3, 127}));
  auto halves = load({1}, 10, [](Writer &w) { w.add_int32(5, 0x3c00); });
  EXPECT_EQ(elements<uint16_t>(*halves), (std::vector<uint16_t>{0x3c00}));
  auto bools = load({2}, 9, [](Writer &w) {
    w.add_int32(5, 256);
    w.add_int32(5, 0);
  });
  EXPECT_EQ(elements<uint8_t>(*bools), (std::vector<uint8_t>{1, 0}));
}

TEST(WireTensor, PackedNibblesBecomeBytes) {
  auto fromRaw =
      load({3}, 22, [](Writer &w) { w.add_bytes(9, std::string("\xf1\x08", 2)); });
  EXPECT_EQ(elements<int8_t>(*fromRaw), (std::vector<int8_t>{1, -1, -8}));
  auto fromTyped = load({3}, 21, [](Writer &w) {
    w.add_int32(5, 0xf1);
    w.add_int32(5, 0x08);
  });
  EXPECT_EQ(elements<uint8_t>(*fromTyped), (std::vector<uint8_t>{1, 15, 8}));
  auto twoBits =
      load({5}, 25, [](Writer &w) { w.add_bytes(9, std::string("\xe4\x03", 2)); });
  EXPECT_EQ(elements<uint8_t>(*twoBits), (std::vector<uint8_t>{0, 1, 2, 3, 3}));
}

TEST(WireTensor, BoolsAreZeroOrOne) {
  auto loaded =
      load({3}, 9, [](Writer &w) { w.add_bytes(9, std::string("\x02\x00\x01", 3)); });
  EXPECT_EQ(elements<uint8_t>(*loaded), (std::vector<uint8_t>{1, 0, 1}));
}

TEST(WireTensor, ScalarsAndEmptyTensors) {
  auto scalar = load({}, 1, [](Writer &w) { w.add_float(4, 3); });
  EXPECT_EQ(elements<float>(*scalar), (std::vector<float>{3}));
  auto empty = load({0, 5}, 1, [](Writer &) {});
  EXPECT_TRUE(empty->tensor.ok());
}

TEST(WireTensor, SizesMustFitTheData) {
  auto raw = [](Writer &w) { w.add_bytes(9, "12345678"); };
  for (std::vector<int64_t> dims : {std::vector<int64_t>{3},
                                    {1},
                                    {-2},
                                    {INT64_MAX, 2},
                                    {int64_t(1) << 61},
                                    {INT64_MAX}}) {
    auto loaded = load(dims, 1, raw);
    EXPECT_EQ(loaded->tensor.status().code(), StatusCode::corruptData);
  }
  auto missing = load({int64_t(1) << 50}, 1, [](Writer &) {});
  EXPECT_EQ(missing->tensor.status().code(), StatusCode::corruptData);
  auto tooMany = load({1}, 1, [](Writer &w) {
    w.add_float(4, 3);
    w.add_float(4, 3);
  });
  EXPECT_EQ(tooMany->tensor.status().code(), StatusCode::corruptData);
}

TEST(WireTensor, UnknownTypesAreNamed) {
  auto loaded = load({1}, 77, [](Writer &w) { w.add_float(4, 3); });
  EXPECT_EQ(loaded->tensor.status().code(), StatusCode::unsupported);
  EXPECT_NE(loaded->tensor.status().message().find("type 77"), std::string::npos);
}

} // namespace
