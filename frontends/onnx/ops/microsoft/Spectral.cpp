// Fourier transforms of ONNX Runtime, complex products, distances.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Fourier.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

/// x [..., 2]: one part of its numbers, without the last axis.
Value partOf(OpBinder &b, Value x, int64_t index) {
  if (b.failed())
    return {};
  int64_t last = HxBuilder::rank(x) - 1;
  return b.shape.squeeze(
      b.shape.sliceAxis(x, last, b.shape.constant(index), b.shape.constant(1)), {last});
}

/// Input `index` [..., 2]: an error now or of the run where it is something else.
Value complexInput(OpBinder &b, unsigned index) {
  Value x = b.input(index);
  if (HxBuilder::rank(x) < 1) {
    b.contradiction("input #" + Twine(index) + " is a scalar, expected [..., 2]");
    return {};
  }
  Dims dims = b.dims(x);
  Dim two = b.shape.constant(2);
  checkRange(b, dims.back(), 2, 2,
             "the last axis of input #" + Twine(index) + ", the parts of a number,");
  if (b.failed() || dims.back() == two)
    return x;
  dims.back() = two;
  return b.shape.reshape(x, dims);
}

/// [..., 2] of its parts.
Value complexOf(OpBinder &b, Value real, Value imaginary) {
  if (b.failed())
    return {};
  int64_t rank = HxBuilder::rank(real);
  return b.concat({b.shape.unsqueeze(real, {rank}), b.shape.unsqueeze(imaginary, {rank})},
                  rank);
}

/// Attributes of both directions: the number of axes that make the signal, 0 after an
/// error. `rank` counts the axes before the parts of a number.
int64_t readSignalAxes(OpBinder &b, int64_t rank) {
  if (b.intAttr("onesided", 1) != 1)
    b.unsupported("onesided=0");
  if (b.intAttr("normalized", 0) != 0)
    b.unsupported("normalized=1");
  int64_t count = b.intAttr("signal_ndim", 1);
  if (!b.failed() && (count < 1 || count > rank))
    b.error("signal_ndim=" + Twine(count) + " does not fit a signal of rank " +
            Twine(rank));
  return b.failed() ? 0 : count;
}

/// The complex transform of x [..., 2] along `axis`.
Value transformedAlong(OpBinder &b, Value x, int64_t axis, bool isInverse) {
  if (b.failed())
    return {};
  int64_t rank = HxBuilder::rank(x);
  Dim length = b.dims(x)[axis];
  SmallVector<int64_t> swap = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  std::swap(swap[axis], swap[rank - 2]);
  Value lines = b.transpose(x, swap);
  lines = fourierTransform(b, partOf(b, lines, 0), partOf(b, lines, 1),
                           {length, isInverse, /*isOneSided=*/false});
  return b.transpose(lines, swap);
}

/// x [..., n], the last signal_ndim axes of it -> [..., n / 2 + 1, 2]
void importRfft(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x), count = readSignalAxes(b, rank);
  if (b.failed())
    return;
  Value y = fourierTransform(
      b, x, Value(), {b.dims(x)[rank - 1], /*isInverse=*/false, /*isOneSided=*/true});
  for (int64_t axis = rank - 2; axis >= rank - count; --axis)
    y = transformedAlong(b, y, axis, /*isInverse=*/false);
  b.result(0, b.cast(y, HxBuilder::elementType(x)));
}

/// x [..., n / 2 + 1, 2] -> [..., n], n even
void importIrfft(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x) - 1, count = readSignalAxes(b, rank);
  if (b.failed())
    return;
  hx::SymbolTable &symbols = b.symbols();
  Value y = complexInput(b, 0);
  for (int64_t axis = rank - count; axis < rank - 1; ++axis)
    y = transformedAlong(b, y, axis, /*isInverse=*/true);
  if (b.failed())
    return;
  Dim bins = symbols.sub(b.dims(x)[rank - 1], symbols.constant(1));
  y = fourierTransform(b, partOf(b, y, 0), partOf(b, y, 1),
                       {symbols.mul(bins, symbols.constant(2)), /*isInverse=*/true,
                        /*isOneSided=*/true}); // [..., n, 1]
  b.result(0, b.cast(b.shape.squeeze(y, {rank}), HxBuilder::elementType(x)));
}

/// (a + ib)(c + id), or with the conjugate of the second.
template <bool isConjugate> void importComplexMul(OpBinder &b) {
  Value x = complexInput(b, 0), y = complexInput(b, 1);
  Value a = partOf(b, x, 0), ai = partOf(b, x, 1);
  Value c = partOf(b, y, 0), ci = partOf(b, y, 1);
  Value rr = b.mul(a, c), ii = b.mul(ai, ci), ri = b.mul(a, ci), ir = b.mul(ai, c);
  b.result(0, isConjugate ? complexOf(b, b.add(rr, ii), b.sub(ir, ri))
                          : complexOf(b, b.sub(rr, ii), b.add(ri, ir)));
}

/// A [M, N], B [K, N] -> [M, K]: |a|^2 + |b|^2 - 2ab, or its root.
void importCDist(OpBinder &b) {
  StringRef metric = b.stringAttr("metric", "sqeuclidean");
  if (metric != "euclidean" && metric != "sqeuclidean")
    return b.unsupported("metric '" + metric + "': expected euclidean or sqeuclidean");
  for (unsigned i = 0; i < 2; ++i)
    if (HxBuilder::rank(b.input(i)) != 2)
      return b.contradiction("input #" + Twine(i) + " has rank " +
                             Twine(HxBuilder::rank(b.input(i))) + ", expected 2");
  Value x = b.input(0), y = b.input(1);
  auto squares = [&](Value rows, int64_t freeAxis) {
    Value sum = b.reduce(ReduceFn::sum, b.mul(rows, rows), {1}, /*keepDims=*/false);
    return b.shape.unsqueeze(sum, {freeAxis});
  };
  Value product = b.matmul(x, y, /*transposeLhs=*/false, /*transposeRhs=*/true);
  if (b.failed())
    return;
  Value sum = b.add(squares(x, 1), squares(y, 0));
  Value distance = b.sub(sum, b.mul(product, b.scalarLike(product, 2)));
  distance = b.binary(BinaryFn::max, distance, b.scalarLike(product, 0)); // of rounding
  b.result(0, metric == "euclidean" ? b.unary(UnaryFn::sqrt, distance) : distance);
}

} // namespace

void registerMicrosoftSpectralOps(OpTable &table) {
  table.add("com.microsoft", {
                                 {"Rfft", 1, 1, 1, importRfft},
                                 {"Irfft", 1, 1, 1, importIrfft},
                                 {"ComplexMul", 1, 2, 2, importComplexMul<false>},
                                 {"ComplexMulConj", 1, 2, 2, importComplexMul<true>},
                                 {"CDist", 1, 2, 2, importCDist},
                             });
}

} // namespace hexin::onnx
