// Maps of domain ai.onnx.ml.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Literals.h"

#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

//===----------------------------------------------------------------------===//
// ZipMap, CastMap, DictVectorizer
//===----------------------------------------------------------------------===//

struct Keys {
  DenseI64ArrayAttr ints;
  ArrayAttr strings;
};

/// The one of two list attributes that is there; reports.
Keys readKeys(OpBinder &b, StringRef ints, StringRef strings) {
  Labels labels = readLabels(b, ints, strings);
  if (b.failed())
    return {};
  if (!labels.areStrings())
    return {b.builder.getDenseI64ArrayAttr(labels.ints), {}};
  SmallVector<StringRef> views(labels.strings.begin(), labels.strings.end());
  return {{}, b.builder.getStrArrayAttr(views)};
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

} // namespace

void registerMapOps(OpTable &table) {
  table.add("ai.onnx.ml", {
                              {"ZipMap", 1, 1, 1, importZipMap},
                              {"CastMap", 1, 1, 1, importCastMap},
                              {"DictVectorizer", 1, 1, 1, importDictVectorizer},
                          });
}

} // namespace hexin::onnx
