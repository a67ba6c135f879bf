#include "frontends/onnx/ElementTypes.h"

#include "frontends/onnx/wire/DataType.h"

#include "compiler/ir/AttributeConversion.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace hexin::onnx {

Type toElementType(MLIRContext *context, int32_t dataType) {
  std::optional<DType> dtype = toDType(dataType);
  return dtype ? hx::toElementType(*dtype, context) : Type();
}

ElementsAttr toElementsAttr(MLIRContext *context, const Tensor &tensor) {
  Type elementType = hx::toElementType(tensor.dtype(), context);
  auto type = RankedTensorType::get(
      ArrayRef<int64_t>(tensor.dims().data(), tensor.dims().size()), elementType);
  const size_t count = static_cast<size_t>(tensor.numElements());
  switch (tensor.dtype()) {
  case DType::string:
    return {};
  case DType::boolean: {
    SmallVector<bool> values;
    for (size_t i = 0; i < count; ++i)
      values.push_back(tensor.as<uint8_t>()[i] != 0);
    return DenseElementsAttr::get(type, values);
  }
  case DType::i4:
  case DType::u4:
  case DType::i2:
  case DType::u2: {
    unsigned width = elementType.getIntOrFloatBitWidth();
    SmallVector<APInt> values;
    for (size_t i = 0; i < count; ++i)
      values.emplace_back(width, tensor.as<uint8_t>()[i] & ((1u << width) - 1));
    return DenseElementsAttr::get(type, values);
  }
  case DType::f4e2m1: {
    auto &semantics = cast<FloatType>(elementType).getFloatSemantics();
    SmallVector<APFloat> values;
    for (size_t i = 0; i < count; ++i)
      values.emplace_back(semantics, APInt(4, tensor.as<uint8_t>()[i] & 15));
    return DenseElementsAttr::get(type, values);
  }
  default:
    break;
  }
  // A buffer of one element would be taken for a splat of an empty tensor.
  if (count == 0)
    return DenseElementsAttr::get(type, ArrayRef<mlir::Attribute>());
  ArrayRef<char> bytes(tensor.as<char>(), tensor.byteLength());
  const size_t width = tensor.byteLength() / count;
  bool isSplat = true;
  for (size_t offset = width; offset < bytes.size() && isSplat; offset += width)
    isSplat = bytes.slice(offset, width) == bytes.take_front(width);
  return DenseElementsAttr::getFromRawBuffer(type,
                                             isSplat ? bytes.take_front(width) : bytes);
}

} // namespace hexin::onnx
