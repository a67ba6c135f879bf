#include "frontends/onnx/ops/Literals.h"

#include "frontends/onnx/GraphImporter.h"

#include "compiler/ir/AttributeConversion.h"
#include "runtime/base/DType.h"
#include "runtime/base/Float16.h"

#include <cstring>

using namespace mlir;

namespace hexin::onnx {
namespace {

template <typename Stored, typename Wide> void store(void *base, ArrayRef<Wide> values) {
  auto *elements = static_cast<Stored *>(base);
  for (size_t i = 0; i < values.size(); ++i)
    elements[i] = static_cast<Stored>(values[i]);
}

template <typename Wide>
Value literalOf(OpBinder &b, ArrayRef<Wide> values, ArrayRef<int64_t> sizes, Type type,
                StringRef what) {
  if (b.failed())
    return {};
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  if (count != static_cast<int64_t>(values.size())) {
    b.error(what + ": expected " + Twine(count) + " numbers, got " +
            Twine(values.size()));
    return {};
  }
  std::optional<DType> dtype = hx::toDType(type);
  bool isKnown =
      dtype && llvm::is_contained(
                   {DType::f64, DType::f32, DType::i64, DType::i32, DType::i16}, *dtype);
  Result<Tensor> tensor = isKnown ? Tensor::allocate(*dtype, {sizes.data(), sizes.size()})
                                  : Result<Tensor>(unsupported("such elements"));
  if (!tensor.ok()) {
    b.unsupported(what + ": " + tensor.status().message());
    return {};
  }
  void *base = tensor->data();
  switch (*dtype) {
  case DType::f64:
    store<double>(base, values);
    break;
  case DType::f32:
    store<float>(base, values);
    break;
  case DType::i64:
    store<int64_t>(base, values);
    break;
  case DType::i32:
    store<int32_t>(base, values);
    break;
  default:
    store<int16_t>(base, values);
  }
  Value value = b.importer().addConstant(*std::move(tensor), what);
  if (!value)
    b.markFailed();
  return value;
}

/// The elements of a tensor attribute as `Wide`; `load(i)` gives nullopt for a type that
/// is none of those expected.
template <typename Wide>
std::optional<SmallVector<Wide>>
tensorNumbers(OpBinder &b, StringRef name, StringRef expected,
              llvm::function_ref<std::optional<Wide>(const Tensor &, int64_t)> load) {
  const TensorData *data = b.hasAttribute(name) ? b.tensorAttr(name) : nullptr;
  if (!data || b.failed())
    return std::nullopt;
  Result<Tensor> tensor = b.importer().tensorLoader().load(*data);
  if (!tensor.ok()) {
    b.error("attribute '" + name + "': " + tensor.status().message());
    return std::nullopt;
  }
  SmallVector<Wide> values;
  for (int64_t i = 0; i < tensor->numElements(); ++i) {
    std::optional<Wide> value = load(*tensor, i);
    if (!value) {
      b.error("attribute '" + name + "' holds elements of type " +
              StringRef(toString(tensor->dtype())) + ", expected " + expected);
      return std::nullopt;
    }
    values.push_back(*value);
  }
  return values;
}

} // namespace

Value literal(OpBinder &b, ArrayRef<double> values, ArrayRef<int64_t> sizes, Type type,
              StringRef what) {
  return literalOf(b, values, sizes, type, what);
}

Value literal(OpBinder &b, ArrayRef<int64_t> values, ArrayRef<int64_t> sizes, Type type,
              StringRef what) {
  return literalOf(b, values, sizes, type, what);
}

std::optional<SmallVector<double>> tensorFloats(OpBinder &b, StringRef name) {
  return tensorNumbers<double>(
      b, name, "floats", [](const Tensor &tensor, int64_t i) -> std::optional<double> {
        switch (tensor.dtype()) {
        case DType::f64:
          return tensor.as<double>()[i];
        case DType::f32:
          return tensor.as<float>()[i];
        case DType::f16:
          return f16ToF32(static_cast<const uint16_t *>(tensor.data())[i]);
        default:
          return std::nullopt;
        }
      });
}

std::optional<SmallVector<int64_t>> tensorInts(OpBinder &b, StringRef name) {
  return tensorNumbers<int64_t>(
      b, name, "integers", [](const Tensor &tensor, int64_t i) -> std::optional<int64_t> {
        switch (tensor.dtype()) {
        case DType::u8:
          return tensor.as<uint8_t>()[i];
        case DType::i16:
          return tensor.as<int16_t>()[i];
        case DType::i32:
          return tensor.as<int32_t>()[i];
        case DType::i64:
          return tensor.as<int64_t>()[i];
        default:
          return std::nullopt;
        }
      });
}

Labels readLabels(OpBinder &b, StringRef ints, StringRef strings) {
  Labels labels{b.stringsAttr(strings), b.intsAttr(ints)};
  if (!b.failed() && labels.strings.empty() == labels.ints.empty())
    b.error("expected one of the attributes '" + ints + "' and '" + strings + "'");
  return labels;
}

Value labelAt(OpBinder &b, const Labels &labels, Value index) {
  auto count = static_cast<int64_t>(labels.size());
  Value values = labels.areStrings()
                     ? b.strings(labels.strings, {count})
                     : literal(b, labels.ints, {count}, b.builder.getI64Type(), "labels");
  if (!values && !b.failed())
    b.unsupported(Twine(count) + " strings in a literal");
  return b.failed() ? Value() : b.gather(values, index, 0);
}

} // namespace hexin::onnx
