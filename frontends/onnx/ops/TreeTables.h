//===- TreeTables.h - trees of a model in the form of hx.tree_ensemble -------------===//
//
// Operators describe trees in three ways; all fill a TreeModel, whose numbers are as the
// file has them. buildTreeTables checks it (children that are not there, cycles) and
// brings it to the one form of compiler/ir/ops/Tree.td: tree by tree, each breadth-first.
// A node may have several parents, also in other trees. Time and memory are linear in
// the model, but for the table of weights, which is bounded.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_TREETABLES_H
#define HEXIN_FRONTENDS_ONNX_OPS_TREETABLES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hexin::onnx {

enum class TreeMode { leq, lt, gte, gt, eq, neq, leaf };
enum class TreeJoin { sum, min, max };

struct TreeNode {
  TreeMode mode = TreeMode::leaf;
  bool nanIsTrue = false; ///< NaN goes on with onTrue, as it always does for neq
  int64_t feature = 0;
  double threshold = 0;
  int64_t onTrue = 0, onFalse = 0; ///< other nodes
};

struct TreeVote {
  int64_t leaf; ///< a node
  int64_t target;
  double weight;
};

struct TreeModel {
  std::vector<TreeNode> nodes;
  std::vector<int64_t> roots;
  std::vector<TreeVote> votes;
  int64_t numTargets = 1;
  TreeJoin join = TreeJoin::sum;
};

/// The operands of hx.tree_ensemble; entries and weights are never empty.
struct TreeTables {
  std::vector<int64_t> nodes; ///< [M, 4]
  std::vector<double> thresholds;
  std::vector<int64_t> entries; ///< [E, 2]
  std::vector<int64_t> starts;  ///< [numTargets + 1]
  std::vector<double> weights;
  int64_t maxFeature = 0;
  std::vector<bool>
      isAlwaysVoted; ///< targets with a tree whose every leaf has a weight for it
};

/// Gives what is wrong with the model, or "".
std::string buildTreeTables(const TreeModel &model, TreeTables &tables);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_TREETABLES_H
