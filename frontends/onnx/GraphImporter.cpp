#include "frontends/onnx/GraphImporter.h"

#include "frontends/onnx/ModelInputs.h"
#include "frontends/onnx/wire/Utf8.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace hexin::onnx {

GraphImporter::GraphImporter(MLIRContext *context, const Model &model,
                             const ImportOptions &options, hx::WeightStore &weights)
    : model(model), options(options), weights(weights), loader(model), builder(context),
      shapes(context), errors(context) {}

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
  ImportErrors::Collector collector(errors);
  if (failed(importMain(module)))
    return Status(errors.code(), toUtf8(collector.text()));
  if (failed(verify(module)))
    return internalError(toUtf8(collector.text()));
  return Status::success();
}

LogicalResult GraphImporter::importMain(ModuleOp module) {
  const Graph &graph = model.graph;
  Scope scope;
  scope.graph = &graph;
  scope.setOpsets(model.opsets);
  if (failed(addFunctions()) || failed(addInitializers(graph, scope)))
    return failure();

  // Up to IR version 3 every initializer is listed as an input, later it may be.
  SmallVector<const ValueInfo *> required;
  for (const ValueInfo &info : graph.inputs)
    if (!scope.initializers.count(StringRef(info.name)))
      required.push_back(&info);

  builder.setInsertionPointToEnd(module.getBody());
  auto func = func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                                   builder.getFunctionType({}, {}));
  scope.block = random.mainBlock = func.addEntryBlock();
  if (failed(addInputs(func, required, scope)))
    return failure();
  builder.setInsertionPointToEnd(scope.block);
  scope.end = Scope::End::region;
  if (failed(importNodes(graph.nodes, scope)))
    return failure();
  FailureOr<SmallVector<Value>> outputs =
      hasForked() ? FailureOr<SmallVector<Value>>(takeForked())
                  : lookupOutputs(graph, scope);
  if (failed(outputs))
    return failure();
  func::ReturnOp::create(builder, builder.getUnknownLoc(), *outputs);
  func.setType(builder.getFunctionType(scope.block->getArgumentTypes(),
                                       ValueRange(*outputs).getTypes()));
  if (failed(checkOutputNames(graph)))
    return failure();
  for (auto [i, info] : llvm::enumerate(graph.outputs))
    func.setResultAttr(i, "hx.name", builder.getStringAttr(StringRef(info.name)));
  removeDeadOps(*scope.block);
  return finishRandom(func);
}

LogicalResult GraphImporter::checkOutputNames(const Graph &graph) {
  if (graph.outputs.empty())
    return errors.malformed("the graph has no outputs: expected at least one");
  llvm::StringSet<> names;
  for (auto [i, info] : llvm::enumerate(graph.outputs)) {
    if (!isUtf8(info.name))
      return errors.malformed("the name of output #" + Twine(i) + " is not UTF-8");
    if (!names.insert(StringRef(info.name)).second)
      return errors.malformed("two outputs are called '" + StringRef(info.name) +
                              "': expected different names");
  }
  return success();
}

LogicalResult GraphImporter::addInputs(func::FuncOp func,
                                       ArrayRef<const ValueInfo *> infos, Scope &scope) {
  Result<std::vector<InputType>> types =
      resolveInputs(builder.getContext(), infos, options.shapes);
  if (!types.ok()) {
    return errors.fail(types.status().code(), types.status().message());
  }
  SmallVector<Type> argumentTypes;
  for (const InputType &input : *types)
    argumentTypes.push_back(input.type);
  func.setType(builder.getFunctionType(argumentTypes, {}));
  for (auto [i, input] : llvm::enumerate(*types)) {
    Location loc = NameLoc::get(builder.getStringAttr(toUtf8(StringRef(infos[i]->name))));
    BlockArgument argument = scope.block->addArgument(input.type, loc);
    shapes.addArgument(argument, input.dimNames);
    func.setArgAttr(i, "hx.name", builder.getStringAttr(StringRef(infos[i]->name)));
    SmallVector<mlir::Attribute> names;
    for (const std::string &name : input.dimNames)
      names.push_back(builder.getStringAttr(name));
    func.setArgAttr(i, "hx.dim_names", builder.getArrayAttr(names));
    if (failed(bind(StringRef(infos[i]->name), argument, scope)))
      return failure();
  }
  return success();
}

LogicalResult GraphImporter::addInitializers(const Graph &graph, Scope &scope) {
  for (const TensorData &tensor : graph.initializers)
    if (!scope.initializers.try_emplace(StringRef(tensor.name), &tensor).second)
      return errors.malformed("two initializers are called '" + StringRef(tensor.name) +
                              "'");
  if (!graph.sparseInitializers.empty())
    return errors.unsupported("sparse initializers: export the model with dense weights");
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

GraphImporter::Attempt GraphImporter::attempt(llvm::function_ref<LogicalResult()> body,
                                              std::string &message, bool mayBeMalformed) {
  ImportErrors::Collector collector(errors);
  if (succeeded(body()))
    return Attempt::succeeded;
  bool isMalformed = errors.code() == StatusCode::corruptData;
  if (errors.code() != StatusCode::invalidArgument && !(isMalformed && mayBeMalformed)) {
    collector.passOn();
    return Attempt::failed;
  }
  errors.note(StatusCode::invalidArgument);
  message = collector.text();
  return Attempt::contradiction;
}

FailureOr<SmallVector<Value>>
GraphImporter::importSubgraph(const Graph &graph, Scope &parent, Block *block,
                              ArrayRef<Value> arguments,
                              ArrayRef<std::string_view> names) {
  bool isInlined = block == parent.block;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(block);
  Scope scope;
  scope.parent = &parent;
  scope.block = block;
  scope.graph = &graph;
  scope.prefix = parent.prefix;
  scope.context = parent.context;
  scope.calls = parent.calls;
  if (failed(addInitializers(graph, scope)))
    return failure();
  if (graph.inputs.size() != arguments.size())
    return errors.malformed("a subgraph has " + Twine(graph.inputs.size()) +
                            " inputs, expected " + Twine(arguments.size()));
  for (auto [info, value] : llvm::zip(graph.inputs, arguments))
    if (failed(bind(StringRef(info.name), value, scope)))
      return failure();
  if (!isInlined)
    scope.end = Scope::End::region;
  else if (!names.empty() && names.size() == graph.outputs.size())
    scope.end = Scope::End::names;
  for (size_t i = 0; i < names.size() && scope.end == Scope::End::names; ++i)
    if (!names[i].empty())
      scope.handsOn.push_back(
          {std::string(graph.outputs[i].name), std::string(names[i])});
  std::vector<Frame> outer;
  if (!isInlined) // a region of its own
    outer = std::exchange(frames, {});
  LogicalResult imported = importNodes(graph.nodes, scope);
  if (!isInlined)
    frames = std::move(outer);
  if (failed(imported))
    return failure();
  if (isInlined && hasForked())
    return SmallVector<Value>();
  return hasForked() ? FailureOr<SmallVector<Value>>(takeForked())
                     : lookupOutputs(graph, scope);
}

} // namespace hexin::onnx
