#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/ValueTypes.h"
#include "frontends/onnx/wire/DataType.h"
#include "frontends/onnx/wire/Utf8.h"

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Ops.h"

using namespace mlir;

namespace hexin::onnx {

LogicalResult GraphImporter::bind(StringRef name, Value value, Scope &scope) {
  if (scope.values.try_emplace(name, value).second)
    return success();
  return errors.malformed("the name '" + name + "' is given to two values");
}

FailureOr<Value> GraphImporter::lookup(StringRef name, Scope &scope) {
  for (Scope *at = &scope; at; at = at->parent) {
    if (auto it = at->values.find(name); it != at->values.end())
      return it->second;
    auto it = at->initializers.find(name);
    if (it == at->initializers.end())
      continue;
    // In the block of the graph that owns it, so that other branches see it too.
    OpBuilder::InsertionGuard guard(builder);
    if (at->block != builder.getInsertionBlock())
      builder.setInsertionPoint(
          at->block->findAncestorOpInBlock(*builder.getInsertionBlock()->getParentOp()));
    Value value = importTensor(*it->second, name);
    at->values[name] = value;
    if (!value)
      return failure();
    return value;
  }
  return errors.malformed("'" + name +
                          "' is not an input, an initializer or the output of an "
                          "earlier node");
}

FailureOr<SmallVector<Value>> GraphImporter::lookupOutputs(const Graph &graph,
                                                           Scope &scope) {
  SmallVector<Value> values;
  for (const ValueInfo &info : graph.outputs) {
    FailureOr<Value> value = lookup(StringRef(info.name), scope);
    if (failed(value))
      return failure();
    if (!*value)
      return errors.malformed("output '" + StringRef(info.name) + "' has no value");
    values.push_back(*value);
  }
  return values;
}

Value GraphImporter::importTensor(const TensorData &data, StringRef name) {
  auto fail = [&](const Status &status) {
    (void)errors.fail(status.code(), "tensor '" + name + "': " + status.message());
    return Value();
  };
  if (data.dataType == static_cast<int32_t>(DataType::string)) {
    Result<StringTensor> strings = loader.loadStrings(data);
    return strings.ok() ? importStrings(*strings, name) : fail(strings.status());
  }
  Result<Tensor> tensor = loader.load(data);
  return tensor.ok() ? addConstant(*std::move(tensor), name) : fail(tensor.status());
}

Value GraphImporter::importStrings(const StringTensor &strings, StringRef name) {
  HxBuilder b(builder, shapes, NameLoc::get(builder.getStringAttr(toUtf8(name))));
  Value value = b.strings(strings.elements, strings.dims);
  if (!value)
    (void)errors.unsupported("tensor '" + name + "': more than " +
                             Twine(hx::ConstantOp::maxBytes) + " strings in a literal");
  return value;
}

Type GraphImporter::declaredType(StringRef name, const Scope &scope) {
  for (const Scope *at = &scope; at; at = at->parent) {
    if (!at->graph)
      continue;
    for (const std::vector<ValueInfo> *infos :
         {&at->graph->valueInfos, &at->graph->outputs})
      for (const ValueInfo &info : *infos)
        if (StringRef(info.name) == name && info.type.kind != TypeInfo::Kind::none)
          if (Result<Type> type = toValueType(builder.getContext(), info.type); type.ok())
            return *type;
  }
  return {};
}

Value GraphImporter::addConstant(Tensor tensor, StringRef name) {
  std::string cleanName = toUtf8(name);
  Location loc = NameLoc::get(builder.getStringAttr(cleanName));
  HxBuilder b(builder, shapes, loc);
  if (tensor.byteLength() <= static_cast<size_t>(hx::ConstantOp::maxBytes))
    return b.constant(toElementsAttr(builder.getContext(), tensor));
  auto type =
      RankedTensorType::get(ArrayRef<int64_t>(tensor.dims().data(), tensor.dims().size()),
                            hx::toElementType(tensor.dtype(), builder.getContext()));
  std::string entry = weights.add(cleanName, std::move(tensor));
  auto op = hx::WeightOp::create(builder, loc, type, entry);
  if (failed(shapes.infer(op)))
    return {};
  return op.getResult();
}

} // namespace hexin::onnx
