// Arithmetic on sizes: it means what it says, and equal sizes are equal.

#include "compiler/ir/Symbols.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

#include <random>

using namespace hexin::hx;

namespace {

class SymbolsTest : public ::testing::Test {
protected:
  Dim constant(int64_t value) { return table.constant(value); }
  std::optional<int64_t> evaluate(Dim dim, llvm::ArrayRef<int64_t> values) {
    return table.evaluate(dim, [&](unsigned symbol) -> std::optional<int64_t> {
      return symbol < values.size() ? std::optional(values[symbol]) : std::nullopt;
    });
  }

  mlir::MLIRContext context;
  SymbolTable table{&context};
  Dim n = table.inputDim({}, 0, "N"), h = table.inputDim({}, 1, "H"),
      w = table.inputDim({}, 2, "W");
};

TEST_F(SymbolsTest, EqualSizesAreEqual) {
  EXPECT_EQ(table.add(n, h), table.add(h, n));
  EXPECT_EQ(table.sub(table.add(n, h), h), n);
  EXPECT_EQ(table.mul(table.add(n, h), constant(64)),
            table.add(table.mul(n, constant(64)), table.mul(constant(64), h)));
  EXPECT_EQ(table.inputDim({}, 7, "N"), n);
  EXPECT_NE(n, h);
}

TEST_F(SymbolsTest, DivisionSimplifies) {
  Dim two = constant(2);
  EXPECT_EQ(table.floorDiv(table.mul(n, constant(6)), two), table.mul(n, constant(3)));
  EXPECT_EQ(table.floorDiv(table.floorDiv(n, two), constant(3)),
            table.floorDiv(n, constant(6)));
  EXPECT_EQ(table.ceilDiv(table.ceilDiv(n, two), two), table.ceilDiv(n, constant(4)));
  EXPECT_EQ(table.mod(table.add(table.mul(n, constant(4)), constant(7)), two),
            constant(1));
  EXPECT_EQ(table.floorDiv(table.mod(n, constant(4)), constant(4)), constant(0));
}

TEST_F(SymbolsTest, QuotientCancels) {
  EXPECT_EQ(table.quotient({n, constant(16), h, w}, {n}),
            table.product({constant(16), h, w}));
  // The factors are no longer apart here.
  Dim rows = table.add(table.floorDiv(h, constant(2)), constant(1));
  Dim flat = table.product({n, rows, w});
  EXPECT_EQ(table.quotient({flat}, {w, n}), rows);
  Dim open = table.quotient({n, h}, {w});
  EXPECT_EQ(evaluate(open, {6, 4, 3}), 8);
  EXPECT_EQ(evaluate(open, {6, 4, 0}), std::nullopt);
}

TEST_F(SymbolsTest, BoundsDecide) {
  EXPECT_EQ(table.max(n, constant(0)), n);
  EXPECT_EQ(table.min(n, table.add(n, constant(1))), n);
  EXPECT_EQ(table.lt(table.add(n, constant(3)), constant(3)), constant(0));
  EXPECT_EQ(table.eq(table.add(n, constant(1)), n), constant(0));
  EXPECT_EQ(table.min(constant(INT64_MAX), n), n);
  // A clamp stays inside what it clamps to.
  Dim end = table.max(table.sub(n, constant(2)), constant(0));
  EXPECT_EQ(table.min(end, n), end);
  EXPECT_GE(table.lowerBound(table.sub(n, end)), 0);
  // Divisions of neighbours.
  EXPECT_EQ(table.min(table.floorDiv(h, constant(2)), table.ceilDiv(h, constant(2))),
            table.floorDiv(h, constant(2)));
}

TEST_F(SymbolsTest, RequirementsNarrow) {
  table.require({table.sub(h, constant(3)), {}, 0, INT64_MAX, "too small"});
  EXPECT_EQ(table.lowerBound(h), 3);
  table.require({h, {}, 1, INT64_MAX, "known by now"});
  EXPECT_EQ(table.constraints().size(), 1u);
  // In a branch they only bind runs that take it, and tell nothing of others.
  table.pushGuard(table.eq(n, constant(1)));
  table.require({table.sub(w, constant(8)), {}, 0, INT64_MAX, "too small"});
  EXPECT_EQ(table.max(w, constant(8)), w);
  table.popGuard();
  EXPECT_NE(table.max(w, constant(8)), w);
  EXPECT_EQ(table.lowerBound(w), 0);
  Dim guarded = table.constraints().back().lhs;
  EXPECT_EQ(evaluate(guarded, {2, 5, 3}), 0);
  EXPECT_EQ(evaluate(guarded, {1, 5, 3}), -5);
}

TEST_F(SymbolsTest, Broadcast) {
  Dim joined = table.broadcast(n, h);
  EXPECT_EQ(joined, table.broadcast(h, n));
  EXPECT_EQ(joined, table.broadcast(joined, n));
  EXPECT_EQ(table.broadcast(table.broadcast(n, h), w),
            table.broadcast(n, table.broadcast(w, h)));
  EXPECT_EQ(evaluate(joined, {1, 0, 0}), 0);
  EXPECT_EQ(evaluate(joined, {0, 1, 0}), 0);
  EXPECT_EQ(evaluate(joined, {5, 1, 0}), 5);
}

TEST_F(SymbolsTest, OverflowIsFoundWhenEvaluated) {
  Dim huge = constant(INT64_MAX);
  EXPECT_EQ(evaluate(table.add(huge, constant(1)), {}), std::nullopt);
  EXPECT_EQ(evaluate(table.mul(huge, constant(2)), {}), std::nullopt);
  EXPECT_EQ(evaluate(table.mul(n, n), {int64_t(1) << 32, 0, 0}), std::nullopt);
  EXPECT_EQ(evaluate(table.sub(constant(INT64_MIN), constant(0)), {}), INT64_MIN);
  EXPECT_EQ(evaluate(table.floorDiv(constant(INT64_MIN), constant(3)), {}),
            INT64_MIN / 3 - 1);
}

TEST_F(SymbolsTest, ExpressionsStaySmall) {
  // Nested without end, and sums of ever new symbols: neither may blow up.
  Dim nested = n, sum = n;
  for (int i = 0; i < 2000; ++i) {
    nested = table.add(
        table.floorDiv(table.mul(table.add(nested, h), constant(3)), constant(7)), w);
    sum = table.add(sum, table.inputDim({}, i, "x" + std::to_string(i)));
  }
  EXPECT_LT(table.toString(nested).size(), 10000u);
  EXPECT_TRUE(evaluate(nested, {5, 6, 7}).has_value());
}

TEST_F(SymbolsTest, TextsAreCut) {
  EXPECT_EQ(table.toString(table.mul(n, n)), table.toString(n) + "*" + table.toString(n));
  // Each derived symbol is sixteen times the one before it.
  Dim power = n;
  for (int i = 0; i < 40; ++i)
    power = table.mul(power, power);
  std::string text = table.toString(power);
  EXPECT_LT(text.size(), 600u);
  EXPECT_EQ(text.substr(text.size() - 3), "...");
}

/// Random expressions against the same arithmetic on numbers.
TEST_F(SymbolsTest, AgreesWithNumbers) {
  std::mt19937 random(7);
  auto pick = [&](int64_t limit) { return static_cast<int64_t>(random() % limit); };
  auto floorDivide = [](int64_t a, int64_t b) { return a / b - (a % b < 0); };
  int compared = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<int64_t> sizes{pick(9), pick(9), pick(9)};
    struct Pair {
      Dim dim;
      int64_t number;
    };
    std::vector<Pair> pool{
        {n, sizes[0]}, {h, sizes[1]}, {w, sizes[2]}, {constant(3), 3}, {constant(1), 1}};
    for (int step = 0; step < 12; ++step) {
      Pair a = pool[pick(pool.size())], b = pool[pick(pool.size())];
      int64_t k = 1 + pick(6);
      Pair c = a;
      switch (pick(9)) {
      case 0:
        c = {table.add(a.dim, b.dim), a.number + b.number};
        break;
      case 1:
        c = {table.sub(a.dim, b.dim), a.number - b.number};
        break;
      case 2:
        c = {table.mul(a.dim, b.dim), a.number * b.number};
        break;
      case 3:
        c = {table.floorDiv(a.dim, constant(k)), floorDivide(a.number, k)};
        break;
      case 4:
        c = {table.mod(a.dim, constant(k)), a.number - floorDivide(a.number, k) * k};
        break;
      case 5:
        c = {table.min(a.dim, b.dim), std::min(a.number, b.number)};
        break;
      case 6:
        c = {table.max(a.dim, b.dim), std::max(a.number, b.number)};
        break;
      case 7:
        c = {table.lt(a.dim, b.dim), a.number < b.number};
        break;
      case 8:
        c = {table.select(table.eq(a.dim, b.dim), a.dim, pool[0].dim),
             a.number == b.number ? a.number : pool[0].number};
        break;
      }
      if (std::abs(c.number) > 1000000)
        continue;
      auto value = evaluate(c.dim, sizes);
      if (!value) // an intermediate product left 64 bits
        continue;
      ++compared;
      ASSERT_EQ(*value, c.number) << table.toString(c.dim);
      ASSERT_LE(table.lowerBound(c.dim), c.number) << table.toString(c.dim);
      ASSERT_GE(table.upperBound(c.dim), c.number) << table.toString(c.dim);
      pool.push_back(c);
    }
  }
  EXPECT_GT(compared, 4000);
}

} // namespace
