#include "compiler/codegen/schedules/tiled/BlockTile.h"

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/schedules/tiled/Results.h"
#include "compiler/codegen/schedules/tiled/Slices.h"
#include "compiler/codegen/schedules/tiled/Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen::tiled {
namespace {

constexpr unsigned lanes = TileShape::run;

class BlockTile {
public:
  BlockTile(const packed::Item &item, packed::Epilogue &epilogue, const TileShape &shape,
            const TilePlace &place)
      : k(item.k), b(k.builder()), loc(k.loc()), item(item), problem(item.problem),
        epilogue(epilogue), shape(shape), place(place) {
    local = k.local(shape.localElements(), problem.sumType);
    placeThread();
  }

  void emit() {
    SmallVector<Value> acc = sums();
    Value to = k.add(k.mul(slabRow, k.index(shape.columns())), threadColumn);
    auto store = [&](unsigned row) {
      for (unsigned i = 0; i < shape.columnRuns; ++i)
        storeLocal(k, local, k.add(to, k.index(i * shape.groupAcross * lanes)),
                   acc[row * shape.columnRuns + i]);
    };
    auto rowOf = [&](Value inSlab, Value which) { return tileRow(inSlab, which); };
    writeResults(item, epilogue, place, local,
                 {shape.rowsPerThread, shape.down, shape.columns(), shape.columns(),
                  store, rowOf});
  }

private:
  void placeThread() {
    unsigned perGroup = shape.groupAcross * shape.groupDown;
    Value inGroup = k.thread(), groupRow = k.index(0), groupColumn = k.index(0);
    if (perGroup < shape.threads()) {
      inGroup = k.rem(k.thread(), k.index(perGroup));
      Value group = k.div(k.thread(), k.index(perGroup));
      Value groupsAcross = k.index(shape.across / shape.groupAcross);
      groupRow = k.div(group, groupsAcross);
      groupColumn = k.rem(group, groupsAcross);
    }
    Value row = k.div(inGroup, k.index(shape.groupAcross));
    Value column = k.rem(inGroup, k.index(shape.groupAcross));
    auto first = [&](Value group, unsigned perGroup, Value at) {
      return k.add(k.mul(group, k.index(perGroup)), at);
    };
    threadRow = first(groupRow, shape.groupDown * shape.rowsPerThread, row);
    threadColumn = first(groupColumn, shape.groupAcross * shape.columnRuns * lanes,
                         k.mul(column, k.index(lanes)));
    slabRow = k.add(k.mul(groupRow, k.index(shape.groupDown)), row);
  }

  /// A vector of `lanes` columns for each of the thread's rows and runs of columns.
  SmallVector<Value> sums() {
    LhsSlice lhs(item, shape, local, place.firstRow);
    RhsSlice rhs(item, shape, local, place.firstColumn);
    SmallVector<Value> zeros(shape.rowsPerThread * shape.columnRuns,
                             packed::zeros(k, problem.sumType, lanes));
    auto fetch = [&](Value step, Value stage) {
      lhs.fetch(step, stage);
      rhs.fetch(step, stage);
    };
    auto sum = [&](Value stage, ValueRange acc) { return sumSlices(stage, acc); };
    Steps steps{k.value(stepsOf(k, problem)), shape.depth, shape.stages,
                shape.stageElements()};
    return sumSteps(k, steps, zeros, fetch, sum);
  }

  SmallVector<Value> sumSlices(Value stage, ValueRange init) {
    Value rows = k.add(stage, k.mul(threadRow, k.index(shape.depth)));
    Value columns = k.add(stage, k.add(threadColumn, k.index(shape.rhsStart())));
    auto steps = [&](Value i, ValueRange acc) {
      return sumRun(k.add(rows, i), k.add(columns, k.mul(i, k.index(shape.columns()))),
                    acc);
    };
    // Of many rows one run at a time, or the next one's loads take registers as well.
    if (shape.stages == 1 || runSteps() < lanes)
      return k.forLoop(k.index(0), k.index(shape.depth), k.index(runSteps()), init,
                       steps);
    SmallVector<Value> acc(init);
    for (unsigned i = 0; i < shape.depth; i += runSteps())
      acc = steps(k.index(i), acc);
    return acc;
  }

  /// Of many rows half as many steps, which takes as many registers.
  unsigned runSteps() const { return shape.rowsPerThread > 4 ? lanes / 2 : lanes; }

  /// Some steps, which of the left operand stand side by side.
  SmallVector<Value> sumRun(Value rowsAt, Value columnsAt, ValueRange acc) {
    SmallVector<Value> next(acc), rows;
    for (unsigned r = 0; r < shape.rowsPerThread; ++r)
      rows.push_back(load(rowsAt, r * shape.groupDown * shape.depth, runSteps()));
    for (unsigned step = 0; step < runSteps(); ++step)
      for (unsigned i = 0; i < shape.columnRuns; ++i) {
        Value column = load(
            columnsAt, step * shape.columns() + i * shape.groupAcross * lanes, lanes);
        for (unsigned r = 0; r < shape.rowsPerThread; ++r) {
          Value x = vector::ExtractOp::create(b, loc, rows[r], ArrayRef<int64_t>{step});
          Value &sum = next[r * shape.columnRuns + i];
          sum = multiplyAdd(k.splat(x, lanes), column, sum);
        }
      }
    return next;
  }

  Value load(Value at, unsigned offset, unsigned count) {
    return loadLocal(k, local, k.add(at, k.index(offset)), count);
  }

  Value multiplyAdd(Value x, Value y, Value sum) {
    if (!problem.isInteger)
      return math::FmaOp::create(b, loc, x, y, sum);
    Value product = arith::MulIOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, sum, product);
  }

  /// A slab is the r-th row of every thread.
  Value tileRow(Value inSlab, Value r) {
    Value perGroup = k.index(shape.groupDown);
    Value row =
        k.mul(k.div(inSlab, perGroup), k.index(shape.groupDown * shape.rowsPerThread));
    return k.add(k.add(row, k.rem(inSlab, perGroup)), k.mul(r, perGroup));
  }

  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  const packed::Item &item;
  const packed::Problem &problem;
  packed::Epilogue &epilogue;
  const TileShape &shape;
  TilePlace place;
  Value local;
  Value threadRow, threadColumn; ///< the thread's first, in the tile
  Value slabRow;                 ///< the thread's, in every slab
};

} // namespace

void emitBlockTile(const packed::Item &item, packed::Epilogue &epilogue,
                   const TileShape &shape, Value firstRow, Value firstColumn) {
  BlockTile(item, epilogue, shape, {firstRow, firstColumn, shape.threads()}).emit();
}

} // namespace hexin::codegen::tiled
