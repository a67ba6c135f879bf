#include "frontends/onnx/wire/Reader.h"

#include "frontends/onnx/wire/Fields.h"
#include "frontends/onnx/wire/MappedFile.h"
#include "frontends/onnx/wire/Utf8.h"

#include <filesystem>

namespace hexin::onnx {
namespace {

std::string quoted(std::string_view text) {
  // Names in damaged files can be anything: keep messages short.
  constexpr size_t longest = 120;
  std::string result = "'" + std::string(text.substr(0, longest));
  return result + (text.size() > longest ? "...'" : "'");
}

std::string placeOf(const char *what, std::string_view name, size_t index) {
  return name.empty() ? std::string(what) + " #" + std::to_string(index)
                      : std::string(what) + " " + quoted(name);
}

/// Fills the structs; counts what they cost.
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

Status Parser::parse(std::string_view message, StringPair &pair) {
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.get(pair.key);
      break;
    case 2:
      field.get(pair.value);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, Dimension &dimension) {
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1: {
      int64_t value = 0;
      field.get(value);
      dimension.value = value;
      break;
    }
    case 2:
      field.get(dimension.param);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parseShape(std::string_view message, std::vector<Dimension> &shape) {
  return forEachField(message, [&](Field &field) {
    if (field.number() == 1)
      return append(field, shape);
    field.skip();
    return Status::success();
  });
}

Status Parser::parseTensorType(std::string_view message, TypeInfo &type) {
  return forEachField(message, [&](Field &field) {
    if (field.number() == 1) {
      field.get(type.elementType);
    } else if (field.number() == 2 && field.isBytes()) {
      type.shape.emplace();
      return parseShape(field.bytes(), *type.shape);
    } else {
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parseElementType(std::string_view message, uint32_t elementField,
                                TypeInfo &type) {
  return forEachField(message, [&](Field &field) {
    if (field.number() == elementField && field.isBytes()) {
      HEXIN_RETURN_IF_ERROR(charge(sizeof(TypeInfo)));
      type.element = std::make_unique<TypeInfo>();
      return parse(field.bytes(), *type.element);
    }
    if (field.number() == 1)
      field.get(type.elementType); // a map's key type
    else
      field.skip();
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, TypeInfo &type) {
  Level level(depth);
  HEXIN_RETURN_IF_ERROR(checkDepth());
  return forEachField(message, [&](Field &field) {
    if (!field.isBytes()) {
      field.skip();
      return Status::success();
    }
    uint32_t number = field.number();
    std::string_view body = field.bytes();
    switch (number) {
    case 1:
      type.kind = TypeInfo::Kind::tensor;
      return parseTensorType(body, type);
    case 8:
      type.kind = TypeInfo::Kind::sparseTensor;
      return parseTensorType(body, type);
    case 4:
      type.kind = TypeInfo::Kind::sequence;
      return parseElementType(body, 1, type);
    case 9:
      type.kind = TypeInfo::Kind::optional;
      return parseElementType(body, 1, type);
    case 5:
      type.kind = TypeInfo::Kind::map;
      return parseElementType(body, 2, type);
    case 7:
      type.kind = TypeInfo::Kind::opaque;
      break;
    default:
      break;
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, ValueInfo &info) {
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.get(info.name);
      break;
    case 2:
      return parseSingle(field, info.type);
    case 3:
      field.get(info.doc);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, TensorData &tensor) {
  tensor.message = message;
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.append(tensor.dims);
      break;
    case 2:
      field.get(tensor.dataType);
      break;
    case 8:
      field.get(tensor.name);
      break;
    case 9:
      if (field.isBytes())
        tensor.rawData = field.bytes();
      else
        field.skip();
      break;
    case 13:
      return append(field, tensor.externalData);
    case 14: {
      int32_t location = 0;
      field.get(location);
      tensor.isExternal = location == 1;
      break;
    }
    default:
      field.skip(); // typed data: TensorLoader
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, SparseTensor &tensor) {
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      return parseSingle(field, tensor.values);
    case 2:
      return parseSingle(field, tensor.indices);
    case 3:
      field.append(tensor.dims);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, Attribute &attribute) {
  using Kind = Attribute::Kind;
  Kind seen = Kind::undefined;
  int32_t declared = 0;
  Status status = forEachField(message, [&](Field &field) {
    auto saw = [&](Kind kind) { seen = kind; };
    switch (field.number()) {
    case 1:
      field.get(attribute.name);
      break;
    case 21:
      field.get(attribute.reference);
      break;
    case 20:
      field.get(declared);
      break;
    case 2:
      saw(Kind::f32);
      field.get(attribute.f);
      break;
    case 3:
      saw(Kind::integer);
      field.get(attribute.i);
      break;
    case 4:
      saw(Kind::string);
      field.get(attribute.s);
      break;
    case 5:
      saw(Kind::tensor);
      return append(field, attribute.tensors);
    case 6:
      saw(Kind::graph);
      return append(field, attribute.graphs);
    case 7:
      saw(Kind::f32s);
      field.append(attribute.floats);
      break;
    case 8:
      saw(Kind::integers);
      field.append(attribute.ints);
      break;
    case 9:
      saw(Kind::strings);
      field.append(attribute.strings);
      break;
    case 10:
      saw(Kind::tensors);
      return append(field, attribute.tensors);
    case 11:
      saw(Kind::graphs);
      return append(field, attribute.graphs);
    case 14:
      saw(Kind::type);
      return append(field, attribute.types);
    case 15:
      saw(Kind::types);
      return append(field, attribute.types);
    case 22:
      saw(Kind::sparseTensor);
      return append(field, attribute.sparseTensors);
    case 23:
      saw(Kind::sparseTensors);
      return append(field, attribute.sparseTensors);
    default:
      field.skip();
    }
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  // Writers of IR version 1 left the type out.
  attribute.kind = declared != 0 ? static_cast<Kind>(declared) : seen;
  bool isComplete = true;
  switch (attribute.kind) {
  case Kind::tensor:
    isComplete = !attribute.tensors.empty();
    break;
  case Kind::graph:
    isComplete = !attribute.graphs.empty();
    break;
  case Kind::sparseTensor:
    isComplete = !attribute.sparseTensors.empty();
    break;
  case Kind::type:
    isComplete = !attribute.types.empty();
    break;
  default:
    break;
  }
  if (!isComplete && attribute.reference.empty())
    return corruptData("is of type " + std::string(toString(attribute.kind)) +
                       " but holds none");
  return Status::success();
}

Status Parser::parse(std::string_view message, Node &node) {
  Status status = forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.append(node.inputs);
      break;
    case 2:
      field.append(node.outputs);
      break;
    case 3:
      field.get(node.name);
      break;
    case 4:
      field.get(node.opType);
      break;
    case 5:
      return appendNamed(field, "attribute", node.attributes);
    case 7:
      field.get(node.domain);
      break;
    case 8:
      field.get(node.overload);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
  return status.ok() || node.opType.empty()
             ? status
             : status.withContext("(" + std::string(node.opType) + ")");
}

Status Parser::parse(std::string_view message, Graph &graph) {
  Level level(depth);
  HEXIN_RETURN_IF_ERROR(checkDepth());
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      return appendNamed(field, "node", graph.nodes);
    case 2:
      field.get(graph.name);
      break;
    case 5:
      return appendNamed(field, "initializer", graph.initializers);
    case 10:
      field.get(graph.doc);
      break;
    case 11:
      return appendNamed(field, "input", graph.inputs);
    case 12:
      return appendNamed(field, "output", graph.outputs);
    case 13:
      return appendNamed(field, "value_info", graph.valueInfos);
    case 15:
      return append(field, graph.sparseInitializers).withContext("sparse initializer");
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, OpsetImport &opset) {
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.get(opset.domain);
      break;
    case 2:
      field.get(opset.version);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view message, Function &function) {
  return forEachField(message, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.get(function.name);
      break;
    case 4:
      field.append(function.inputs);
      break;
    case 5:
      field.append(function.outputs);
      break;
    case 6:
      field.append(function.attributes);
      break;
    case 7:
      return appendNamed(field, "node", function.nodes);
    case 9:
      return append(field, function.opsets).withContext("opset_import");
    case 10:
      field.get(function.domain);
      break;
    case 11:
      return appendNamed(field, "attribute", function.defaultedAttributes);
    case 13:
      field.get(function.overload);
      break;
    default:
      field.skip();
    }
    return Status::success();
  });
}

Status Parser::parse(std::string_view bytes, Model &model) {
  return forEachField(bytes, [&](Field &field) {
    switch (field.number()) {
    case 1:
      field.get(model.irVersion);
      break;
    case 2:
      field.get(model.producerName);
      break;
    case 3:
      field.get(model.producerVersion);
      break;
    case 4:
      field.get(model.domain);
      break;
    case 6:
      field.get(model.doc);
      break;
    case 7:
      // A second graph field would merge with the first in protobuf; no writer
      // makes one.
      model.graph = Graph();
      return parseSingle(field, model.graph).withContext("graph");
    case 8:
      return append(field, model.opsets).withContext("opset_import");
    case 14:
      return append(field, model.metadata).withContext("metadata_props");
    case 25:
      return appendNamed(field, "function", model.functions);
    default:
      field.skip();
    }
    return Status::success();
  });
}

Result<Model> parseModel(std::span<const std::byte> bytes, const ReadLimits &limits) {
  if (bytes.size() > limits.maxFileBytes)
    return resourceExhausted("is " + std::to_string(bytes.size()) +
                             " bytes, more than the " +
                             std::to_string(limits.maxFileBytes) +
                             " an ONNX file can have: keep the weights as external data");
  Parser parser(limits.baseBytes + limits.bytesPerFileByte * bytes.size(),
                limits.maxDepth);
  Model model;
  Status status = parser.parse(
      std::string_view(reinterpret_cast<const char *>(bytes.data()), bytes.size()),
      model);
  if (!status.ok()) // names in it come from the damaged file
    return Status(status.code(), toUtf8(status.message()));
  if (model.opsets.empty() || (model.graph.nodes.empty() && model.graph.outputs.empty()))
    return corruptData("is not an ONNX model: it has no operator sets or no graph");
  return model;
}

} // namespace

std::string_view toString(Attribute::Kind kind) {
  static constexpr std::string_view names[] = {
      "UNDEFINED",      "FLOAT",      "INT",        "STRING",  "TENSOR", "GRAPH",
      "FLOATS",         "INTS",       "STRINGS",    "TENSORS", "GRAPHS", "SPARSE_TENSOR",
      "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
  auto index = static_cast<uint32_t>(kind);
  return index < std::size(names) ? names[index] : "unknown";
}

Result<Model> readModel(const std::string &path, const ReadLimits &limits) {
  HEXIN_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> file, MappedFile::open(path));
  Result<Model> model = parseModel(file->bytes(), limits);
  if (!model.ok())
    return model.status().withContext("'" + path + "'");
  model->storage = file;
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  model->folder = folder.empty() ? "." : folder.string();
  return model;
}

Result<Model> readModel(std::span<const std::byte> bytes,
                        std::shared_ptr<const void> owner, const ReadLimits &limits) {
  Result<Model> model = parseModel(bytes, limits);
  if (!model.ok())
    return model.status().withContext("the model in memory");
  model->storage = std::move(owner);
  return model;
}

} // namespace hexin::onnx
