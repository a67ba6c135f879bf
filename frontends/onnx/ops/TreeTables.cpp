#include "frontends/onnx/ops/TreeTables.h"

#include "llvm/ADT/Twine.h"

#include <algorithm>
#include <cmath>
#include <limits>

using llvm::Twine;

namespace hexin::onnx {
namespace {

constexpr int64_t maxWeights = int64_t(1) << 27;
constexpr int64_t maxFeatures = int64_t(1) << 28;
constexpr int64_t none = -1;

class TableBuilder {
public:
  TableBuilder(const TreeModel &model, TreeTables &tables)
      : model(model), tables(tables), numNodes(static_cast<int64_t>(model.nodes.size())) {
  }

  std::string run() {
    if (std::string wrong = checkNodes(); !wrong.empty())
      return wrong;
    if (std::string wrong = checkCycles(); !wrong.empty())
      return wrong;
    reach();
    order();
    if (std::string wrong = collectVotes(); !wrong.empty())
      return wrong;
    writeNodes();
    return writeEntries();
  }

private:
  const TreeNode &node(int64_t i) const { return model.nodes[static_cast<size_t>(i)]; }
  bool isLeaf(int64_t i) const { return node(i).mode == TreeMode::leaf; }
  bool isNode(int64_t i) const { return i >= 0 && i < numNodes; }

  std::string checkNodes() const {
    if (numNodes > std::numeric_limits<int32_t>::max())
      return "more than 2^31 nodes";
    for (int64_t i = 0; i < numNodes; ++i) {
      if (isLeaf(i))
        continue;
      if (!isNode(node(i).onTrue) || !isNode(node(i).onFalse))
        return ("node " + Twine(i) + " has a child that is not there").str();
      if (node(i).feature < 0 || node(i).feature >= maxFeatures)
        return ("node " + Twine(i) + " tests feature " + Twine(node(i).feature)).str();
    }
    for (int64_t root : model.roots)
      if (!isNode(root))
        return ("root " + Twine(root) + " is none of " + Twine(numNodes) + " nodes")
            .str();
    return {};
  }

  /// Takes away what has no parents until nothing is left, whether trees reach it or not.
  std::string checkCycles() const {
    std::vector<int64_t> parents(model.nodes.size(), 0), work;
    for (const TreeNode &test : model.nodes)
      if (test.mode != TreeMode::leaf)
        ++parents[test.onTrue], ++parents[test.onFalse];
    for (int64_t i = 0; i < numNodes; ++i)
      if (parents[i] == 0)
        work.push_back(i);
    while (!work.empty()) {
      int64_t i = work.back();
      work.pop_back();
      if (isLeaf(i))
        continue;
      for (int64_t child : {node(i).onTrue, node(i).onFalse})
        if (--parents[child] == 0)
          work.push_back(child);
    }
    for (int64_t i = 0; i < numNodes; ++i)
      if (parents[i] != 0)
        return ("nodes lead back to themselves, at or above node " + Twine(i)).str();
    return {};
  }

  /// Which nodes trees reach, how often as a child, and which trees have nodes in common.
  void reach() {
    tree.assign(model.nodes.size(), none);
    numParents.assign(model.nodes.size(), 0);
    group.resize(model.roots.size());
    for (size_t r = 0; r < group.size(); ++r)
      group[r] = static_cast<int64_t>(r);
    std::vector<int64_t> work;
    for (size_t r = 0; r < model.roots.size(); ++r) {
      auto visit = [&](int64_t i) {
        if (tree[i] != none) {
          group[find(static_cast<int64_t>(r))] = find(tree[i]);
          return;
        }
        tree[i] = static_cast<int64_t>(r);
        work.push_back(i);
      };
      visit(model.roots[r]);
      while (!work.empty()) {
        int64_t i = work.back();
        work.pop_back();
        if (isLeaf(i))
          continue;
        for (int64_t child : {node(i).onTrue, node(i).onFalse}) {
          ++numParents[child];
          visit(child);
        }
      }
    }
  }

  int64_t find(int64_t r) {
    while (group[r] != r)
      r = group[r] = group[group[r]];
    return r;
  }

  /// Parents first, tree by tree.
  void order() {
    position.assign(model.nodes.size(), none);
    auto place = [&](int64_t i) {
      position[i] = static_cast<int64_t>(ordered.size());
      ordered.push_back(i);
    };
    size_t next = 0;
    for (int64_t root : model.roots) {
      if (numParents[root] != 0 || position[root] != none)
        continue;
      place(root);
      for (; next < ordered.size(); ++next) {
        int64_t i = ordered[next];
        if (isLeaf(i))
          continue;
        for (int64_t child : {node(i).onTrue, node(i).onFalse})
          if (--numParents[child] == 0)
            place(child);
      }
    }
  }

  /// The targets of each group of trees, and where the weights of each leaf start.
  std::string collectVotes() {
    targets.resize(model.roots.size());
    for (const TreeVote &vote : model.votes) {
      if (vote.target < 0 || vote.target >= model.numTargets)
        return ("a weight is for target " + Twine(vote.target) + " of " +
                Twine(model.numTargets))
            .str();
      if (!isNode(vote.leaf))
        return "a weight is for a node that is not there";
      if (counts(vote))
        targets[find(tree[vote.leaf])].push_back(vote.target);
    }
    for (auto &list : targets) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    }
    firstWeight.assign(model.nodes.size(), 0);
    int64_t size = 0;
    for (int64_t i : ordered) {
      if (!isLeaf(i))
        continue;
      firstWeight[i] = size;
      size += static_cast<int64_t>(targets[find(tree[i])].size());
      if (size > maxWeights)
        return ("leaves have more than " + Twine(maxWeights) + " weights").str();
    }
    double absent = model.join == TreeJoin::sum ? 0 : std::nan("");
    tables.weights.assign(static_cast<size_t>(std::max<int64_t>(size, 1)), absent);
    std::vector<bool> isFilled(tables.weights.size(), false);
    for (const TreeVote &vote : model.votes) {
      if (!counts(vote))
        continue;
      auto at = static_cast<size_t>(firstWeight[vote.leaf] + rank(vote));
      join(tables.weights[at], vote.weight);
      isFilled[at] = true;
    }
    findAlwaysVoted(isFilled);
    return {};
  }

  /// Of a group of trees with weights for all of its targets in every leaf.
  void findAlwaysVoted(const std::vector<bool> &isFilled) {
    std::vector<bool> isFull(model.roots.size(), true);
    for (int64_t i : ordered) {
      if (!isLeaf(i))
        continue;
      int64_t ofLeaf = find(tree[i]);
      for (size_t k = 0; k < targets[ofLeaf].size(); ++k)
        isFull[ofLeaf] = isFull[ofLeaf] && isFilled[firstWeight[i] + k];
    }
    tables.isAlwaysVoted.assign(static_cast<size_t>(model.numTargets), false);
    for (size_t r = 0; r < targets.size(); ++r)
      for (int64_t target : targets[r])
        if (isFull[r])
          tables.isAlwaysVoted[target] = true;
  }

  bool counts(const TreeVote &vote) const {
    return isLeaf(vote.leaf) && tree[vote.leaf] != none;
  }
  int64_t rank(const TreeVote &vote) {
    const auto &list = targets[find(tree[vote.leaf])];
    return std::lower_bound(list.begin(), list.end(), vote.target) - list.begin();
  }
  void join(double &total, double x) const {
    if (model.join == TreeJoin::sum)
      total += x;
    else if (std::isnan(total) || (model.join == TreeJoin::min ? x < total : x > total))
      total = x;
  }

  void writeNodes() {
    for (int64_t i : ordered) {
      if (isLeaf(i)) {
        tables.nodes.insert(tables.nodes.end(), {0, 0, 0, firstWeight[i]});
        tables.thresholds.push_back(0);
        continue;
      }
      writeTest(node(i));
    }
    if (ordered.empty()) {
      tables.nodes = {0, 0, 0, 0};
      tables.thresholds = {0};
    }
  }

  /// What is not <=, < or = is one of these the other way round, for NaN, too.
  void writeTest(const TreeNode &test) {
    bool isNever = std::isnan(test.threshold);                    // nothing but != holds
    bool nanHolds = test.nanIsTrue || test.mode == TreeMode::neq; // as != of numbers is
    bool swaps = test.mode == TreeMode::neq ||
                 (!isNever && (test.mode == TreeMode::gte || test.mode == TreeMode::gt));
    int64_t comparison = 2;
    if (!isNever && (test.mode == TreeMode::leq || test.mode == TreeMode::gt))
      comparison = 0;
    else if (!isNever && (test.mode == TreeMode::lt || test.mode == TreeMode::gte))
      comparison = 1;
    int64_t flags = comparison + (nanHolds != swaps ? 4 : 0);
    int64_t onTrue = position[test.onTrue], onFalse = position[test.onFalse];
    if (swaps)
      std::swap(onTrue, onFalse);
    tables.nodes.insert(tables.nodes.end(),
                        {8 * test.feature + flags, onTrue, onFalse, 0});
    tables.thresholds.push_back(test.threshold);
    tables.maxFeature = std::max(tables.maxFeature, test.feature);
  }

  std::string writeEntries() {
    int64_t numEntries = 0;
    for (size_t r = 0; r < model.roots.size(); ++r) {
      numEntries += static_cast<int64_t>(targets[find(static_cast<int64_t>(r))].size());
      if (numEntries > maxWeights)
        return ("trees stand for more than " + Twine(maxWeights) + " targets").str();
    }
    std::vector<int64_t> count(static_cast<size_t>(model.numTargets) + 1, 0);
    auto forEach = [&](auto fn) { // (target, root, offset)
      for (size_t r = 0; r < model.roots.size(); ++r) {
        const auto &list = targets[find(static_cast<int64_t>(r))];
        for (size_t k = 0; k < list.size(); ++k)
          fn(list[k], position[model.roots[r]], static_cast<int64_t>(k));
      }
    };
    forEach([&](int64_t target, int64_t, int64_t) { ++count[target + 1]; });
    for (size_t t = 1; t < count.size(); ++t)
      count[t] += count[t - 1];
    tables.starts = count;
    tables.entries.assign(static_cast<size_t>(std::max<int64_t>(numEntries, 1)) * 2, 0);
    forEach([&](int64_t target, int64_t root, int64_t offset) {
      int64_t at = 2 * count[target]++;
      tables.entries[at] = root;
      tables.entries[at + 1] = offset;
    });
    return {};
  }

  const TreeModel &model;
  TreeTables &tables;
  int64_t numNodes;
  std::vector<int64_t> tree;        ///< per node: the first tree that reaches it
  std::vector<int64_t> group;       ///< per tree: union-find of trees that share nodes
  std::vector<int64_t> numParents;  ///< per node
  std::vector<int64_t> ordered;     ///< nodes in their new order
  std::vector<int64_t> position;    ///< per node: where it stands there
  std::vector<int64_t> firstWeight; ///< per node
  std::vector<llvm::SmallVector<int64_t, 1>> targets; ///< per group, ascending
};

} // namespace

std::string buildTreeTables(const TreeModel &model, TreeTables &tables) {
  return TableBuilder(model, tables).run();
}

} // namespace hexin::onnx
