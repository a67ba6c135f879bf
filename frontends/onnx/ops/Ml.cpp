// Numeric pre-processing of domain ai.onnx.ml.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::ComparePredicate;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// One number, or one per column.
Value columns(OpBinder &b, ArrayRef<double> values) {
  SmallVector<float> narrow(values.begin(), values.end());
  SmallVector<int64_t> sizes;
  if (narrow.size() != 1)
    sizes.push_back(static_cast<int64_t>(narrow.size()));
  return b.constant(DenseElementsAttr::get(
      RankedTensorType::get(sizes, b.builder.getF32Type()), ArrayRef<float>(narrow)));
}

/// (x - offset) * scale in f32
void importScaler(OpBinder &b) {
  Value x = b.cast(b.input(0), b.builder.getF32Type());
  if (SmallVector<double> offset = b.floatsAttr("offset"); !offset.empty())
    x = b.sub(x, columns(b, offset));
  if (SmallVector<double> scale = b.floatsAttr("scale"); !scale.empty())
    x = b.mul(x, columns(b, scale));
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

} // namespace

void registerMlOps(OpTable &table) {
  table.add("ai.onnx.ml",
            {
                {"Scaler", 1, 1, 1, importScaler},
                {"Binarizer", 1, 1, 1, importBinarizer},
                {"ArrayFeatureExtractor", 1, 2, 2, importArrayFeatureExtractor},
            });
}

} // namespace hexin::onnx
