//===- ModelBytes.h - ONNX messages for tests, byte by byte ---------------------===//
#ifndef HEXIN_TESTS_FRONTENDS_ONNX_MODELBYTES_H
#define HEXIN_TESTS_FRONTENDS_ONNX_MODELBYTES_H

#include "protozero/pbf_writer.hpp"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace hexin::onnx::testing {

using Writer = protozero::pbf_writer;

/// The bytes of a message that `fill` writes.
inline std::string message(const std::function<void(Writer &)> &fill) {
  std::string bytes;
  Writer writer(bytes);
  fill(writer);
  return bytes;
}

inline std::span<const std::byte> asBytes(const std::string &text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string valueInfo(const std::string &name, int dataType,
                             std::initializer_list<const char *> params) {
  std::string shape = message([&](Writer &w) {
    for (const char *param : params)
      w.add_message(1, message([&](Writer &dim) { dim.add_string(2, param); }));
  });
  return message([&](Writer &w) {
    w.add_string(1, name);
    w.add_message(2, message([&](Writer &type) {
                    type.add_message(1, message([&](Writer &tensor) {
                                       tensor.add_int32(1, dataType);
                                       tensor.add_message(2, shape);
                                     }));
                  }));
  });
}

inline std::string node(const std::string &opType, const std::string &name,
                        std::vector<std::string> inputs, std::vector<std::string> outputs,
                        std::vector<std::string> attributes = {}) {
  return message([&](Writer &w) {
    for (const std::string &input : inputs)
      w.add_string(1, input);
    for (const std::string &output : outputs)
      w.add_string(2, output);
    w.add_string(3, name);
    w.add_string(4, opType);
    for (const std::string &attribute : attributes)
      w.add_message(5, attribute);
  });
}

inline std::string intsAttribute(const std::string &name,
                                 const std::vector<int64_t> &values, bool packed) {
  return message([&](Writer &w) {
    w.add_string(1, name);
    w.add_int32(20, 7);
    if (packed)
      w.add_packed_int64(8, values.begin(), values.end());
    else
      for (int64_t value : values)
        w.add_int64(8, value);
  });
}

/// A model around `graph`, opset 17.
inline std::string model(const std::string &graph) {
  return message([&](Writer &w) {
    w.add_int64(1, 8);
    w.add_string(2, "test");
    w.add_message(7, graph);
    w.add_message(8, message([](Writer &opset) { opset.add_int64(2, 17); }));
    w.add_message(14, message([](Writer &pair) {
                    pair.add_string(1, "author");
                    pair.add_string(2, "nobody");
                  }));
  });
}

/// x -> MaxPool -> y, with an initializer and metadata.
inline std::string smallModel() {
  std::string tensor = message([](Writer &w) {
    w.add_int64(1, 2);
    w.add_int32(2, 1);
    w.add_string(8, "w");
    w.add_bytes(9, std::string("\0\0\x80\x3f\0\0\0\x40", 8));
  });
  return model(message([&](Writer &w) {
    w.add_message(1, node("MaxPool", "pool", {"x"}, {"y"},
                          {intsAttribute("kernel_shape", {3, 3}, false),
                           intsAttribute("pads", {0, 1, -1, 300}, true)}));
    w.add_string(2, "g");
    w.add_message(5, tensor);
    w.add_message(11, valueInfo("x", 1, {"N", "C"}));
    w.add_message(12, valueInfo("y", 1, {"N", "C"}));
  }));
}

} // namespace hexin::onnx::testing

#endif // HEXIN_TESTS_FRONTENDS_ONNX_MODELBYTES_H
