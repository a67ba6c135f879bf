#include "compiler/ir/DeviceOps.h"

#include "compiler/ir/Ops.h"

using namespace mlir;

namespace hexin::hx {

bool isDeviceOp(Operation *op) {
  if (op->hasTrait<HxElementwise>())
    return true;
  // The core set.
  if (isa<IotaOp, BitcastOp, TransposeOp, BroadcastToOp, SliceOp, ConcatOp, PadOp,
          GatherOp, GatherElementsOp, GatherNdOp, ScatterElementsOp, ScatterNdOp,
          MatMulOp, ConvOp, ConvTransposeOp, PoolOp, ReduceOp, ArgReduceOp, CumulativeOp,
          SortOp, CompactFillOp, PackOp>(op))
    return true;
  // Above it, taken whole.
  return isa<SoftmaxOp, LogSoftmaxOp, LayerNormOp, QuantizeOp, DequantizeOp,
             DynamicQuantizeOp, ConvIntegerOp, MatMulIntegerOp, ResizeOp, LstmOp>(op);
}

bool isDeviceElement(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(elementType);
}

static std::string typeRefusal(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && isDeviceElement(tensor.getElementType()))
    return {};
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "no kernel takes ";
  if (tensor)
    os << "elements of type " << tensor.getElementType();
  else
    os << type;
  return text;
}

std::string deviceRefusal(Operation *op) {
  if (isa<BatchNormOp>(op))
    return "no kernel on any device; hx-fold-batch-norm only takes parameters of static "
           "sizes and the input's type";
  if (!isDeviceOp(op))
    return "no kernel on any device";
  for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
    if (std::string refusal = typeRefusal(type); !refusal.empty())
      return refusal;
  return {};
}

} // namespace hexin::hx
