// LabelEncoder, CategoryMapper and OneHotEncoder of ai.onnx.ml: values by keys.
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Literals.h"

#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <algorithm>
#include <numeric>

using namespace mlir;

namespace hexin::onnx {
namespace {

/// A list of keys, values or a default: one of the three, of an element type.
struct Items {
  Type type; ///< null after an error
  SmallVector<std::string> strings;
  SmallVector<int64_t> ints;
  SmallVector<double> floats;

  size_t size() const { return strings.size() + ints.size() + floats.size(); }
  bool areStrings() const { return isa<hx::StringType>(type); }
};

Items ofStrings(OpBinder &b, ArrayRef<std::string> values) {
  Items items;
  items.type = hx::StringType::get(b.context());
  items.strings.assign(values.begin(), values.end());
  return items;
}

Items ofInts(OpBinder &b, ArrayRef<int64_t> values) {
  Items items;
  items.type = b.builder.getI64Type();
  items.ints.assign(values.begin(), values.end());
  return items;
}

Items ofFloats(OpBinder &b, ArrayRef<double> values) {
  Items items;
  items.type = b.builder.getF32Type();
  items.floats.assign(values.begin(), values.end());
  return items;
}

Items ofTensor(OpBinder &b, const std::string &name) {
  const TensorData *data = b.tensorAttr(name);
  if (b.failed())
    return {};
  Items items;
  items.type = b.toType(data->dataType, /*mayBeString=*/true);
  if (b.failed())
    return {};
  if (items.areStrings()) {
    Result<StringTensor> strings = b.importer().tensorLoader().loadStrings(*data);
    if (strings.ok())
      items.strings.assign(strings->elements.begin(), strings->elements.end());
    else
      b.error("attribute '" + name + "': " + strings.status().message());
  } else if (isa<FloatType>(items.type)) {
    items.floats = tensorFloats(b, name).value_or(SmallVector<double>());
  } else {
    items.ints = tensorInts(b, name).value_or(SmallVector<int64_t>());
  }
  return items;
}

/// "keys_strings", "keys_int64s", "keys_floats" or "keys_tensor", whichever is there.
Items readItems(OpBinder &b, const std::string &what) {
  if (b.hasAttribute(what + "_strings"))
    return ofStrings(b, b.stringsAttr(what + "_strings"));
  if (b.hasAttribute(what + "_int64s"))
    return ofInts(b, b.intsAttr(what + "_int64s"));
  if (b.hasAttribute(what + "_floats"))
    return ofFloats(b, b.floatsAttr(what + "_floats"));
  if (b.hasAttribute(what + "_tensor"))
    return ofTensor(b, what + "_tensor");
  b.error("expected one of the attributes " + what + "_strings, " + what + "_int64s, " +
          what + "_floats, " + what + "_tensor");
  return {};
}

/// What stands for a key that is not there, of the type of `values`.
Items readDefault(OpBinder &b, const Items &values) {
  if (b.failed())
    return {};
  Items items;
  if (b.hasAttribute("default_tensor"))
    items = ofTensor(b, "default_tensor");
  else if (values.areStrings())
    items = ofStrings(b, {b.stringAttr("default_string", "_Unused").str()});
  else if (isa<FloatType>(values.type))
    items = ofFloats(b, {b.floatAttr("default_float", -0.0)});
  else
    items = ofInts(b, {b.intAttr("default_int64", -1)});
  bool isAlike =
      b.failed() || (items.areStrings() == values.areStrings() &&
                     isa<FloatType>(items.type) == isa<FloatType>(values.type));
  if (!isAlike || items.size() != 1) {
    if (!b.failed())
      b.error("the default must be one element of the values' type");
    return {};
  }
  items.type = values.type;
  return items;
}

Value asValue(OpBinder &b, const Items &items, StringRef what) {
  auto count = static_cast<int64_t>(items.size());
  if (b.failed())
    return {};
  if (!items.areStrings())
    return isa<FloatType>(items.type)
               ? literal(b, items.floats, {count}, items.type, what)
               : literal(b, items.ints, {count}, items.type, what);
  Value value = b.strings(items.strings, {count});
  if (!value && !b.failed())
    b.unsupported(Twine(count) + " strings in a literal");
  return value;
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// Where the distinct numbers of `keys` stand in ascending order, NaN (one number) last;
/// of equal ones the last.
template <typename T> SmallVector<size_t> ascending(ArrayRef<T> keys) {
  auto isLess = [](T x, T y) { return x < y || (y != y && x == x); };
  SmallVector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    if (isLess(keys[i], keys[j]) || isLess(keys[j], keys[i]))
      return isLess(keys[i], keys[j]);
    return i > j; // the last of equals first
  });
  auto areEqual = [&](size_t i, size_t j) {
    return !isLess(keys[i], keys[j]) && !isLess(keys[j], keys[i]);
  };
  order.erase(std::unique(order.begin(), order.end(), areEqual), order.end());
  return order;
}

template <typename T> SmallVector<T> picked(ArrayRef<T> values, ArrayRef<size_t> order) {
  SmallVector<T> result;
  for (size_t i : order)
    result.push_back(values[i]);
  return result;
}

/// Whether a key can be an element of type `type`.
bool canOccur(Type type, int64_t key) {
  unsigned width = type.getIntOrFloatBitWidth();
  return width >= 64 || llvm::isIntN(width, key);
}

/// The position of each element of `x` among the keys, the last of equal ones, or -1.
Value positions(OpBinder &b, Value x, const Items &keys) {
  Type i64 = b.builder.getI64Type(), type = HxBuilder::elementType(x);
  if (keys.areStrings()) {
    SmallVector<StringRef> views(keys.strings.begin(), keys.strings.end());
    return b.make<hx::LookupOp>(i64, x, b.builder.getStrArrayAttr(views));
  }
  SmallVector<size_t> order;
  Value sorted;
  if (isa<FloatType>(keys.type)) {
    order = ascending<double>(keys.floats);
    SmallVector<double> numbers = picked<double>(keys.floats, order);
    sorted = literal(b, numbers, {static_cast<int64_t>(numbers.size())}, type, "keys");
  } else {
    order = ascending<int64_t>(keys.ints);
    llvm::erase_if(order, [&](size_t i) { return !canOccur(type, keys.ints[i]); });
    SmallVector<int64_t> numbers = picked<int64_t>(keys.ints, order);
    if (numbers.empty()) // nothing is found
      return b.binary(hx::BinaryFn::bit_or, b.cast(x, i64), b.scalar(i64, -1));
    sorted = literal(b, numbers, {static_cast<int64_t>(numbers.size())}, type, "keys");
  }
  if (b.failed())
    return {};
  Value found = b.make<hx::SortedSearchOp>(i64, x, sorted);
  if (llvm::is_sorted(order) && order.back() + 1 == order.size())
    return found;
  // Back to where the keys stood; -1 reads what stands behind.
  SmallVector<int64_t> back(order.begin(), order.end());
  back.push_back(-1);
  Value table = literal(b, back, {static_cast<int64_t>(back.size())}, i64, "positions");
  return b.failed() ? Value() : b.gather(table, found, 0);
}

/// position, or `count` for -1.
Value positionOrLast(OpBinder &b, Value position, size_t count) {
  Type i64 = b.builder.getI64Type();
  return b.select(b.compare(hx::ComparePredicate::lt, position, b.scalar(i64, 0)),
                  b.scalar(i64, static_cast<double>(count)), position);
}

//===----------------------------------------------------------------------===//
// LabelEncoder, CategoryMapper
//===----------------------------------------------------------------------===//

void encode(OpBinder &b, const Items &keys, const Items &values) {
  Items fallback = readDefault(b, values);
  if (b.failed())
    return;
  Value x = b.input(0);
  Type type = HxBuilder::elementType(x);
  if (keys.size() != values.size() || keys.size() == 0)
    return b.error(Twine(keys.size()) + " keys and " + Twine(values.size()) +
                   " values do not go together");
  bool isString = isa<hx::StringType>(type);
  if (isString != keys.areStrings() ||
      (!isString && isa<FloatType>(type) != isa<FloatType>(keys.type)))
    return b.error("keys and elements of the input are of different types");
  Value position = positions(b, x, keys);
  // The default stands behind the values.
  Value all =
      b.concat({asValue(b, values, "values"), asValue(b, fallback, "default")}, 0);
  Value index = positionOrLast(b, position, keys.size());
  b.result(0, b.failed() ? Value() : b.gather(all, index, 0));
}

SmallVector<int64_t> counted(size_t count) {
  SmallVector<int64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

void importLabelEncoder(OpBinder &b) {
  if (b.sinceVersion() == 1) {
    Items texts = ofStrings(b, b.stringsAttr("classes_strings"));
    Items places = ofInts(b, counted(texts.size()));
    bool isString = isa<hx::StringType>(HxBuilder::elementType(b.input(0)));
    return isString ? encode(b, texts, places) : encode(b, places, texts);
  }
  Items keys = readItems(b, "keys");
  if (b.failed())
    return;
  Items values = readItems(b, "values");
  if (!b.failed())
    encode(b, keys, values);
}

void importCategoryMapper(OpBinder &b) {
  Items texts = ofStrings(b, b.stringsAttr("cats_strings")),
        numbers = ofInts(b, b.intsAttr("cats_int64s"));
  bool isString = isa<hx::StringType>(HxBuilder::elementType(b.input(0)));
  isString ? encode(b, texts, numbers) : encode(b, numbers, texts);
}

//===----------------------------------------------------------------------===//
// OneHotEncoder
//===----------------------------------------------------------------------===//

void importOneHotEncoder(OpBinder &b) {
  Labels categories = readLabels(b, "cats_int64s", "cats_strings");
  bool mayBeAbsent = b.intAttr("zeros", 1) != 0;
  if (b.failed())
    return;
  Value x = b.input(0);
  Type i64 = b.builder.getI64Type();
  bool isString = isa<hx::StringType>(HxBuilder::elementType(x));
  if (isString != categories.areStrings())
    return b.error("categories and elements of the input are of different types");
  Items keys = isString ? ofStrings(b, categories.strings) : ofInts(b, categories.ints);
  Value position = positions(b, isString ? x : b.cast(x, i64), keys);
  Value columns = literal(b, counted(keys.size()), {static_cast<int64_t>(keys.size())},
                          i64, "columns");
  if (b.failed())
    return;
  if (!mayBeAbsent) // the gather reports what is absent as an index out of range
    position = b.gather(columns, positionOrLast(b, position, keys.size()), 0);
  position = b.shape.unsqueeze(position, {HxBuilder::rank(x)});
  b.result(0, b.cast(b.compare(hx::ComparePredicate::eq, position, columns),
                     b.builder.getF32Type()));
}

} // namespace

void registerCategoryOps(OpTable &table) {
  table.add("ai.onnx.ml", {
                              {"CategoryMapper", 1, 1, 1, importCategoryMapper},
                              {"LabelEncoder", 1, 1, 1, importLabelEncoder},
                              {"LabelEncoder", 2, 1, 1, importLabelEncoder},
                              {"OneHotEncoder", 1, 1, 1, importOneHotEncoder},
                          });
}

} // namespace hexin::onnx
