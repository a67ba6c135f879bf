// If, as hx.if.
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Branches.h"
#include "frontends/onnx/ops/Families.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

using Outputs = SmallVector<Value>;
using Attempt = GraphImporter::Attempt;

/// Only the branch that is taken.
void importTaken(OpBinder &b, const Graph &branch) {
  std::vector<std::string_view> names(b.node().outputs.begin(), b.node().outputs.end());
  FailureOr<Outputs> outputs = b.importer().importSubgraph(
      branch, b.scope(), b.builder.getInsertionBlock(), {}, names);
  if (mlir::failed(outputs))
    return b.markFailed();
  for (auto [i, value] : llvm::enumerate(*outputs))
    b.result(static_cast<unsigned>(i), value);
}

/// The pattern of torch's x.squeeze(axis) on a size that the exporter did not
/// know: If(size == 1, Squeeze(x), x), which has no rank of its own. It is
/// imported as the Squeeze; the reshape that this becomes makes the size a
/// condition that the run checks.
const Graph *findSqueezeOrKeep(const Graph &thenGraph, const Graph &elseGraph) {
  auto isOnly = [](const Graph &graph, std::string_view op) {
    size_t count = 0;
    for (const Node &node : graph.nodes) {
      if (node.opType == "Constant")
        continue;
      if (node.opType != op || ++count > 1)
        return false;
    }
    return count == 1 && graph.outputs.size() == 1;
  };
  if (isOnly(thenGraph, "Squeeze") && isOnly(elseGraph, "Identity"))
    return &thenGraph;
  if (isOnly(elseGraph, "Squeeze") && isOnly(thenGraph, "Identity"))
    return &elseGraph;
  return nullptr;
}

/// Imports a branch into `block`, under `guard`: what its sizes ask for is only
/// asked when it is taken.
Attempt importBranch(OpBinder &b, const Graph &graph, Block &block, Dim guard,
                     Outputs &outputs, std::string &message) {
  hx::SymbolTable &symbols = b.symbols();
  symbols.pushGuard(guard);
  Attempt result = b.importer().attempt(
      [&]() -> LogicalResult {
        FailureOr<Outputs> values = b.importer().importSubgraph(graph, b.scope(), &block);
        if (mlir::failed(values))
          return failure();
        outputs = *values;
        return success();
      },
      message);
  symbols.popGuard();
  if (result == Attempt::succeeded) {
    OpBuilder::InsertionGuard insertion(b.builder);
    b.builder.setInsertionPointToEnd(&block);
    hx::YieldOp::create(b.builder, b.loc, outputs);
  }
  return result;
}

void importIf(OpBinder &b) {
  const Graph *thenGraph = b.graphAttr("then_branch");
  const Graph *elseGraph = b.graphAttr("else_branch");
  Dims given = b.readInts(0);
  if (b.failed())
    return;
  if (given.size() != 1)
    return b.error("the condition must be one element");
  size_t count = b.numOutputs();
  if (thenGraph->outputs.size() != count || elseGraph->outputs.size() != count)
    return b.error("the node has " + Twine(count) + " outputs, its branches " +
                   Twine(thenGraph->outputs.size()) + " and " +
                   Twine(elseGraph->outputs.size()));
  if (auto known = hx::SymbolTable::constantValue(given[0]))
    return importTaken(b, *known ? *thenGraph : *elseGraph);
  if (const Graph *squeeze = findSqueezeOrKeep(*thenGraph, *elseGraph))
    return importTaken(b, *squeeze);

  SmallVector<Type> types(count, RankedTensorType::get({}, b.builder.getF32Type()));
  Value scalar = b.shape.toScalar(b.input(0));
  if (b.failed())
    return;
  auto op = hx::IfOp::create(b.builder, b.loc, types, scalar);
  // The same for all that ask for the same value.
  FailureOr<Dims> elements = b.shapes.hostElements(op, scalar);
  if (mlir::failed(elements))
    return b.markFailed();
  Dim condition = elements->front();
  if (auto decided = b.importer().decided(condition)) {
    b.importer().drop(op);
    return importTaken(b, *decided ? *thenGraph : *elseGraph);
  }
  Block &thenBlock = op.getThenRegion().emplaceBlock();
  Block &elseBlock = op.getElseRegion().emplaceBlock();
  Outputs thenValues, elseValues;
  std::string thenError, elseError;
  Dim holdsNot = b.symbols().eq(condition, b.shape.constant(0));
  Attempt onTrue =
      importBranch(b, *thenGraph, thenBlock, condition, thenValues, thenError);
  if (onTrue == Attempt::failed)
    return b.markFailed();
  Attempt onFalse =
      importBranch(b, *elseGraph, elseBlock, holdsNot, elseValues, elseError);
  if (onFalse == Attempt::failed)
    return b.markFailed();
  if (onTrue == Attempt::contradiction && onFalse == Attempt::contradiction)
    return b.contradiction("neither branch can run: " + thenError + "; " + elseError);
  if (onTrue == Attempt::contradiction) {
    b.importer().clear(thenBlock);
    if (mlir::failed(fillWithError(b, thenBlock, elseValues, thenError)))
      return b.markFailed();
    thenValues = elseValues;
  } else if (onFalse == Attempt::contradiction) {
    b.importer().clear(elseBlock);
    if (mlir::failed(fillWithError(b, elseBlock, thenValues, elseError)))
      return b.markFailed();
    elseValues = thenValues;
  }
  size_t mismatch = 0;
  SmallVector<Type> joined = typesOfEither(thenValues, elseValues, mismatch);
  if (joined.size() != count) {
    b.importer().clear(thenBlock);
    b.importer().clear(elseBlock);
    b.importer().drop(op);
    return b.importer().fork(b, condition, [&](Scope &scope, bool isTrue) {
      std::vector<std::string_view> names(b.node().outputs.begin(),
                                          b.node().outputs.end());
      return b.importer().importSubgraph(isTrue ? *thenGraph : *elseGraph, scope,
                                         b.builder.getInsertionBlock(), {}, names);
    });
  }
  for (auto [result, type] : llvm::zip(op.getResults(), joined))
    result.setType(type);
  if (mlir::failed(b.shapes.infer(op)))
    return b.markFailed();
  for (auto [i, value] : llvm::enumerate(op.getResults()))
    b.result(static_cast<unsigned>(i), value);
}

} // namespace

void registerControlOps(OpTable &table) {
  table.add("", {
                    {"If", 1, 1, 1, importIf},
                });
}

} // namespace hexin::onnx
