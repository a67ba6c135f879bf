#include "compiler/ir/DeviceOps.h"

#include "compiler/ir/CheckOps.h"
#include "compiler/ir/ValueTypes.h"

using namespace mlir;

namespace hexin::hx {

bool isDeviceOp(Operation *op) {
  if (op->hasTrait<HxElementwise>())
    return true;
  // The core set.
  if (isa<IotaOp, BitcastOp, TransposeOp, BroadcastToOp, SliceOp, ConcatOp, PadOp,
          GatherOp, GatherElementsOp, GatherNdOp, GatherSumOp, ScatterElementsOp,
          ScatterNdOp, MatMulOp, ConvOp, ConvTransposeOp, PoolOp, ReduceOp, ArgReduceOp,
          CumulativeOp, SortOp, SortedSearchOp, CompactFillOp, PackOp, CheckLengthsOp,
          RandomBitsOp, RoiPoolOp, TreeEnsembleOp, CouplePairsOp>(op))
    return true;
  // Above it, taken whole.
  return isa<SoftmaxOp, LogSoftmaxOp, LayerNormOp, TopKOp, QuantizeOp, DequantizeOp,
             DynamicQuantizeOp, ConvIntegerOp, MatMulIntegerOp, MatMulFewBitsOp, ResizeOp,
             LstmOp, RecurrenceOp>(op);
}

bool isDeviceElement(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(elementType);
}

bool isMovedElement(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return integer.getWidth() == 2 || integer.getWidth() == 4;
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return complex.getElementType().isF32();
  return isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType,
             Float8E8M0FNUType, Float4E2M1FNType>(elementType);
}

/// Ops that move elements as they stand, or convert them.
static bool takesMoved(Operation *op) {
  if (isa<TransposeOp, BroadcastToOp, SliceOp, ConcatOp, PadOp, GatherOp,
          GatherElementsOp, GatherNdOp, SelectOp>(op))
    return true;
  if (auto scatter = dyn_cast<ScatterElementsOp>(op))
    return scatter.getFn() == ScatterFn::set;
  if (auto scatter = dyn_cast<ScatterNdOp>(op))
    return scatter.getFn() == ScatterFn::set;
  bool converts = isa<CastOp, QuantizeOp, DequantizeOp>(op);
  bool isComplex =
      converts && isa<ComplexType>(getElementTypeOrSelf(op->getOperand(0).getType()));
  return converts &&
         (!isComplex || op->getOperand(0).getType() == op->getResult(0).getType());
}

mlir::Value viewedBy(Operation *op) {
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return isHostType(reshape.getType()) ? mlir::Value() : reshape.getInput();
  auto bitcast = dyn_cast<BitcastOp>(op);
  if (!bitcast)
    return {};
  auto isKept = [](mlir::Value value) { // in registers, with all bits
    Type type = getElementTypeOrSelf(value.getType());
    return isDeviceElement(type) && !type.isF16() && !type.isBF16();
  };
  return isKept(bitcast.getInput()) && isKept(bitcast.getResult()) ? mlir::Value()
                                                                   : bitcast.getInput();
}

static std::string typeRefusal(Operation *op, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  Type element = tensor ? tensor.getElementType() : Type();
  if (tensor && (isDeviceElement(element) || (isMovedElement(element) && takesMoved(op))))
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
  if (auto resize = dyn_cast<ResizeOp>(op)) {
    if (resize.getAntialias())
      return "no kernel for antialias; hx-expand-resize only takes static sizes and "
             "constant scales";
    if (resize.getCoordinates() == "tf_crop_and_resize")
      return "no kernel for tf_crop_and_resize";
  }
  for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
    if (std::string refusal = typeRefusal(op, type); !refusal.empty())
      return refusal;
  return {};
}

} // namespace hexin::hx
