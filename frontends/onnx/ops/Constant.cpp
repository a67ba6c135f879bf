// Literals, sizes as values, and operators that only hand a value on.
#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "runtime/base/Checked.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// Beyond this a filled tensor fits no device; data of models is far below.
constexpr int64_t maxElements = int64_t(1) << 31;

std::string joined(ArrayRef<int64_t> sizes) {
  std::string text;
  for (int64_t size : sizes)
    text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

Value floats(OpBinder &b, ArrayRef<float> values, ArrayRef<int64_t> sizes) {
  auto type = RankedTensorType::get(sizes, b.builder.getF32Type());
  return b.constant(DenseElementsAttr::get(type, values));
}

Value integers(OpBinder &b, ArrayRef<int64_t> values, ArrayRef<int64_t> sizes) {
  auto type = RankedTensorType::get(sizes, b.builder.getI64Type());
  return b.constant(DenseElementsAttr::get(type, values));
}

/// The product; an error of the node when there is none that fits a device.
std::optional<int64_t> countElements(OpBinder &b, ArrayRef<int64_t> sizes) {
  int64_t elements = llvm::is_contained(sizes, 0) ? 0 : 1;
  for (int64_t size : sizes) {
    auto product = checkedMul(elements, size);
    if (size < 0) {
      b.error("a size is negative");
      return std::nullopt;
    }
    if (!product || *product > maxElements) {
      b.unsupported("a constant of the sizes " + joined(sizes) + ": expected at most " +
                    Twine(maxElements) + " elements");
      return std::nullopt;
    }
    elements = *product;
  }
  return elements;
}

/// Zeros with the values put at their places: each a flat position or one per axis.
Value denseOf(OpBinder &b, const SparseTensor &sparse) {
  Value values = b.importer().importTensor(sparse.values, "");
  Value places = b.importer().importTensor(sparse.indices, "");
  if (!values || !places) {
    b.markFailed();
    return {};
  }
  auto rank = static_cast<int64_t>(sparse.dims.size());
  auto shape = cast<RankedTensorType>(places.getType()).getShape();
  bool isFlat = shape.size() == 1;
  if ((!isFlat && (shape.size() != 2 || shape[1] != rank)) ||
      cast<RankedTensorType>(values.getType()).getShape() != shape.take_front() ||
      !HxBuilder::elementType(places).isInteger(64)) {
    b.error("attribute 'sparse_value': expected n values and int64 indices [n] or [n, " +
            Twine(rank) + "], got values " +
            joined(cast<RankedTensorType>(values.getType()).getShape()) +
            " and indices " + joined(shape));
    return {};
  }
  std::optional<int64_t> elements = countElements(b, sparse.dims);
  if (!elements)
    return {};
  Type type = HxBuilder::elementType(values);
  Value zero = b.scalar(type, 0);
  Dims dims;
  for (int64_t size : sparse.dims)
    dims.push_back(b.shape.constant(size));
  if (isFlat) {
    Value flat = b.shape.broadcastTo(zero, {b.shape.constant(*elements)});
    flat =
        b.make<hx::ScatterElementsOp>(type, hx::ScatterFn::set, flat, places, values, 0);
    return b.shape.reshape(flat, dims);
  }
  Value full = b.shape.broadcastTo(zero, dims);
  return b.make<hx::ScatterNdOp>(type, hx::ScatterFn::set, full, places, values);
}

void importConstant(OpBinder &b) {
  StringRef name =
      b.node().outputs.empty() ? StringRef() : StringRef(b.node().outputs[0]);
  if (const TensorData *tensor = b.tensorAttr("value")) {
    Value value = b.importer().importTensor(*tensor, name);
    return value ? b.result(0, value) : b.markFailed();
  }
  if (const Attribute *attribute = b.find("value_float"))
    return b.result(0, floats(b, {attribute->f}, {}));
  if (const Attribute *attribute = b.find("value_int"))
    return b.result(0, integers(b, {attribute->i}, {}));
  if (const Attribute *attribute = b.find("value_floats"))
    return b.result(0, floats(b, attribute->floats,
                              {static_cast<int64_t>(attribute->floats.size())}));
  if (const Attribute *attribute = b.find("value_ints"))
    return b.result(
        0, integers(b, attribute->ints, {static_cast<int64_t>(attribute->ints.size())}));
  if (b.hasAttribute("value_string"))
    return b.result(0, b.strings({b.stringAttr("value_string", "").str()}, {}));
  if (b.hasAttribute("value_strings")) {
    SmallVector<std::string> strings = b.stringsAttr("value_strings");
    Value value = b.strings(strings, {static_cast<int64_t>(strings.size())});
    return value ? b.result(0, value)
                 : b.unsupported("a literal of " + Twine(strings.size()) + " strings");
  }
  if (const Attribute *attribute = b.find("sparse_value");
      attribute && attribute->sparseTensors.size() == 1) {
    Value dense = denseOf(b, attribute->sparseTensors.front());
    return b.failed() ? void() : b.result(0, dense);
  }
  b.error("no value: expected one of the attributes value, value_float(s), "
          "value_int(s), value_string(s)");
}

void importConstantOfShape(OpBinder &b) {
  Dims dims = b.readInts(0);
  mlir::Attribute element = b.builder.getF32FloatAttr(0);
  if (const TensorData *data = b.tensorAttr("value")) {
    Result<Tensor> tensor = b.importer().tensorLoader().load(*data);
    if (!tensor.ok() || tensor->numElements() != 1)
      return b.error("attribute 'value': " +
                     (tensor.ok() ? "expected one element" : tensor.status().message()));
    auto elements = cast<DenseElementsAttr>(toElementsAttr(b.context(), *tensor));
    element = *elements.getValues<mlir::Attribute>().begin();
  }
  if (b.failed())
    return;
  if (auto sizes = ShapeMath::constants(dims)) {
    if (!countElements(b, *sizes))
      return;
    return b.result(0, b.splat(*sizes, element));
  }
  b.result(0, b.shape.broadcastTo(b.splat({}, element), dims));
}

void importIdentity(OpBinder &b) { b.result(0, b.input(0)); }

/// start and end count from the end when negative and are clamped to the rank.
void importShape(OpBinder &b) {
  Dims dims = b.dims(b.input(0));
  int64_t rank = static_cast<int64_t>(dims.size());
  auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  int64_t start = clamp(b.intAttr("start", 0)), end = clamp(b.intAttr("end", rank));
  if (b.failed())
    return;
  b.result(0, b.shape.build(
                  ArrayRef<Dim>(dims).slice(start, std::max<int64_t>(end - start, 0))));
}

void importSize(OpBinder &b) {
  Dim count = b.shape.product(b.dims(b.input(0)));
  b.result(0, b.shape.buildScalar(count, b.builder.getI64Type()));
}

void importDropout(OpBinder &b) {
  if (b.sinceVersion() >= 12 && b.has(2)) {
    auto training = b.constantInts(2, "training_mode");
    if (!b.failed() && (training.size() != 1 || training[0] != 0))
      return b.unsupported("training_mode");
  }
  b.result(0, b.input(0));
  if (!b.wants(1))
    return;
  // Nothing is dropped: the mask is true, before opset 10 in the type of x.
  Type type =
      b.sinceVersion() >= 10 ? b.builder.getI1Type() : HxBuilder::elementType(b.input(0));
  b.result(1, b.shape.broadcastTo(b.scalar(type, 1), b.dims(b.input(0))));
}

} // namespace

void registerConstantOps(OpTable &table) {
  table.add("", {
                    {"Constant", 1, 0, 0, importConstant},
                    {"ConstantOfShape", 9, 1, 1, importConstantOfShape},
                    {"Identity", 1, 1, 1, importIdentity},
                    {"Shape", 1, 1, 1, importShape},
                    {"Size", 1, 1, 1, importSize},
                    {"Dropout", 6, 1, 1, importDropout},
                    {"Dropout", 10, 1, 1, importDropout},
                    {"Dropout", 12, 1, 3, importDropout},
                });
}

} // namespace hexin::onnx
