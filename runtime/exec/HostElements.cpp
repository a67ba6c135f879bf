#include "runtime/exec/HostElements.h"

#include "runtime/base/DType.h"

#include <cstring>
#include <limits>

namespace hexin {
namespace {

template <typename T> ExprResult readAs(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) == 8 && std::is_unsigned_v<T>)
    if (value > static_cast<T>(std::numeric_limits<int64_t>::max()))
      return {ExprState::overflow, 0};
  return ExprResult::of(static_cast<int64_t>(value));
}

} // namespace

ExprResult readElement(DType dtype, std::span<const std::byte> bytes, int64_t index) {
  int64_t width = byteWidth(dtype);
  if (width == 0 || index < 0 || index >= static_cast<int64_t>(bytes.size()) / width)
    return {ExprState::outOfRange, 0};
  const std::byte *from = bytes.data() + index * width;
  switch (dtype) {
  case DType::boolean:
  case DType::u8:
    return readAs<uint8_t>(from);
  case DType::i8:
    return readAs<int8_t>(from);
  case DType::i16:
    return readAs<int16_t>(from);
  case DType::i32:
    return readAs<int32_t>(from);
  case DType::i64:
    return readAs<int64_t>(from);
  case DType::u16:
    return readAs<uint16_t>(from);
  case DType::u32:
    return readAs<uint32_t>(from);
  case DType::u64:
    return readAs<uint64_t>(from);
  default:
    return {ExprState::outOfRange, 0};
  }
}

} // namespace hexin
