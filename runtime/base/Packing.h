//===- Packing.h - weights between their plain form and panels --------------===//
//
// Panels: a [K, N] matrix as [ceil(N / width)][K][width], the last panel filled
// up with zeros. Element (k, n) stands at ((n / width) * K + k) * width + n % width.
// Example, K = 2, N = 3, width = 2:
//
//   a b c          a b   c 0
//   d e f    ->    d e   f 0      memory: a b d e c 0 f 0
//
// Three plain forms are such a matrix:
//   matmul             [batch..., K, N]
//   matmulTransposed   [batch..., N, K]
//   conv               [M, C/g, taps...]: N = M, K = taps x C/g, taps outermost
// Leading batch axes are packed one matrix after the other, and so are a conv's groups.
//
// With `steps` above 1, so many of a column stand side by side, as instructions read them
// that multiply several at once: [ceil(N / width)][K' / steps][width][steps], where K' is
// K rounded up to sixteen times `steps` (what AMX takes at a time), filled up with zeros.
// Packing looks at bytes only, so it serves every element type, and unpacking is its
// inverse.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_PACKING_H
#define HEXIN_RUNTIME_BASE_PACKING_H

#include "hexin/status.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hexin {

enum class PlainForm : uint8_t { matmul, matmulTransposed, conv };

/// A plain form and its panels, with checked sizes.
struct PanelShape {
  PlainForm form;
  int64_t batch = 1; ///< matrices
  int64_t k = 0, n = 0;
  int64_t taps = 1;     ///< conv: k = taps * channels
  int64_t channels = 0; ///< conv only
  int64_t width = 0;
  int64_t elementBytes = 0;
  int64_t steps = 1;

  /// K'.
  int64_t depth() const {
    int64_t multiple = steps > 1 ? 16 * steps : 1;
    return (k + multiple - 1) / multiple * multiple;
  }

  int64_t numPanels() const { return n / width + (n % width != 0); }
  /// Of the plain form, which is these one after the other, of all matrices.
  int64_t plainRows() const { return batch * (form == PlainForm::matmul ? k : n); }
  int64_t plainRowBytes() const {
    return (form == PlainForm::matmul ? n : k) * elementBytes;
  }
  size_t plainBytes() const { return size_t(batch * k * n * elementBytes); }
  size_t packedBytes() const {
    return size_t(batch * numPanels() * depth() * width * elementBytes);
  }
};

/// `dims` of the plain form, the first of which `groups` cut into equal parts.
/// invalidArgument when the rank or the groups do not fit, when width or elementBytes is
/// not positive, when steps is not 1, 2 or 4, and on overflow.
Result<PanelShape> makePanelShape(PlainForm form, std::span<const int64_t> dims,
                                  int64_t width, int64_t elementBytes, int64_t groups = 1,
                                  int64_t steps = 1);

/// dst gets all of shape.packedBytes(). invalidArgument when a span has another
/// size than the shape says.
Status packPanels(const PanelShape &shape, std::span<const std::byte> src,
                  std::span<std::byte> dst);

/// The exact inverse: dst gets all of shape.plainBytes(). What fills up the last
/// panel is not looked at.
Status unpackPanels(const PanelShape &shape, std::span<const std::byte> src,
                    std::span<std::byte> dst);

/// Of that rows [firstRow, lastRow) alone, which fill dst.
Status unpackRows(const PanelShape &shape, int64_t firstRow, int64_t lastRow,
                  std::span<const std::byte> src, std::span<std::byte> dst);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_PACKING_H
