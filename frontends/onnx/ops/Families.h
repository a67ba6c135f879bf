//===- Families.h - the files of this folder, for the op table -------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H
#define HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H

namespace hexin::onnx {

class OpTable;

void registerActivationOps(OpTable &table);
void registerAttentionOps(OpTable &table);
void registerBatchNormOps(OpTable &table);
void registerCategoryOps(OpTable &table);
void registerConstantOps(OpTable &table);
void registerControlOps(OpTable &table);
void registerConvOps(OpTable &table);
void registerDecodingOps(OpTable &table);
void registerDeformConvOps(OpTable &table);
void registerEinsumOps(OpTable &table);
void registerElementwiseOps(OpTable &table);
void registerEliminationOps(OpTable &table);
void registerFourierOps(OpTable &table);
void registerGatedOps(OpTable &table);
void registerGatherOps(OpTable &table);
void registerGridSampleOps(OpTable &table);
void registerIndexOps(OpTable &table);
void registerLayoutOps(OpTable &table);
void registerLinearOps(OpTable &table);
void registerLinearAttentionOps(OpTable &table);
void registerLoopOps(OpTable &table);
void registerLossOps(OpTable &table);
void registerMapOps(OpTable &table);
void registerMatMulOps(OpTable &table);
void registerMicrosoftOps(OpTable &table);
void registerMicrosoftAttentionOps(OpTable &table);
void registerMicrosoftConvOps(OpTable &table);
void registerMicrosoftFewBitProductOps(OpTable &table);
void registerMicrosoftGatherOps(OpTable &table);
void registerMicrosoftGroupQueryOps(OpTable &table);
void registerMicrosoftIntegerOps(OpTable &table);
void registerMicrosoftLinear8Ops(OpTable &table);
void registerMicrosoftMoeOps(OpTable &table);
void registerMicrosoftNormOps(OpTable &table);
void registerMicrosoftPlainOps(OpTable &table);
void registerMicrosoftPositionOps(OpTable &table);
void registerMicrosoftProductOps(OpTable &table);
void registerMicrosoftRotaryOps(OpTable &table);
void registerMicrosoftSpectralOps(OpTable &table);
void registerMlOps(OpTable &table);
void registerMovementOps(OpTable &table);
void registerNormOps(OpTable &table);
void registerOptimizerOps(OpTable &table);
void registerPadOps(OpTable &table);
void registerPoolOps(OpTable &table);
void registerQuantizeOps(OpTable &table);
void registerRandomOps(OpTable &table);
void registerRecurrentOps(OpTable &table);
void registerReduceOps(OpTable &table);
void registerResizeOps(OpTable &table);
void registerRoiOps(OpTable &table);
void registerScatterOps(OpTable &table);
void registerSequenceOps(OpTable &table);
void registerSliceOps(OpTable &table);
void registerSoftmaxOps(OpTable &table);
void registerSortOps(OpTable &table);
void registerSpectralOps(OpTable &table);
void registerSpectralTableOps(OpTable &table);
void registerSvmOps(OpTable &table);
void registerTextOps(OpTable &table);
void registerSuppressOps(OpTable &table);
void registerTreeOps(OpTable &table);
void registerUniqueOps(OpTable &table);
void registerUnpoolOps(OpTable &table);

inline void registerAllOps(OpTable &table) {
  registerActivationOps(table);
  registerAttentionOps(table);
  registerBatchNormOps(table);
  registerCategoryOps(table);
  registerConstantOps(table);
  registerControlOps(table);
  registerConvOps(table);
  registerDecodingOps(table);
  registerDeformConvOps(table);
  registerEinsumOps(table);
  registerElementwiseOps(table);
  registerEliminationOps(table);
  registerFourierOps(table);
  registerGatedOps(table);
  registerGatherOps(table);
  registerGridSampleOps(table);
  registerIndexOps(table);
  registerLayoutOps(table);
  registerLinearOps(table);
  registerLinearAttentionOps(table);
  registerLoopOps(table);
  registerLossOps(table);
  registerMapOps(table);
  registerMatMulOps(table);
  registerMicrosoftOps(table);
  registerMicrosoftAttentionOps(table);
  registerMicrosoftConvOps(table);
  registerMicrosoftFewBitProductOps(table);
  registerMicrosoftGatherOps(table);
  registerMicrosoftGroupQueryOps(table);
  registerMicrosoftIntegerOps(table);
  registerMicrosoftLinear8Ops(table);
  registerMicrosoftMoeOps(table);
  registerMicrosoftNormOps(table);
  registerMicrosoftPlainOps(table);
  registerMicrosoftPositionOps(table);
  registerMicrosoftProductOps(table);
  registerMicrosoftRotaryOps(table);
  registerMicrosoftSpectralOps(table);
  registerMlOps(table);
  registerMovementOps(table);
  registerNormOps(table);
  registerOptimizerOps(table);
  registerPadOps(table);
  registerPoolOps(table);
  registerQuantizeOps(table);
  registerRandomOps(table);
  registerRecurrentOps(table);
  registerReduceOps(table);
  registerResizeOps(table);
  registerRoiOps(table);
  registerScatterOps(table);
  registerSequenceOps(table);
  registerSliceOps(table);
  registerSoftmaxOps(table);
  registerSortOps(table);
  registerSpectralOps(table);
  registerSpectralTableOps(table);
  registerSvmOps(table);
  registerTextOps(table);
  registerSuppressOps(table);
  registerTreeOps(table);
  registerUniqueOps(table);
  registerUnpoolOps(table);
}

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H
