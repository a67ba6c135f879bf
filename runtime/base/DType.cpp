#include "runtime/base/DType.h"

#include <array>

namespace hexin {
namespace {

struct DTypeRow {
  std::string_view name;
  int64_t byteWidth;
};

/// Indexed by DType.
constexpr std::array<DTypeRow, 26> rows = {{
    {"bool", 1},   {"i8", 1},       {"i16", 2},        {"i32", 4},    {"i64", 8},
    {"u8", 1},     {"u16", 2},      {"u32", 4},        {"u64", 8},    {"f16", 2},
    {"bf16", 2},   {"f32", 4},      {"f64", 8},        {"c64", 8},    {"c128", 16},
    {"string", 0}, {"f8e4m3fn", 1}, {"f8e4m3fnuz", 1}, {"f8e5m2", 1}, {"f8e5m2fnuz", 1},
    {"f8e8m0", 1}, {"i4", 1},       {"u4", 1},         {"i2", 1},     {"u2", 1},
    {"f4e2m1", 1},
}};
static_assert(static_cast<size_t>(DType::f4e2m1) + 1 == rows.size());

} // namespace

std::string_view toString(DType dtype) {
  auto index = static_cast<size_t>(dtype);
  return index < rows.size() ? rows[index].name : "unknown";
}

int64_t byteWidth(DType dtype) {
  auto index = static_cast<size_t>(dtype);
  return index < rows.size() ? rows[index].byteWidth : 0;
}

std::optional<DType> parseDType(std::string_view name) {
  for (size_t i = 0; i < rows.size(); ++i)
    if (rows[i].name == name)
      return static_cast<DType>(i);
  return std::nullopt;
}

bool isFloat(DType dtype) { return dtype >= DType::f16 && dtype <= DType::f64; }

bool isInteger(DType dtype) { return dtype >= DType::i8 && dtype <= DType::u64; }

bool isSigned(DType dtype) {
  return (dtype >= DType::i8 && dtype <= DType::i64) || isFloat(dtype);
}

} // namespace hexin
