#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace hexin::onnx {

/// So that chains of calls do not end in the machine's stack.
static constexpr unsigned maxCallDepth = 64;

static std::string keyOf(std::string_view domain, std::string_view name,
                         std::string_view overload) {
  return canonicalDomain(StringRef(domain)).str() + '\0' + std::string(name) + '\0' +
         std::string(overload);
}

LogicalResult GraphImporter::addFunctions() {
  for (const Function &function : model.functions)
    if (!functions
             .try_emplace(keyOf(function.domain, function.name, function.overload),
                          &function)
             .second)
      return errors.malformed("two functions are called '" + StringRef(function.name) +
                              "' in domain '" + StringRef(function.domain) + "'");
  return success();
}

const Function *GraphImporter::findFunction(const Node &node) const {
  auto it = functions.find(keyOf(node.domain, node.opType, node.overload));
  return it == functions.end() ? nullptr : it->second;
}

LogicalResult GraphImporter::importCall(const Node &node, const Function &function,
                                        Scope &scope, ArrayRef<Value> inputs) {
  if (llvm::is_contained(scope.calls, &function))
    return errors.malformed("function '" + StringRef(function.name) +
                            "' calls itself, directly or through others");
  if (scope.calls.size() >= maxCallDepth)
    return errors.malformed("functions call each other more than " + Twine(maxCallDepth) +
                            " levels deep");
  if (inputs.size() > function.inputs.size())
    return errors.malformed("function takes " + Twine(function.inputs.size()) +
                            " inputs, got " + Twine(inputs.size()));
  if (node.outputs.size() > function.outputs.size())
    return errors.malformed("function has " + Twine(function.outputs.size()) +
                            " outputs, the call " + Twine(node.outputs.size()));

  llvm::StringMap<const Attribute *> attributes;
  for (const Attribute &attribute : function.defaultedAttributes)
    attributes[StringRef(attribute.name)] = &attribute;
  for (const Attribute &attribute : node.attributes)
    if (attribute.reference.empty())
      attributes[StringRef(attribute.name)] = &attribute;
    else if (const auto *outer = scope.callAttribute(StringRef(attribute.reference)))
      attributes[StringRef(attribute.name)] = outer;

  Scope body;
  body.block = scope.block;
  body.callAttributes = &attributes;
  body.calls = scope.calls;
  body.calls.push_back(&function);
  body.prefix =
      scope.prefix + std::string(node.name.empty() ? node.opType : node.name) + "/";
  body.context = errors.place() + ", ";
  body.setOpsets(function.opsets.empty() ? model.opsets : function.opsets);
  for (auto [i, name] : llvm::enumerate(function.inputs))
    if (failed(bind(StringRef(name), i < inputs.size() ? inputs[i] : Value(), body)))
      return failure();
  body.end = Scope::End::names;
  for (auto [i, name] : llvm::enumerate(node.outputs))
    if (!name.empty())
      body.handsOn.push_back({std::string(function.outputs[i]), std::string(name)});
  if (failed(importNodes(function.nodes, body)))
    return failure();
  if (hasForked())
    return success();
  for (auto [i, name] : llvm::enumerate(node.outputs)) {
    if (name.empty())
      continue;
    FailureOr<Value> value = lookup(StringRef(function.outputs[i]), body);
    if (failed(value) || failed(bind(StringRef(name), *value, scope)))
      return failure();
  }
  return success();
}

} // namespace hexin::onnx
