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
                 {shape.rowsPerThread(), shape.down, shape.columns(), shape.columns(),
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
    auto firstBlock = [&](Value group, unsigned threads, unsigned runs, Value at) {
      return k.add(k.mul(group, k.index(threads * runs * lanes)),
                   k.mul(at, k.index(lanes)));
    };
    threadRow = firstBlock(groupRow, shape.groupDown, shape.rowRuns, row);
    threadColumn = firstBlock(groupColumn, shape.groupAcross, shape.columnRuns, column);
    slabRow = k.add(k.mul(groupRow, k.index(shape.groupDown)), row);
  }

  /// A vector of `lanes` columns for each of the thread's rows and runs of columns.
  SmallVector<Value> sums() {
    LhsSlice lhs(item, shape, local, place.firstRow);
    RhsSlice rhs(item, shape, local, rhsStart(), place.firstColumn);
    SmallVector<Value> zeros(shape.rowsPerThread() * shape.columnRuns,
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
    Value rows = k.add(stage, threadRow);
    Value columns = k.add(stage, k.add(threadColumn, k.index(rhsStart())));
    auto step = [&](Value i, ValueRange acc) {
      return sumStep(k.add(rows, k.mul(i, k.index(shape.lhsPitch()))),
                     k.add(columns, k.mul(i, k.index(shape.rhsPitch()))), acc);
    };
    if (shape.stages == 1)
      return k.forLoop(k.index(0), k.index(shape.depth), k.index(1), init, step);
    SmallVector<Value> acc(init);
    for (unsigned i = 0; i < shape.depth; ++i)
      acc = step(k.index(i), acc);
    return acc;
  }

  SmallVector<Value> sumStep(Value rowsAt, Value columnsAt, ValueRange acc) {
    auto load = [&](Value at, unsigned runs, unsigned threads) {
      SmallVector<Value> loaded;
      for (unsigned i = 0; i < runs; ++i)
        loaded.push_back(
            loadLocal(k, local, k.add(at, k.index(i * threads * lanes)), lanes));
      return loaded;
    };
    SmallVector<Value> rows = load(rowsAt, shape.rowRuns, shape.groupDown);
    SmallVector<Value> columns = load(columnsAt, shape.columnRuns, shape.groupAcross);
    SmallVector<Value> next;
    for (unsigned r = 0; r < shape.rowsPerThread(); ++r) {
      Value x = vector::ExtractOp::create(b, loc, rows[r / lanes],
                                          ArrayRef<int64_t>{r % lanes});
      for (Value column : columns)
        next.push_back(multiplyAdd(k.splat(x, lanes), column, acc[next.size()]));
    }
    return next;
  }

  Value multiplyAdd(Value x, Value y, Value sum) {
    if (!problem.isInteger)
      return math::FmaOp::create(b, loc, x, y, sum);
    Value product = arith::MulIOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, sum, product);
  }

  /// A slab is the r-th row of every thread.
  Value tileRow(Value inSlab, Value r) {
    unsigned perGroup = shape.groupDown;
    Value row = k.mul(k.div(inSlab, k.index(perGroup)),
                      k.index(perGroup * shape.rowsPerThread()));
    row = k.add(row, k.mul(k.rem(inSlab, k.index(perGroup)), k.index(lanes)));
    Value run = k.div(r, k.index(lanes)), inRun = k.rem(r, k.index(lanes));
    return k.add(row, k.add(k.mul(run, k.index(perGroup * lanes)), inRun));
  }

  unsigned rhsStart() const { return shape.depth * shape.lhsPitch(); }

  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  const packed::Item &item;
  const packed::Problem &problem;
  packed::Epilogue &epilogue;
  const TileShape &shape;
  TilePlace place;
  Value local;
  Value threadRow, threadColumn; ///< of the thread's first block, in the tile
  Value slabRow;                 ///< the thread's, in every slab
};

} // namespace

void emitBlockTile(const packed::Item &item, packed::Epilogue &epilogue,
                   const TileShape &shape, Value firstRow, Value firstColumn) {
  BlockTile(item, epilogue, shape, {firstRow, firstColumn, shape.threads()}).emit();
}

} // namespace hexin::codegen::tiled
