//===- DType.h - element types: sizes, names, classes ----------------------===//
//
// The enum itself is public (hexin/value.h). Here is what the rest of the tree
// asks about it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_DTYPE_H
#define HEXIN_RUNTIME_BASE_DTYPE_H

#include "hexin/value.h"

#include <optional>
#include <string_view>

namespace hexin {

/// Bytes per element in memory. Types below 8 bits take one byte per element
/// (they are packed only in weights and at borders); strings give 0.
int64_t byteWidth(DType dtype);

/// The name used everywhere a user sees a type: "f32", "i64", "bool", ...
/// (toString is in hexin/value.h). The reverse, or nullopt.
std::optional<DType> parseDType(std::string_view name);

bool isFloat(DType dtype);   ///< f64, f32, f16, bf16 (not the storage types)
bool isInteger(DType dtype); ///< 8 to 64 bits, signed or not; not bool
bool isSigned(DType dtype);  ///< signed integers and floats

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_DTYPE_H
