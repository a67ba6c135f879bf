//===- Panels.h - the matrix product under matmul and the convolutions ------===//
//
// A product is done a panel at a time: `panelWidth` columns of the right-hand
// matrix, copied densely as [K][panelWidth]. Each output is one running sum over
// k from 0 upwards, whatever its place, so that a box of a product has the very
// numbers of the whole. double for floats; uint64_t for integers, which wrap and
// so serve every integer type.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_PANELS_H
#define HEXIN_RUNTIME_REFERENCE_PANELS_H

#include <cstdint>

namespace hexin::reference {

constexpr int64_t panelWidth = 8;

/// dst[r * panelWidth + j] = sum over k of
///   lhs[r * lhsRowStride + k * lhsColumnStride] * panel[k * panelWidth + j].
template <typename W>
void multiplyPanel(const W *lhs, int64_t lhsRowStride, int64_t lhsColumnStride,
                   int64_t rows, int64_t depth, const W *panel, W *dst);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_PANELS_H
