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
  if (b.hasAttribute("sparse_value"))
    return b.unsupported("attribute 'sparse_value'");
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
    if (llvm::any_of(*sizes, [](int64_t size) { return size < 0; }))
      return b.error("a size is negative");
    int64_t elements = llvm::is_contained(*sizes, 0) ? 0 : 1;
    for (int64_t size : *sizes) {
      auto product = checkedMul(elements, size);
      if (!product || *product > maxElements)
        return b.unsupported("a constant of the sizes " + joined(*sizes) +
                             ": expected at most " + Twine(maxElements) + " elements");
      elements = *product;
    }
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

} // namespace

void registerConstantOps(OpTable &table) {
  table.add("", {
                    {"Constant", 1, 0, 0, importConstant},
                    {"ConstantOfShape", 9, 1, 1, importConstantOfShape},
                    {"Identity", 1, 1, 1, importIdentity},
                    {"Shape", 1, 1, 1, importShape},
                    {"Size", 1, 1, 1, importSize},
                });
}

} // namespace hexin::onnx
