//===- ResizeTable.h - which source positions a resized axis reads ----------===//
//
// All coordinates are f64. The tables do not depend on elements, only on sizes
// and options, so that what plans a resize elsewhere can use them too.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_RESIZETABLE_H
#define HEXIN_RUNTIME_REFERENCE_RESIZETABLE_H

#include "hexin/status.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace hexin::reference {

/// One source position and its weight.
struct ResizeTap {
  int64_t position;
  double weight;
};

/// What each result position of one axis reads. No taps: it lies outside of the
/// region that tf_crop_and_resize cuts, and gets the extrapolation value.
struct ResizeTable {
  std::vector<std::vector<ResizeTap>> taps;
  bool isIdentity = false;
};

/// The attributes of hx.resize, with keywords as written there.
struct ResizeOptions {
  std::string_view mode, coordinates, nearest;
  double cubicCoefficient;
  bool excludeOutside, antialias;
};

struct ResizeAxis {
  int64_t in, out;
  double scale;            ///< maps coordinates; need not be out / in
  double roiStart, roiEnd; ///< tf_crop_and_resize only
};

/// invalidArgument when the axis is empty or the scale leads nowhere.
Result<ResizeTable> makeResizeTable(const ResizeOptions &options, const ResizeAxis &axis);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_RESIZETABLE_H
