//===- Parser.h - protobuf messages into the structs of Model.h ------------------===//
//
// One function per message. Types and values are in ParseTypes.cpp, tensors and
// attributes in ParseAttributes.cpp, nodes and what holds them in ParseGraph.cpp.
//
// Counts what the structs cost against a budget, and how deep messages nest. Errors
// name the place they were met at.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_PARSER_H
#define HEXIN_FRONTENDS_ONNX_WIRE_PARSER_H

#include "frontends/onnx/wire/Fields.h"
#include "frontends/onnx/wire/Model.h"

#include "hexin/status.h"

#include <string>
#include <string_view>
#include <vector>

namespace hexin::onnx {

/// "node 'conv1'", or "node #7" where it has no name.
std::string placeOf(const char *what, std::string_view name, size_t index);

class Parser {
public:
  Parser(uint64_t budget, uint32_t maxDepth) : budget(budget), maxDepth(maxDepth) {}

  Status parse(std::string_view bytes, Model &model);

private:
  Status parse(std::string_view message, StringPair &pair);
  Status parse(std::string_view message, Dimension &dimension);
  Status parse(std::string_view message, TypeInfo &type);
  Status parse(std::string_view message, ValueInfo &info);
  Status parse(std::string_view message, TensorData &tensor);
  Status parse(std::string_view message, SparseTensor &tensor);
  Status parse(std::string_view message, Attribute &attribute);
  Status parse(std::string_view message, Node &node);
  Status parse(std::string_view message, Graph &graph);
  Status parse(std::string_view message, OpsetImport &opset);
  Status parse(std::string_view message, Function &function);
  Status parseShape(std::string_view message, std::vector<Dimension> &shape);
  Status parseTensorType(std::string_view message, TypeInfo &type);
  Status parseElementType(std::string_view message, uint32_t elementField,
                          TypeInfo &type);

  /// Appends a message of a repeated field.
  template <typename T> Status append(Field &field, std::vector<T> &list) {
    if (!field.isBytes()) {
      field.skip();
      return Status::success();
    }
    HEXIN_RETURN_IF_ERROR(charge(sizeof(T)));
    list.emplace_back();
    return parse(field.bytes(), list.back());
  }
  /// The same with "what 'name'" put before an error.
  template <typename T>
  Status appendNamed(Field &field, const char *what, std::vector<T> &list) {
    Status status = append(field, list);
    return status.ok() ? status
                       : status.withContext(list.empty() ? std::string(what)
                                                         : placeOf(what, list.back().name,
                                                                   list.size() - 1));
  }
  template <typename T> Status parseSingle(Field &field, T &value) {
    if (field.isBytes())
      return parse(field.bytes(), value);
    field.skip();
    return Status::success();
  }

  Status charge(uint64_t bytes) {
    used += bytes;
    if (used > budget)
      return resourceExhausted("the file describes far more objects than its size "
                               "justifies; it is damaged or made to exhaust memory");
    return Status::success();
  }

  /// Counts nested subgraphs and types.
  struct Level {
    explicit Level(uint32_t &depth) : depth(depth) { ++depth; }
    ~Level() { --depth; }
    uint32_t &depth;
  };
  Status checkDepth() const {
    return depth <= maxDepth ? Status::success()
                             : resourceExhausted("nested deeper than " +
                                                 std::to_string(maxDepth) + " levels");
  }

  uint64_t budget;
  uint64_t used = 0;
  uint32_t maxDepth;
  uint32_t depth = 0;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_PARSER_H
