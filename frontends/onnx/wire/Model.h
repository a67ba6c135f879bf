//===- Model.h - an ONNX model as it stands in its file -----------------------===//
//
// Plain structs that look into the model's bytes: strings are views, tensor data
// is the undecoded message (see TensorLoader). Everything lives as long as
// Model::storage. Nothing here is checked against ONNX's rules beyond the wire
// format; the importer does that.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_WIRE_MODEL_H
#define HEXIN_FRONTENDS_ONNX_WIRE_MODEL_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hexin::onnx {

struct StringPair {
  std::string_view key;
  std::string_view value;
};

struct Dimension {
  std::optional<int64_t> value;
  std::string_view param; ///< empty when the size has a value or no name
};

/// TypeProto.
struct TypeInfo {
  enum class Kind { none, tensor, sparseTensor, sequence, optional, map, opaque };
  Kind kind = Kind::none;
  int32_t elementType = 0; ///< TensorProto.DataType of a tensor; key type of a map
  std::optional<std::vector<Dimension>> shape; ///< nullopt: rank unknown
  std::unique_ptr<TypeInfo> element;           ///< of a sequence, optional or map
};

struct ValueInfo {
  std::string_view name;
  TypeInfo type;
  std::string_view doc;
};

/// TensorProto. The elements are read from `message` on demand.
struct TensorData {
  std::string_view name;
  std::vector<int64_t> dims;
  int32_t dataType = 0;
  std::string_view message; ///< the whole undecoded TensorProto
  std::optional<std::string_view> rawData;
  bool isExternal = false;
  std::vector<StringPair> externalData;
};

struct SparseTensor {
  TensorData values;
  TensorData indices;
  std::vector<int64_t> dims;
};

struct Graph;

/// AttributeProto. `kind` says which members count.
struct Attribute {
  enum class Kind : int32_t {
    undefined = 0,
    f32 = 1,
    integer = 2,
    string = 3,
    tensor = 4,
    graph = 5,
    f32s = 6,
    integers = 7,
    strings = 8,
    tensors = 9,
    graphs = 10,
    sparseTensor = 11,
    sparseTensors = 12,
    type = 13,
    types = 14,
  };
  std::string_view name;
  std::string_view reference; ///< in a function body: the function's attribute
  Kind kind = Kind::undefined;
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
  std::vector<TensorData> tensors; ///< of kinds tensor and tensors
  std::vector<Graph> graphs;       ///< of kinds graph and graphs
  std::vector<SparseTensor> sparseTensors;
  std::vector<TypeInfo> types;
};

/// "INTS", ... as the ONNX schema writes it.
std::string_view toString(Attribute::Kind kind);

struct Node {
  std::string_view name;
  std::string_view opType;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;  ///< "" = left out
  std::vector<std::string_view> outputs; ///< "" = not wanted
  std::vector<Attribute> attributes;
};

struct Graph {
  std::string_view name;
  std::string_view doc;
  std::vector<Node> nodes;
  std::vector<TensorData> initializers;
  std::vector<SparseTensor> sparseInitializers;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> valueInfos;
};

struct OpsetImport {
  std::string_view domain;
  int64_t version = 0;
};

/// FunctionProto.
struct Function {
  std::string_view name;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<std::string_view> attributes; ///< without a default
  std::vector<Attribute> defaultedAttributes;
  std::vector<Node> nodes;
  std::vector<OpsetImport> opsets;
};

/// ModelProto.
struct Model {
  std::shared_ptr<const void> storage; ///< keeps the bytes
  std::string folder; ///< where external data may lie; empty = none allowed
  int64_t irVersion = 0;
  std::string_view producerName;
  std::string_view producerVersion;
  std::string_view domain;
  std::string_view doc;
  Graph graph;
  std::vector<OpsetImport> opsets;
  std::vector<StringPair> metadata;
  std::vector<Function> functions;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_WIRE_MODEL_H
