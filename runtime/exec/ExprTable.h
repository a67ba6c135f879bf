//===- ExprTable.h - the values of a pool of shape expressions ------------------===//
//
// Evaluating a pool front to back is a program's shape logic. A node may be
//   pending   it depends on a leaf that is not known yet (an element of a value
//             that no instruction has made so far)
//   known
//   failed    overflow, division by zero or less, an element outside its value
// and a failure only matters to who reads it: `select` reads one side, so what
// stands behind a branch that is not taken does no harm.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_EXPRTABLE_H
#define HEXIN_RUNTIME_EXEC_EXPRTABLE_H

#include "runtime/artifact/hexin_generated.h"

#include "hexin/status.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hexin {

using ExprPool = flatbuffers::Vector<const fmt::ExprNode *>;

enum class ExprState : uint8_t { pending, known, overflow, badDivisor, outOfRange };

struct ExprResult {
  ExprState state = ExprState::pending;
  int64_t value = 0;

  static ExprResult of(int64_t value) { return {ExprState::known, value}; }
  bool isKnown() const { return state == ExprState::known; }
  bool isPending() const { return state == ExprState::pending; }
};

class ExprTable {
public:
  /// All nodes of `pool` (may be null), pending. The pool is borrowed, and its
  /// indices have been verified.
  explicit ExprTable(const ExprPool *pool = nullptr) { reset(pool); }
  void reset(const ExprPool *pool) {
    pool_ = pool;
    results_.assign(pool ? pool->size() : 0, ExprResult());
  }

  const ExprResult &operator[](int32_t node) const { return results_[node]; }
  size_t size() const { return results_.size(); }
  const fmt::ExprNode &node(int32_t index) const { return *pool_->Get(index); }
  /// Gives a leaf its value; evaluate() then reaches what depends on it.
  void set(int32_t node, ExprResult result) { results_[node] = result; }
  /// Makes nodes pending again; who depends on one must be among them.
  void forget(std::span<const int32_t> nodes) {
    for (int32_t node : nodes)
      results_[node] = ExprResult();
  }

  /// Works out every pending node that can be. `leaf(index, node)` gives the
  /// ExprResult of input_dim, element, result_dim, param and iteration nodes.
  template <typename Leaf> void evaluate(Leaf &&leaf) {
    for (uint32_t i = 0; i < results_.size(); ++i) {
      if (!results_[i].isPending())
        continue;
      const fmt::ExprNode &node = *pool_->Get(i);
      results_[i] =
          isLeaf(node.op()) ? leaf(static_cast<int32_t>(i), node) : combine(node);
    }
  }

  static bool isLeaf(fmt::ExprOp op) {
    return (op >= fmt::ExprOp::input_dim && op <= fmt::ExprOp::param) ||
           op == fmt::ExprOp::iteration;
  }

private:
  ExprResult combine(const fmt::ExprNode &node) const;

  const ExprPool *pool_ = nullptr;
  std::vector<ExprResult> results_;
};

/// Why a failed node has no value, as the end of a sentence.
std::string describeFailure(ExprState state);

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_EXPRTABLE_H
