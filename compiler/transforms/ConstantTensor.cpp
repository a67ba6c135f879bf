#include "compiler/transforms/ConstantTensor.h"

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Ops.h"

#include "runtime/base/DType.h"

#include <cstring>

using namespace mlir;

namespace hexin::hx {
using mlir::Value;

bool isConstantLike(ValueRange values) {
  return llvm::all_of(values, [](Value value) {
    return isa_and_nonnull<ConstantOp, WeightOp>(value.getDefiningOp());
  });
}

std::optional<Tensor> constantTensor(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto weight = dyn_cast_or_null<WeightOp>(op)) {
    WeightStore *store = WeightStore::of(op);
    const WeightEntry *entry = store ? store->find(weight.getEntry()) : nullptr;
    if (!entry)
      return std::nullopt;
    return entry->tensor;
  }
  auto constant = dyn_cast_or_null<ConstantOp>(op);
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  if (!elements || isa<StringType>(elements.getElementType()))
    return std::nullopt;
  std::optional<DType> dtype = toDType(elements.getElementType());
  if (!dtype)
    return std::nullopt;
  Result<Tensor> tensor = Tensor::allocate(*dtype, elements.getType().getShape());
  if (!tensor.ok())
    return std::nullopt;
  auto *bytes = static_cast<char *>(tensor->data());
  size_t width = byteWidth(*dtype);
  if (elements.getElementType().isInteger(1)) {
    for (auto [i, value] : llvm::enumerate(elements.getValues<bool>()))
      bytes[i] = value;
  } else if (elements.isSplat()) {
    for (int64_t i = 0; i < tensor->numElements(); ++i)
      std::memcpy(bytes + i * width, elements.getRawData().data(), width);
  } else {
    llvm::copy(elements.getRawData(), bytes);
  }
  return std::move(*tensor);
}

Value materialiseConstant(OpBuilder &builder, Location loc, const Tensor &tensor,
                          WeightStore *store) {
  Type elementType = toElementType(tensor.dtype(), builder.getContext());
  if (!elementType)
    return {};
  auto type = RankedTensorType::get(tensor.dims(), elementType);
  const auto *bytes = static_cast<const char *>(tensor.data());
  size_t width = byteWidth(tensor.dtype());
  bool isSplat = tensor.numElements() > 0;
  for (int64_t i = 1; i < tensor.numElements() && isSplat; ++i)
    isSplat = std::memcmp(bytes, bytes + i * width, width) == 0;
  if (isSplat || static_cast<int64_t>(tensor.byteLength()) <= ConstantOp::maxBytes) {
    DenseElementsAttr attr;
    if (elementType.isInteger(1)) {
      SmallVector<bool> values(bytes, bytes + tensor.numElements());
      if (isSplat)
        values.resize(1);
      attr = DenseElementsAttr::get(type, ArrayRef<bool>(values));
    } else {
      size_t length = isSplat ? width : tensor.byteLength();
      attr = DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(bytes, length));
    }
    return ConstantOp::create(builder, loc, attr);
  }
  if (!store)
    return {};
  std::string hint = "folded";
  if (auto name = dyn_cast<NameLoc>(loc))
    hint = name.getName().str();
  std::string entry = store->add(hint, tensor);
  return WeightOp::create(builder, loc, type, entry);
}

SmallVector<std::pair<size_t, Value>> odsOperands(Operation *op) {
  SmallVector<std::pair<size_t, Value>> result;
  // Only these leave gaps between operands; elsewhere absent ones are trailing.
  auto segments = op->getAttrOfType<DenseI32ArrayAttr>("operandSegmentSizes");
  if (!segments) {
    for (auto [i, value] : llvm::enumerate(op->getOperands()))
      result.push_back({i, value});
    return result;
  }
  size_t next = 0;
  for (auto [position, count] : llvm::enumerate(segments.asArrayRef()))
    for (int32_t i = 0; i < count; ++i)
      result.push_back({position, op->getOperand(next++)});
  return result;
}

} // namespace hexin::hx
