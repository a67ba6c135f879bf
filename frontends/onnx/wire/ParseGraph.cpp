//===- ParseGraph.cpp - nodes, graphs, functions and the model -------------------===//

#include "frontends/onnx/wire/Parser.h"

namespace hexin::onnx {

static std::string quoted(std::string_view text) {
  // Names in damaged files can be anything: keep messages short.
  constexpr size_t longest = 120;
  std::string result = "'" + std::string(text.substr(0, longest));
  return result + (text.size() > longest ? "...'" : "'");
}

std::string placeOf(const char *what, std::string_view name, size_t index) {
  return name.empty() ? std::string(what) + " #" + std::to_string(index)
                      : std::string(what) + " " + quoted(name);
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

} // namespace hexin::onnx
