//===- DepthwiseTile.h - what a team computes of a depthwise convolution ----===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_DEPTHWISETILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_DEPTHWISETILE_H

#include "compiler/codegen/KernelModule.h"

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>

namespace hexin::codegen {

/// What is known of a convolution when its kernel is written.
struct DepthwiseExtent {
  std::optional<int64_t> height, width; ///< of the result
  int64_t channels;
  llvm::ArrayRef<int64_t> taps, strides, dilations; ///< [y, x]
};

/// What a team computes at a time.
struct DepthwiseTile {
  static constexpr int64_t run = 4; ///< pixels of a thread side by side

  unsigned threads = 128;
  int64_t height = 8, width = 8; ///< pixels of the result; width: whole runs
  int64_t channels = 32;
  DepthwiseExtent extent;

  /// Pixels of the image that the windows lie in.
  int64_t imageSize(int64_t pixels, unsigned axis) const {
    return (pixels - 1) * extent.strides[axis] +
           (extent.taps[axis] - 1) * extent.dilations[axis] + 1;
  }
  int64_t imageHeight() const { return imageSize(height, 0); }
  int64_t imageWidth() const { return imageSize(width, 1); }
  /// From one row of them to the next, in local memory.
  int64_t imagePitch() const { return imageWidth() | 1; }
  int64_t imageElements() const { return imageHeight() * imagePitch() * channels; }
  int64_t numTaps() const { return extent.taps[0] * extent.taps[1]; }
  int64_t localElements() const { return imageElements() + numTaps() * channels; }
};

/// As large a tile as memory allows and the result can fill; nullopt: none fits.
std::optional<DepthwiseTile> chooseDepthwiseTile(const DepthwiseExtent &extent,
                                                 const TeamTraits &team);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_DEPTHWISETILE_H
