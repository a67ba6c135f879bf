//===- DataType.h - ONNX's element types ---------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_DATATYPE_H
#define HEXIN_FRONTENDS_ONNX_WIRE_DATATYPE_H

#include "hexin/value.h"

#include <cstdint>
#include <optional>
#include <string>

namespace hexin::onnx {

/// TensorProto.DataType.
enum class DataType : int32_t {
  undefined = 0,
  f32,
  u8,
  i8,
  u16,
  i16,
  i32,
  i64,
  string,
  boolean,
  f16,
  f64,
  u32,
  u64,
  c64,
  c128,
  bf16,
  f8e4m3fn,
  f8e4m3fnuz,
  f8e5m2,
  f8e5m2fnuz,
  u4,
  i4,
  f4e2m1,
  f8e8m0,
  u2,
  i2,
  f6e2m3,
  f6e3m2
};

/// Our element type, or nullopt: unknown, or one that hexin does not have (fp6).
std::optional<DType> toDType(int32_t dataType);

/// "FLOAT", "INT64", ... or "type 77".
std::string dataTypeName(int32_t dataType);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_DATATYPE_H
