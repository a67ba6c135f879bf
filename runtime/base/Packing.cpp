#include "runtime/base/Packing.h"

#include "runtime/base/Checked.h"
#include "runtime/base/Dims.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace hexin {
namespace {

/// Elements from one (k, n) of the plain form to its neighbours. A conv's k is
/// (tap, channel), so k moves in two steps.
struct PlainStrides {
  int64_t tap, channel, n;
};

PlainStrides plainStrides(const PanelShape &shape) {
  switch (shape.form) {
  case PlainForm::matmul:
    return {0, shape.n, 1};
  case PlainForm::matmulTransposed:
    return {0, 1, shape.k};
  case PlainForm::conv:
    break;
  }
  return {1, shape.taps, shape.k};
}

/// Where in a panel row `k` begins, in elements; its columns are shape.steps apart.
int64_t rowInPanel(const PanelShape &shape, int64_t k) {
  return k / shape.steps * shape.steps * shape.width + k % shape.steps;
}

/// Calls row(plain offset of (k, first n), packed offset, columns) for each row
/// of each panel, offsets in elements.
template <typename Row> void forEachPanelRow(const PanelShape &shape, Row row) {
  PlainStrides strides = plainStrides(shape);
  int64_t channels = shape.taps ? shape.k / shape.taps : 0;
  int64_t panel = 0;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t first = 0; first < shape.n; first += shape.width) {
      for (int64_t tap = 0; tap < shape.taps; ++tap)
        for (int64_t c = 0; c < channels; ++c) {
          int64_t plain = b * shape.k * shape.n + tap * strides.tap +
                          c * strides.channel + first * strides.n;
          row(plain, panel + rowInPanel(shape, tap * channels + c),
              std::min(shape.width, shape.n - first));
        }
      panel += shape.depth() * shape.width;
    }
}

/// Writes element i * dstStep of dst from i * srcStep of src, both in bytes.
template <size_t elementBytes>
void copyStrided(const std::byte *src, int64_t srcStep, std::byte *dst, int64_t dstStep,
                 int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(dst + i * dstStep, src + i * srcStep, elementBytes);
}

void copyStrided(int64_t elementBytes, const std::byte *src, int64_t srcStep,
                 std::byte *dst, int64_t dstStep, int64_t count) {
  switch (elementBytes) {
  case 1:
    return copyStrided<1>(src, srcStep, dst, dstStep, count);
  case 2:
    return copyStrided<2>(src, srcStep, dst, dstStep, count);
  case 4:
    return copyStrided<4>(src, srcStep, dst, dstStep, count);
  case 8:
    return copyStrided<8>(src, srcStep, dst, dstStep, count);
  default:
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(dst + i * dstStep, src + i * srcStep, size_t(elementBytes));
  }
}

Status checkSpans(size_t expectedPlain, size_t plain, size_t expectedPacked,
                  size_t packed) {
  if (plain == expectedPlain && packed == expectedPacked)
    return Status::success();
  return invalidArgument("panels of " + std::to_string(expectedPacked) + " bytes for " +
                         std::to_string(expectedPlain) + " plain bytes expected, got " +
                         std::to_string(packed) + " and " + std::to_string(plain));
}

} // namespace

Result<PanelShape> makePanelShape(PlainForm form, std::span<const int64_t> dims,
                                  int64_t width, int64_t elementBytes, int64_t groups,
                                  int64_t steps) {
  auto elements = checkedNumElements(dims);
  if (dims.size() < 2 || width < 1 || elementBytes < 1 || !elements)
    return invalidArgument("cannot pack sizes " + formatDims(dims) +
                           " into panels of width " + std::to_string(width));
  if (groups < 1 || dims[0] % groups != 0)
    return invalidArgument("cannot pack sizes " + formatDims(dims) + ", of which " +
                           std::to_string(groups) + " groups do not divide the first");
  if (steps != 1 && steps != 2 && steps != 4)
    return invalidArgument("panels have 1, 2 or 4 steps of a column side by side, got " +
                           std::to_string(steps));
  std::vector<int64_t> perGroup(dims.begin(), dims.end());
  perGroup[0] /= groups;
  auto product = [&](size_t first, size_t last) {
    return *checkedNumElements(std::span(perGroup).subspan(first, last - first));
  };
  PanelShape shape;
  shape.form = form;
  shape.width = width;
  shape.elementBytes = elementBytes;
  shape.steps = steps;
  shape.batch = groups;
  size_t rank = dims.size();
  if (*elements == 0) {
    // Nothing to pack: the sizes that are left may be anything.
    shape.batch = 0;
  } else if (form == PlainForm::conv) {
    shape.n = perGroup[0];
    shape.channels = perGroup[1];
    shape.taps = product(2, rank);
    shape.k = product(1, rank);
  } else {
    bool isTransposed = form == PlainForm::matmulTransposed;
    if (rank > 2)
      shape.batch *= product(0, rank - 2);
    shape.k = perGroup[rank - 2 + isTransposed];
    shape.n = perGroup[rank - 1 - isTransposed];
  }
  constexpr int64_t mostRounded = 64; // steps that are added to the depth
  auto columns = checkedMul(shape.numPanels(), width);
  auto depth = checkedAdd(shape.k, mostRounded);
  auto rows = depth ? checkedMul(shape.batch, *depth) : std::nullopt;
  auto packed = columns && rows ? checkedMul(*columns, *rows) : std::nullopt;
  if (!packed || !checkedMul(*packed, elementBytes))
    return invalidArgument("panels of width " + std::to_string(width) + " for sizes " +
                           formatDims(dims) + " overflow 64 bits");
  return shape;
}

Status packPanels(const PanelShape &shape, std::span<const std::byte> src,
                  std::span<std::byte> dst) {
  HEXIN_RETURN_IF_ERROR(
      checkSpans(shape.plainBytes(), src.size(), shape.packedBytes(), dst.size()));
  int64_t bytes = shape.elementBytes, step = plainStrides(shape).n * bytes;
  if (!dst.empty())
    std::memset(dst.data(), 0, dst.size());
  forEachPanelRow(shape, [&](int64_t plain, int64_t packed, int64_t columns) {
    copyStrided(bytes, src.data() + plain * bytes, step, dst.data() + packed * bytes,
                shape.steps * bytes, columns);
  });
  return Status::success();
}

Status unpackPanels(const PanelShape &shape, std::span<const std::byte> src,
                    std::span<std::byte> dst) {
  return unpackRows(shape, 0, shape.plainRows(), src, dst);
}

Status unpackRows(const PanelShape &shape, int64_t firstRow, int64_t lastRow,
                  std::span<const std::byte> src, std::span<std::byte> dst) {
  if (firstRow < 0 || firstRow > lastRow || lastRow > shape.plainRows())
    return invalidArgument("rows " + std::to_string(firstRow) + " to " +
                           std::to_string(lastRow) + " of " +
                           std::to_string(shape.plainRows()));
  int64_t rowBytes = shape.plainRowBytes(), bytes = shape.elementBytes;
  HEXIN_RETURN_IF_ERROR(checkSpans(size_t((lastRow - firstRow) * rowBytes), dst.size(),
                                   shape.packedBytes(), src.size()));
  bool isMatmul = shape.form == PlainForm::matmul;
  int64_t rowsOfMatrix = isMatmul ? shape.k : shape.n;
  int64_t panelBytes = shape.depth() * shape.width * bytes, apart = shape.steps * bytes;
  for (int64_t r = firstRow; r < lastRow; ++r) {
    const std::byte *matrix =
        src.data() + r / rowsOfMatrix * shape.numPanels() * panelBytes;
    std::byte *row = dst.data() + (r - firstRow) * rowBytes;
    int64_t i = r % rowsOfMatrix;
    if (isMatmul) {
      for (int64_t n = 0; n < shape.n; n += shape.width)
        copyStrided(bytes,
                    matrix + n / shape.width * panelBytes + rowInPanel(shape, i) * bytes,
                    apart, row + n * bytes, bytes, std::min(shape.width, shape.n - n));
      continue;
    }
    // A column of a panel; a conv's goes from tap to tap.
    const std::byte *column =
        matrix + i / shape.width * panelBytes + i % shape.width * apart;
    int64_t channels = shape.k / shape.taps, step = shape.width * apart;
    for (int64_t tap = 0; tap < shape.taps; ++tap)
      for (int64_t s = 0; s < shape.steps; ++s) {
        // Of the channels, those whose rows of the panel are `s` in their words.
        int64_t first = (s + shape.steps - tap * channels % shape.steps) % shape.steps;
        if (first >= channels)
          continue;
        const std::byte *from =
            column + rowInPanel(shape, tap * channels + first) * bytes;
        copyStrided(bytes, from, step, row + (first * shape.taps + tap) * bytes,
                    shape.steps * shape.taps * bytes,
                    (channels - first + shape.steps - 1) / shape.steps);
      }
  }
  return Status::success();
}

} // namespace hexin
