//===- GraphImporter.h - nodes and graphs to hx -----------------------------------===//
//
// Walks a graph in order, resolves names to SSA values through nested scopes,
// makes constants and weights of initializers when they are first used, inlines
// model-local functions, and calls the op table's functions for everything else.
//
// Ops that import makes and drops again stay alive until the importer goes: the
// symbol table identifies values by address.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_GRAPHIMPORTER_H
#define HEXIN_FRONTENDS_ONNX_GRAPHIMPORTER_H

#include "frontends/Frontend.h"
#include "frontends/onnx/HxBuilder.h"
#include "frontends/onnx/ImportErrors.h"
#include "frontends/onnx/Scope.h"
#include "frontends/onnx/wire/Model.h"
#include "frontends/onnx/wire/TensorLoader.h"

#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace hexin::onnx {

class OpBinder;

/// A loop whose body is imported: each iteration draws random numbers of its own.
struct RandomLoop {
  Value iteration; ///< i64 of rank 0
  int64_t node;
};

class GraphImporter {
public:
  GraphImporter(mlir::MLIRContext *context, const Model &model,
                const ImportOptions &options, hx::WeightStore &weights);
  ~GraphImporter();

  /// Builds @main in `module`. The Status says where and why not.
  Status importModel(mlir::ModuleOp module);

  // ---- for import functions ----

  /// Imports a subgraph into `block`, its inputs bound to `arguments`; gives its
  /// outputs' values. Into the block of `parent` it is inlined: `names` are then those
  /// that the caller gives to the outputs, if that is all it does with them, and if
  /// hasForked() afterwards there are none.
  mlir::FailureOr<llvm::SmallVector<Value>>
  importSubgraph(const Graph &graph, Scope &parent, mlir::Block *block,
                 llvm::ArrayRef<Value> arguments = {},
                 llvm::ArrayRef<std::string_view> names = {});

  /// The node's results, built at the insertion point, in runs that it says.
  using ForkedNode = llvm::function_ref<mlir::FailureOr<llvm::SmallVector<Value>>(
      Scope &scope, bool isTrue)>;
  /// Imports the node of `b`, whose results have another rank where `condition` holds
  /// than where it does not, and all that follows it, once for each case: Fork.cpp. The
  /// node has no results then.
  void fork(OpBinder &b, hx::Dim condition, ForkedNode node);
  bool hasForked() const { return forked.has_value(); }
  /// What `condition` is, by itself or in this case of the forks around, if that is
  /// known.
  std::optional<bool> decided(hx::Dim condition) const;

  /// A constant or weight for `tensor` at the insertion point; null and an error
  /// when it cannot be read. `name` is its location.
  Value importTensor(const TensorData &tensor, llvm::StringRef name);
  Value importStrings(const StringTensor &strings, llvm::StringRef name);
  /// The same for a tensor that import made; null when sizes do not fit.
  Value addConstant(Tensor tensor, llvm::StringRef name);

  enum class Attempt { succeeded, contradiction, failed };
  /// Runs `body`. When it fails because sizes contradict each other, its error is
  /// not reported but put into `message`; other failures are reported.
  /// With `mayBeMalformed`, what contradicts ONNX counts as a contradiction of sizes.
  Attempt attempt(llvm::function_ref<mlir::LogicalResult()> body, std::string &message,
                  bool mayBeMalformed = false);

  /// What the graph of `scope`, or one around it, declares of a value by that name:
  /// a hint. Null when it says nothing that the IR has a type for.
  mlir::Type declaredType(llvm::StringRef name, const Scope &scope);

  /// Removes the ops of a block, for good but not from memory.
  void clear(mlir::Block &block);
  void drop(mlir::Operation *op) {
    op->remove();
    dropped.push_back(op);
  }

  /// [key, count] of random operators, as hx.random_bits takes it: a hidden state of the
  /// session. RandomStream.cpp.
  Value randomStream();
  /// Tells nodes that draw apart; the order of the model's nodes.
  int64_t nextRandomNode() { return random.numNodes++; }
  /// The loops around the insertion point, from outside.
  llvm::ArrayRef<RandomLoop> randomLoops() const { return random.loops; }
  void enterLoop(Value iteration) {
    random.loops.push_back({iteration, nextRandomNode()});
  }
  void leaveLoop() { random.loops.pop_back(); }

  /// Says of what kind the error that is emitted next is; without it, sizes
  /// contradict each other.
  void noteUnsupported() { errors.note(StatusCode::unsupported); }
  void noteMalformed() { errors.note(StatusCode::corruptData); }

  mlir::OpBuilder &opBuilder() { return builder; }
  hx::SymbolicShapes &symbolicShapes() { return shapes; }
  TensorLoader &tensorLoader() { return loader; }

private:
  // GraphImporter.cpp
  mlir::LogicalResult importMain(mlir::ModuleOp module);
  mlir::LogicalResult checkOutputNames(const Graph &graph);
  mlir::LogicalResult addInputs(mlir::func::FuncOp func,
                                llvm::ArrayRef<const ValueInfo *> infos, Scope &scope);
  mlir::LogicalResult addInitializers(const Graph &graph, Scope &scope);
  void removeDeadOps(mlir::Block &block);

  // RandomStream.cpp
  mlir::LogicalResult finishRandom(mlir::func::FuncOp func);

  // NodeImport.cpp
  mlir::LogicalResult importNodes(llvm::ArrayRef<Node> nodes, Scope &scope);
  mlir::LogicalResult importNode(const Node &node, Scope &scope);
  mlir::LogicalResult importOp(const Node &node, Scope &scope,
                               llvm::ArrayRef<Value> inputs);
  mlir::LogicalResult checkOperandKinds(llvm::StringRef domain, const Node &node,
                                        llvm::ArrayRef<Value> inputs);
  mlir::Location locationOf(const Node &node, const Scope &scope);
  Value foldKnownContents(Value value);

  // Fork.cpp
  /// A list of nodes that is being imported: what is left of it.
  struct Frame {
    llvm::ArrayRef<Node> rest;
    Scope *scope;
  };
  std::vector<Frame> framesIn(mlir::Block &block,
                              std::vector<std::unique_ptr<Scope>> &scopes);
  mlir::FailureOr<llvm::SmallVector<Value>> importRest();
  Attempt importForked(OpBinder &b, mlir::Block &block, bool isTrue, ForkedNode node,
                       llvm::SmallVector<Value> &outputs, std::string &message);
  llvm::SmallVector<Value> takeForked() {
    llvm::SmallVector<Value> results = std::move(*forked);
    forked.reset();
    return results;
  }

  // FunctionCalls.cpp
  mlir::LogicalResult addFunctions();
  const Function *findFunction(const Node &node) const;
  mlir::LogicalResult importCall(const Node &node, const Function &function, Scope &scope,
                                 llvm::ArrayRef<Value> inputs);

  // NamedValues.cpp
  mlir::LogicalResult bind(llvm::StringRef name, Value value, Scope &scope);
  mlir::FailureOr<Value> lookup(llvm::StringRef name, Scope &scope);
  mlir::FailureOr<llvm::SmallVector<Value>> lookupOutputs(const Graph &graph,
                                                          Scope &scope);

  const Model &model;
  const ImportOptions &options;
  hx::WeightStore &weights;
  TensorLoader loader;
  mlir::OpBuilder builder;
  hx::SymbolicShapes shapes;
  llvm::StringMap<const Function *> functions; ///< by domain, name, overload
  std::vector<mlir::Operation *> dropped;
  ImportErrors errors;
  uint64_t numNodes = 0;
  std::vector<Frame> frames; ///< of the region at hand, innermost last
  std::vector<std::pair<hx::Dim, bool>> assumptions; ///< of forks around
  std::optional<llvm::SmallVector<Value>> forked;    ///< the region's outputs
  size_t forkedNodes = 0;
  struct {
    mlir::Block *mainBlock = nullptr;
    Value stream; ///< null until something draws
    int64_t numNodes = 0;
    llvm::SmallVector<RandomLoop, 2> loops;
  } random;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_GRAPHIMPORTER_H
