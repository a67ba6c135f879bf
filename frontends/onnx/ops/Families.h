//===- Families.h - the files of this folder, for the op table -------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H
#define HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H

namespace hexin::onnx {

class OpTable;

void registerActivationOps(OpTable &table);
void registerConstantOps(OpTable &table);
void registerControlOps(OpTable &table);
void registerConvOps(OpTable &table);
void registerElementwiseOps(OpTable &table);
void registerGatherOps(OpTable &table);
void registerIndexOps(OpTable &table);
void registerLayoutOps(OpTable &table);
void registerLoopOps(OpTable &table);
void registerMapOps(OpTable &table);
void registerMatMulOps(OpTable &table);
void registerMicrosoftOps(OpTable &table);
void registerMlOps(OpTable &table);
void registerMovementOps(OpTable &table);
void registerNormOps(OpTable &table);
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
void registerTextOps(OpTable &table);

inline void registerAllOps(OpTable &table) {
  registerActivationOps(table);
  registerConstantOps(table);
  registerControlOps(table);
  registerConvOps(table);
  registerElementwiseOps(table);
  registerGatherOps(table);
  registerIndexOps(table);
  registerLayoutOps(table);
  registerLoopOps(table);
  registerMapOps(table);
  registerMatMulOps(table);
  registerMicrosoftOps(table);
  registerMlOps(table);
  registerMovementOps(table);
  registerNormOps(table);
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
  registerTextOps(table);
}

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_FAMILIES_H
