#include "compiler/ir/ConstantContents.h"

#include "compiler/ir/Ops.h"
#include "compiler/ir/WeightStore.h"

#include "runtime/base/Checked.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace hexin::hx {

static std::optional<int64_t> toInteger(double value) {
  // Beyond 2^53 an f64 no longer tells neighbouring integers apart.
  if (!(std::abs(value) <= 9007199254740992.0) || value != std::trunc(value))
    return std::nullopt;
  return static_cast<int64_t>(value);
}

static std::optional<int64_t> toInteger(const APInt &value, bool isUnsigned) {
  if (isUnsigned ? value.getActiveBits() > 63 : value.getSignificantBits() > 64)
    return std::nullopt;
  return isUnsigned ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue();
}

static std::optional<std::vector<int64_t>> ofAttribute(DenseElementsAttr attribute) {
  Type type = attribute.getElementType();
  std::vector<int64_t> elements;
  auto append = [&](std::optional<int64_t> element) {
    if (element)
      elements.push_back(*element);
    return element.has_value();
  };
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned() || integer.getWidth() == 1;
    for (const APInt &value : attribute.getValues<APInt>())
      if (!append(toInteger(value, isUnsigned)))
        return std::nullopt;
    return elements;
  }
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type)) {
    for (const APFloat &value : attribute.getValues<APFloat>())
      if (!append(toInteger(value.convertToDouble())))
        return std::nullopt;
    return elements;
  }
  return std::nullopt;
}

template <typename T>
static std::optional<std::vector<int64_t>> ofTensor(const Tensor &tensor) {
  std::vector<int64_t> elements;
  for (int64_t i = 0; i < tensor.numElements(); ++i) {
    T element;
    // A mapped file owes no alignment.
    std::memcpy(&element, static_cast<const char *>(tensor.data()) + i * sizeof(T),
                sizeof(T));
    if constexpr (std::is_floating_point_v<T>) {
      auto integer = toInteger(element);
      if (!integer)
        return std::nullopt;
      elements.push_back(*integer);
    } else {
      elements.push_back(element);
    }
  }
  return elements;
}

static std::optional<std::vector<int64_t>> ofTensorData(const Tensor &tensor) {
  switch (tensor.dtype()) {
  case DType::boolean:
  case DType::u8:
    return ofTensor<uint8_t>(tensor);
  case DType::i8:
    return ofTensor<int8_t>(tensor);
  case DType::i16:
    return ofTensor<int16_t>(tensor);
  case DType::u16:
    return ofTensor<uint16_t>(tensor);
  case DType::i32:
    return ofTensor<int32_t>(tensor);
  case DType::u32:
    return ofTensor<uint32_t>(tensor);
  case DType::i64:
    return ofTensor<int64_t>(tensor);
  case DType::f32:
    return ofTensor<float>(tensor);
  case DType::f64:
    return ofTensor<double>(tensor);
  default:
    return std::nullopt;
  }
}

std::optional<std::vector<int64_t>> constantContents(mlir::Value value,
                                                     int64_t maxElements) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  auto count = checkedNumElements(type.getShape());
  if (!count || *count > maxElements)
    return std::nullopt;
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast_or_null<ConstantOp>(op)) {
    auto attribute = dyn_cast<DenseElementsAttr>(constant.getValue());
    return attribute ? ofAttribute(attribute) : std::nullopt;
  }
  if (auto weight = dyn_cast_or_null<WeightOp>(op)) {
    WeightStore *store = WeightStore::of(op);
    const WeightEntry *entry = store ? store->find(weight.getEntry()) : nullptr;
    if (entry && entry->tensor.numElements() == *count)
      return ofTensorData(entry->tensor);
  }
  return std::nullopt;
}

} // namespace hexin::hx
