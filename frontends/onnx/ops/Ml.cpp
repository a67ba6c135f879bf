// Numeric pre-processing of domain ai.onnx.ml.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Literals.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <cmath>

using namespace mlir;
using hexin::hx::ComparePredicate;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// One number, or one per column of `x`, in its type.
template <typename T>
Value columnsOf(OpBinder &b, ArrayRef<T> values, Value x, StringRef what) {
  auto count = static_cast<int64_t>(values.size());
  SmallVector<int64_t> sizes;
  if (count != 1)
    sizes.push_back(count);
  return b.failed() ? Value()
                    : literal(b, values, sizes, HxBuilder::elementType(x), what);
}

/// (x - offset) * scale in f32
void importScaler(OpBinder &b) {
  Value x = b.cast(b.input(0), b.builder.getF32Type());
  if (SmallVector<double> offset = b.floatsAttr("offset"); !offset.empty())
    x = b.sub(x, columnsOf<double>(b, offset, x, "offset"));
  if (SmallVector<double> scale = b.floatsAttr("scale"); !scale.empty())
    x = b.mul(x, columnsOf<double>(b, scale, x, "scale"));
  b.result(0, x);
}

/// x > threshold ? 1 : 0
void importBinarizer(OpBinder &b) {
  Value x = b.input(0);
  Value threshold = b.scalarLike(x, b.floatAttr("threshold", 0));
  b.result(0, b.cast(b.compare(ComparePredicate::lt, threshold, x),
                     HxBuilder::elementType(x)));
}

void importArrayFeatureExtractor(OpBinder &b) {
  Value x = b.input(0);
  if (HxBuilder::rank(x) == 1)
    x = b.shape.unsqueeze(x, {0});
  Value indices = b.input(1);
  if (b.failed())
    return;
  if (HxBuilder::rank(indices) != 1)
    indices = b.shape.reshape(indices, {b.shape.product(b.dims(indices))});
  b.result(0, b.gather(x, indices, HxBuilder::rank(x) - 1));
}

/// x = replaced ? imputed : x, where NaN is NaN
void importImputer(OpBinder &b) {
  Value x = b.input(0);
  bool isFloat = HxBuilder::isFloat(x);
  SmallVector<double> floats = b.floatsAttr("imputed_value_floats");
  SmallVector<int64_t> ints = b.intsAttr("imputed_value_int64s");
  if (isFloat ? floats.empty() : ints.empty())
    return b.error(Twine("expected the attribute 'imputed_value_") +
                   (isFloat ? "floats'" : "int64s'"));
  double number = isFloat ? b.floatAttr("replaced_value_float", 0) : 0;
  Value imputed = isFloat ? columnsOf<double>(b, floats, x, "imputed_value_floats")
                          : columnsOf<int64_t>(b, ints, x, "imputed_value_int64s");
  if (b.failed())
    return;
  Value isReplaced;
  if (std::isnan(number)) {
    isReplaced = b.unary(hx::UnaryFn::is_nan, x);
  } else {
    int64_t integer = b.intAttr("replaced_value_int64", 0);
    Value replaced = isFloat
                         ? b.scalarLike(x, number)
                         : columnsOf<int64_t>(b, {integer}, x, "replaced_value_int64");
    isReplaced = b.compare(ComparePredicate::eq, x, replaced);
  }
  b.result(0, b.select(isReplaced, imputed, x));
}

/// Rows divided by their largest element, the sum of absolute values, or the root of the
/// sum of squares; by nothing where that is 0.
void importNormalizer(OpBinder &b) {
  StringRef norm = b.stringAttr("norm", "MAX");
  Value x = b.cast(b.input(0), b.builder.getF32Type());
  int64_t rank = HxBuilder::rank(b.input(0));
  if (norm != "MAX" && norm != "L1" && norm != "L2")
    b.error("attribute 'norm' is '" + norm + "', expected MAX, L1 or L2");
  if (rank != 1 && rank != 2)
    b.error("input #0 has rank " + Twine(rank) + ", expected [N, C] or [C]");
  if (b.failed())
    return;
  auto along = [&](hx::ReduceFn fn, Value y) {
    return b.reduce(fn, y, {rank - 1}, /*keepDims=*/true);
  };
  Value divisor = norm == "MAX" ? along(hx::ReduceFn::max, x)
                  : norm == "L1"
                      ? along(hx::ReduceFn::sum, b.unary(hx::UnaryFn::abs, x))
                      : b.unary(hx::UnaryFn::sqrt, along(hx::ReduceFn::sum, b.mul(x, x)));
  if (b.failed())
    return;
  Value isZero = b.compare(ComparePredicate::eq, divisor, b.scalarLike(divisor, 0));
  b.result(0, b.div(x, b.select(isZero, b.scalarLike(divisor, 1), divisor)));
}

/// [N, size] of [N, C]: what is left over is cut off, what is missing is 0. Where C is
/// known to a run only, it must not be less.
Value columnsTo(OpBinder &b, Value x, int64_t size) {
  if (size < 0)
    b.error("attribute 'inputdimensions' has " + Twine(size));
  if (b.failed())
    return {};
  hx::Dim known = b.dims(x)[1];
  if (known == b.shape.constant(size))
    return x;
  if (hx::SymbolTable::constantValue(known).value_or(size) >= size)
    return b.shape.sliceAxis(x, 1, b.shape.constant(0), b.shape.constant(size));
  int64_t missing = size - *hx::SymbolTable::constantValue(known);
  return b.pad(hx::PadMode::constant, x, b.ints({0, 0}), b.ints({0, missing}),
               b.scalarLike(x, 0));
}

/// All inputs as [N, C] f32, side by side.
void importFeatureVectorizer(OpBinder &b) {
  SmallVector<int64_t> sizes = b.intsAttr("inputdimensions");
  if (!b.failed() && !sizes.empty() && sizes.size() != b.numInputs())
    b.error("attribute 'inputdimensions' has " + Twine(sizes.size()) + " sizes of " +
            Twine(b.numInputs()) + " inputs");
  SmallVector<Value> parts;
  for (unsigned i = 0; i < b.numInputs() && !b.failed(); ++i) {
    Value x = b.input(i);
    int64_t rank = HxBuilder::rank(x);
    if (!x || (rank != 1 && rank != 2))
      return b.error("input #" + Twine(i) + " has rank " + Twine(rank) +
                     ", expected [N, C] or [C]");
    x = b.cast(rank == 1 ? b.shape.unsqueeze(x, {0}) : x, b.builder.getF32Type());
    parts.push_back(sizes.empty() ? x : columnsTo(b, x, sizes[i]));
  }
  b.result(0, b.failed() ? Value() : b.concat(parts, 1));
}

} // namespace

void registerMlOps(OpTable &table) {
  table.add("ai.onnx.ml",
            {
                {"FeatureVectorizer", 1, 1, OpRow::any, importFeatureVectorizer},
                {"Imputer", 1, 1, 1, importImputer},
                {"Normalizer", 1, 1, 1, importNormalizer},
                {"Scaler", 1, 1, 1, importScaler},
                {"Binarizer", 1, 1, 1, importBinarizer},
                {"ArrayFeatureExtractor", 1, 2, 2, importArrayFeatureExtractor},
            });
}

} // namespace hexin::onnx
