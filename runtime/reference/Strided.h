//===- Strided.h - row-major walks over strided elements --------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_STRIDED_H
#define HEXIN_RUNTIME_REFERENCE_STRIDED_H

#include "runtime/base/Dims.h"

#include "hexin/status.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hexin::reference {

using Dims = std::vector<int64_t>;

/// Strides in elements of a dense row-major tensor. The sizes have been
/// allocated, so their product fits.
Dims rowMajorStrides(std::span<const int64_t> dims);

/// Product of dims[from, to).
int64_t product(std::span<const int64_t> dims, size_t from, size_t to);

/// numpy's rule, right-aligned.
Result<Dims> broadcastDims(std::span<const int64_t> a, std::span<const int64_t> b);

/// Strides that read a tensor of `dims` as one of `resultDims` (right-aligned,
/// 0 where a size of 1 repeats), or an error when it does not broadcast to that.
Result<Dims> broadcastStrides(std::span<const int64_t> dims,
                              std::span<const int64_t> resultDims);

/// Steps `index` to the next position of a row-major walk over `dims`; after the
/// last it is back at the first.
inline void stepIndex(Dims &index, std::span<const int64_t> dims) {
  for (size_t axis = dims.size(); axis-- > 0 && ++index[axis] == dims[axis];)
    index[axis] = 0;
}

/// Walks `dims` in row-major order for N operands at once, in runs along the
/// innermost axis. Axes that are dense for every operand are merged first, so
/// that operands of one shape are a single run.
template <size_t N> class StridedLoop {
public:
  using Offsets = std::array<int64_t, N>;

  StridedLoop(std::span<const int64_t> dims,
              const std::array<std::span<const int64_t>, N> &strides, Offsets start = {})
      : start_(start) {
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      Offsets step;
      for (size_t n = 0; n < N; ++n)
        step[n] = strides[n][axis];
      append(dims[axis], step);
    }
    if (dims_.empty())
      append(1, Offsets{});
  }

  /// fn(offsets of the run's first elements, count, steps between elements).
  template <typename Fn> void run(Fn fn) const {
    for (int64_t dim : dims_)
      if (dim == 0)
        return;
    size_t inner = dims_.size() - 1;
    Dims index(inner, 0);
    Offsets offsets = start_;
    while (true) {
      fn(offsets, dims_[inner], steps_[inner]);
      size_t axis = inner;
      while (axis > 0 && ++index[axis - 1] == dims_[axis - 1]) {
        --axis;
        index[axis] = 0;
        for (size_t n = 0; n < N; ++n)
          offsets[n] -= steps_[axis][n] * (dims_[axis] - 1);
      }
      if (axis == 0)
        return;
      for (size_t n = 0; n < N; ++n)
        offsets[n] += steps_[axis - 1][n];
    }
  }

private:
  void append(int64_t dim, const Offsets &step) {
    if (dim == 1 && !dims_.empty())
      return;
    if (!dims_.empty()) {
      // Beside a zero dim the others may overflow: those are left unmerged.
      int64_t merged;
      bool isDense = !__builtin_mul_overflow(dims_.back(), dim, &merged);
      for (size_t n = 0; n < N && dims_.back() != 1; ++n) {
        int64_t whole;
        isDense = isDense && !__builtin_mul_overflow(step[n], dim, &whole) &&
                  steps_.back()[n] == whole;
      }
      if (isDense) {
        dims_.back() = merged;
        steps_.back() = step;
        return;
      }
    }
    dims_.push_back(dim);
    steps_.push_back(step);
  }

  Dims dims_;
  std::vector<Offsets> steps_;
  Offsets start_;
};

/// Copies elements of `byteWidth` bytes: dst is dense in row-major order of
/// `dims`, src starts `srcStart` elements after `src` and has `srcStrides`.
void copyStrided(void *dst, const void *src, int64_t srcStart,
                 std::span<const int64_t> dims, std::span<const int64_t> srcStrides,
                 int64_t byteWidth);

/// The same with a strided destination.
void copyStrided(void *dst, int64_t dstStart, std::span<const int64_t> dstStrides,
                 const void *src, int64_t srcStart, std::span<const int64_t> srcStrides,
                 std::span<const int64_t> dims, int64_t byteWidth);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_STRIDED_H
