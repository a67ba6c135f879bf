//===- Fields.h - the fields of one protobuf message, one by one ---------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_FIELDS_H
#define HEXIN_FRONTENDS_ONNX_WIRE_FIELDS_H

#include "hexin/status.h"

#include "protozero/pbf_reader.hpp"

#include <string_view>
#include <vector>

namespace hexin::onnx {

using WireType = protozero::pbf_wire_type;

/// One field at the cursor of a message. A getter that does not fit the wire
/// type leaves its target alone: protobuf calls that an unknown field.
class Field {
public:
  explicit Field(protozero::pbf_reader &reader) : reader(reader) {}

  uint32_t number() const { return reader.tag(); }
  bool isBytes() const { return reader.wire_type() == WireType::length_delimited; }

  std::string_view bytes() {
    auto view = reader.get_view();
    return {view.data(), view.size()};
  }
  void get(std::string_view &value) {
    if (isBytes())
      value = bytes();
    else
      reader.skip();
  }
  void get(int64_t &value) {
    if (reader.wire_type() == WireType::varint)
      value = reader.get_int64();
    else
      reader.skip();
  }
  void get(int32_t &value) {
    int64_t wide = value;
    get(wide);
    value = static_cast<int32_t>(wide);
  }
  void get(float &value) {
    if (reader.wire_type() == WireType::fixed32)
      value = reader.get_float();
    else
      reader.skip();
  }
  /// Appends the element, or all elements of a packed list.
  void append(std::vector<int64_t> &values) {
    if (isBytes()) {
      for (int64_t value : reader.get_packed_int64())
        values.push_back(value);
    } else if (reader.wire_type() == WireType::varint) {
      values.push_back(reader.get_int64());
    } else {
      reader.skip();
    }
  }
  void append(std::vector<float> &values) {
    if (isBytes()) {
      for (float value : reader.get_packed_float())
        values.push_back(value);
    } else if (reader.wire_type() == WireType::fixed32) {
      values.push_back(reader.get_float());
    } else {
      reader.skip();
    }
  }
  void append(std::vector<std::string_view> &values) {
    if (isBytes())
      values.push_back(bytes());
    else
      reader.skip();
  }
  void skip() { reader.skip(); }

private:
  protozero::pbf_reader &reader;
};

/// Calls `onField(Field &)`, which must consume it and returns a Status, for each
/// field of `message`. Damage inside gives corruptData.
template <typename Fn> Status forEachField(std::string_view message, Fn &&onField) {
  try {
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next()) {
      Field field(reader);
      HEXIN_RETURN_IF_ERROR(onField(field));
    }
  } catch (const protozero::exception &error) {
    return corruptData(std::string("damaged or truncated message (") + error.what() +
                       ")");
  }
  return Status::success();
}

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_FIELDS_H
