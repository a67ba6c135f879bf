//===- TypedData.h - float_data, int32_data, ... of a TensorProto ---------------===//
//
// Elements outside of raw_data: packed or one field each, in the field that the
// element type prescribes. Counting comes before copying, so that the
// destination is never larger than the data justifies.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_TYPEDDATA_H
#define HEXIN_FRONTENDS_ONNX_WIRE_TYPEDDATA_H

#include "frontends/onnx/wire/Model.h"

#include "hexin/value.h"

namespace hexin::onnx {

/// Entries in the field for `dtype`; complex numbers have two each.
Result<int64_t> countTypedData(const TensorData &data, DType dtype);

/// Writes all entries to `dst`, `entryBytes` each (the low bytes of integers).
/// Fails when there are more or fewer than fit.
Status copyTypedData(const TensorData &data, DType dtype, size_t entryBytes,
                     std::span<std::byte> dst);

/// The string_data entries.
Status readStrings(const TensorData &data, std::vector<std::string> &strings);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_TYPEDDATA_H
