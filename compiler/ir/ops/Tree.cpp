#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

LogicalResult TreeEnsembleOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), nodes = context.dims(getNodes()),
       thresholds = context.dims(getThresholds()), entries = context.dims(getEntries()),
       starts = context.dims(getStarts()), weights = context.dims(getWeights());
  if (failed(checkRank(*this, input, 2, "the input")) ||
      failed(checkRank(*this, nodes, 2, "nodes")) ||
      failed(checkRank(*this, thresholds, 1, "thresholds")) ||
      failed(checkRank(*this, entries, 2, "entries")) ||
      failed(checkRank(*this, starts, 1, "starts")) ||
      failed(checkRank(*this, weights, 1, "weights")))
    return failure();
  if (failed(context.requireEqual(*this, nodes[1], context.constant(4),
                                  "numbers of a node and 4")) ||
      failed(context.requireEqual(*this, entries[1], context.constant(2),
                                  "numbers of an entry and 2")) ||
      failed(context.requireEqual(*this, thresholds[0], nodes[0],
                                  "number of thresholds and nodes")) ||
      failed(context.requireAtLeast(*this, input[1], 1, "the number of features")) ||
      failed(context.requireAtLeast(*this, nodes[0], 1, "the number of nodes")) ||
      failed(context.requireAtLeast(*this, entries[0], 1, "the number of entries")) ||
      failed(context.requireAtLeast(*this, weights[0], 1, "the number of weights")) ||
      failed(context.requireAtLeast(*this, starts[0], 1, "the number of starts")))
    return failure();
  SymbolTable &symbols = context.symbols();
  context.setDims(0, {input[0], symbols.sub(starts[0], symbols.constant(1))});
  return success();
}

/// The numbers of a literal, or none.
static SmallVector<int32_t> literalOf(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto dense = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : nullptr;
  if (!dense)
    return {};
  return llvm::to_vector(dense.getValues<int32_t>());
}

/// What is known of the trees here; a kernel takes care of itself.
static LogicalResult checkNodes(TreeEnsembleOp op) {
  SmallVector<int32_t> nodes = literalOf(op.getNodes()),
                       entries = literalOf(op.getEntries());
  size_t numNodes = nodes.size() / 4;
  for (size_t i = 0; i < numNodes; ++i) {
    int32_t test = nodes[4 * i], onTrue = nodes[4 * i + 1], onFalse = nodes[4 * i + 2];
    auto follows = [&](int32_t child) {
      return child > static_cast<int64_t>(i) && static_cast<size_t>(child) < numNodes;
    };
    if (test < 0 || (test & 3) == 3)
      return emitNodeError(op) << "test " << test << " of node " << i
                               << " is unknown, expected 8 * feature + flags";
    if (onTrue != 0 && (!follows(onTrue) || !follows(onFalse)))
      return emitNodeError(op) << "children " << onTrue << " and " << onFalse
                               << " of node " << i << " must stand behind it among "
                               << numNodes << " nodes";
  }
  for (size_t i = 0; numNodes != 0 && i + 1 < entries.size(); i += 2)
    if (entries[i] < 0 || static_cast<size_t>(entries[i]) >= numNodes)
      return emitNodeError(op) << "root " << entries[i] << " is none of " << numNodes
                               << " nodes";
  return success();
}

LogicalResult TreeEnsembleOp::verify() {
  if (getFn() == ReduceFn::prod)
    return emitNodeError(*this) << "fn must be sum, min or max";
  Type type = elementType(getInput());
  if (failed(checkElementType(*this, getInput(), type.isF32() || type.isF64(),
                              "the input", "f32 or f64")))
    return failure();
  const std::pair<Value, const char *> others[] = {{getThresholds(), "the thresholds"},
                                                   {getWeights(), "the weights"},
                                                   {getResult(), "the result"}};
  for (auto [value, name] : others)
    if (failed(checkSameElementType(*this, getInput(), "the input", value, name)))
      return failure();
  return checkNodes(*this);
}

} // namespace hexin::hx
