//===- ParseTypes.cpp - types of values, and pairs of strings --------------------===//

#include "frontends/onnx/wire/Parser.h"

namespace hexin::onnx {

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

} // namespace hexin::onnx
