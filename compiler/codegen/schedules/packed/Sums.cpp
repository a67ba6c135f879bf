#include "compiler/codegen/schedules/packed/Words.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::packed {

/// Products of 8-bit integers whose sum is exact in f32.
constexpr int64_t exactSteps = 256;

Accumulators sumTile(const Item &item, ArrayRef<Row> tile, ValueRange init,
                     Vectors vectors, Value columnInPanel) {
  KernelBuilder &k = item.k;
  const Problem &problem = item.problem;
  if (item.words)
    return item.words->sum(tile, vectors, columnInPanel);
  if (problem.fewBits) {
    SmallVector<Value> bases;
    for (const Row &row : tile)
      bases.push_back(row.base);
    return sumFewBits(item, bases, columnInPanel, init, vectors);
  }
  Value position = k.add(item.panelBase, columnInPanel);
  if (problem.conv && !problem.isPointwise) {
    Image image(item, tile);
    if (problem.isDepthwise)
      return sumDepthwise(item, tile, image, position, init, vectors, columnInPanel);
    return sumConv(item, tile, image, position, init, vectors);
  }
  SmallVector<Value> bases;
  for (const Row &row : tile)
    bases.push_back(row.base);
  if (problem.isDepthwise)
    return sumTap(item, bases, position, init, vectors,
                  k.add(item.firstColumn, columnInPanel));
  return sumRun(item, {bases, {}, {}}, k.value(problem.depth), position, init, vectors);
}

void storeScratch(KernelBuilder &k, Value buffer, Value at, Value value) {
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(k.builder(), k.loc(), value, buffer, ValueRange(at));
  else
    memref::StoreOp::create(k.builder(), k.loc(), value, buffer, ValueRange(at));
}

Value loadScratch(KernelBuilder &k, Value buffer, Value at, unsigned lanes) {
  if (lanes == 1)
    return memref::LoadOp::create(k.builder(), k.loc(), buffer, ValueRange(at));
  auto type =
      VectorType::get({lanes}, cast<MemRefType>(buffer.getType()).getElementType());
  return vector::LoadOp::create(k.builder(), k.loc(), type, buffer, ValueRange(at));
}

Value zeros(KernelBuilder &k, Type type, unsigned lanes) {
  return isa<FloatType>(type) ? k.floatConstant(0, type, lanes)
                              : k.intConstant(0, type, lanes);
}

namespace {

/// acc[r] += rows[r][step] * panel[step], the panel's rows starting at `position`.
Accumulators sumStep(const Item &item, const RunRows &rows, int64_t step, Value position,
                     ValueRange acc, Vectors vectors) {
  KernelBuilder &k = item.k;
  OpBuilder &b = k.builder();
  SmallVector<Value> panel;
  Value at = k.add(position, k.index(step * item.problem.width));
  for (unsigned v = 0; v < vectors.perRow; ++v)
    panel.push_back(item.loadPanel(k.add(at, k.index(v * vectors.lanes)), vectors.lanes));
  Accumulators next;
  for (size_t r = 0; r < rows.bases.size(); ++r) {
    Value memory = rows.memory.empty() ? item.lhsMemory() : rows.memory[r];
    Value x = item.loadLhs(memory, k.add(rows.bases[r], k.index(step)), 1);
    if (!rows.inside.empty())
      x = arith::SelectOp::create(b, k.loc(), rows.inside[r], x,
                                  zeros(k, item.problem.sumType, 1));
    x = k.splat(x, vectors.lanes);
    for (unsigned v = 0; v < vectors.perRow; ++v)
      next.push_back(
          math::FmaOp::create(b, k.loc(), x, panel[v], acc[r * vectors.perRow + v]));
  }
  return next;
}

/// Rows lie at any distance, so that each step computes where; steps written out one
/// after the other share that, and the units that add addresses also multiply. What
/// would be left over costs more in short runs than that gains.
Accumulators sumSteps(const Item &item, const RunRows &rows, Value length, Value position,
                      ValueRange init, Vectors vectors) {
  KernelBuilder &k = item.k;
  unsigned steps = k.traits().depthSteps;
  while (item.problem.runMultiple % steps != 0)
    --steps;
  auto round = [&](Value i, ValueRange acc) {
    RunRows shifted(rows);
    for (Value &base : shifted.bases)
      base = k.add(base, i);
    Value at = k.add(position, k.mul(i, k.index(item.problem.width)));
    item.prefetchNextPanel(at, steps);
    Accumulators next(acc);
    for (unsigned step = 0; step < steps; ++step)
      next = sumStep(item, shifted, step, at, next, vectors);
    return next;
  };
  return k.forLoop(k.index(0), length, k.index(steps), init, round);
}

} // namespace

Accumulators sumRun(const Item &item, const RunRows &rows, Value length, Value position,
                    ValueRange init, Vectors vectors) {
  if (!item.problem.isInteger)
    return sumSteps(item, rows, length, position, init, vectors);
  KernelBuilder &k = item.k;
  OpBuilder &b = k.builder();
  Value chunk = k.index(exactSteps), width = k.index(item.problem.width);
  return k.forLoop(k.index(0), length, chunk, init, [&](Value from, ValueRange acc) {
    RunRows shifted(rows);
    for (Value &base : shifted.bases)
      base = k.add(base, from);
    Accumulators sums(acc.size(), zeros(k, item.problem.sumType, vectors.lanes));
    sums = sumSteps(item, shifted, k.min(chunk, k.sub(length, from)),
                    k.add(position, k.mul(from, width)), sums, vectors);
    Accumulators next;
    for (auto [total, part] : llvm::zip(acc, sums)) {
      Value exact = arith::FPToSIOp::create(b, k.loc(), total.getType(), part);
      next.push_back(arith::AddIOp::create(b, k.loc(), total, exact));
    }
    return next;
  });
}

} // namespace hexin::codegen::packed
