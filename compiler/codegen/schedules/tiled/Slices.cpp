#include "compiler/codegen/schedules/tiled/Slices.h"

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/schedules/packed/Sums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen::tiled {

using packed::loadScratch;
using packed::storeScratch;

KExpr stepsOf(KernelBuilder &k, const packed::Problem &problem) {
  int64_t taps = problem.conv ? problem.taps[0] * problem.taps[1] : 1;
  return k.exprs().mul(problem.depth, k.constantExpr(taps));
}

/// The element where `inside` says that there is one, else 0.
static Value loadOrZero(KernelBuilder &k, Value inside, Type type,
                        function_ref<Value()> load) {
  return k.ifElse(
      inside, type, [&] { return SmallVector<Value>{load()}; },
      [&] { return SmallVector<Value>{packed::zeros(k, type, 1)}; })[0];
}

/// A loop of constant length that compilers unroll.
static void repeat(KernelBuilder &k, unsigned count, function_ref<void(Value)> body) {
  k.forLoop(k.index(0), k.index(count), k.index(1), {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

/// Whether elements of `operand` are multiplied as they stand in memory.
static bool isCopied(const packed::Problem &problem, Value operand) {
  return elementType(operand).isF32() && problem.sumType.isF32() && !problem.isInteger;
}

bool hasWholeChunks(const packed::Problem &problem) {
  return isCopied(problem, problem.lhs) && problem.runMultiple % TileShape::run == 0;
}

/// Elements of a fetch.
static unsigned chunkOf(const TileShape &shape, bool isWhole) {
  return shape.stages > 1 && isWhole ? TileShape::run : 1;
}

bool hasWindow(const packed::Problem &problem) {
  return problem.conv && !problem.isPointwise;
}

Tap::Tap(const packed::Item &item, Value at) : offset(at) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  inside = k.less(offset, k.value(stepsOf(k, problem)));
  if (!hasWindow(problem))
    return;
  // Fewer than 2^31 steps (Tiled.cpp): 64-bit division is slow on most devices.
  OpBuilder &b = k.builder();
  auto narrow = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, k.loc(), b.getI32Type(), x);
  };
  auto wide = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, k.loc(), b.getIndexType(), x);
  };
  Value channels = narrow(k.value(problem.depth));
  Value number = arith::DivUIOp::create(b, k.loc(), narrow(offset), channels);
  Value tapColumns = k.intConstant(problem.taps[1], b.getI32Type(), 1);
  Value tapRow = arith::DivUIOp::create(b, k.loc(), number, tapColumns);
  Value tapColumn = arith::RemUIOp::create(b, k.loc(), number, tapColumns);
  Value channel = k.sub(offset, k.mul(wide(number), k.value(problem.depth)));
  dy = k.mul(wide(tapRow), k.index(problem.conv->dilations[0]));
  dx = k.mul(wide(tapColumn), k.index(problem.conv->dilations[1]));
  Value pixels = k.add(k.mul(dy, k.value(problem.inSizes[2])), dx);
  offset = k.add(k.mul(pixels, k.value(problem.channels)), channel);
}

/// An axis has fewer than 2^32 elements, of which 32 bits say whether a place is inside.
static Value toI32(KernelBuilder &k, Value x) {
  Type i32 = k.builder().getI32Type();
  return x.getType() == i32 ? x
                            : arith::IndexCastOp::create(k.builder(), k.loc(), i32, x);
}

packed::Row inRegisters(const packed::Item &item, packed::Row row) {
  if (hasWindow(item.problem) && item.problem.hasPads) {
    row.y = toI32(item.k, row.y);
    row.x = toI32(item.k, row.x);
  }
  return row;
}

Value isInside(const packed::Item &item, const Tap &tap, const packed::Row &row) {
  if (!hasWindow(item.problem) || !item.problem.hasPads)
    return tap.inside;
  KernelBuilder &k = item.k;
  OpBuilder &b = k.builder();
  auto isWithin = [&](Value from, Value d, KExpr size) -> Value {
    if (from.getType().isInteger(32))
      return packed::isInside(k, arith::AddIOp::create(b, k.loc(), from, toI32(k, d)),
                              toI32(k, k.value(size)));
    return packed::isInside(k, k.add(from, d), k.value(size));
  };
  Value y = isWithin(row.y, tap.dy, item.problem.inSizes[1]);
  Value x = isWithin(row.x, tap.dx, item.problem.inSizes[2]);
  return arith::AndIOp::create(b, k.loc(), tap.inside,
                               arith::AndIOp::create(b, k.loc(), y, x).getResult());
}

//===----------------------------------------------------------------------===//
// Left
//===----------------------------------------------------------------------===//

LhsSlice::LhsSlice(const packed::Item &item, const TileShape &shape, Value local,
                   Value firstRow)
    : item(item), shape(shape), k(item.k), local(local),
      chunk(chunkOf(shape, hasWholeChunks(item.problem))) {
  Value perRow = k.index(chunksPerRow());
  stepInSlice = k.mul(k.rem(k.thread(), perRow), k.index(chunk));
  rowInSlice = k.div(k.thread(), perRow);
  first = k.add(firstRow, rowInSlice);
  if (shape.stages > 1) {
    for (unsigned which = 0; which < fetches(); ++which)
      rows.push_back(inRegisters(item, rowAt(k.index(which))));
    return;
  }
  Type index = k.builder().getIndexType();
  auto perFetch = [&] { return k.scratch(fetches(), index); };
  bases = perFetch();
  if (hasWindow(item.problem) && item.problem.hasPads) {
    ys = perFetch();
    xs = perFetch();
  }
  repeat(k, fetches(), [&](Value which) { noteRow(which, rowAt(which)); });
}

packed::Row LhsSlice::rowAt(Value which) const {
  Value lastRow = k.sub(k.value(item.problem.rows), k.index(1));
  Value number = k.add(first, k.mul(which, k.index(rowsAtATime())));
  return item.rowAt(k.min(number, lastRow));
}

void LhsSlice::noteRow(Value which, const packed::Row &row) {
  storeScratch(k, bases, which, row.base);
  if (ys) {
    storeScratch(k, ys, which, row.y);
    storeScratch(k, xs, which, row.x);
  }
}

packed::Row LhsSlice::notedRow(Value which) {
  packed::Row row;
  if (ys) {
    row.y = loadScratch(k, ys, which, 1);
    row.x = loadScratch(k, xs, which, 1);
  }
  row.base = loadScratch(k, bases, which, 1);
  return row;
}

void LhsSlice::fetchRow(const Tap &tap, const packed::Row &row, Value at) {
  Value inside = isInside(item, tap, row);
  Value position = k.add(row.base, tap.offset);
  if (shape.stages > 1 && isCopied(item.problem, item.problem.lhs))
    return copyToLocal(k, {item.lhsMemory(), position, local, at, chunk, inside});
  Value element = loadOrZero(k, inside, item.problem.sumType,
                             [&] { return item.loadLhs(position, 1); });
  storeLocal(k, local, at, element);
}

void LhsSlice::fetch(Value step, Value stage) {
  Tap tap(item, k.add(step, stepInSlice));
  Value at = k.add(k.mul(rowInSlice, k.index(shape.depth)), stepInSlice);
  at = k.add(at, stage);
  unsigned pitch = rowsAtATime() * shape.depth;
  if (shape.stages > 1) {
    for (auto [which, row] : llvm::enumerate(rows))
      fetchRow(tap, row, k.add(at, k.index(which * pitch)));
    return;
  }
  repeat(k, fetches(), [&](Value which) {
    fetchRow(tap, notedRow(which), k.add(at, k.mul(which, k.index(pitch))));
  });
}

//===----------------------------------------------------------------------===//
// Right
//===----------------------------------------------------------------------===//

RhsSlice::RhsSlice(const packed::Item &item, const TileShape &shape, Value local,
                   Value firstColumn)
    : item(item), shape(shape), local(local),
      chunk(chunkOf(shape, isCopied(item.problem, item.problem.rhs) &&
                               item.problem.width % TileShape::run == 0)),
      firstColumn(firstColumn) {}

/// Where a chunk of a slice stands: in which of its panels, at which step.
struct RhsSlice::Place {
  Value panel, stepInSlice, column;
};

void RhsSlice::fetch(Value step, Value stage) {
  KernelBuilder &k = item.k;
  unsigned chunks = shape.depth * shape.columns() / chunk;
  Value perRow = k.index(item.problem.width / chunk), depth = k.index(shape.depth);
  auto columnOf = [&](Value inRow) { return k.mul(inRow, k.index(chunk)); };
  if (shape.stages == 1)
    return repeat(k, chunks / shape.threads(), [&](Value which) {
      Value number = k.add(k.thread(), k.mul(which, k.index(shape.threads())));
      Value row = k.div(number, perRow); // of all panels, one below the other
      fetchChunk(step, stage,
                 {k.div(row, depth), k.rem(row, depth), columnOf(k.rem(number, perRow))});
    });
  // Powers of two all: either the threads' rows are of one panel, or whole panels.
  unsigned rowsAtATime = shape.threads() * chunk / item.problem.width;
  Value row = k.div(k.thread(), perRow), column = columnOf(k.rem(k.thread(), perRow));
  Value panel = k.div(row, depth), stepInSlice = k.rem(row, depth);
  if (chunks < shape.threads())
    return k.ifThen(k.less(k.thread(), k.index(chunks)),
                    [&] { fetchChunk(step, stage, {panel, stepInSlice, column}); });
  for (unsigned which = 0; which < chunks / shape.threads(); ++which) {
    unsigned rowsBefore = which * rowsAtATime;
    fetchChunk(step, stage,
               {k.add(panel, k.index(rowsBefore / shape.depth)),
                k.add(stepInSlice, k.index(rowsBefore % shape.depth)), column});
  }
}

void RhsSlice::fetchChunk(Value step, Value stage, const Place &place) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  int64_t width = problem.width;
  KExpr steps = stepsOf(k, problem);
  Value panels = k.value(k.exprs().ceilDiv(problem.columns, k.constantExpr(width)));
  Value panelSize = k.value(k.exprs().mul(steps, k.constantExpr(width)));
  Value firstPanel = k.div(firstColumn, k.index(width));
  Value number = k.add(firstPanel, place.panel), at = k.add(step, place.stepInSlice);
  Value inside = packed::allOf(k, {k.less(number, panels), k.less(at, k.value(steps))});
  Value position = k.add(item.panelBase, k.mul(number, panelSize));
  position = k.add(position, k.add(k.mul(at, k.index(width)), place.column));
  Value to = k.add(k.mul(place.panel, k.index(width)), place.column);
  to = k.add(to, k.mul(place.stepInSlice, k.index(shape.columns())));
  to = k.add(to, k.add(stage, k.index(shape.rhsStart())));
  if (shape.stages > 1 && isCopied(problem, problem.rhs))
    return copyToLocal(k, {item.panelMemory(), position, local, to, chunk, inside});
  Value loaded =
      loadOrZero(k, inside, problem.sumType, [&] { return item.loadPanel(position, 1); });
  storeLocal(k, local, to, loaded);
}

} // namespace hexin::codegen::tiled
