// Sequences and optionals.
#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ValueTypes.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Sequences.h"

#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"

#include <numeric>

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

Type knownType(Value value) {
  auto make = value.getDefiningOp<hx::SeqMakeOp>();
  if (!make || !make.getElements().empty())
    return value.getType();
  return hx::SequenceType::get(value.getContext(), NoneType::get(value.getContext()));
}

namespace {

/// Input `index`, which must be a sequence (of anything).
Value sequenceInput(OpBinder &b, unsigned index) {
  Value value = b.input(index);
  if (isa<hx::SequenceType>(value.getType()))
    return value;
  b.error("input #" + Twine(index) + " must be a sequence, got " +
          print(value.getType()));
  return {};
}

/// Input `index` as a position, or null when it is left out.
Value positionInput(OpBinder &b, unsigned index) {
  Value value = b.input(index);
  if (!value)
    return {};
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type &&
      (type.getElementType().isInteger(32) || type.getElementType().isInteger(64)))
    return value;
  b.error("input #" + Twine(index) + " must be an integer, got " +
          print(value.getType()));
  return {};
}

/// The number in a position, when it is known.
std::optional<int64_t> known(OpBinder &b, Value position) {
  auto contents = b.shapes.contents(position);
  return contents && contents->size() == 1
             ? hx::SymbolTable::constantValue(contents->front())
             : std::nullopt;
}

/// A tensor type with its rank: that of a held tensor, else of what is declared.
Type rankedType(OpBinder &b, Type held, Type declared) {
  if (!isa<UnrankedTensorType, NoneType>(held))
    return held;
  auto tensor = dyn_cast<UnrankedTensorType>(held);
  auto ranked = dyn_cast_or_null<RankedTensorType>(declared);
  if (ranked && (!tensor || tensor.getElementType() == ranked.getElementType()))
    return RankedTensorType::get(
        SmallVector<int64_t>(ranked.getRank(), ShapedType::kDynamic),
        ranked.getElementType());
  b.unsupported("the rank of what comes out of a sequence or optional of " + print(held) +
                " is not known: give the sizes of the tensors in the model's input "
                "(shapes), or declare the node's output in the model (value_info)");
  return {};
}

/// Part `index` of a split whose sizes are known, on the device.
Value partOf(OpBinder &b, hx::SeqSplitOp split, int64_t index) {
  Value input = split.getInput();
  auto axis = static_cast<int64_t>(split.getAxis());
  Dim dim = b.dims(input)[axis];
  auto whole = hx::SymbolTable::constantValue(dim);
  Dim start, size;
  if (split.getSizes() && HxBuilder::rank(split.getSizes()) == 1) {
    auto contents = b.shapes.contents(split.getSizes());
    auto sizes = contents ? ShapeMath::constants(*contents) : std::nullopt;
    auto count = static_cast<int64_t>(sizes ? sizes->size() : 0);
    index += index < 0 ? count : 0;
    if (!sizes || index < 0 || index >= count)
      return {};
    start = b.shape.constant(
        std::accumulate(sizes->begin(), sizes->begin() + index, int64_t(0)));
    size = b.shape.constant((*sizes)[index]);
  } else {
    auto chunk =
        split.getSizes() ? known(b, split.getSizes()) : std::optional<int64_t>(1);
    if (!chunk || *chunk < 1 || !whole)
      return {};
    int64_t count = (*whole + *chunk - 1) / *chunk;
    index += index < 0 ? count : 0;
    if (index < 0 || index >= count)
      return {};
    start = b.shape.constant(index * *chunk);
    size = b.shape.constant(std::min(*chunk, *whole - index * *chunk));
  }
  Value part = b.shape.sliceAxis(input, axis, start, size);
  return split.getKeepDim() || b.failed() ? part : b.shape.squeeze(part, {axis});
}

} // namespace

Type declaredOutput(OpBinder &b, unsigned index) {
  return b.wants(index)
             ? b.importer().declaredType(StringRef(b.node().outputs[index]), b.scope())
             : Type();
}

Value elementAt(OpBinder &b, Value sequence, Value position, Type declared) {
  if (b.failed())
    return {};
  if (std::optional<int64_t> index = known(b, position)) {
    if (auto make = sequence.getDefiningOp<hx::SeqMakeOp>()) {
      auto count = static_cast<int64_t>(make.getElements().size());
      int64_t at = *index + (*index < 0 ? count : 0);
      if (at < 0 || at >= count)
        return b.contradiction("position " + Twine(*index) + " of a sequence of " +
                               Twine(count)),
               Value();
      return make.getElements()[at];
    }
    if (auto split = sequence.getDefiningOp<hx::SeqSplitOp>())
      if (Value part = partOf(b, split, *index))
        return part;
  }
  Type type = rankedType(b, hx::heldType(sequence.getType()), declared);
  return type ? b.makeTyped<hx::SeqAtOp>(type, sequence, position) : Value();
}

Value inserted(OpBinder &b, Value sequence, Value value, Value position) {
  if (b.failed())
    return {};
  Type held = hx::heldType(sequence.getType());
  if (!hx::joinTypes(held, value.getType())) {
    b.error("a value of type " + print(value.getType()) + " into a sequence of " +
            print(held));
    return {};
  }
  held = hx::joinTypes(hx::heldType(knownType(sequence)), value.getType());
  return b.makeTyped<hx::SeqInsertOp>(hx::SequenceType::get(b.context(), held), sequence,
                                      value, position);
}

Value heldBy(OpBinder &b, Value optional, Type declared) {
  if (b.failed())
    return {};
  if (auto make = optional.getDefiningOp<hx::OptMakeOp>())
    if (make.getValue())
      return make.getValue();
  Type type = rankedType(b, hx::heldType(optional.getType()), declared);
  return type ? b.makeTyped<hx::OptGetOp>(type, optional) : Value();
}

namespace {

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

void importSequenceConstruct(OpBinder &b) {
  Type held = NoneType::get(b.context());
  for (auto [i, input] : llvm::enumerate(b.allInputs())) {
    if (!input)
      return b.error("input #" + Twine(i) + " is left out");
    Type joined = hx::joinTypes(held, input.getType());
    if (!joined)
      return b.error("the elements have types " + print(held) + " and " +
                     print(input.getType()) + ": expected one");
    held = joined;
  }
  b.result(0, b.makeTyped<hx::SeqMakeOp>(hx::SequenceType::get(b.context(), held),
                                         b.allInputs()));
}

void importSequenceEmpty(OpBinder &b) {
  Type type = b.toType(b.intAttr("dtype", 1), /*mayBeString=*/true);
  b.result(0, b.makeTyped<hx::SeqMakeOp>(
                  hx::SequenceType::get(b.context(), UnrankedTensorType::get(type)),
                  ValueRange()));
}

void importSequenceAt(OpBinder &b) {
  Value sequence = sequenceInput(b, 0), position = positionInput(b, 1);
  b.result(0, elementAt(b, sequence, position, declaredOutput(b, 0)));
}

void importSequenceInsert(OpBinder &b) {
  Value sequence = sequenceInput(b, 0), position = positionInput(b, 2);
  b.result(0, inserted(b, sequence, b.input(1), position));
}

void importSequenceErase(OpBinder &b) {
  Value sequence = sequenceInput(b, 0), position = positionInput(b, 1);
  if (!b.failed())
    b.result(0, b.makeTyped<hx::SeqEraseOp>(sequence.getType(), sequence, position));
}

void importSequenceLength(OpBinder &b) {
  Value sequence = sequenceInput(b, 0);
  if (!b.failed())
    b.result(0, b.makeTyped<hx::SeqLengthOp>(
                    RankedTensorType::get({}, b.builder.getI64Type()), sequence));
}

void importSplitToSequence(OpBinder &b) {
  Value x = b.input(0), sizes = positionInput(b, 1);
  auto type = cast<RankedTensorType>(x.getType());
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), type.getRank());
  bool keepDim = sizes || b.intAttr("keepdims", 1) != 0;
  if (b.failed())
    return;
  SmallVector<int64_t> part(type.getShape());
  part[axis] = sizes ? ShapedType::kDynamic : 1;
  if (!keepDim)
    part.erase(part.begin() + axis);
  Type held = RankedTensorType::get(part, type.getElementType());
  b.result(0, b.makeTyped<hx::SeqSplitOp>(hx::SequenceType::get(b.context(), held), x,
                                          sizes, axis, keepDim));
}

void importConcatFromSequence(OpBinder &b) {
  Value sequence = sequenceInput(b, 0);
  if (!b.hasAttribute("axis"))
    return b.error("attribute 'axis' is missing");
  bool isNew = b.intAttr("new_axis", 0) != 0;
  if (b.failed())
    return;
  Type held = hx::heldType(sequence.getType());
  auto element = dyn_cast<RankedTensorType>(held);
  int64_t rank = element ? element.getRank() + isNew : -1;
  if (!element) {
    auto type =
        dyn_cast_or_null<RankedTensorType>(rankedType(b, held, declaredOutput(b, 0)));
    if (!type)
      return;
    element = type; // the result's: only its element type counts below
    rank = type.getRank();
  }
  int64_t axis = b.normalizeAxis(b.intAttr("axis", 0), rank);
  if (b.failed())
    return;
  auto make = sequence.getDefiningOp<hx::SeqMakeOp>();
  if (make && !make.getElements().empty() && element == held) {
    SmallVector<Value> parts;
    for (Value part : make.getElements())
      parts.push_back(isNew ? b.shape.unsqueeze(part, {axis}) : part);
    return b.result(0, b.failed() ? Value() : b.concat(parts, axis));
  }
  Type type = RankedTensorType::get(SmallVector<int64_t>(rank, ShapedType::kDynamic),
                                    element.getElementType());
  b.result(0, b.makeTyped<hx::SeqConcatOp>(type, sequence, axis, isNew));
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

void importOptional(OpBinder &b) {
  Type held;
  if (b.has(0)) {
    held = b.input(0).getType();
  } else {
    const Attribute *attribute = b.find("type");
    if (!attribute || attribute->types.empty())
      return b.error("neither a value nor attribute 'type' says what it may hold");
    Result<Type> type = toValueType(b.context(), attribute->types.front());
    if (!type.ok())
      return b.unsupported(type.status().message());
    held = *type;
  }
  b.result(0, b.makeTyped<hx::OptMakeOp>(hx::OptionalType::get(b.context(), held),
                                         b.input(0)));
}

/// Since 18 a plain value is an optional that holds it.
void importOptionalGetElement(OpBinder &b) {
  bool isOptional = isa<hx::OptionalType>(b.input(0).getType());
  b.result(0, isOptional ? heldBy(b, b.input(0), declaredOutput(b, 0)) : b.input(0));
}

void importOptionalHasElement(OpBinder &b) {
  Type i1 = b.builder.getI1Type();
  if (!b.has(0) || !isa<hx::OptionalType>(b.input(0).getType()))
    return b.result(0, b.scalar(i1, b.has(0) ? 1 : 0));
  b.result(0, b.makeTyped<hx::OptHasOp>(RankedTensorType::get({}, i1), b.input(0)));
}

} // namespace

void registerSequenceOps(OpTable &table) {
  table.add("", {
                    {"SequenceConstruct", 11, 1, OpRow::any, importSequenceConstruct},
                    {"SequenceEmpty", 11, 0, 0, importSequenceEmpty},
                    {"SequenceAt", 11, 2, 2, importSequenceAt},
                    {"SequenceInsert", 11, 2, 3, importSequenceInsert},
                    {"SequenceErase", 11, 1, 2, importSequenceErase},
                    {"SequenceLength", 11, 1, 1, importSequenceLength},
                    {"SplitToSequence", 11, 1, 2, importSplitToSequence},
                    {"ConcatFromSequence", 11, 1, 1, importConcatFromSequence},
                    {"Optional", 15, 0, 1, importOptional},
                    {"OptionalGetElement", 15, 1, 1, importOptionalGetElement},
                    {"OptionalHasElement", 15, 0, 1, importOptionalHasElement},
                });
}

} // namespace hexin::onnx
