#include "frontends/onnx/OpBinder.h"

#include "compiler/ir/SizeText.h"
#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/wire/DataType.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace hexin::onnx {

OpBinder::OpBinder(GraphImporter &importer, Scope &scope, const Node &node,
                   int64_t sinceVersion, int64_t opset, ArrayRef<Value> inputs,
                   Location loc)
    : HxBuilder(importer.opBuilder(), importer.symbolicShapes(), loc), shape(*this),
      theImporter(importer), theScope(scope), theNode(node), since(sinceVersion),
      opsetVersion(opset), inputs(inputs) {
  for (Value input : inputs)
    shape.addAnchor(input);
}

void OpBinder::result(unsigned index, Value value) {
  if (resultValues.size() <= index)
    resultValues.resize(index + 1);
  resultValues[index] = value;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void OpBinder::error(const Twine &message) {
  if (!hasFailed) {
    theImporter.noteMalformed();
    emitError(loc, message);
  }
  hasFailed = true;
}

void OpBinder::unsupported(const Twine &message) {
  if (!hasFailed) {
    theImporter.noteUnsupported();
    emitError(loc, message);
  }
  hasFailed = true;
}

void OpBinder::contradiction(const Twine &message) {
  if (!hasFailed)
    emitError(loc, message);
  hasFailed = true;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const Attribute *OpBinder::find(StringRef name) const {
  for (const Attribute &attribute : theNode.attributes)
    if (StringRef(attribute.name) == name)
      return attribute.reference.empty() ? &attribute
                                         : theScope.callAttribute(attribute.reference);
  return nullptr;
}

const Attribute *OpBinder::findAs(StringRef name, Attribute::Kind kind) {
  const Attribute *attribute = find(name);
  if (!attribute || attribute->kind == kind)
    return attribute;
  error("attribute '" + name + "' is of type " + StringRef(toString(attribute->kind)) +
        ", expected " + StringRef(toString(kind)));
  return nullptr;
}

int64_t OpBinder::intAttr(StringRef name, int64_t fallback) {
  const Attribute *attribute = findAs(name, Attribute::Kind::integer);
  return attribute ? attribute->i : fallback;
}

double OpBinder::floatAttr(StringRef name, double fallback) {
  const Attribute *attribute = findAs(name, Attribute::Kind::f32);
  return attribute ? attribute->f : fallback;
}

StringRef OpBinder::stringAttr(StringRef name, StringRef fallback) {
  const Attribute *attribute = findAs(name, Attribute::Kind::string);
  return attribute ? StringRef(attribute->s) : fallback;
}

SmallVector<int64_t> OpBinder::intsAttr(StringRef name, ArrayRef<int64_t> fallback) {
  const Attribute *attribute = findAs(name, Attribute::Kind::integers);
  return SmallVector<int64_t>(attribute ? ArrayRef<int64_t>(attribute->ints) : fallback);
}

SmallVector<double> OpBinder::floatsAttr(StringRef name) {
  const Attribute *attribute = findAs(name, Attribute::Kind::f32s);
  return attribute
             ? SmallVector<double>(attribute->floats.begin(), attribute->floats.end())
             : SmallVector<double>();
}

SmallVector<std::string> OpBinder::stringsAttr(StringRef name) {
  const Attribute *attribute = findAs(name, Attribute::Kind::strings);
  return attribute ? SmallVector<std::string>(attribute->strings.begin(),
                                              attribute->strings.end())
                   : SmallVector<std::string>();
}

const TensorData *OpBinder::tensorAttr(StringRef name) {
  const Attribute *attribute = findAs(name, Attribute::Kind::tensor);
  return attribute ? &attribute->tensors.front() : nullptr;
}

const Graph *OpBinder::graphAttr(StringRef name) {
  const Attribute *attribute = findAs(name, Attribute::Kind::graph);
  if (!attribute)
    error("attribute '" + name + "' is missing");
  return attribute ? &attribute->graphs.front() : nullptr;
}

//===----------------------------------------------------------------------===//
// Helpers of many operators
//===----------------------------------------------------------------------===//

int64_t OpBinder::normalizeAxis(int64_t axis, int64_t rank, StringRef what) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  error(what + " " + Twine(axis) + " is outside of [" + Twine(-rank) + ", " +
        Twine(rank - 1) + "], the axes of a tensor of rank " + Twine(rank));
  return 0;
}

SmallVector<int64_t> OpBinder::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> sorted;
  for (int64_t axis : axes) {
    sorted.push_back(normalizeAxis(axis, rank));
    if (hasFailed)
      return {};
  }
  llvm::sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    error("an axis is given twice");
    return {};
  }
  return sorted;
}

hx::Dims OpBinder::readInts(unsigned index) {
  if (hasFailed)
    return {};
  Value value = input(index);
  if (hasFailed)
    return {};
  auto type = dyn_cast<TensorType>(value.getType());
  auto element = type ? dyn_cast<IntegerType>(type.getElementType()) : IntegerType();
  if (!element || (element.getWidth() < 8 && element.getWidth() != 1)) {
    std::string got;
    llvm::raw_string_ostream(got) << value.getType();
    error("input #" + Twine(index) + " is " + got + ": expected a tensor of i64");
    return {};
  }
  FailureOr<hx::Dims> elements = shape.read(value);
  if (mlir::failed(elements)) {
    theImporter.noteUnsupported();
    hasFailed = true;
    return {};
  }
  return *elements;
}

SmallVector<int64_t> OpBinder::constantInts(unsigned index, StringRef what) {
  hx::Dims elements = readInts(index);
  if (hasFailed)
    return {};
  auto values = ShapeMath::constants(elements);
  if (!values)
    unsupported(what + " must be known when compiling, but input #" + Twine(index) +
                " is computed at run time; fix the model's input sizes or fold it to a "
                "constant");
  return values ? *values : SmallVector<int64_t>();
}

std::optional<SmallVector<double>> OpBinder::constantFloats(Value value) {
  auto constant = value ? value.getDefiningOp<hx::ConstantOp>() : nullptr;
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  if (!elements)
    return std::nullopt;
  SmallVector<double> numbers;
  Type type = elements.getElementType();
  if (isa<FloatType>(type)) {
    for (APFloat number : elements.getValues<APFloat>())
      numbers.push_back(number.convertToDouble());
  } else if (auto integer = dyn_cast<IntegerType>(type)) {
    for (const APInt &number : elements.getValues<APInt>())
      numbers.push_back(integer.isUnsigned()
                            ? static_cast<double>(number.getZExtValue())
                            : static_cast<double>(number.getSExtValue()));
  } else {
    return std::nullopt;
  }
  return numbers;
}

Type OpBinder::toType(int64_t dataType, bool mayBeString) {
  Type type = dataType == static_cast<int32_t>(dataType)
                  ? toElementType(context(), static_cast<int32_t>(dataType))
                  : Type();
  if (!type || (isa<hx::StringType>(type) && !mayBeString)) {
    unsupported("element type " + dataTypeName(static_cast<int32_t>(dataType)));
    return Float32Type::get(context());
  }
  return type;
}

} // namespace hexin::onnx
