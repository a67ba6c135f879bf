#include "runtime/reference/Panels.h"

#include <algorithm>

#if defined(__x86_64__) && defined(__ELF__)
// Wider vectors change no number: lanes are different outputs, and without FMA
// the operations are the same ones.
#define HEXIN_WIDE_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define HEXIN_WIDE_CLONES
#endif

namespace hexin::reference {
namespace {

constexpr int64_t rowBlock = 4;

HEXIN_WIDE_CLONES void multiplyFourRows(const double *lhs, int64_t rowStride,
                                        int64_t columnStride, int64_t depth,
                                        const double *panel, double *dst) {
  double sums[rowBlock][panelWidth] = {};
  for (int64_t k = 0; k < depth; ++k) {
    const double *right = panel + k * panelWidth;
    const double *left = lhs + k * columnStride;
    for (int64_t r = 0; r < rowBlock; ++r) {
      double factor = left[r * rowStride];
      for (int64_t j = 0; j < panelWidth; ++j)
        sums[r][j] += factor * right[j];
    }
  }
  for (int64_t r = 0; r < rowBlock; ++r)
    for (int64_t j = 0; j < panelWidth; ++j)
      dst[r * panelWidth + j] = sums[r][j];
}

template <typename W>
void multiplyRow(const W *lhs, int64_t columnStride, int64_t depth, const W *panel,
                 W *dst) {
  W sums[panelWidth] = {};
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < panelWidth; ++j)
      sums[j] += lhs[k * columnStride] * panel[k * panelWidth + j];
  for (int64_t j = 0; j < panelWidth; ++j)
    dst[j] = sums[j];
}

} // namespace

template <>
void multiplyPanel(const double *lhs, int64_t rowStride, int64_t columnStride,
                   int64_t rows, int64_t depth, const double *panel, double *dst) {
  int64_t r = 0;
  if (depth == 0) { // there may be no operands to point at
    std::fill_n(dst, rows * panelWidth, 0.0);
    return;
  }
  for (; r + rowBlock <= rows; r += rowBlock)
    multiplyFourRows(lhs + r * rowStride, rowStride, columnStride, depth, panel,
                     dst + r * panelWidth);
  for (; r < rows; ++r)
    multiplyRow(lhs + r * rowStride, columnStride, depth, panel, dst + r * panelWidth);
}

template <>
void multiplyPanel(const uint64_t *lhs, int64_t rowStride, int64_t columnStride,
                   int64_t rows, int64_t depth, const uint64_t *panel, uint64_t *dst) {
  if (depth == 0) {
    std::fill_n(dst, rows * panelWidth, uint64_t(0));
    return;
  }
  for (int64_t r = 0; r < rows; ++r)
    multiplyRow(lhs + r * rowStride, columnStride, depth, panel, dst + r * panelWidth);
}

} // namespace hexin::reference
