// Maps, and labels looked up, of domain ai.onnx.ml.
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"

#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <cmath>

using namespace mlir;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

ArrayAttr stringArray(OpBinder &b, ArrayRef<std::string> strings) {
  SmallVector<StringRef> views(strings.begin(), strings.end());
  return b.builder.getStrArrayAttr(views);
}

//===----------------------------------------------------------------------===//
// ZipMap, CastMap, DictVectorizer
//===----------------------------------------------------------------------===//

struct Keys {
  DenseI64ArrayAttr ints;
  ArrayAttr strings;
};

/// The one of two list attributes that is there; reports.
Keys readKeys(OpBinder &b, StringRef ints, StringRef strings) {
  SmallVector<int64_t> numbers = b.intsAttr(ints);
  SmallVector<std::string> texts = b.stringsAttr(strings);
  if (!b.failed() && numbers.empty() == texts.empty())
    b.error("expected one of the attributes '" + ints + "' and '" + strings + "'");
  if (b.failed())
    return {};
  if (texts.empty())
    return {b.builder.getDenseI64ArrayAttr(numbers), {}};
  return {{}, stringArray(b, texts)};
}

void importZipMap(OpBinder &b) {
  Keys keys = readKeys(b, "classlabels_int64s", "classlabels_strings");
  if (b.failed())
    return;
  MLIRContext *context = b.context();
  Type key =
      keys.strings ? Type(hx::StringType::get(context)) : Type(b.builder.getI64Type());
  Type number = RankedTensorType::get({}, HxBuilder::elementType(b.input(0)));
  Type type = hx::SequenceType::get(context, hx::MapType::get(context, key, number));
  b.result(0, b.makeTyped<hx::MapMakeOp>(type, b.input(0), keys.ints, keys.strings));
}

/// Input 0, which must be a map; null after an error.
hx::MapType mapInput(OpBinder &b) {
  auto type = dyn_cast<hx::MapType>(b.input(0).getType());
  if (!type)
    b.error("input #0 must be a map");
  return type;
}

void importCastMap(OpBinder &b) {
  StringRef to = b.stringAttr("cast_to", "TO_FLOAT");
  StringRef form = b.stringAttr("map_form", "DENSE");
  int64_t length = b.intAttr("max_map", 1);
  if (!mapInput(b) || b.failed())
    return;
  Type element = to == "TO_FLOAT"    ? Type(b.builder.getF32Type())
                 : to == "TO_INT64"  ? Type(b.builder.getI64Type())
                 : to == "TO_STRING" ? Type(hx::StringType::get(b.context()))
                                     : Type();
  if (!element || (form != "DENSE" && form != "SPARSE"))
    return b.error("attributes 'cast_to' and 'map_form' are '" + to + "' and '" + form +
                   "', expected TO_FLOAT, TO_INT64 or TO_STRING, and DENSE or SPARSE");
  b.result(0, b.make<hx::MapReadOp>(element, b.input(0), DenseI64ArrayAttr(), ArrayAttr(),
                                    form == "DENSE", length));
}

void importDictVectorizer(OpBinder &b) {
  Keys keys = readKeys(b, "int64_vocabulary", "string_vocabulary");
  hx::MapType type = mapInput(b);
  if (!type || b.failed())
    return;
  b.result(0, b.make<hx::MapReadOp>(getElementTypeOrSelf(type.getValueType()), b.input(0),
                                    keys.ints, keys.strings, true, 1));
}

//===----------------------------------------------------------------------===//
// LabelEncoder
//===----------------------------------------------------------------------===//

/// A literal of keys, values or a default.
struct Literal {
  SmallVector<std::string> strings;
  DenseElementsAttr numbers; ///< null for strings
  size_t size() const { return numbers ? numbers.getNumElements() : strings.size(); }
};

Literal ofFloats(OpBinder &b, ArrayRef<double> values) {
  SmallVector<float> floats(values.begin(), values.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(floats.size())},
                                    b.builder.getF32Type());
  return {{}, DenseElementsAttr::get(type, ArrayRef<float>(floats))};
}

Literal ofInts(OpBinder &b, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    b.builder.getI64Type());
  return {{}, DenseElementsAttr::get(type, values)};
}

/// "keys_strings", "keys_int64s", "keys_floats" or "keys_tensor", whichever is there.
Literal readList(OpBinder &b, const std::string &what) {
  if (b.hasAttribute(what + "_strings"))
    return {b.stringsAttr(what + "_strings"), {}};
  if (b.hasAttribute(what + "_int64s"))
    return ofInts(b, b.intsAttr(what + "_int64s"));
  if (b.hasAttribute(what + "_floats"))
    return ofFloats(b, b.floatsAttr(what + "_floats"));
  const TensorData *data = b.tensorAttr(what + "_tensor");
  if (b.failed())
    return {};
  Value value = data ? b.importer().importTensor(*data, what) : Value();
  auto constant = value ? value.getDefiningOp<hx::ConstantOp>() : nullptr;
  if (!constant) {
    b.error("expected one of the attributes " + what + "_strings, " + what + "_int64s, " +
            what + "_floats, " + what + "_tensor");
    return {};
  }
  auto elements = cast<DenseElementsAttr>(constant.getValue());
  if (!isa<hx::StringType>(elements.getElementType()))
    return {{},
            elements.reshape(RankedTensorType::get({elements.getNumElements()},
                                                   elements.getElementType()))};
  Literal literal;
  for (StringRef text : cast<DenseStringElementsAttr>(elements).getValues<StringRef>())
    literal.strings.push_back(text.str());
  return literal;
}

/// What stands for a key that is not there, of the type of `values`.
Literal readDefault(OpBinder &b, const Literal &values) {
  if (b.hasAttribute("default_tensor"))
    return readList(b, "default");
  if (!values.numbers)
    return {{b.stringAttr("default_string", "_Unused").str()}, {}};
  if (values.numbers.getElementType().isInteger(64))
    return ofInts(b, {b.intAttr("default_int64", -1)});
  return ofFloats(b, {b.floatAttr("default_float", -0.0)});
}

Value asValue(OpBinder &b, const Literal &literal) {
  return literal.numbers
             ? b.constant(literal.numbers)
             : b.strings(literal.strings, {static_cast<int64_t>(literal.size())});
}

/// The position of each number among the keys, the last of equal ones, or -1.
Value numberPositions(OpBinder &b, Value x, const Literal &keys) {
  Type i64 = b.builder.getI64Type();
  auto count = static_cast<int64_t>(keys.size());
  Value column = b.shape.unsqueeze(x, {HxBuilder::rank(x)});
  Value literal = b.cast(b.constant(keys.numbers), HxBuilder::elementType(x));
  if (b.failed())
    return {};
  Value isEqual = b.compare(hx::ComparePredicate::eq, column, literal);
  if (HxBuilder::isFloat(x))
    isEqual =
        b.binary(hx::BinaryFn::bit_or, isEqual,
                 b.binary(hx::BinaryFn::bit_and, b.unary(hx::UnaryFn::is_nan, column),
                          b.unary(hx::UnaryFn::is_nan, literal)));
  SmallVector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i)
    numbers.push_back(i);
  Value found = b.select(isEqual, b.ints(numbers), b.scalar(i64, -1));
  return b.reduce(hx::ReduceFn::max, found, {HxBuilder::rank(x)}, /*keepDims=*/false);
}

void encode(OpBinder &b, const Literal &keys, const Literal &values,
            const Literal &fallback) {
  if (b.failed())
    return;
  Value x = b.input(0);
  Type i64 = b.builder.getI64Type();
  bool isString = isa<hx::StringType>(HxBuilder::elementType(x));
  if (keys.size() != values.size() || keys.size() == 0 || fallback.size() != 1)
    return b.error(Twine(keys.size()) + " keys, " + Twine(values.size()) +
                   " values and " + Twine(fallback.size()) +
                   " defaults do not go together");
  if (isString == static_cast<bool>(keys.numbers))
    return b.error(isString ? "numbers are keys of an input of strings"
                            : "strings are keys of an input of numbers");
  Value position = isString ? b.make<hx::LookupOp>(i64, x, stringArray(b, keys.strings))
                            : numberPositions(b, x, keys);
  Value known = asValue(b, values), other = asValue(b, fallback);
  if (b.failed() || !known || !other)
    return b.unsupported("so many labels in a literal");
  // The default stands behind the values.
  Value count = b.scalar(i64, static_cast<double>(keys.size()));
  Value index = b.select(b.compare(hx::ComparePredicate::lt, position, b.scalar(i64, 0)),
                         count, position);
  b.result(0, b.gather(b.concat({known, other}, 0), index, 0));
}

void importLabelEncoder(OpBinder &b) {
  if (b.sinceVersion() == 1) {
    SmallVector<std::string> classes = b.stringsAttr("classes_strings");
    SmallVector<int64_t> numbers;
    for (size_t i = 0; i < classes.size(); ++i)
      numbers.push_back(static_cast<int64_t>(i));
    Literal texts{classes, {}}, positions = ofInts(b, numbers);
    bool isString = isa<hx::StringType>(HxBuilder::elementType(b.input(0)));
    const Literal &values = isString ? positions : texts;
    return encode(b, isString ? texts : positions, values, readDefault(b, values));
  }
  Literal keys = readList(b, "keys");
  if (b.failed())
    return;
  Literal values = readList(b, "values");
  if (!b.failed())
    encode(b, keys, values, readDefault(b, values));
}

} // namespace

void registerMapOps(OpTable &table) {
  table.add("ai.onnx.ml", {
                              {"ZipMap", 1, 1, 1, importZipMap},
                              {"CastMap", 1, 1, 1, importCastMap},
                              {"DictVectorizer", 1, 1, 1, importDictVectorizer},
                              {"LabelEncoder", 1, 1, 1, importLabelEncoder},
                              {"LabelEncoder", 2, 1, 1, importLabelEncoder},
                          });
}

} // namespace hexin::onnx
