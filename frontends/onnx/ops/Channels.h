//===- Channels.h - where the channel axis stands ----------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_CHANNELS_H
#define HEXIN_FRONTENDS_ONNX_OPS_CHANNELS_H

#include "frontends/onnx/HxBuilder.h"

namespace hexin::onnx {

/// [N, C, spatial...] as [N, spatial..., C].
inline Value channelsLast(HxBuilder &b, Value x) {
  if (b.failed())
    return {};
  llvm::SmallVector<int64_t> perm{0};
  for (int64_t axis = 2; axis < HxBuilder::rank(x); ++axis)
    perm.push_back(axis);
  perm.push_back(1);
  return b.transpose(x, perm);
}

/// [N, spatial..., C] as [N, C, spatial...].
inline Value channelsFirst(HxBuilder &b, Value x) {
  if (b.failed())
    return {};
  llvm::SmallVector<int64_t> perm{0, HxBuilder::rank(x) - 1};
  for (int64_t axis = 1; axis < HxBuilder::rank(x) - 1; ++axis)
    perm.push_back(axis);
  return b.transpose(x, perm);
}

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_CHANNELS_H
