#include "runtime/exec/ExprTable.h"

#include <gtest/gtest.h>

namespace hexin {
namespace {

using Op = fmt::ExprOp;

/// A pool made of nodes; params are given by index.
class Pool {
public:
  int32_t add(Op op, int64_t value, int32_t a = 0, int32_t b = 0, int32_t c = 0) {
    nodes.emplace_back(value, a, b, c, op);
    return static_cast<int32_t>(nodes.size() - 1);
  }
  int32_t constant(int64_t value) { return add(Op::constant, value); }
  int32_t param(int32_t index) { return add(Op::param, 0, index); }
  int32_t op(Op o, int32_t a, int32_t b, int32_t c = 0) { return add(o, 0, a, b, c); }

  ExprTable evaluate(std::vector<ExprResult> params = {}) {
    builder.Clear();
    builder.Finish(builder.CreateVectorOfStructs(nodes));
    auto *pool = flatbuffers::GetRoot<ExprPool>(builder.GetBufferPointer());
    ExprTable table(pool);
    table.evaluate([&](int32_t, const fmt::ExprNode &node) { return params[node.a()]; });
    return table;
  }

private:
  std::vector<fmt::ExprNode> nodes;
  flatbuffers::FlatBufferBuilder builder;
};

int64_t apply(Op op, int64_t a, int64_t b) {
  Pool pool;
  int32_t x = pool.constant(a), y = pool.constant(b);
  int32_t node = pool.op(op, x, y);
  ExprTable table = pool.evaluate();
  EXPECT_TRUE(table[node].isKnown());
  return table[node].value;
}

ExprState stateOf(Op op, int64_t a, int64_t b) {
  Pool pool;
  int32_t x = pool.constant(a), y = pool.constant(b);
  int32_t node = pool.op(op, x, y);
  return pool.evaluate()[node].state;
}

TEST(ExprTable, RoundsAsItsNamesSay) {
  EXPECT_EQ(apply(Op::floordiv, 7, 2), 3);
  EXPECT_EQ(apply(Op::floordiv, -7, 2), -4);
  EXPECT_EQ(apply(Op::ceildiv, 7, 2), 4);
  EXPECT_EQ(apply(Op::ceildiv, -7, 2), -3);
  EXPECT_EQ(apply(Op::ceildiv, INT64_MAX, 1), INT64_MAX);
  EXPECT_EQ(apply(Op::mod, 7, 3), 1);
  EXPECT_EQ(apply(Op::mod, -7, 3), 2);
  EXPECT_EQ(apply(Op::floordiv, INT64_MIN, 1), INT64_MIN);
}

TEST(ExprTable, ComputesTheOthers) {
  EXPECT_EQ(apply(Op::add, 2, 3), 5);
  EXPECT_EQ(apply(Op::sub, 2, 3), -1);
  EXPECT_EQ(apply(Op::mul, -2, 3), -6);
  EXPECT_EQ(apply(Op::min, 2, 3), 2);
  EXPECT_EQ(apply(Op::max, 2, 3), 3);
  EXPECT_EQ(apply(Op::eq, 2, 2), 1);
  EXPECT_EQ(apply(Op::lt, 3, 2), 0);
}

TEST(ExprTable, NeverWrapsAround) {
  EXPECT_EQ(stateOf(Op::add, INT64_MAX, 1), ExprState::overflow);
  EXPECT_EQ(stateOf(Op::sub, INT64_MIN, 1), ExprState::overflow);
  EXPECT_EQ(stateOf(Op::mul, INT64_MIN, -1), ExprState::overflow);
  EXPECT_EQ(stateOf(Op::floordiv, 1, 0), ExprState::badDivisor);
  EXPECT_EQ(stateOf(Op::ceildiv, 1, -1), ExprState::badDivisor);
  EXPECT_EQ(stateOf(Op::mod, INT64_MIN, -1), ExprState::badDivisor);
}

TEST(ExprTable, SelectReadsOneSide) {
  Pool pool;
  int32_t zero = pool.constant(0), one = pool.constant(1);
  int32_t bad = pool.op(Op::floordiv, one, zero);
  int32_t pending = pool.param(0);
  int32_t left = pool.op(Op::select, one, one, bad);
  int32_t right = pool.op(Op::select, zero, pending, one);
  int32_t wrong = pool.op(Op::select, one, bad, one);
  ExprTable table = pool.evaluate({ExprResult()});
  EXPECT_EQ(table[left].value, 1);
  EXPECT_TRUE(table[right].isKnown());
  EXPECT_EQ(table[wrong].state, ExprState::badDivisor);
}

TEST(ExprTable, GoesOnWhenALeafBecomesKnown) {
  Pool pool;
  int32_t leaf = pool.param(0);
  int32_t twice = pool.op(Op::add, leaf, leaf);
  ExprTable table = pool.evaluate({ExprResult()});
  EXPECT_TRUE(table[twice].isPending());
  table.set(leaf, ExprResult::of(21));
  table.evaluate([](int32_t, const fmt::ExprNode &) { return ExprResult(); });
  EXPECT_EQ(table[twice].value, 42);
}

} // namespace
} // namespace hexin
