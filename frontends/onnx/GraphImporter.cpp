#include "frontends/onnx/GraphImporter.h"

#include "frontends/onnx/ElementTypes.h"
#include "frontends/onnx/ModelInputs.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/wire/Utf8.h"

#include "compiler/ir/AttributeConversion.h"
#include "compiler/ir/Ops.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace hexin::onnx {

/// Inlined functions can blow up; real models stay far below.
static constexpr uint64_t maxNodes = 4'000'000;
static constexpr unsigned maxCallDepth = 64;

static StringRef ref(std::string_view text) {
  return StringRef(text.data(), text.size());
}

//===----------------------------------------------------------------------===//
// Scopes
//===----------------------------------------------------------------------===//

int64_t Scope::opset(StringRef domain) const {
  auto it = opsets.find(domain);
  if (it != opsets.end())
    return it->second;
  return parent ? parent->opset(domain) : 0;
}

const Attribute *Scope::callAttribute(StringRef name) const {
  if (callAttributes) {
    auto it = callAttributes->find(name);
    return it == callAttributes->end() ? nullptr : it->second;
  }
  return parent ? parent->callAttribute(name) : nullptr;
}

static void setOpsets(ArrayRef<OpsetImport> imports, Scope &scope) {
  for (const OpsetImport &import : imports)
    scope.opsets[canonicalDomain(ref(import.domain))] = import.version;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// Collects the errors of this thread while it exists.
class GraphImporter::ErrorScope {
public:
  explicit ErrorScope(GraphImporter &importer)
      : importer(importer), outer(importer.errors),
        handler(importer.builder.getContext(), [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
            return failure();
          add(this->importer.place + ": " + diagnostic.str());
          return success(); // its notes print the op: no reader of a model knows it
        }) {
    importer.errors = this;
  }
  ~ErrorScope() { importer.errors = outer; }

  void add(const std::string &message) { text += (text.empty() ? "" : "; ") + message; }
  void passOn() {
    if (outer)
      outer->add(text);
  }

  std::string text;

private:
  GraphImporter &importer;
  ErrorScope *outer;
  ScopedDiagnosticHandler handler;
};

/// Says in messages which node is being imported.
class GraphImporter::PlaceScope {
public:
  PlaceScope(GraphImporter &importer, const Node &node, const Scope &scope)
      : importer(importer), outer(std::move(importer.place)) {
    std::string name = !node.name.empty() ? std::string(node.name)
                       : !node.outputs.empty()
                           ? "producing " + std::string(node.outputs[0])
                           : "without outputs";
    importer.place =
        scope.context + "node '" + name + "' (" + std::string(node.opType) + ")";
  }
  ~PlaceScope() { importer.place = std::move(outer); }

private:
  GraphImporter &importer;
  std::string outer;
};

LogicalResult GraphImporter::malformed(const Twine &message) {
  noteMalformed();
  return emitError(builder.getUnknownLoc(), message);
}

LogicalResult GraphImporter::unsupportedError(const Twine &message) {
  noteUnsupported();
  return emitError(builder.getUnknownLoc(), message);
}

GraphImporter::Attempt GraphImporter::attempt(llvm::function_ref<LogicalResult()> body,
                                              std::string &message) {
  ErrorScope scope(*this);
  if (succeeded(body()))
    return Attempt::succeeded;
  if (failureCode != StatusCode::invalidArgument) {
    scope.passOn();
    return Attempt::failed;
  }
  message = scope.text;
  return Attempt::contradiction;
}

//===----------------------------------------------------------------------===//
// The whole model
//===----------------------------------------------------------------------===//

static std::string functionKey(std::string_view domain, std::string_view name,
                               std::string_view overload) {
  return canonicalDomain(ref(domain)).str() + '\0' + std::string(name) + '\0' +
         std::string(overload);
}

GraphImporter::GraphImporter(MLIRContext *context, const Model &model,
                             const ImportOptions &options, hx::WeightStore &weights)
    : model(model), options(options), weights(weights), loader(model), builder(context),
      shapes(context) {
  for (const Function &function : model.functions)
    functions[functionKey(function.domain, function.name, function.overload)] = &function;
}

GraphImporter::~GraphImporter() {
  for (Operation *op : dropped)
    op->dropAllReferences();
  for (Operation *op : llvm::reverse(dropped))
    op->destroy();
}

Status GraphImporter::importModel(ModuleOp module) {
  if (model.irVersion < 3 || model.irVersion > 14)
    return versionMismatch("ONNX IR version " + std::to_string(model.irVersion) +
                           ": expected 3 to 14");
  ErrorScope scope(*this);
  place = "model";
  if (failed(importMain(module)))
    return Status(failureCode, toUtf8(scope.text));
  if (failed(verify(module)))
    return internalError(toUtf8(scope.text));
  return Status::success();
}

LogicalResult GraphImporter::importMain(ModuleOp module) {
  const Graph &graph = model.graph;
  Scope scope;
  setOpsets(model.opsets, scope);
  if (failed(addInitializers(graph, scope)))
    return failure();

  // Up to IR version 3 every initializer is listed as an input, later it may be.
  SmallVector<const ValueInfo *> required;
  for (const ValueInfo &info : graph.inputs)
    if (!scope.initializers.count(ref(info.name)))
      required.push_back(&info);

  builder.setInsertionPointToEnd(module.getBody());
  auto func = func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                                   builder.getFunctionType({}, {}));
  scope.block = func.addEntryBlock();
  if (failed(addInputs(func, required, scope)))
    return failure();
  builder.setInsertionPointToEnd(scope.block);
  if (failed(importNodes(graph.nodes, scope)))
    return failure();
  FailureOr<SmallVector<Value>> outputs = lookupOutputs(graph, scope);
  if (failed(outputs))
    return failure();
  func::ReturnOp::create(builder, builder.getUnknownLoc(), *outputs);
  func.setType(builder.getFunctionType(scope.block->getArgumentTypes(),
                                       ValueRange(*outputs).getTypes()));
  for (auto [i, info] : llvm::enumerate(graph.outputs))
    if (!isUtf8(info.name))
      return malformed("the name of output #" + Twine(i) + " is not UTF-8");
  for (auto [i, info] : llvm::enumerate(graph.outputs))
    func.setResultAttr(i, "hx.name", builder.getStringAttr(ref(info.name)));
  removeDeadOps(*scope.block);
  return success();
}

LogicalResult GraphImporter::addInputs(func::FuncOp func,
                                       ArrayRef<const ValueInfo *> infos, Scope &scope) {
  Result<std::vector<InputType>> types =
      resolveInputs(builder.getContext(), infos, options.shapes);
  if (!types.ok()) {
    failureCode = types.status().code();
    return emitError(builder.getUnknownLoc(), types.status().message());
  }
  SmallVector<Type> argumentTypes;
  for (const InputType &input : *types)
    argumentTypes.push_back(input.type);
  func.setType(builder.getFunctionType(argumentTypes, {}));
  for (auto [i, input] : llvm::enumerate(*types)) {
    BlockArgument argument =
        scope.block->addArgument(input.type, builder.getUnknownLoc());
    shapes.addArgument(argument, input.dimNames);
    func.setArgAttr(i, "hx.name", builder.getStringAttr(ref(infos[i]->name)));
    SmallVector<mlir::Attribute> names;
    for (const std::string &name : input.dimNames)
      names.push_back(builder.getStringAttr(name));
    func.setArgAttr(i, "hx.dim_names", builder.getArrayAttr(names));
    if (failed(bind(ref(infos[i]->name), argument, scope)))
      return failure();
  }
  return success();
}

LogicalResult GraphImporter::addInitializers(const Graph &graph, Scope &scope) {
  for (const TensorData &tensor : graph.initializers)
    if (!scope.initializers.try_emplace(ref(tensor.name), &tensor).second)
      return malformed("two initializers are called '" + ref(tensor.name) + "'");
  if (!graph.sparseInitializers.empty())
    return unsupportedError("sparse initializers: export the model with dense weights");
  return success();
}

void GraphImporter::removeDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    for (Region &region : op.getRegions())
      for (Block &inner : region)
        removeDeadOps(inner);
    if (isOpTriviallyDead(&op)) {
      op.dropAllReferences();
      op.remove();
      dropped.push_back(&op);
    }
  }
}

void GraphImporter::clear(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    op.remove();
    dropped.push_back(&op);
  }
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

LogicalResult GraphImporter::bind(StringRef name, Value value, Scope &scope) {
  if (scope.values.try_emplace(name, value).second)
    return success();
  return malformed("the name '" + name + "' is given to two values");
}

FailureOr<Value> GraphImporter::lookup(StringRef name, Scope &scope) {
  for (Scope *at = &scope; at; at = at->parent) {
    if (auto it = at->values.find(name); it != at->values.end())
      return it->second;
    auto it = at->initializers.find(name);
    if (it == at->initializers.end())
      continue;
    // In the block of the graph that owns it, so that other branches see it too.
    OpBuilder::InsertionGuard guard(builder);
    if (at->block != builder.getInsertionBlock())
      builder.setInsertionPoint(
          at->block->findAncestorOpInBlock(*builder.getInsertionBlock()->getParentOp()));
    Value value = importTensor(*it->second, name);
    at->values[name] = value;
    if (!value)
      return failure();
    return value;
  }
  return malformed("'" + name +
                   "' is not an input, an initializer or the output of an "
                   "earlier node");
}

FailureOr<SmallVector<Value>> GraphImporter::lookupOutputs(const Graph &graph,
                                                           Scope &scope) {
  SmallVector<Value> values;
  for (const ValueInfo &info : graph.outputs) {
    FailureOr<Value> value = lookup(ref(info.name), scope);
    if (failed(value))
      return failure();
    if (!*value)
      return malformed("output '" + ref(info.name) + "' has no value");
    values.push_back(*value);
  }
  return values;
}

Value GraphImporter::importTensor(const TensorData &data, StringRef name) {
  auto fail = [&](const Status &status) {
    failureCode = status.code();
    emitError(builder.getUnknownLoc())
        << "tensor '" << name << "': " << StringRef(status.message());
    return Value();
  };
  Result<Tensor> tensor = loader.load(data);
  return tensor.ok() ? addConstant(*std::move(tensor), name) : fail(tensor.status());
}

Value GraphImporter::addConstant(Tensor tensor, StringRef name) {
  std::string cleanName = toUtf8(name);
  Location loc = NameLoc::get(builder.getStringAttr(cleanName));
  HxBuilder b(builder, shapes, loc);
  if (tensor.byteLength() <= static_cast<size_t>(hx::ConstantOp::maxBytes))
    return b.constant(toElementsAttr(builder.getContext(), tensor));
  auto type =
      RankedTensorType::get(ArrayRef<int64_t>(tensor.dims().data(), tensor.dims().size()),
                            hx::toElementType(tensor.dtype(), builder.getContext()));
  std::string entry = weights.add(cleanName, std::move(tensor));
  auto op = hx::WeightOp::create(builder, loc, type, entry);
  if (failed(shapes.infer(op)))
    return {};
  return op.getResult();
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

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Location GraphImporter::locationOf(const Node &node, const Scope &scope) {
  StringRef name = !node.name.empty()      ? ref(node.name)
                   : !node.outputs.empty() ? ref(node.outputs[0])
                                           : ref(node.opType);
  return NameLoc::get(builder.getStringAttr(toUtf8(scope.prefix + name.str())));
}

LogicalResult GraphImporter::importNodes(ArrayRef<Node> nodes, Scope &scope) {
  for (const Node &node : nodes) {
    PlaceScope where(*this, node, scope);
    if (++numNodes > maxNodes) {
      failureCode = StatusCode::resourceExhausted;
      return emitError(builder.getUnknownLoc())
             << "more than " << maxNodes << " nodes after inlining functions";
    }
    if (failed(importNode(node, scope)))
      return failure();
  }
  return success();
}

const Function *GraphImporter::findFunction(const Node &node) const {
  auto it = functions.find(functionKey(node.domain, node.opType, node.overload));
  return it == functions.end() ? nullptr : it->second;
}

LogicalResult GraphImporter::importNode(const Node &node, Scope &scope) {
  SmallVector<Value> inputs;
  for (std::string_view name : node.inputs) {
    FailureOr<Value> value =
        name.empty() ? FailureOr<Value>(Value()) : lookup(ref(name), scope);
    if (failed(value))
      return failure();
    inputs.push_back(*value);
  }
  while (!inputs.empty() && !inputs.back())
    inputs.pop_back();
  if (const Function *function = findFunction(node))
    return importCall(node, *function, scope, inputs);
  return importOp(node, scope, inputs);
}

LogicalResult GraphImporter::importOp(const Node &node, Scope &scope,
                                      ArrayRef<Value> inputs) {
  StringRef domain = canonicalDomain(ref(node.domain));
  std::string domainName = domain.empty() ? "ai.onnx" : domain.str();
  int64_t opset = scope.opset(domain);
  if (opset == 0 && domain.empty())
    return malformed("the model names no opset of ai.onnx");
  if (domain.empty() && (opset < 6 || opset > 28)) {
    failureCode = StatusCode::versionMismatch;
    return emitError(builder.getUnknownLoc())
           << "ai.onnx opset " << opset << ": expected 6 to 28; convert the model with "
           << "onnx.version_converter";
  }
  // Exporters forget to name the other domains.
  opset = std::max<int64_t>(opset, 1);

  const OpTable &table = OpTable::get();
  const OpRow *row = table.find(domain, ref(node.opType), opset);
  if (!row) {
    bool isOld = table.hasAnyVersion(domain, ref(node.opType));
    return unsupportedError(
        "operator " + ref(node.opType) + " of domain " + domainName +
        (isOld ? " did not exist at opset " : " is not supported (opset ") +
        Twine(opset) + (isOld ? "" : ")"));
  }
  unsigned numGiven = inputs.size();
  for (unsigned i = 0; i < row->minInputs; ++i)
    if (i >= inputs.size() || !inputs[i])
      return malformed("input #" + Twine(i) + " is missing: expected at least " +
                       Twine(row->minInputs) + " inputs");
  if (numGiven > row->maxInputs)
    return malformed("expected at most " + Twine(row->maxInputs) + " inputs, got " +
                     Twine(numGiven));

  OpBinder binder(*this, scope, node, row->sinceVersion, opset, inputs,
                  locationOf(node, scope));
  row->import(binder);
  if (binder.failedOnTypes())
    noteMalformed();
  if (binder.failed())
    return failure();
  for (auto [i, name] : llvm::enumerate(node.outputs)) {
    if (name.empty())
      continue;
    Value value = i < binder.results().size() ? binder.results()[i] : Value();
    if (!value)
      return unsupportedError("output #" + Twine(i) + " '" + ref(name) +
                              "' is not supported");
    if (failed(bind(ref(name), foldKnownContents(value), scope)))
      return failure();
  }
  return success();
}

LogicalResult GraphImporter::importCall(const Node &node, const Function &function,
                                        Scope &scope, ArrayRef<Value> inputs) {
  if (scope.depth >= maxCallDepth)
    return malformed("functions call each other more than " + Twine(maxCallDepth) +
                     " levels deep, or in a circle");
  if (inputs.size() > function.inputs.size())
    return malformed("function takes " + Twine(function.inputs.size()) + " inputs, got " +
                     Twine(inputs.size()));
  if (node.outputs.size() > function.outputs.size())
    return malformed("function has " + Twine(function.outputs.size()) +
                     " outputs, the call " + Twine(node.outputs.size()));

  llvm::StringMap<const Attribute *> attributes;
  for (const Attribute &attribute : function.defaultedAttributes)
    attributes[ref(attribute.name)] = &attribute;
  for (const Attribute &attribute : node.attributes)
    if (attribute.reference.empty())
      attributes[ref(attribute.name)] = &attribute;
    else if (const auto *outer = scope.callAttribute(ref(attribute.reference)))
      attributes[ref(attribute.name)] = outer;

  Scope body;
  body.block = scope.block;
  body.callAttributes = &attributes;
  body.depth = scope.depth + 1;
  body.prefix =
      scope.prefix + std::string(node.name.empty() ? node.opType : node.name) + "/";
  body.context = place + ", ";
  setOpsets(function.opsets.empty() ? ArrayRef<OpsetImport>(model.opsets)
                                    : ArrayRef<OpsetImport>(function.opsets),
            body);
  for (auto [i, name] : llvm::enumerate(function.inputs))
    if (failed(bind(ref(name), i < inputs.size() ? inputs[i] : Value(), body)))
      return failure();
  if (failed(importNodes(function.nodes, body)))
    return failure();
  for (auto [i, name] : llvm::enumerate(node.outputs)) {
    if (name.empty())
      continue;
    FailureOr<Value> value = lookup(ref(function.outputs[i]), body);
    if (failed(value) || failed(bind(ref(name), *value, scope)))
      return failure();
  }
  return success();
}

FailureOr<SmallVector<Value>> GraphImporter::importSubgraph(const Graph &graph,
                                                            Scope &parent, Block *block,
                                                            ArrayRef<Value> arguments) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(block);
  Scope scope;
  scope.parent = &parent;
  scope.block = block;
  scope.prefix = parent.prefix;
  scope.context = parent.context;
  scope.depth = parent.depth;
  if (failed(addInitializers(graph, scope)))
    return failure();
  if (graph.inputs.size() != arguments.size())
    return malformed("a subgraph has " + Twine(graph.inputs.size()) +
                     " inputs, expected " + Twine(arguments.size()));
  for (auto [info, value] : llvm::zip(graph.inputs, arguments))
    if (failed(bind(ref(info.name), value, scope)))
      return failure();
  if (failed(importNodes(graph.nodes, scope)))
    return failure();
  return lookupOutputs(graph, scope);
}

} // namespace hexin::onnx
