//===- Types.cpp - the fundamental types of PTX ---------------------------------===//
#include "tests/cuda_driver/ptx/Types.h"

#include <array>

using namespace standin;

namespace {
struct Row {
  std::string_view name;
  unsigned bytes;
};
/// In the order of the enumerators.
constexpr std::array<Row, 22> rows{
    {{"", 0},      {"pred", 4}, {"b8", 1},    {"b16", 2},   {"b32", 4},  {"b64", 8},
     {"b128", 16}, {"u8", 1},   {"u16", 2},   {"u32", 4},   {"u64", 8},  {"s8", 1},
     {"s16", 2},   {"s32", 4},  {"s64", 8},   {"f16", 2},   {"bf16", 2}, {"tf32", 4},
     {"f32", 4},   {"f64", 8},  {"f16x2", 4}, {"bf16x2", 4}}};
static_assert(unsigned(Type::BF16x2) + 1 == rows.size());
} // namespace

std::optional<Type> standin::typeNamed(std::string_view name) {
  for (size_t i = 1; i < rows.size(); ++i)
    if (rows[i].name == name)
      return Type(i);
  return std::nullopt;
}

std::string_view standin::nameOf(Type type) { return rows[size_t(type)].name; }

std::optional<Space> standin::spaceNamed(std::string_view name) {
  if (name == "param")
    return Space::Param;
  if (name == "global")
    return Space::Global;
  if (name == "shared" || name == "shared::cta")
    return Space::Shared;
  if (name == "local")
    return Space::Local;
  if (name == "const")
    return Space::Const;
  return std::nullopt;
}

unsigned standin::bytesOf(Type type) { return rows[size_t(type)].bytes; }
bool standin::isFloat(Type type) { return type >= Type::F16; }
bool standin::isSigned(Type type) { return type >= Type::S8 && type <= Type::S64; }
bool standin::isInteger(Type type) { return type >= Type::U8 && type <= Type::S64; }
bool standin::isBits(Type type) { return type >= Type::B8 && type <= Type::B128; }
