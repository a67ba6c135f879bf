#include "frontends/onnx/ValueTypes.h"

#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/ModelInputs.h"
#include "frontends/onnx/wire/DataType.h"

#include "compiler/ir/Dialect.h"

using namespace mlir;

namespace hexin::onnx {

static Result<Type> tensorType(MLIRContext *context, const TypeInfo &info) {
  Type elementType = toElementType(context, info.elementType);
  if (!elementType)
    return unsupported("element type " + dataTypeName(info.elementType));
  if (!info.shape)
    return Type(UnrankedTensorType::get(elementType));
  if (info.shape->size() > static_cast<size_t>(maxRank))
    return unsupported("rank " + std::to_string(info.shape->size()) +
                       "; expected at most " + std::to_string(maxRank));
  SmallVector<int64_t> sizes;
  for (const Dimension &dimension : *info.shape)
    sizes.push_back(dimension.value && *dimension.value >= 0 ? *dimension.value
                                                             : ShapedType::kDynamic);
  return Type(RankedTensorType::get(sizes, elementType));
}

/// Keys of maps are kept as i64 or strings.
static Result<Type> keyType(MLIRContext *context, int32_t dataType) {
  switch (static_cast<DataType>(dataType)) {
  case DataType::string:
    return Type(hx::StringType::get(context));
  case DataType::i64:
  case DataType::i32:
  case DataType::i16:
  case DataType::i8:
    return Type(IntegerType::get(context, 64));
  default:
    return unsupported("a map with keys of type " + dataTypeName(dataType));
  }
}

Result<Type> toValueType(MLIRContext *context, const TypeInfo &info) {
  if (info.kind == TypeInfo::Kind::tensor)
    return tensorType(context, info);
  if (info.kind == TypeInfo::Kind::sparseTensor || info.kind == TypeInfo::Kind::opaque)
    return unsupported("a sparse tensor or opaque value");
  if (info.kind == TypeInfo::Kind::none || !info.element)
    return unsupported("a value of no declared type");
  HEXIN_ASSIGN_OR_RETURN(Type held, toValueType(context, *info.element));
  if (info.kind == TypeInfo::Kind::sequence)
    return Type(hx::SequenceType::get(context, held));
  if (info.kind == TypeInfo::Kind::optional)
    return Type(hx::OptionalType::get(context, held));
  HEXIN_ASSIGN_OR_RETURN(Type key, keyType(context, info.elementType));
  return Type(hx::MapType::get(context, key, held));
}

} // namespace hexin::onnx
