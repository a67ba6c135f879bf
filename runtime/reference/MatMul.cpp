// matmul, matmul_integer: batched products, panel by panel.

#include "runtime/reference/Kernel.h"
#include "runtime/reference/Panels.h"

#include "runtime/base/DType.h"

#include <algorithm>

namespace hexin::reference {
namespace {

/// Sizes of a product and where its operands' matrices lie.
struct Product {
  Dims batch; ///< broadcast
  Dims lhsBatchStrides, rhsBatchStrides;
  int64_t rows, columns, depth;
  int64_t lhsRowStride, lhsDepthStride;
  int64_t rhsDepthStride, rhsColumnStride;
};

Result<Product> planProduct(std::span<const int64_t> lhs, std::span<const int64_t> rhs,
                            bool transposeLhs, bool transposeRhs) {
  if (lhs.size() < 2 || rhs.size() < 2)
    return invalidArgument("operands need rank 2 or more, got " + formatDims(lhs) +
                           " and " + formatDims(rhs));
  size_t l = lhs.size() - 2, r = rhs.size() - 2;
  Product p;
  p.rows = lhs[l + transposeLhs];
  p.depth = lhs[l + !transposeLhs];
  p.columns = rhs[r + !transposeRhs];
  if (rhs[r + transposeRhs] != p.depth)
    return invalidArgument("K differs: " + formatDims(lhs) + " and " + formatDims(rhs));
  p.lhsRowStride = transposeLhs ? 1 : p.depth;
  p.lhsDepthStride = transposeLhs ? p.rows : 1;
  p.rhsDepthStride = transposeRhs ? 1 : p.columns;
  p.rhsColumnStride = transposeRhs ? p.depth : 1;
  HEXIN_ASSIGN_OR_RETURN(p.batch, broadcastDims(lhs.first(l), rhs.first(r)));
  HEXIN_ASSIGN_OR_RETURN(p.lhsBatchStrides, broadcastStrides(lhs.first(l), p.batch));
  HEXIN_ASSIGN_OR_RETURN(p.rhsBatchStrides, broadcastStrides(rhs.first(r), p.batch));
  for (int64_t &stride : p.lhsBatchStrides)
    stride *= product(lhs, l, l + 2);
  for (int64_t &stride : p.rhsBatchStrides)
    stride *= product(rhs, r, r + 2);
  return p;
}

/// The product's elements inside the box (or all), as W.
template <typename W>
Result<Tensor> multiply(const Call &call, const Product &p, const W *lhs, const W *rhs) {
  OutputBox box;
  Dims whole = p.batch;
  whole.insert(whole.end(), {p.rows, p.columns});
  if (call.options.box) {
    box = *call.options.box;
    HEXIN_RETURN_IF_ERROR(checkBox(box, whole));
  } else {
    box = {Dims(whole.size(), 0), whole};
  }
  Dims dims(whole.size());
  for (size_t i = 0; i < dims.size(); ++i)
    dims[i] = box.end[i] - box.begin[i];
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  if (result.numElements() == 0)
    return result;

  size_t rank = p.batch.size();
  int64_t firstRow = box.begin[rank], rows = dims[rank];
  int64_t firstColumn = box.begin[rank + 1], columns = dims[rank + 1];
  int64_t lhsStart = firstRow * p.lhsRowStride,
          rhsStart = firstColumn * p.rhsColumnStride;
  for (size_t i = 0; i < rank; ++i) {
    lhsStart += box.begin[i] * p.lhsBatchStrides[i];
    rhsStart += box.begin[i] * p.rhsBatchStrides[i];
  }
  std::vector<W> panel(size_t(p.depth * panelWidth)), block(size_t(rows * panelWidth));
  int64_t matrix = 0;
  auto multiplyOne = [&](const W *left, const W *right) {
    for (int64_t column = 0; column < columns; column += panelWidth) {
      int64_t width = std::min(panelWidth, columns - column);
      for (int64_t k = 0; k < p.depth; ++k)
        for (int64_t j = 0; j < panelWidth; ++j)
          panel[size_t(k * panelWidth + j)] =
              j < width ? right[k * p.rhsDepthStride + (column + j) * p.rhsColumnStride]
                        : W(0);
      multiplyPanel(left, p.lhsRowStride, p.lhsDepthStride, rows, p.depth, panel.data(),
                    block.data());
      for (int64_t r = 0; r < rows; ++r)
        storeElements(result.dtype(), result.data(),
                      (matrix * rows + r) * columns + column, width,
                      block.data() + r * panelWidth);
    }
    ++matrix;
  };
  StridedLoop<2>(std::span(dims).first(rank), {p.lhsBatchStrides, p.rhsBatchStrides},
                 {lhsStart, rhsStart})
      .run([&](const auto &offsets, int64_t count, const auto &steps) {
        for (int64_t i = 0; i < count; ++i)
          multiplyOne(lhs + offsets[0] + i * steps[0], rhs + offsets[1] + i * steps[1]);
      });
  return result;
}

/// lhs or rhs minus its zero point: scalar, or one per row (column), or of any
/// shape that broadcasts to the matrix.
Result<std::vector<uint64_t>> subtractZeroPoint(const Tensor &matrix, const Tensor *zero,
                                                bool isPerRow) {
  std::vector<uint64_t> values(size_t(matrix.numElements()));
  loadElements(matrix.dtype(), matrix.data(), 0, 1, matrix.numElements(), values.data());
  if (!zero)
    return values;
  Wide<int64_t> points(*zero);
  Dims strides(matrix.dims().size(), 0);
  if (zero->numElements() == 1) {
  } else if (isPerRow && zero->dims().size() == 1 && matrix.dims().size() >= 2 &&
             zero->dims()[0] == matrix.dims()[matrix.dims().size() - 2]) {
    strides[strides.size() - 2] = 1;
  } else {
    HEXIN_ASSIGN_OR_RETURN(strides, broadcastStrides(zero->dims(), matrix.dims()));
  }
  size_t done = 0;
  StridedLoop<1>(matrix.dims(), {strides})
      .run([&](const auto &offsets, int64_t count, const auto &steps) {
        for (int64_t i = 0; i < count; ++i)
          values[done++] -= uint64_t(points[offsets[0] + i * steps[0]]);
      });
  return values;
}

} // namespace

Results runMatMul(const Call &call) {
  const Tensor &lhs = call.operand(0), &rhs = call.operand(1);
  HEXIN_ASSIGN_OR_RETURN(Product p,
                         planProduct(lhs.dims(), rhs.dims(),
                                     call.attributes.getInt("transposeLhs") != 0,
                                     call.attributes.getInt("transposeRhs") != 0));
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, lhs));
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, rhs));
  if (domainOf(lhs.dtype()) == Domain::opaque)
    return unsupported("a product of elements of type " +
                       std::string(toString(lhs.dtype())));
  Result<Tensor> result =
      domainOf(lhs.dtype()) == Domain::floating
          ? multiply(call, p, Wide<double>(lhs).data(), Wide<double>(rhs).data())
          : multiply(call, p, Wide<uint64_t>(lhs).data(), Wide<uint64_t>(rhs).data());
  HEXIN_RETURN_IF_ERROR(result.status());
  return single(*std::move(result));
}

Results runMatMulInteger(const Call &call) {
  const Tensor &lhs = call.operand(0), &rhs = call.operand(1);
  for (size_t i = 0; i < call.operands.size(); ++i)
    if (call.operands[i] && domainOf(call.operands[i]->dtype()) != Domain::integer)
      return invalidArgument("operand " + std::to_string(i) +
                             " must be an integer, got " +
                             std::string(toString(call.operands[i]->dtype())));
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, lhs));
  HEXIN_ASSIGN_OR_RETURN(Product p, planProduct(lhs.dims(), rhs.dims(), false, false));
  HEXIN_ASSIGN_OR_RETURN(auto left, subtractZeroPoint(lhs, call.optional(2), true));
  HEXIN_ASSIGN_OR_RETURN(auto right, subtractZeroPoint(rhs, call.optional(3), false));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, multiply(call, p, left.data(), right.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
