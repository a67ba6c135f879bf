#include "runtime/reference/Packing.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

#include <cstring>

namespace hexin::reference {
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

/// Calls row(plain offset of (k, first n), packed offset, columns) for each row
/// of each panel, offsets in elements.
template <typename Row> void forEachPanelRow(const PanelShape &shape, Row row) {
  PlainStrides strides = plainStrides(shape);
  int64_t channels = shape.taps ? shape.k / shape.taps : 0;
  int64_t packed = 0;
  for (int64_t b = 0; b < shape.batch; ++b)
    for (int64_t first = 0; first < shape.n; first += shape.width)
      for (int64_t tap = 0; tap < shape.taps; ++tap)
        for (int64_t c = 0; c < channels; ++c, packed += shape.width) {
          int64_t plain = b * shape.k * shape.n + tap * strides.tap +
                          c * strides.channel + first * strides.n;
          row(plain, packed, std::min(shape.width, shape.n - first));
        }
}

Status checkSpans(const PanelShape &shape, size_t plain, size_t packed) {
  if (plain == shape.plainBytes() && packed == shape.packedBytes())
    return Status::success();
  return invalidArgument("panels of " + std::to_string(shape.packedBytes()) +
                         " bytes for " + std::to_string(shape.plainBytes()) +
                         " plain bytes expected, got " + std::to_string(packed) +
                         " and " + std::to_string(plain));
}

} // namespace

Result<PanelShape> makePanelShape(PlainForm form, std::span<const int64_t> dims,
                                  int64_t width, int64_t elementBytes) {
  PanelShape shape;
  shape.form = form;
  shape.width = width;
  shape.elementBytes = elementBytes;
  auto elements = checkedNumElements(dims);
  if (dims.size() < 2 || width < 1 || elementBytes < 1 || !elements)
    return invalidArgument("cannot pack sizes " + formatDims(dims) +
                           " into panels of width " + std::to_string(width));
  size_t rank = dims.size();
  if (form == PlainForm::conv) {
    shape.n = dims[0];
    shape.channels = dims[1];
    shape.taps = product(dims, 2, rank);
    shape.k = product(dims, 1, rank);
  } else {
    bool isTransposed = form == PlainForm::matmulTransposed;
    shape.batch = product(dims, 0, rank - 2);
    shape.k = dims[rank - 2 + isTransposed];
    shape.n = dims[rank - 1 - isTransposed];
  }
  // Nothing to pack: the sizes that are left may be anything.
  if (*elements == 0)
    shape.batch = shape.k = shape.n = 0;
  auto columns = checkedMul(shape.numPanels(), width);
  auto rows = checkedMul(shape.batch, shape.k);
  auto packed = columns && rows ? checkedMul(*columns, *rows) : std::nullopt;
  if (!packed || !checkedMul(*packed, elementBytes))
    return invalidArgument("panels of width " + std::to_string(width) + " for sizes " +
                           formatDims(dims) + " overflow 64 bits");
  return shape;
}

Status packPanels(const PanelShape &shape, std::span<const std::byte> src,
                  std::span<std::byte> dst) {
  HEXIN_RETURN_IF_ERROR(checkSpans(shape, src.size(), dst.size()));
  size_t bytes = size_t(shape.elementBytes);
  int64_t step = plainStrides(shape).n;
  if (!dst.empty())
    std::memset(dst.data(), 0, dst.size());
  forEachPanelRow(shape, [&](int64_t plain, int64_t packed, int64_t columns) {
    for (int64_t j = 0; j < columns; ++j)
      std::memcpy(dst.data() + size_t(packed + j) * bytes,
                  src.data() + size_t(plain + j * step) * bytes, bytes);
  });
  return Status::success();
}

Status unpackPanels(const PanelShape &shape, std::span<const std::byte> src,
                    std::span<std::byte> dst) {
  HEXIN_RETURN_IF_ERROR(checkSpans(shape, dst.size(), src.size()));
  size_t bytes = size_t(shape.elementBytes);
  int64_t step = plainStrides(shape).n;
  forEachPanelRow(shape, [&](int64_t plain, int64_t packed, int64_t columns) {
    for (int64_t j = 0; j < columns; ++j)
      std::memcpy(dst.data() + size_t(plain + j * step) * bytes,
                  src.data() + size_t(packed + j) * bytes, bytes);
  });
  return Status::success();
}

namespace {

Result<PanelShape> readPanelShape(const Call &call, std::span<const int64_t> plainDims) {
  std::string_view form = call.attributes.getString("form", "matmul");
  PlainForm plain;
  if (form == "matmul")
    plain = PlainForm::matmul;
  else if (form == "matmul_transposed")
    plain = PlainForm::matmulTransposed;
  else if (form == "conv")
    plain = PlainForm::conv;
  else
    return unknownKeyword("form", form);
  const Tensor &input = call.operand(0);
  if (call.resultTypes[0] != input.dtype())
    return invalidArgument("packing keeps the type " +
                           std::string(toString(input.dtype())));
  return makePanelShape(plain, plainDims, call.attributes.getInt("width"),
                        byteWidth(input.dtype()));
}

std::span<const std::byte> bytesOf(const Tensor &tensor) {
  return {static_cast<const std::byte *>(tensor.data()), tensor.byteLength()};
}

} // namespace

/// {form: "matmul" | "matmul_transposed" | "conv", width}; the result is
/// [batch x panels, K, width].
Results runPackPanels(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(PanelShape shape, readPanelShape(call, input.dims()));
  HEXIN_ASSIGN_OR_RETURN(
      Tensor result,
      call.allocate(0, Dims{shape.batch * shape.numPanels(), shape.k, shape.width}));
  HEXIN_RETURN_IF_ERROR(
      packPanels(shape, bytesOf(input),
                 {static_cast<std::byte *>(result.data()), result.byteLength()}));
  return single(std::move(result));
}

/// The inverse; attribute `dims` has the sizes of the plain form.
Results runUnpackPanels(const Call &call) {
  Dims dims = call.attributes.getInts("dims");
  HEXIN_ASSIGN_OR_RETURN(PanelShape shape, readPanelShape(call, dims));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  HEXIN_RETURN_IF_ERROR(
      unpackPanels(shape, bytesOf(call.operand(0)),
                   {static_cast<std::byte *>(result.data()), result.byteLength()}));
  return single(std::move(result));
}

} // namespace hexin::reference
