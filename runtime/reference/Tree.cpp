// tree_ensemble.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

#include <cmath>
#include <limits>

namespace hexin::reference {
namespace {

/// The tables of compiler/ir/ops/Tree.td, checked: a walk stays inside of them and ends.
struct Trees {
  Wide<int64_t> nodes;     ///< [M, 4]
  Wide<double> thresholds; ///< [M]
  Wide<int64_t> entries;   ///< [E, 2]
  Wide<int64_t> starts;    ///< [T + 1]
  Wide<double> weights;    ///< [W]
  int64_t numNodes, numWeights;

  /// The node where the walk of a row of features ends.
  int64_t leafOf(int64_t root, const double *features) const {
    int64_t node = root;
    while (nodes[4 * node + 1] != 0) {
      int64_t test = nodes[4 * node];
      double x = features[test >> 3], threshold = thresholds[node];
      bool holds = (test & 3) == 0   ? x <= threshold
                   : (test & 3) == 1 ? x < threshold
                                     : x == threshold;
      if (std::isnan(x))
        holds = (test & 4) != 0;
      node = nodes[4 * node + (holds ? 1 : 2)];
    }
    return node;
  }
};

Status checkTables(const Trees &trees, int64_t numFeatures, int64_t numEntries,
                   int64_t numTargets) {
  auto isNode = [&](int64_t i) { return i >= 0 && i < trees.numNodes; };
  for (int64_t i = 0; i < trees.numNodes; ++i) {
    int64_t test = trees.nodes[4 * i], onTrue = trees.nodes[4 * i + 1],
            onFalse = trees.nodes[4 * i + 2];
    if (onTrue == 0)
      continue;
    if (test < 0 || (test & 3) == 3 || (test >> 3) >= numFeatures)
      return invalidArgument("test " + std::to_string(test) + " of node " +
                             std::to_string(i) + " is none of " +
                             std::to_string(numFeatures) + " features");
    if (!isNode(onTrue) || !isNode(onFalse) || onTrue <= i || onFalse <= i)
      return invalidArgument("children " + std::to_string(onTrue) + " and " +
                             std::to_string(onFalse) + " of node " + std::to_string(i) +
                             " must stand behind it among " +
                             std::to_string(trees.numNodes) + " nodes");
  }
  for (int64_t e = 0; e < numEntries; ++e)
    if (!isNode(trees.entries[2 * e]))
      return outOfRange("root " + std::to_string(trees.entries[2 * e]) + " is none of " +
                        std::to_string(trees.numNodes) + " nodes");
  for (int64_t t = 0; t < numTargets; ++t)
    if (trees.starts[t] < 0 || trees.starts[t] > trees.starts[t + 1] ||
        trees.starts[t + 1] > numEntries)
      return outOfRange("entries " + std::to_string(trees.starts[t]) + " to " +
                        std::to_string(trees.starts[t + 1]) + " of target " +
                        std::to_string(t) + " are not among " +
                        std::to_string(numEntries));
  return Status::success();
}

enum class Join { sum, min, max };

Result<Join> readJoin(const Call &call) {
  std::string_view fn = call.attributes.getString("fn");
  if (fn == "sum")
    return Join::sum;
  if (fn == "min" || fn == "max")
    return fn == "min" ? Join::min : Join::max;
  return unknownKeyword("fn", fn);
}

double joined(Join join, double total, double x) {
  if (join == Join::sum)
    return total + x;
  if (std::isnan(total))
    return x;
  return (join == Join::min ? x < total : x > total) ? x : total;
}

Status checkDims(const Call &call) {
  const char *names[] = {"the input", "nodes",  "thresholds",
                         "entries",   "starts", "weights"};
  const size_t ranks[] = {2, 2, 1, 2, 1, 1};
  for (size_t i = 0; i < 6; ++i)
    if (call.operand(i).dims().size() != ranks[i])
      return invalidArgument(std::string(names[i]) + " must have rank " +
                             std::to_string(ranks[i]) + ", got " +
                             formatDims(call.operand(i).dims()));
  auto dims = [&](size_t i) { return call.operand(i).dims(); };
  if (dims(1)[1] != 4 || dims(3)[1] != 2 || dims(2)[0] != dims(1)[0] || dims(4)[0] < 1)
    return invalidArgument("expected nodes [M, 4], thresholds [M], entries [E, 2] and "
                           "starts [T + 1], got " +
                           formatDims(dims(1)) + ", " + formatDims(dims(2)) + ", " +
                           formatDims(dims(3)) + ", " + formatDims(dims(4)));
  for (size_t i : {1, 3, 4})
    if (call.operand(i).dtype() != DType::i32)
      return invalidArgument(std::string(names[i]) + " must be i32");
  for (size_t i : {0, 2, 5})
    if (domainOf(call.operand(i).dtype()) != Domain::floating)
      return invalidArgument(std::string(names[i]) + " must be floats");
  return Status::success();
}

} // namespace

Results runTreeEnsemble(const Call &call) {
  HEXIN_RETURN_IF_ERROR(checkDims(call));
  HEXIN_ASSIGN_OR_RETURN(Join join, readJoin(call));
  int64_t rows = call.operand(0).dims()[0], features = call.operand(0).dims()[1];
  int64_t targets = call.operand(4).dims()[0] - 1;
  Trees trees{Wide<int64_t>(call.operand(1)), Wide<double>(call.operand(2)),
              Wide<int64_t>(call.operand(3)), Wide<int64_t>(call.operand(4)),
              Wide<double>(call.operand(5)),  call.operand(1).dims()[0],
              call.operand(5).dims()[0]};
  HEXIN_RETURN_IF_ERROR(checkTables(trees, features, call.operand(3).dims()[0], targets));

  const int64_t dims[] = {rows, targets};
  HEXIN_ASSIGN_OR_RETURN(size_t size, workSize(dims, call));
  Wide<double> input(call.operand(0));
  std::vector<double> totals(size);
  const double none = join == Join::sum ? 0 : std::numeric_limits<double>::quiet_NaN();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t target = 0; target < targets; ++target) {
      double total = none;
      for (int64_t e = trees.starts[target]; e < trees.starts[target + 1]; ++e) {
        int64_t leaf = trees.leafOf(trees.entries[2 * e], input.data() + row * features);
        int64_t at = trees.nodes[4 * leaf + 3] + trees.entries[2 * e + 1];
        if (at < 0 || at >= trees.numWeights)
          return outOfRange("weight " + std::to_string(at) + " of node " +
                            std::to_string(leaf) + " is none of " +
                            std::to_string(trees.numWeights));
        total = joined(join, total, trees.weights[at]);
      }
      if (join != Join::sum && std::isnan(total))
        total = 0;
      totals[size_t(row * targets + target)] = total;
    }
  HEXIN_ASSIGN_OR_RETURN(Tensor result, storeResult(call, 0, dims, totals.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
