#include "frontends/onnx/wire/TypedData.h"

#include "frontends/onnx/wire/Fields.h"

#include <algorithm>
#include <cstring>

namespace hexin::onnx {
namespace {

struct TypedField {
  uint32_t number;
  WireType wire;
};

TypedField fieldFor(DType dtype) {
  switch (dtype) {
  case DType::f32:
  case DType::c64:
    return {4, WireType::fixed32};
  case DType::f64:
  case DType::c128:
    return {10, WireType::fixed64};
  case DType::i64:
    return {7, WireType::varint};
  case DType::u32:
  case DType::u64:
    return {11, WireType::varint};
  default:
    return {5, WireType::varint};
  }
}

size_t fixedWidth(WireType wire) { return wire == WireType::fixed32 ? 4 : 8; }

/// Calls `onChunk(view)` for the wire bytes of each occurrence: a packed list, or
/// one element.
template <typename Fn>
Status forEachChunk(const TensorData &data, TypedField wanted, Fn &&onChunk) {
  try {
    protozero::pbf_reader reader(data.message.data(), data.message.size());
    while (reader.next()) {
      if (reader.tag() != wanted.number) {
        reader.skip();
      } else if (reader.wire_type() == WireType::length_delimited) {
        auto view = reader.get_view();
        HEXIN_RETURN_IF_ERROR(onChunk(std::string_view(view.data(), view.size())));
      } else if (reader.wire_type() == wanted.wire) {
        const char *begin = reader.data().data();
        reader.skip();
        HEXIN_RETURN_IF_ERROR(onChunk(
            std::string_view(begin, static_cast<size_t>(reader.data().data() - begin))));
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception &error) {
    return corruptData(std::string("damaged tensor data (") + error.what() + ")");
  }
  return Status::success();
}

} // namespace

Result<int64_t> countTypedData(const TensorData &data, DType dtype) {
  TypedField field = fieldFor(dtype);
  int64_t count = 0;
  HEXIN_RETURN_IF_ERROR(forEachChunk(data, field, [&](std::string_view chunk) -> Status {
    if (field.wire == WireType::varint) {
      count += std::count_if(chunk.begin(), chunk.end(), [](char c) {
        return (static_cast<uint8_t>(c) & 0x80) == 0;
      });
      return Status::success();
    }
    if (chunk.size() % fixedWidth(field.wire) != 0)
      return corruptData("a list of numbers ends within one");
    count += static_cast<int64_t>(chunk.size() / fixedWidth(field.wire));
    return Status::success();
  }));
  return count;
}

Status copyTypedData(const TensorData &data, DType dtype, size_t entryBytes,
                     std::span<std::byte> dst) {
  TypedField field = fieldFor(dtype);
  size_t written = 0;
  auto put = [&](const void *bytes, size_t length) {
    if (length > dst.size() - written)
      return corruptData("has more elements than its sizes ask for");
    std::memcpy(dst.data() + written, bytes, length);
    written += length;
    return Status::success();
  };
  HEXIN_RETURN_IF_ERROR(forEachChunk(data, field, [&](std::string_view chunk) -> Status {
    if (field.wire != WireType::varint)
      return put(chunk.data(), chunk.size());
    const char *cursor = chunk.data();
    const char *end = cursor + chunk.size();
    while (cursor != end) {
      uint64_t value = protozero::decode_varint(&cursor, end);
      if (dtype == DType::boolean)
        value = value != 0;
      HEXIN_RETURN_IF_ERROR(put(&value, entryBytes));
    }
    return Status::success();
  }));
  return written == dst.size() ? Status::success()
                               : corruptData("has fewer elements than its sizes ask for");
}

Status readStrings(const TensorData &data, std::vector<std::string> &strings) {
  return forEachField(data.message, [&](Field &field) {
    if (field.number() == 6 && field.isBytes())
      strings.emplace_back(field.bytes());
    else
      field.skip();
    return Status::success();
  });
}

} // namespace hexin::onnx
