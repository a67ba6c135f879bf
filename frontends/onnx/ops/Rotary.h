//===- Rotary.h - rotary positions, for several families ----------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_ROTARY_H
#define HEXIN_FRONTENDS_ONNX_OPS_ROTARY_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// The first `turned` features of heads x, [B, N, S, H] with headAxis 1 or [B, S, N, H]
/// with headAxis 2, turned by the angles whose cosines and sines [B or 1, S, turned / 2]
/// are given. Pairs are neighbours if interleaved, else the two halves.
Value rotateHeads(OpBinder &b, Value x, Value cosine, Value sine, int64_t headAxis,
                  hx::Dim turned, bool isInterleaved);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_ROTARY_H
