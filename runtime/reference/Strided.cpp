#include "runtime/reference/Strided.h"

#include <cstring>

namespace hexin::reference {
namespace {

template <size_t Width>
void copyRun(char *dst, int64_t dstStep, const char *src, int64_t srcStep,
             int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(dst + i * dstStep * int64_t(Width), src + i * srcStep * int64_t(Width),
                Width);
}

} // namespace

Dims rowMajorStrides(std::span<const int64_t> dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    // With a zero dim somewhere the others are free to be huge; then no
    // element is ever reached and any stride will do.
    if (__builtin_mul_overflow(stride, dims[i], &stride))
      stride = 0;
  }
  return strides;
}

int64_t product(std::span<const int64_t> dims, size_t from, size_t to) {
  int64_t n = 1;
  for (size_t i = from; i < to; ++i)
    if (dims[i] == 0)
      return 0;
  for (size_t i = from; i < to; ++i)
    if (__builtin_mul_overflow(n, dims[i], &n))
      return 0; // only when another axis, outside of the range, is 0
  return n;
}

Result<Dims> broadcastDims(std::span<const int64_t> a, std::span<const int64_t> b) {
  size_t rank = std::max(a.size(), b.size());
  Dims dims(rank);
  for (size_t i = 0; i < rank; ++i) {
    int64_t x = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    int64_t y = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (x != y && x != 1 && y != 1)
      return invalidArgument("sizes " + formatDims(a) + " and " + formatDims(b) +
                             " do not broadcast");
    dims[i] = x == 1 ? y : x;
  }
  return dims;
}

Result<Dims> broadcastStrides(std::span<const int64_t> dims,
                              std::span<const int64_t> resultDims) {
  Dims own = rowMajorStrides(dims);
  Dims strides(resultDims.size(), 0);
  bool fits = dims.size() <= resultDims.size();
  for (size_t i = 0; fits && i < dims.size(); ++i) {
    size_t axis = i + resultDims.size() - dims.size();
    fits = dims[i] == resultDims[axis] || dims[i] == 1;
    strides[axis] = dims[i] == 1 ? 0 : own[i];
  }
  if (!fits)
    return invalidArgument("sizes " + formatDims(dims) + " do not broadcast to " +
                           formatDims(resultDims));
  return strides;
}

void copyStrided(void *dst, int64_t dstStart, std::span<const int64_t> dstStrides,
                 const void *src, int64_t srcStart, std::span<const int64_t> srcStrides,
                 std::span<const int64_t> dims, int64_t byteWidth) {
  char *to = static_cast<char *>(dst);
  const char *from = static_cast<const char *>(src);
  StridedLoop<2> loop(dims, {dstStrides, srcStrides}, {dstStart, srcStart});
  loop.run([&](const auto &offsets, int64_t count, const auto &steps) {
    char *d = to + offsets[0] * byteWidth;
    const char *s = from + offsets[1] * byteWidth;
    if (steps[0] == 1 && steps[1] == 1) {
      std::memcpy(d, s, size_t(count * byteWidth));
      return;
    }
    switch (byteWidth) {
    case 1:
      return copyRun<1>(d, steps[0], s, steps[1], count);
    case 2:
      return copyRun<2>(d, steps[0], s, steps[1], count);
    case 4:
      return copyRun<4>(d, steps[0], s, steps[1], count);
    case 8:
      return copyRun<8>(d, steps[0], s, steps[1], count);
    default:
      return copyRun<16>(d, steps[0], s, steps[1], count);
    }
  });
}

void copyStrided(void *dst, const void *src, int64_t srcStart,
                 std::span<const int64_t> dims, std::span<const int64_t> srcStrides,
                 int64_t byteWidth) {
  copyStrided(dst, 0, rowMajorStrides(dims), src, srcStart, srcStrides, dims, byteWidth);
}

} // namespace hexin::reference
