//===- Families.h - the files of this folder, for the op table -------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H
#define HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H

namespace hexin::onnx {

class OpTable;

void registerActivationOps(OpTable &table);
void registerAttentionOps(OpTable &table);
void registerCategoryOps(OpTable &table);
void registerConstantOps(OpTable &table);
void registerControlOps(OpTable &table);
void registerConvOps(OpTable &table);
void registerDecodingOps(OpTable &table);
void registerEinsumOps(OpTable &table);
void registerElementwiseOps(OpTable &table);
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
void registerMlOps(OpTable &table);
void registerMovementOps(OpTable &table);
void registerNormOps(OpTable &table);
void registerOptimizerOps(OpTable &table);
void registerPadOps(OpTable &table);
void registerPoolOps(OpTable &table);
void registerQuantizeOps(OpTable &table);
void registerRecurrentOps(OpTable &table);
void registerReduceOps(OpTable &table);
void registerResizeOps(OpTable &table);
void registerScatterOps(OpTable &table);
void registerSequenceOps(OpTable &table);
void registerSliceOps(OpTable &table);
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
  registerCategoryOps(table);
  registerConstantOps(table);
  registerControlOps(table);
  registerConvOps(table);
  registerDecodingOps(table);
  registerEinsumOps(table);
  registerElementwiseOps(table);
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
  registerMlOps(table);
  registerMovementOps(table);
  registerNormOps(table);
  registerOptimizerOps(table);
  registerPadOps(table);
  registerPoolOps(table);
  registerQuantizeOps(table);
  registerRecurrentOps(table);
  registerReduceOps(table);
  registerResizeOps(table);
  registerScatterOps(table);
  registerSequenceOps(table);
  registerSliceOps(table);
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
