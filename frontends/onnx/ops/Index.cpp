// Values made of positions: ranges, masks by position, positions of values.
#include "frontends/onnx/Checks.h"
#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::ComparePredicate;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::ReduceFn;
using hexin::hx::UnaryFn;

namespace hexin::onnx {
namespace {

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// Integers: max(0, ceil((limit - start) / delta)).
std::optional<Dim> rangeLength(OpBinder &b) {
  Dims start = b.readInts(0), limit = b.readInts(1);
  Dims delta = b.has(2) ? b.readInts(2) : Dims{b.shape.constant(1)};
  if (b.failed())
    return std::nullopt;
  hx::SymbolTable &symbols = b.symbols();
  auto step = hx::SymbolTable::constantValue(delta[0]);
  if (step && *step == 0) {
    b.error("delta is 0");
    return std::nullopt;
  }
  Dim zero = symbols.constant(0);
  auto up = [&] { return symbols.ceilDiv(symbols.sub(limit[0], start[0]), delta[0]); };
  auto down = [&] {
    return symbols.ceilDiv(symbols.sub(start[0], limit[0]), symbols.sub(zero, delta[0]));
  };
  if (step)
    return symbols.max(*step > 0 ? up() : down(), zero);
  // The unused branch must not divide by 0 or less.
  Dim isUp = symbols.lt(zero, delta[0]);
  Dim one = symbols.constant(1);
  Dim distance = symbols.select(isUp, symbols.sub(limit[0], start[0]),
                                symbols.sub(start[0], limit[0]));
  Dim stride =
      symbols.max(symbols.select(isUp, delta[0], symbols.sub(zero, delta[0])), one);
  check(b, symbols.eq(symbols.eq(delta[0], zero), zero), "delta is 0");
  return symbols.max(symbols.ceilDiv(distance, stride), zero);
}

/// The number of elements of a float range as a 1-D tensor.
Value floatRangeLength(OpBinder &b, Value start, Value limit, Value delta) {
  Type f64 = b.builder.getF64Type(), i64 = b.builder.getI64Type();
  Value distance = b.sub(b.cast(limit, f64), b.cast(start, f64));
  Value count = b.unary(UnaryFn::ceil, b.div(distance, b.cast(delta, f64)));
  count = b.binary(BinaryFn::max, b.cast(count, i64), b.scalar(i64, 0));
  return b.reshape(count, b.ints({1}));
}

/// start + iota * delta (1 if absent: com.microsoft); f16 and bf16 in f32.
void importRange(OpBinder &b) {
  for (unsigned i = 0; i < 3; ++i)
    if (b.has(i) && b.shapes.numElements(b.input(i)) != b.shape.constant(1))
      return b.error("input #" + Twine(i) + " must be one number");
  Value start = b.shape.toScalar(b.input(0)), limit = b.shape.toScalar(b.input(1));
  Value delta = b.has(2) ? b.shape.toScalar(b.input(2)) : b.scalarLike(start, 1);
  if (b.failed())
    return;
  Type type = HxBuilder::elementType(start);
  Type wide = b.wideType(type);
  Value positions;
  if (HxBuilder::isFloat(start)) {
    // Constants need no run-time arithmetic.
    auto s = b.constantFloats(start), l = b.constantFloats(limit),
         d = b.constantFloats(delta);
    Value length;
    if (s && l && d && (*d)[0] != 0) {
      double count = std::ceil(((*l)[0] - (*s)[0]) / (*d)[0]);
      if (!(count <= static_cast<double>(int64_t(1) << 40)))
        return b.error("the range has no sensible number of elements");
      length = b.ints({static_cast<int64_t>(std::max(count, 0.0))});
    } else {
      length = floatRangeLength(b, start, limit, delta);
    }
    positions = b.cast(b.iota(length, 0, b.builder.getI64Type()), wide);
  } else {
    std::optional<Dim> length = rangeLength(b);
    if (!length)
      return;
    positions = b.shape.iota({*length}, 0, type);
  }
  auto isKnown = [&](Value value, double number) {
    auto known = b.constantFloats(value);
    return known && (*known)[0] == number;
  };
  if (!isKnown(delta, 1))
    positions = b.mul(positions, b.cast(delta, wide));
  if (!isKnown(start, 0))
    positions = b.add(positions, b.cast(start, wide));
  b.result(0, b.cast(positions, type));
}

//===----------------------------------------------------------------------===//
// Masks by position
//===----------------------------------------------------------------------===//

/// column - row. Beside k, no k overflows.
Value offDiagonal(OpBinder &b, const Dims &plane) {
  Type i64 = b.builder.getI64Type();
  return b.sub(b.shape.iota(plane, 1, i64), b.shape.iota(plane, 0, i64));
}

void importEyeLike(OpBinder &b) {
  Value x = b.input(0);
  if (HxBuilder::rank(x) != 2)
    return b.error("expected rank 2, got " + Twine(HxBuilder::rank(x)));
  Type type = b.hasAttribute("dtype") ? b.toType(b.intAttr("dtype", 1))
                                      : HxBuilder::elementType(x);
  Type i64 = b.builder.getI64Type();
  Dims dims = b.dims(x);
  Value k = b.shape.toScalar(b.ints({b.intAttr("k", 0)}));
  b.result(0, b.cast(b.compare(ComparePredicate::eq, offDiagonal(b, dims), k), type));
}

/// Keeps column - row >= k (upper) or <= (lower).
void importTrilu(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  if (dims.size() < 2)
    return b.error("expected rank 2 or more");
  Type i64 = b.builder.getI64Type();
  Dims plane(dims.end() - 2, dims.end());
  Value k = b.has(1) ? b.shape.toScalar(b.cast(b.input(1), i64)) : b.scalar(i64, 0);
  Value offset = offDiagonal(b, plane);
  Value isKept = b.intAttr("upper", 1) != 0 ? b.compare(ComparePredicate::le, k, offset)
                                            : b.compare(ComparePredicate::le, offset, k);
  b.result(0, b.select(isKept, x, b.scalarLike(x, 0)));
}

/// values = [off, on]; the new axis counts to depth. Since 11 negatives add depth.
void importOneHot(OpBinder &b) {
  Value indices = b.input(0);
  int64_t rank = HxBuilder::rank(indices) + 1;
  int64_t axis = b.normalizeAxis(b.intAttr("axis", -1), rank);
  Type i64 = b.builder.getI64Type();
  Value depth = b.cast(b.input(1), i64);
  if (b.failed())
    return;
  Dim size = readOne(b, depth, "depth");
  checkRange(b, size, 0, INT64_MAX, "depth");
  Value position = b.cast(indices, i64);
  if (b.sinceVersion() >= 11) {
    Value isNegative = b.compare(ComparePredicate::lt, position, b.scalar(i64, 0));
    position =
        b.select(isNegative, b.add(position, b.shape.buildScalar(size, i64)), position);
  }
  position = b.shape.unsqueeze(position, {axis});
  if (b.failed())
    return;
  Dims dims = b.dims(position);
  dims[axis] = size;
  Value isHot = b.compare(ComparePredicate::eq, position, b.shape.iota(dims, axis, i64));
  Value off = b.gather(b.input(2), b.scalar(i64, 0), 0);
  Value on = b.gather(b.input(2), b.scalar(i64, 1), 0);
  b.result(0, b.select(isHot, on, off));
}

//===----------------------------------------------------------------------===//
// NonZero
//===----------------------------------------------------------------------===//

/// Flat positions of what is not 0 (NaN is not), taken apart: [rank, n].
void importNonZero(OpBinder &b) {
  Value x = b.input(0);
  Dims dims = b.dims(x);
  if (dims.empty())
    dims.push_back(b.shape.constant(1));
  auto isNonZero = [&](Value value) {
    return b.logicalNot(b.compare(ComparePredicate::eq, value, b.scalarLike(value, 0)));
  };
  Value mask = x;
  if (auto complex = dyn_cast<ComplexType>(HxBuilder::elementType(x))) {
    Value parts = b.make<hx::BitcastOp>(complex.getElementType(), x);
    mask = b.reduce(ReduceFn::max, isNonZero(parts), {HxBuilder::rank(x)}, false);
  } else if (!HxBuilder::elementType(x).isInteger(1)) {
    mask = isNonZero(x);
  }
  Type i64 = b.builder.getI64Type();
  Value flat = b.make<hx::CompactOp>(i64, b.shape.reshape(mask, {b.shape.product(dims)}));
  SmallVector<Value> rows;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    Value row = flat;
    if (axis + 1 < dims.size())
      row =
          b.div(row, b.shape.buildScalar(
                         b.shape.product(ArrayRef<Dim>(dims).drop_front(axis + 1)), i64));
    if (axis > 0)
      row = b.binary(BinaryFn::mod, row, b.shape.buildScalar(dims[axis], i64));
    rows.push_back(b.shape.unsqueeze(row, {0}));
  }
  b.result(0, b.concat(rows, 0));
}

} // namespace

void registerIndexOps(OpTable &table) {
  table.add("", {
                    {"Range", 11, 3, 3, importRange},
                    {"EyeLike", 9, 1, 1, importEyeLike},
                    {"Trilu", 14, 1, 2, importTrilu},
                    {"OneHot", 9, 3, 3, importOneHot},
                    {"OneHot", 11, 3, 3, importOneHot},
                    {"NonZero", 9, 1, 1, importNonZero},
                });
  table.add("com.microsoft",
            {{"Range", 1, 2, 3, importRange}, {"Trilu", 1, 1, 2, importTrilu}});
}

} // namespace hexin::onnx
