#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/ModelInputs.h"
#include "frontends/onnx/NodeAttributes.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/OperandKinds.h"
#include "frontends/onnx/StringMoves.h"
#include "frontends/onnx/ops/microsoft/Refused.h"
#include "frontends/onnx/wire/Utf8.h"

#include "compiler/ir/Ops.h"
#include "compiler/ir/ValueTypes.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace hexin::onnx {

static bool isMoveOfStrings(StringRef domain, const Node &node, ArrayRef<Value> inputs) {
  return operandKinds(domain, StringRef(node.opType)) == OperandKinds::moved &&
         llvm::any_of(inputs, [](Value input) {
           return input && hx::isHostType(input.getType());
         });
}

/// Inlined functions can blow up; real models stay far below.
static constexpr uint64_t maxNodes = 4'000'000;

Location GraphImporter::locationOf(const Node &node, const Scope &scope) {
  StringRef name(node.name);
  for (size_t i = 0; name.empty() && i < node.outputs.size(); ++i)
    name = StringRef(node.outputs[i]);
  if (name.empty())
    name = StringRef(node.opType);
  return NameLoc::get(builder.getStringAttr(toUtf8(scope.prefix + name.str())));
}

LogicalResult GraphImporter::importNodes(ArrayRef<Node> nodes, Scope &scope) {
  for (auto [i, node] : llvm::enumerate(nodes)) {
    ImportErrors::Place where(errors, node, scope);
    if (++numNodes > maxNodes) {
      return errors.fail(StatusCode::resourceExhausted,
                         "more than " + Twine(maxNodes) +
                             " nodes after inlining functions");
    }
    frames.push_back({nodes.drop_front(i + 1), &scope});
    LogicalResult imported = importNode(node, scope);
    frames.pop_back();
    if (failed(imported) || hasForked()) // in which case the rest is there as well
      return imported;
  }
  return success();
}

LogicalResult GraphImporter::importNode(const Node &node, Scope &scope) {
  SmallVector<Value> inputs;
  for (std::string_view name : node.inputs) {
    FailureOr<Value> value =
        name.empty() ? FailureOr<Value>(Value()) : lookup(StringRef(name), scope);
    if (failed(value))
      return failure();
    inputs.push_back(*value);
  }
  while (!inputs.empty() && !inputs.back())
    inputs.pop_back();
  if (StringRef name = repeatedAttribute(node); !name.empty())
    return errors.malformed("attribute '" + name + "' is given twice");
  if (const Function *function = findFunction(node))
    return importCall(node, *function, scope, inputs);
  return importOp(node, scope, inputs);
}

/// From which opset on an operator has the form that it has in opset 6, where our table
/// begins: those that did not change until then are taken from the first one on.
static int64_t oldestOpset(StringRef op) {
  return llvm::StringSwitch<int64_t>(op)
      .Cases({"GlobalLpPool", "LpPool", "Pad", "Split"}, 2)
      .Case("GRU", 3)
      .Case("Concat", 4)
      .Case("Reshape", 5)
      .Cases({"Abs", "Add", "BatchNormalization", "Cast", "Ceil", "Clip", "Div",
              "Dropout", "Elu", "Exp"},
             6)
      .Cases({"Floor", "Gemm", "HardSigmoid", "InstanceNormalization", "LeakyRelu", "Log",
              "Max", "Mean", "Min", "Mul"},
             6)
      .Cases({"Neg", "PRelu", "Reciprocal", "Relu", "Selu", "Sigmoid", "Sqrt", "Sub",
              "Sum", "Tanh", "Tile"},
             6)
      .Default(1);
}

LogicalResult GraphImporter::importOp(const Node &node, Scope &scope,
                                      ArrayRef<Value> inputs) {
  StringRef domain = canonicalDomain(StringRef(node.domain));
  std::string domainName = domain.empty() ? "ai.onnx" : domain.str();
  int64_t opset = scope.opset(domain);
  if (opset == 0 && domain.empty())
    return errors.malformed("the model names no opset of ai.onnx");
  int64_t oldest = domain.empty() ? oldestOpset(StringRef(node.opType)) : 0;
  if (domain.empty() && (opset < oldest || opset > 28)) {
    return errors.fail(StatusCode::versionMismatch,
                       "ai.onnx opset " + Twine(opset) + ": expected " + Twine(oldest) +
                           " to 28 for " + StringRef(node.opType) +
                           "; convert the model with onnx.version_converter");
  }
  // Exporters forget to name the other domains.
  opset = std::max<int64_t>(opset, 1);

  const OpTable &table = OpTable::get();
  const OpRow *row = table.find(domain, StringRef(node.opType), opset);
  if (StringRef reason = refusalOf(domain, StringRef(node.opType));
      !row && !reason.empty())
    return errors.unsupported("operator " + StringRef(node.opType) + " of domain " +
                              domainName + ": " + reason);
  if (!row) {
    bool isOld = table.hasAnyVersion(domain, StringRef(node.opType));
    return errors.unsupported(
        "operator " + StringRef(node.opType) + " of domain " + domainName +
        (isOld ? " did not exist at opset " : " is not supported (opset ") +
        Twine(opset) + (isOld ? "" : ")"));
  }
  if (std::string fault = unknownAttribute(domain, node, opset); !fault.empty())
    return errors.malformed(fault);
  unsigned numGiven = inputs.size();
  for (unsigned i = 0; i < row->minInputs; ++i)
    if (i >= inputs.size() || !inputs[i])
      return errors.malformed("input #" + Twine(i) + " is missing: expected at least " +
                              Twine(row->minInputs) + " inputs");
  if (numGiven > row->maxInputs)
    return errors.malformed("expected at most " + Twine(row->maxInputs) +
                            " inputs, got " + Twine(numGiven));

  if (failed(checkOperandKinds(domain, node, inputs)))
    return failure();
  OpBinder binder(*this, scope, node, row->sinceVersion, opset, inputs,
                  locationOf(node, scope));
  SmallVector<Value, 4> results;
  if (isMoveOfStrings(domain, node, inputs)) {
    StringMoves strings(binder, inputs);
    OpBinder moves(*this, scope, node, row->sinceVersion, opset, strings.numbers(),
                   binder.loc);
    if (!binder.failed())
      row->import(moves);
    if (moves.failedOnTypes())
      noteMalformed();
    if (moves.failed())
      return failure();
    for (Value positions : moves.results())
      results.push_back(positions ? strings.at(binder, positions) : Value());
  } else {
    row->import(binder);
    llvm::append_range(results, binder.results());
  }
  if (binder.failedOnTypes())
    noteMalformed();
  if (binder.failed())
    return failure();
  if (hasForked())
    return success();
  for (auto [i, name] : llvm::enumerate(node.outputs)) {
    if (name.empty())
      continue;
    Value value = i < results.size() ? results[i] : Value();
    if (!value)
      return errors.unsupported("output #" + Twine(i) + " '" + StringRef(name) +
                                "' is not supported");
    if (auto type = dyn_cast<RankedTensorType>(value.getType());
        type && type.getRank() > maxRank)
      return errors.unsupported("output '" + StringRef(name) + "' has rank " +
                                Twine(type.getRank()) + "; expected at most " +
                                Twine(maxRank));
    if (failed(bind(StringRef(name), foldKnownContents(value), scope)))
      return failure();
  }
  return success();
}

/// Import functions take tensors of numbers for granted, but for those that are listed
/// with more.
LogicalResult GraphImporter::checkOperandKinds(StringRef domain, const Node &node,
                                               ArrayRef<Value> inputs) {
  OperandKinds kinds = operandKinds(domain, StringRef(node.opType));
  if (kinds == OperandKinds::values)
    return success();
  for (auto [i, input] : llvm::enumerate(inputs)) {
    if (!input || !hx::isHostType(input.getType()))
      continue;
    bool isTensor = isa<RankedTensorType>(input.getType());
    if (isTensor && kinds != OperandKinds::numbers)
      continue;
    std::string type;
    llvm::raw_string_ostream(type) << input.getType();
    return errors.fail(isTensor ? StatusCode::unsupported : StatusCode::corruptData,
                       "input #" + Twine(i) + " is " + type + "; " +
                           StringRef(node.opType) + " takes tensors of numbers" +
                           (kinds != OperandKinds::numbers ? " or strings" : ""));
  }
  return success();
}

/// Shape arithmetic whose outcome is known becomes a constant at once: later
/// nodes then see numbers where they need them.
Value GraphImporter::foldKnownContents(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape() || !isa<IntegerType>(type.getElementType()) ||
      !value.getDefiningOp() || isa<hx::ConstantOp, hx::WeightOp>(value.getDefiningOp()))
    return value;
  std::optional<hx::Dims> contents = shapes.contents(value);
  auto numbers = contents ? ShapeMath::constants(*contents) : std::nullopt;
  if (!numbers || static_cast<int64_t>(numbers->size()) != type.getNumElements())
    return value;
  SmallVector<APInt> elements;
  for (int64_t number : *numbers)
    elements.emplace_back(type.getElementTypeBitWidth(), static_cast<uint64_t>(number),
                          /*isSigned=*/true, /*implicitTrunc=*/true);
  HxBuilder b(builder, shapes, value.getLoc());
  return b.constant(DenseElementsAttr::get(type, elements));
}

} // namespace hexin::onnx
