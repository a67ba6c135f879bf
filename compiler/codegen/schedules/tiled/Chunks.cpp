#include "compiler/codegen/schedules/tiled/Chunks.h"

#include "compiler/codegen/AsyncCopy.h"

using namespace mlir;

namespace hexin::codegen::tiled {

constexpr unsigned chunk = HalfShape::chunk;

/// body(which) for every chunk that a thread fetches of `count`.
static void forEachChunk(KernelBuilder &k, unsigned count, unsigned threads,
                         function_ref<void(unsigned which)> body) {
  for (unsigned which = 0; which * threads < count; ++which) {
    if ((which + 1) * threads <= count) {
      body(which);
      continue;
    }
    Value left = k.index(count - which * threads);
    k.ifThen(k.less(k.thread(), left), [&] { body(which); });
  }
}

//===----------------------------------------------------------------------===//
// Left
//===----------------------------------------------------------------------===//

LhsChunks::LhsChunks(const packed::Item &item, const HalfShape &shape, Value local,
                     Value firstRow)
    : item(item), shape(shape), k(item.k), local(local),
      hasWholeChunks(item.problem.runMultiple % chunk == 0) {
  unsigned perRow = HalfShape::depth / chunk;
  ChunkPlace place(k, perRow);
  stepInSlice = k.mul(place.chunk, k.index(chunk));
  rowInSlice = place.row;
  Value first = k.add(firstRow, rowInSlice);
  Value lastRow = k.sub(k.value(item.problem.rows), k.index(1));
  unsigned rowsAtATime = shape.threads() / perRow;
  for (unsigned row = 0; row < shape.rows(); row += rowsAtATime)
    rows.push_back(
        inRegisters(item, item.rowAt(k.min(k.add(first, k.index(row)), lastRow))));
}

void LhsChunks::fetchWhole(const packed::Row &row, Value step, Value at) {
  Tap tap(item, step);
  Value position = k.add(row.base, tap.offset);
  copyToLocal(k,
              {item.lhsMemory(), position, local, at, chunk, isInside(item, tap, row)});
}

void LhsChunks::fetchByElements(const packed::Row &row, Value step, Value at) {
  for (unsigned i = 0; i < chunk; ++i) {
    Tap tap(item, k.add(step, k.index(i)));
    Value position = k.add(row.base, tap.offset);
    copyToLocal(k, {item.lhsMemory(), position, local, k.add(at, k.index(i)), 1,
                    isInside(item, tap, row)});
  }
}

void LhsChunks::fetch(Value step, Value stage) {
  unsigned perRow = HalfShape::depth / chunk;
  unsigned rowsAtATime = shape.threads() / perRow;
  Value at = k.add(k.mul(rowInSlice, k.index(shape.lhsPitch())), stepInSlice);
  at = k.add(at, stage);
  step = k.add(step, stepInSlice);
  forEachChunk(k, shape.rows() * perRow, shape.threads(), [&](unsigned which) {
    Value to = k.add(at, k.index(which * rowsAtATime * shape.lhsPitch()));
    if (hasWholeChunks)
      fetchWhole(rows[which], step, to);
    else
      fetchByElements(rows[which], step, to);
  });
}

//===----------------------------------------------------------------------===//
// Right
//===----------------------------------------------------------------------===//

void RhsChunks::fetch(Value step, Value stage) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  int64_t width = problem.width;
  KExpr steps = stepsOf(k, problem);
  Value panels = k.value(k.exprs().ceilDiv(problem.columns, k.constantExpr(width)));
  Value panelSize = k.value(k.exprs().mul(steps, k.constantExpr(width)));
  Value firstPanel = k.div(firstColumn, k.index(width));
  unsigned perRow = shape.columns() / chunk, perPanel = width / chunk;
  unsigned rowsAtATime = shape.threads() / perRow;
  Value inRow = k.rem(k.thread(), k.index(perRow)),
        stepInSlice = k.div(k.thread(), k.index(perRow));
  Value number = k.add(firstPanel, k.div(inRow, k.index(perPanel)));
  Value column = k.mul(k.rem(inRow, k.index(perPanel)), k.index(chunk));
  Value panel = k.add(k.add(item.panelBase, k.mul(number, panelSize)), column);
  Value isPanel = k.less(number, panels);
  Value at =
      k.add(k.mul(stepInSlice, k.index(shape.rhsPitch())), k.mul(inRow, k.index(chunk)));
  at = k.add(k.add(at, k.index(shape.rhsStart())), stage);
  step = k.add(step, stepInSlice);
  forEachChunk(k, HalfShape::depth * perRow, shape.threads(), [&](unsigned which) {
    Value row = k.add(step, k.index(which * rowsAtATime));
    Value inside = packed::allOf(k, {isPanel, k.less(row, k.value(steps))});
    Value position = k.add(panel, k.mul(row, k.index(width)));
    Value to = k.add(at, k.index(which * rowsAtATime * shape.rhsPitch()));
    copyToLocal(k, {item.panelMemory(), position, local, to, chunk, inside});
  });
}

} // namespace hexin::codegen::tiled
