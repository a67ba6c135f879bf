#include "frontends/onnx/ops/TreeLists.h"

#include "frontends/onnx/ops/Literals.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;

namespace hexin::onnx {

bool hasLength(OpBinder &b, StringRef name, size_t length, size_t expected) {
  if (!b.failed() && length != expected)
    b.error("attribute '" + name + "' has " + Twine(length) + " elements, expected " +
            Twine(expected));
  return !b.failed();
}

SmallVector<double> readNumbers(OpBinder &b, const std::string &name, bool &hasDoubles) {
  std::optional<SmallVector<double>> wide = tensorFloats(b, name + "_as_tensor");
  SmallVector<double> narrow = b.floatsAttr(name);
  if (!wide)
    return narrow;
  if (!narrow.empty())
    b.error("attributes '" + name + "' and '" + name + "_as_tensor' exclude each other");
  hasDoubles |= !wide->empty();
  return *wide;
}

//===----------------------------------------------------------------------===//
// By ids
//===----------------------------------------------------------------------===//

namespace {

std::optional<TreeMode> modeOf(StringRef name) {
  return llvm::StringSwitch<std::optional<TreeMode>>(name)
      .Case("BRANCH_LEQ", TreeMode::leq)
      .Case("BRANCH_LT", TreeMode::lt)
      .Case("BRANCH_GTE", TreeMode::gte)
      .Case("BRANCH_GT", TreeMode::gt)
      .Case("BRANCH_EQ", TreeMode::eq)
      .Case("BRANCH_NEQ", TreeMode::neq)
      .Case("LEAF", TreeMode::leaf)
      .Default(std::nullopt);
}

using NodeIds = llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t>;

/// DenseMap keeps two keys for itself.
bool isId(int64_t id) { return id >= 0 && id <= INT32_MAX; }

/// Where the node of these ids stands; -1 after an error.
int64_t nodeOf(OpBinder &b, const NodeIds &ids, int64_t tree, int64_t node,
               StringRef what) {
  auto found = isId(tree) && isId(node) ? ids.find({tree, node}) : ids.end();
  if (found != ids.end())
    return found->second;
  b.error(what + " of tree " + Twine(tree) + " is node " + Twine(node) +
          ", which is not there");
  return -1;
}

/// The first test of each tree that is nobody's child, or the first such leaf.
void findRoots(OpBinder &b, ArrayRef<int64_t> trees, TreeModel &model) {
  std::vector<bool> isChild(model.nodes.size(), false);
  for (const TreeNode &node : model.nodes)
    if (node.mode != TreeMode::leaf)
      isChild[node.onTrue] = isChild[node.onFalse] = true;
  llvm::MapVector<int64_t, int64_t> rootOf;
  for (auto [i, tree] : llvm::enumerate(trees)) {
    int64_t &root = rootOf.try_emplace(tree, -1).first->second;
    bool isTest = model.nodes[i].mode != TreeMode::leaf;
    if (!isChild[i] && (root < 0 || (isTest && model.nodes[root].mode == TreeMode::leaf)))
      root = static_cast<int64_t>(i);
  }
  for (auto [tree, root] : rootOf) {
    if (root < 0)
      return b.error("tree " + Twine(tree) + " has no root: every node is a child");
    model.roots.push_back(root);
  }
}

NodeIds readNodes(OpBinder &b, TreeModel &model, bool &hasDoubles) {
  SmallVector<int64_t> trees = b.intsAttr("nodes_treeids"),
                       nodes = b.intsAttr("nodes_nodeids"),
                       features = b.intsAttr("nodes_featureids"),
                       onTrue = b.intsAttr("nodes_truenodeids"),
                       onFalse = b.intsAttr("nodes_falsenodeids"),
                       missing = b.intsAttr("nodes_missing_value_tracks_true");
  SmallVector<std::string> modes = b.stringsAttr("nodes_modes");
  SmallVector<double> values = readNumbers(b, "nodes_values", hasDoubles);
  size_t count = nodes.size();
  if (!hasLength(b, "nodes_treeids", trees.size(), count) ||
      !hasLength(b, "nodes_featureids", features.size(), count) ||
      !hasLength(b, "nodes_truenodeids", onTrue.size(), count) ||
      !hasLength(b, "nodes_falsenodeids", onFalse.size(), count) ||
      !hasLength(b, "nodes_modes", modes.size(), count) ||
      !hasLength(b, "nodes_values", values.size(), count) ||
      (!missing.empty() &&
       !hasLength(b, "nodes_missing_value_tracks_true", missing.size(), count)))
    return NodeIds();
  NodeIds ids;
  for (size_t i = 0; i < count; ++i) {
    if (!isId(trees[i]) || !isId(nodes[i])) {
      b.error("node " + Twine(nodes[i]) + " of tree " + Twine(trees[i]) +
              ": ids must be from 0 to 2^31 - 1");
      return NodeIds();
    }
    if (!ids.try_emplace({trees[i], nodes[i]}, i).second) {
      b.error("tree " + Twine(trees[i]) + " has node " + Twine(nodes[i]) + " twice");
      return NodeIds();
    }
  }
  for (size_t i = 0; i < count && !b.failed(); ++i) {
    std::optional<TreeMode> mode = modeOf(modes[i]);
    if (!mode) {
      b.error("mode '" + modes[i] + "' of node " + Twine(nodes[i]) + " of tree " +
              Twine(trees[i]) + " is unknown");
      return NodeIds();
    }
    TreeNode node{*mode, !missing.empty() && missing[i] != 0, features[i], values[i]};
    if (*mode != TreeMode::leaf) {
      node.onTrue = nodeOf(b, ids, trees[i], onTrue[i], "a child");
      node.onFalse = nodeOf(b, ids, trees[i], onFalse[i], "a child");
    }
    model.nodes.push_back(node);
  }
  if (!b.failed())
    findRoots(b, trees, model);
  return ids;
}

/// `kind` is "target" or "class".
void readVotes(OpBinder &b, const std::string &kind, const NodeIds &ids, TreeModel &model,
               bool &hasDoubles) {
  SmallVector<int64_t> trees = b.intsAttr(kind + "_treeids"),
                       nodes = b.intsAttr(kind + "_nodeids"),
                       targets = b.intsAttr(kind + "_ids");
  SmallVector<double> weights = readNumbers(b, kind + "_weights", hasDoubles);
  if (!hasLength(b, kind + "_treeids", trees.size(), weights.size()) ||
      !hasLength(b, kind + "_nodeids", nodes.size(), weights.size()) ||
      !hasLength(b, kind + "_ids", targets.size(), weights.size()))
    return;
  for (size_t i = 0; i < weights.size() && !b.failed(); ++i)
    model.votes.push_back({nodeOf(b, ids, trees[i], nodes[i], "a leaf with a weight"),
                           targets[i], weights[i]});
}

} // namespace

void readTreesById(OpBinder &b, const std::string &kind, TreeModel &model,
                   bool &hasDoubles) {
  NodeIds ids = readNodes(b, model, hasDoubles);
  readVotes(b, kind, ids, model, hasDoubles);
}

//===----------------------------------------------------------------------===//
// By position
//===----------------------------------------------------------------------===//

namespace {

/// Sets of numbers, NaN between them; none without the attribute.
SmallVector<SmallVector<double>> readSets(OpBinder &b) {
  std::optional<SmallVector<double>> values = tensorFloats(b, "membership_values");
  if (!values)
    return {};
  SmallVector<SmallVector<double>> sets(1);
  for (double value : *values) {
    if (std::isnan(value))
      sets.emplace_back();
    else
      sets.back().push_back(value);
  }
  return sets;
}

/// A test for membership is one for equality with each, all leading to one child.
/// The node `at` has its children; nodes are appended.
void addMembers(TreeModel &model, int64_t at, ArrayRef<double> members) {
  TreeNode node = model.nodes[at];
  node.mode = TreeMode::eq;
  node.threshold = members.empty() ? std::nan("") : members[0];
  int64_t onFalse = node.onFalse;
  model.nodes[at] = node;
  for (double member : members.drop_front(members.empty() ? 0 : 1)) {
    auto next = static_cast<int64_t>(model.nodes.size());
    model.nodes[at].onFalse = next;
    node.threshold = member;
    node.onFalse = onFalse;
    model.nodes.push_back(node);
    at = next;
  }
}

void readInnerNodes(OpBinder &b, TreeModel &model, size_t numLeaves) {
  SmallVector<int64_t> features = b.intsAttr("nodes_featureids"),
                       onTrue = b.intsAttr("nodes_truenodeids"),
                       onFalse = b.intsAttr("nodes_falsenodeids"),
                       trueLeafs = b.intsAttr("nodes_trueleafs"),
                       falseLeafs = b.intsAttr("nodes_falseleafs"),
                       missing = b.intsAttr("nodes_missing_value_tracks_true"),
                       modes =
                           tensorInts(b, "nodes_modes").value_or(SmallVector<int64_t>());
  SmallVector<double> splits =
      tensorFloats(b, "nodes_splits").value_or(SmallVector<double>());
  size_t count = features.size();
  if (!hasLength(b, "nodes_truenodeids", onTrue.size(), count) ||
      !hasLength(b, "nodes_falsenodeids", onFalse.size(), count) ||
      !hasLength(b, "nodes_trueleafs", trueLeafs.size(), count) ||
      !hasLength(b, "nodes_falseleafs", falseLeafs.size(), count) ||
      !hasLength(b, "nodes_modes", modes.size(), count) ||
      !hasLength(b, "nodes_splits", splits.size(), count) ||
      (!missing.empty() &&
       !hasLength(b, "nodes_missing_value_tracks_true", missing.size(), count)))
    return;
  constexpr int64_t member = 6;
  auto child = [&](int64_t id, bool isLeaf) {
    auto limit = static_cast<int64_t>(isLeaf ? numLeaves : count);
    if (id < 0 || id >= limit)
      b.error("child " + Twine(id) + " is none of " + Twine(limit) +
              (isLeaf ? " leaves" : " nodes"));
    return isLeaf ? id + static_cast<int64_t>(count) : id;
  };
  for (size_t i = 0; i < count && !b.failed(); ++i) {
    if (modes[i] < 0 || modes[i] > member)
      return b.error("mode " + Twine(modes[i]) + " of node " + Twine(i) +
                     " is unknown, expected 0 to 6");
    TreeMode mode = modes[i] == member ? TreeMode::eq : static_cast<TreeMode>(modes[i]);
    model.nodes.push_back({mode, !missing.empty() && missing[i] != 0, features[i],
                           splits[i], child(onTrue[i], trueLeafs[i] != 0),
                           child(onFalse[i], falseLeafs[i] != 0)});
  }
  if (b.failed())
    return;
  model.nodes.resize(count + numLeaves);
  SmallVector<SmallVector<double>> sets = readSets(b);
  size_t next = 0;
  for (size_t i = 0; i < count && !b.failed(); ++i) {
    if (modes[i] != member)
      continue;
    if (next >= sets.size())
      return b.error("attribute 'membership_values' has fewer sets than nodes that test "
                     "membership");
    addMembers(model, static_cast<int64_t>(i), sets[next++]);
  }
}

} // namespace

void readTreesByPosition(OpBinder &b, TreeModel &model) {
  SmallVector<int64_t> targets = b.intsAttr("leaf_targetids"),
                       roots = b.intsAttr("tree_roots");
  SmallVector<double> weights =
      tensorFloats(b, "leaf_weights").value_or(SmallVector<double>());
  if (!hasLength(b, "leaf_weights", weights.size(), targets.size()))
    return;
  auto firstLeaf = static_cast<int64_t>(b.intsAttr("nodes_featureids").size());
  readInnerNodes(b, model, weights.size());
  for (int64_t root : roots) {
    if (root < 0 || root >= firstLeaf)
      b.error("root " + Twine(root) + " is none of " + Twine(firstLeaf) + " nodes");
    model.roots.push_back(root);
  }
  for (size_t i = 0; i < weights.size(); ++i)
    model.votes.push_back({firstLeaf + static_cast<int64_t>(i), targets[i], weights[i]});
}

} // namespace hexin::onnx
