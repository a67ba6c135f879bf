//===- hexin/value_type.h - what a model declares of a value ----------------===//
#ifndef HEXIN_VALUE_TYPE_H
#define HEXIN_VALUE_TYPE_H

#include "hexin/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hexin {

/// The type of a tensor, or of a value that holds others.
struct ValueType {
  ValueKind kind = ValueKind::tensor;
  /// Of tensors: their elements'. Of maps: the keys', i64 or string.
  DType dtype = DType::f32;
  /// Of tensors: sizes, -1 where any will do; without them the rank is free, which only
  /// happens inside of sequences, optionals and maps.
  std::optional<std::vector<int64_t>> dims;
  /// Of sequences, optionals and maps: the one type of what they hold.
  std::vector<ValueType> held;
};

/// "f32[2, ?]", "sequence of i64[...]", "map of string to f32[]".
HEXIN_EXPORT std::string toString(const ValueType &type);

} // namespace hexin

#endif // HEXIN_VALUE_TYPE_H
