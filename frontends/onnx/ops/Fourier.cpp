#include "frontends/onnx/ops/Fourier.h"

#include "frontends/onnx/Checks.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/RunTimeAxes.h"

#include <numbers>

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::UnaryFn;

namespace hexin::onnx {

Value withKnownParts(OpBinder &b, Value x, bool onlyReal) {
  if (b.failed())
    return {};
  Dims low(static_cast<size_t>(HxBuilder::rank(x)), b.shape.constant(0)), high = low;
  int64_t last = HxBuilder::rank(x) - 1;
  Dim parts = b.dims(x)[last], most = b.shape.constant(onlyReal ? 1 : 2);
  checkRange(b, parts, 1, onlyReal ? 1 : 2,
             onlyReal
                 ? "the last axis of the input, which onesided=1 wants real,"
                 : "the last axis of the input, 1 of real and 2 of complex numbers,");
  if (b.failed() || hx::SymbolTable::constantValue(parts))
    return b.failed() ? Value() : x;
  high[last] = b.symbols().sub(most, parts);
  x = b.pad(hx::PadMode::constant, x, b.shape.build(low), b.shape.build(high),
            b.scalarLike(x, 0));
  return b.shape.sliceAxis(x, last, b.shape.constant(0), most);
}

Value fourierTransform(OpBinder &b, Value real, Value imaginary,
                       const FourierTransform &transform) {
  if (b.failed())
    return {};
  hx::SymbolTable &symbols = b.symbols();
  Type f64 = b.builder.getF64Type(), i64 = b.builder.getI64Type();
  Dim one = symbols.constant(1), two = symbols.constant(2), length = transform.length;
  Dim half = symbols.add(symbols.floorDiv(length, two), one);
  bool isRealInverse = transform.isInverse && transform.isOneSided;
  Dims outer = b.dims(real);
  int64_t last = HxBuilder::rank(real) - 1;
  Dim given = outer.pop_back_val();
  Dim rows = symbols.min(given, isRealInverse ? half : length);
  Dim columns = transform.isOneSided && !isRealInverse ? half : length;

  // Angles by whole numbers modulo N, so that large products lose nothing.
  Value n = b.shape.iota({rows, one}, 0, i64), k = b.shape.iota({one, columns}, 1, i64);
  Value turns = b.binary(BinaryFn::mod, b.mul(n, k), b.shape.buildScalar(length, i64));
  Value turn =
      b.div(b.scalar(f64, 2 * std::numbers::pi), b.shape.buildScalar(length, f64));
  Value angle = b.mul(b.cast(turns, f64), turn);
  Value cosine = b.unary(UnaryFn::cos, angle), sine = b.unary(UnaryFn::sin, angle);
  if (isRealInverse) { // the bins that are left out mirror these, but for the ends
    Value twice = b.mul(n, b.scalar(i64, 2));
    Value isEnd = b.binary(
        BinaryFn::bit_or, b.compare(ComparePredicate::eq, n, b.scalar(i64, 0)),
        b.compare(ComparePredicate::eq, twice, b.shape.buildScalar(length, i64)));
    Value weight = b.select(isEnd, b.scalar(f64, 1), b.scalar(f64, 2));
    cosine = b.mul(cosine, weight);
    sine = b.mul(sine, weight);
  }

  auto product = [&](Value part, Value table) {
    Value cut = b.shape.sliceAxis(b.cast(part, f64), last, symbols.constant(0), rows);
    return b.matmul(b.shape.reshape(cut, {b.shape.product(outer), rows}), table);
  };
  // (a + ib)(cos -+ i sin), the upper sign forward.
  Value realPart = product(real, cosine), imaginaryPart;
  if (!isRealInverse)
    imaginaryPart = product(real, sine);
  if (!transform.isInverse && !b.failed())
    imaginaryPart = b.unary(UnaryFn::neg, imaginaryPart);
  if (imaginary) {
    Value turned = product(imaginary, sine);
    realPart = transform.isInverse ? b.sub(realPart, turned) : b.add(realPart, turned);
    if (!isRealInverse)
      imaginaryPart = b.add(imaginaryPart, product(imaginary, cosine));
  }
  Dims sizes = outer;
  sizes.push_back(columns);
  sizes.push_back(one);
  Value result = b.shape.reshape(realPart, sizes);
  if (!isRealInverse)
    result = b.concat({result, b.shape.reshape(imaginaryPart, sizes)}, last + 1);
  if (transform.isInverse)
    result = b.div(result, b.shape.buildScalar(length, f64));
  return result;
}

namespace {

/// x [..., n, ..., 1 or 2], dft_length?, axis? (an attribute before 20).
void importDft(OpBinder &b) {
  Value x = b.input(0);
  int64_t rank = HxBuilder::rank(x);
  if (rank < 2)
    return b.contradiction("the input has rank " + Twine(rank) +
                           ", expected at least 2: [..., n, 1 or 2]");
  bool isInverse = b.intAttr("inverse", 0) != 0;
  bool isOneSided = b.intAttr("onesided", 0) != 0;
  x = withKnownParts(b, x, /*onlyReal=*/isOneSided && !isInverse);
  if (b.failed())
    return;
  bool isComplex = b.dims(x).back() == b.shape.constant(2);
  Dims axis{b.shape.constant(b.sinceVersion() < 20 ? b.intAttr("axis", 1) : -2)};
  if (b.sinceVersion() >= 20 && b.has(2))
    axis = b.readInts(2);
  if (b.failed() || axis.size() != 1)
    return b.failed() ? void() : b.error("the axis must be one number");
  if (auto known = hx::SymbolTable::constantValue(axis[0])) {
    int64_t at = b.normalizeAxis(*known, rank);
    if (!b.failed() && at == rank - 1)
      return b.error("the axis is the last one, which holds the parts of a number");
    axis[0] = b.shape.constant(at);
  }
  if (b.failed())
    return;
  // The axis stands before the last one, and goes back behind. The last is none.
  hx::SymbolTable &symbols = b.symbols();
  axis[0] = symbols.select(symbols.lt(axis[0], symbols.constant(0)),
                           symbols.add(axis[0], symbols.constant(rank)), axis[0]);
  RunTimeAxes axes(b, axis, rank - 1);
  auto swapped = [&](HxBuilder &inner, Value value, int64_t at) {
    SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(perm[at], perm[rank - 2]);
    return inner.transpose(value, perm);
  };
  Value lines = axes.alongEach(x, swapped);
  if (b.failed())
    return;
  Dim one = symbols.constant(1), length = b.dims(lines)[rank - 2];
  if (isInverse && isOneSided)
    length = symbols.mul(symbols.sub(length, one), symbols.constant(2));
  if (b.has(1)) {
    Dims given = b.readInts(1);
    if (b.failed() || given.size() != 1)
      return b.failed() ? void() : b.error("dft_length must be one number");
    length = given[0];
  }
  checkRange(b, length, 1, INT64_MAX, "the length of the transform");
  if (b.failed())
    return;
  auto part = [&](int64_t index) {
    return b.shape.squeeze(
        b.shape.sliceAxis(lines, rank - 1, symbols.constant(index), one), {rank - 1});
  };
  Value transformed = fourierTransform(b, part(0), isComplex ? part(1) : Value(),
                                       {length, isInverse, isOneSided});
  if (!b.failed())
    b.result(0, b.cast(axes.alongEach(transformed, swapped), HxBuilder::elementType(x)));
}

} // namespace

void registerFourierOps(OpTable &table) {
  table.add("", {
                    {"DFT", 17, 1, 2, importDft},
                    {"DFT", 20, 1, 3, importDft},
                });
}

} // namespace hexin::onnx
