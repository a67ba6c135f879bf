#include "runtime/tools/Scalars.h"

#include <bit>
#include <cmath>
#include <limits>

namespace hexin::cli {
namespace {

float bf16ToFloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Round to nearest even; NaN stays NaN.
uint16_t floatToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

template <typename T> bool storeInteger(Tensor &tensor, int64_t index, double value) {
  // The bounds are exact: 2^digits, the first number that does not fit.
  double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
  double begin = std::numeric_limits<T>::is_signed ? -end : 0.0;
  if (!(value >= begin && value < end) || value != std::trunc(value))
    return false;
  tensor.as<T>()[index] = static_cast<T>(value);
  return true;
}

} // namespace

std::optional<double> elementAsDouble(const Tensor &tensor, int64_t index) {
  switch (tensor.dtype()) {
  case DType::boolean:
  case DType::u8:
    return tensor.as<uint8_t>()[index];
  case DType::i8:
    return tensor.as<int8_t>()[index];
  case DType::i16:
    return tensor.as<int16_t>()[index];
  case DType::i32:
    return tensor.as<int32_t>()[index];
  case DType::i64:
    return static_cast<double>(tensor.as<int64_t>()[index]);
  case DType::u16:
    return tensor.as<uint16_t>()[index];
  case DType::u32:
    return tensor.as<uint32_t>()[index];
  case DType::u64:
    return static_cast<double>(tensor.as<uint64_t>()[index]);
  case DType::f16:
    return static_cast<double>(tensor.as<_Float16>()[index]);
  case DType::bf16:
    return bf16ToFloat(tensor.as<uint16_t>()[index]);
  case DType::f32:
    return tensor.as<float>()[index];
  case DType::f64:
    return tensor.as<double>()[index];
  default:
    return std::nullopt;
  }
}

bool storeElement(Tensor &tensor, int64_t index, double value) {
  switch (tensor.dtype()) {
  case DType::boolean:
    tensor.as<uint8_t>()[index] = value != 0;
    return true;
  case DType::i8:
    return storeInteger<int8_t>(tensor, index, value);
  case DType::i16:
    return storeInteger<int16_t>(tensor, index, value);
  case DType::i32:
    return storeInteger<int32_t>(tensor, index, value);
  case DType::i64:
    return storeInteger<int64_t>(tensor, index, value);
  case DType::u8:
    return storeInteger<uint8_t>(tensor, index, value);
  case DType::u16:
    return storeInteger<uint16_t>(tensor, index, value);
  case DType::u32:
    return storeInteger<uint32_t>(tensor, index, value);
  case DType::u64:
    return storeInteger<uint64_t>(tensor, index, value);
  case DType::f16:
    tensor.as<_Float16>()[index] = static_cast<_Float16>(value);
    return true;
  case DType::bf16:
    tensor.as<uint16_t>()[index] = floatToBf16(static_cast<float>(value));
    return true;
  case DType::f32:
    tensor.as<float>()[index] = static_cast<float>(value);
    return true;
  case DType::f64:
    tensor.as<double>()[index] = value;
    return true;
  default:
    return false;
  }
}

} // namespace hexin::cli
