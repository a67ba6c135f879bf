//===- ParseAttributes.cpp - tensors and attributes ------------------------------===//

#include "frontends/onnx/wire/Parser.h"

namespace hexin::onnx {

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

std::string_view toString(Attribute::Kind kind) {
  static constexpr std::string_view names[] = {
      "UNDEFINED",      "FLOAT",      "INT",        "STRING",  "TENSOR", "GRAPH",
      "FLOATS",         "INTS",       "STRINGS",    "TENSORS", "GRAPHS", "SPARSE_TENSOR",
      "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
  auto index = static_cast<uint32_t>(kind);
  return index < std::size(names) ? names[index] : "unknown";
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

} // namespace hexin::onnx
