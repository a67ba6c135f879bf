//===- Fourier.h - discrete Fourier transforms as products -----------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_FOURIER_H
#define HEXIN_FRONTENDS_ONNX_OPS_FOURIER_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

struct FourierTransform {
  hx::Dim length; ///< N; longer input is cut, shorter input stands for zeros behind it
  bool isInverse = false;
  bool isOneSided = false; ///< forward: N/2 + 1 bins; inverse: from those, real
};

/// x [..., 1 or 2], the parts of numbers. Where only a run knows how many there are: of a
/// transform that takes `onlyReal` numbers it must be 1, else what is real gets an
/// imaginary part of 0.
Value withKnownParts(OpBinder &b, Value x, bool onlyReal);

/// Along the last axis of `real` and, unless null, `imaginary` (both [..., n]), in f64,
/// with tables of 2 N^2 numbers. Gives [..., bins, 2], or [..., N, 1] of a real inverse.
Value fourierTransform(OpBinder &b, Value real, Value imaginary,
                       const FourierTransform &transform);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_FOURIER_H
