//===- Window.h - strides, dilations and pads of windows --------------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_WINDOW_H
#define HEXIN_BACKENDS_CPU_ONEDNN_WINDOW_H

#include "backends/cpu/onednn/Shapes.h"

namespace hexin::onednn {

struct Window {
  Dims strides;
  Dims dilations; ///< as oneDNN counts: 0 = dense
  Dims padsBegin;
  Dims padsEnd;
};

/// Reads strides, dilations, pads and padPolicy. `large` and `small` are the spatial
/// sizes on the side that windows slide over (a convolution's src, its dst
/// transposed) and on the other. Throws OpError.
Window readWindow(const OpAttributes &attributes, const Dims &taps, const Dims &large,
                  const Dims &small);

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_WINDOW_H
