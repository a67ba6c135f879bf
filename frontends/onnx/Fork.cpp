//===- Fork.cpp - ranks that only a run knows ----------------------------------===//
//
// The rank of a value is static. Where a node gives values of one rank in some runs and
// of another in others, what follows it is imported twice, in both branches of an hx.if
// whose results are those of the graph: up to the end of the region at hand, through the
// inlined calls and branches (frames) that the node stands in.
//
// Worked example: y = If(c) { [1, n] } else { [n] }; z = Relu(y); return z + 1 becomes
// hx.if c { relu, add, yield } else { relu, add, yield }, if only z + 1 has one rank.
//
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/ops/Branches.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using hexin::hx::Dim;

namespace hexin::onnx {

/// Of nodes that are imported twice: by one fork, and by all of a model, where forks
/// behind forks double what follows.
static constexpr size_t maxNodesPerFork = 256;
static constexpr size_t maxForkedNodes = 4096;

std::optional<bool> GraphImporter::decided(Dim condition) const {
  if (auto known = hx::SymbolTable::constantValue(condition))
    return *known != 0;
  for (auto [known, holds] : assumptions)
    if (known == condition)
      return holds;
  return std::nullopt;
}

/// Scopes for a branch, one per frame: they see what the frame sees.
std::vector<GraphImporter::Frame>
GraphImporter::framesIn(Block &block, std::vector<std::unique_ptr<Scope>> &scopes) {
  std::vector<Frame> result;
  for (const Frame &frame : frames) {
    auto scope = std::make_unique<Scope>();
    scope->parent = frame.scope;
    scope->block = &block;
    scope->graph = frame.scope->graph;
    scope->prefix = frame.scope->prefix;
    scope->context = frame.scope->context;
    scope->calls = frame.scope->calls;
    scope->end = frame.scope->end;
    scope->handsOn = frame.scope->handsOn;
    result.push_back({frame.rest, scope.get()});
    scopes.push_back(std::move(scope));
  }
  return result;
}

/// From the node on, whose results are there: the region's outputs.
FailureOr<SmallVector<Value>> GraphImporter::importRest() {
  for (;;) {
    Frame frame = frames.back();
    frames.pop_back();
    if (failed(importNodes(frame.rest, *frame.scope)))
      return failure();
    if (hasForked())
      return takeForked();
    if (frames.empty())
      return lookupOutputs(*frame.scope->graph, *frame.scope);
    for (auto &[inside, outside] : frame.scope->handsOn) {
      FailureOr<Value> value = lookup(inside, *frame.scope);
      if (failed(value) || failed(bind(outside, *value, *frames.back().scope)))
        return failure();
    }
  }
}

GraphImporter::Attempt GraphImporter::importForked(OpBinder &b, Block &block, bool isTrue,
                                                   ForkedNode node,
                                                   SmallVector<Value> &outputs,
                                                   std::string &message) {
  std::vector<std::unique_ptr<Scope>> scopes;
  std::vector<Frame> saved = std::exchange(frames, framesIn(block, scopes));
  llvm::scope_exit restore([&] { frames = std::move(saved); });
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&block);
  auto import = [&]() -> LogicalResult {
    Scope &scope = *frames.back().scope;
    FailureOr<SmallVector<Value>> values = node(scope, isTrue);
    if (failed(values))
      return failure();
    if (hasForked()) {
      outputs = takeForked();
      return success();
    }
    for (auto [i, name] : llvm::enumerate(b.node().outputs))
      if (!name.empty() && failed(bind(StringRef(name), (*values)[i], scope)))
        return failure();
    FailureOr<SmallVector<Value>> found = importRest();
    if (failed(found))
      return failure();
    outputs = *found;
    return success();
  };
  Attempt result = attempt(import, message, /*mayBeMalformed=*/true);
  if (result == Attempt::succeeded)
    hx::YieldOp::create(builder, b.loc, outputs);
  return result;
}

void GraphImporter::fork(OpBinder &b, Dim condition, ForkedNode node) {
  size_t numNodes = 0;
  for (const Frame &frame : frames) {
    numNodes += frame.rest.size();
    if (frame.scope->end == Scope::End::other)
      return b.unsupported("its rank hangs on a condition that is not known when "
                           "compiling, in a graph that another node takes: fix the "
                           "model's input sizes so that the condition is known");
  }
  forkedNodes += numNodes;
  if (numNodes > maxNodesPerFork || forkedNodes > maxForkedNodes)
    return b.unsupported(
        "its rank hangs on a condition that is not known when compiling, "
        "and " +
        Twine(numNodes) + " nodes follow, more than the " + Twine(maxNodesPerFork) +
        " that are compiled for both cases: fix the model's input sizes "
        "so that the condition is known");
  Value scalar = ShapeMath(b).buildScalar(condition, b.builder.getI1Type());
  if (b.failed())
    return;
  auto draft = hx::IfOp::create(builder, b.loc, TypeRange(), scalar);
  Dim holdsNot = b.symbols().eq(condition, b.shape.constant(0));
  SmallVector<Value> outputs[2];
  std::string messages[2];
  Attempt attempts[2];
  for (bool isTrue : {true, false}) {
    Region &region = isTrue ? draft.getThenRegion() : draft.getElseRegion();
    b.symbols().pushGuard(isTrue ? condition : holdsNot);
    assumptions.push_back({condition, isTrue});
    attempts[isTrue] = importForked(b, region.emplaceBlock(), isTrue, node,
                                    outputs[isTrue], messages[isTrue]);
    assumptions.pop_back();
    b.symbols().popGuard();
    if (attempts[isTrue] == Attempt::failed)
      return b.markFailed();
  }
  if (attempts[0] != Attempt::succeeded && attempts[1] != Attempt::succeeded)
    return b.contradiction("neither case can run: " + messages[1] + "; " + messages[0]);
  for (bool isTrue : {true, false}) {
    if (attempts[isTrue] == Attempt::succeeded)
      continue;
    Block &block = (isTrue ? draft.getThenRegion() : draft.getElseRegion()).front();
    clear(block);
    if (failed(fillWithError(b, block, outputs[!isTrue], messages[isTrue])))
      return b.markFailed();
    ValueRange filled = block.getTerminator()->getOperands();
    outputs[isTrue].assign(filled.begin(), filled.end());
  }
  size_t mismatch = 0;
  SmallVector<Type> types = typesOfEither(outputs[1], outputs[0], mismatch);
  if (types.size() != outputs[1].size())
    return b.unsupported(
        "its rank hangs on a condition that is not known when compiling, "
        "and so does that of output #" +
        Twine(mismatch) +
        " of the graph: fix the model's input sizes so that the "
        "condition is known");
  auto op = hx::IfOp::create(builder, b.loc, types, scalar);
  op.getThenRegion().takeBody(draft.getThenRegion());
  op.getElseRegion().takeBody(draft.getElseRegion());
  draft->remove();
  dropped.push_back(draft);
  if (failed(shapes.infer(op)))
    return b.markFailed();
  forked = SmallVector<Value>(op.getResults());
}

} // namespace hexin::onnx
