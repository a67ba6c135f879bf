// If, as hx.if.
#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Sequences.h"

#include "compiler/ir/ValueTypes.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

using Outputs = SmallVector<Value>;
using Attempt = GraphImporter::Attempt;

/// Only the branch that is taken.
void importTaken(OpBinder &b, const Graph &branch) {
  FailureOr<Outputs> outputs =
      b.importer().importSubgraph(branch, b.scope(), b.builder.getInsertionBlock());
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

/// Fills a branch that cannot be right for the model's sizes. Where it is taken
/// (`condition` is 1 in the then branch, 0 in the else branch) one element is to
/// become two: a size requirement that the plan reports with this op's name.
LogicalResult fillWithError(OpBinder &b, Block &block, bool isThen, Value condition,
                            ArrayRef<Value> like, const std::string &reason) {
  OpBuilder::InsertionGuard guard(b.builder);
  b.builder.setInsertionPointToEnd(&block);
  auto loc = NameLoc::get(b.builder.getStringAttr(std::string(b.node().name) +
                                                  ": this branch cannot run: " + reason));
  HxBuilder inner(b.builder, b.shapes, loc);
  ShapeMath shape(inner);
  Type i64 = b.builder.getI64Type();
  Value taken = inner.cast(shape.toScalar(condition), i64);
  if (!isThen)
    taken = inner.sub(inner.scalar(i64, 1), taken);
  Value count = inner.reshape(inner.add(taken, inner.scalar(i64, 1)), inner.ints({1}));
  Outputs values;
  for (Value value : like) {
    if (hx::isHostType(value.getType()))
      return b.contradiction("a branch cannot run: " + reason), failure();
    Type type = HxBuilder::elementType(value);
    Value filler = inner.reshape(inner.scalar(type, 0), count);
    filler = inner.gather(filler, inner.ints({0}), 0);
    values.push_back(shape.broadcastTo(filler, inner.dims(value)));
  }
  if (inner.failed())
    return failure();
  hx::YieldOp::create(b.builder, loc, values);
  return success();
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

/// The type of a result that is either value; null when there is none.
Type typeOfEither(Value onTrue, Value onFalse) {
  if (onTrue.getType() != onFalse.getType() &&
      !hx::areCompatible(onTrue.getType(), onFalse.getType()))
    return {};
  if (isa<RankedTensorType>(onTrue.getType()))
    return onTrue.getType(); // sizes: hx.if's shape function
  return hx::joinTypes(knownType(onTrue), knownType(onFalse));
}

void importIf(OpBinder &b) {
  const Graph *thenGraph = b.graphAttr("then_branch");
  const Graph *elseGraph = b.graphAttr("else_branch");
  Dims condition = b.readInts(0);
  if (b.failed())
    return;
  if (condition.size() != 1)
    return b.error("the condition must be one element");
  size_t count = b.numOutputs();
  if (thenGraph->outputs.size() != count || elseGraph->outputs.size() != count)
    return b.error("the node has " + Twine(count) + " outputs, its branches " +
                   Twine(thenGraph->outputs.size()) + " and " +
                   Twine(elseGraph->outputs.size()));
  if (auto known = hx::SymbolTable::constantValue(condition[0]))
    return importTaken(b, *known ? *thenGraph : *elseGraph);
  if (const Graph *squeeze = findSqueezeOrKeep(*thenGraph, *elseGraph))
    return importTaken(b, *squeeze);

  SmallVector<Type> types(count, RankedTensorType::get({}, b.builder.getF32Type()));
  Value scalar = b.shape.toScalar(b.input(0));
  if (b.failed())
    return;
  auto op = hx::IfOp::create(b.builder, b.loc, types, scalar);
  Block &thenBlock = op.getThenRegion().emplaceBlock();
  Block &elseBlock = op.getElseRegion().emplaceBlock();
  Outputs thenValues, elseValues;
  std::string thenError, elseError;
  Dim holdsNot = b.symbols().eq(condition[0], b.shape.constant(0));
  Attempt onTrue =
      importBranch(b, *thenGraph, thenBlock, condition[0], thenValues, thenError);
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
    if (mlir::failed(fillWithError(b, thenBlock, true, scalar, elseValues, thenError)))
      return b.markFailed();
    thenValues = elseValues;
  } else if (onFalse == Attempt::contradiction) {
    b.importer().clear(elseBlock);
    if (mlir::failed(fillWithError(b, elseBlock, false, scalar, thenValues, elseError)))
      return b.markFailed();
    elseValues = thenValues;
  }
  for (auto [result, onTrueValue, onFalseValue] :
       llvm::zip(op.getResults(), thenValues, elseValues)) {
    Type type = typeOfEither(onTrueValue, onFalseValue);
    if (!type)
      return b.unsupported(
          "an output has another rank or type in one branch than in the other, and the "
          "condition is not known when compiling: fix the model's input sizes so "
          "that it is");
    result.setType(type);
  }
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
