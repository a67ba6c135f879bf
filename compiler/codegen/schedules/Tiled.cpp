//===- Tiled.cpp - products by teams, from slices in local memory -----------===//
//
// The packed schedule's work (packed/Problem.h: matmul and conv, channels last, over
// panels) for devices with memory on the chip. An item is a tile of the product and is
// run by a team; each of its threads sums 4 rows x 4 columns:
//
//   for steps of the depth, 16 at a time
//     all threads: a slice of lhs and of rhs into local memory    (tiled/Slices.h)
//     for the 16: acc[r] += lhs[row r] * rhs[columns .. + 3]
//   for r in 0..3
//     row r of every thread into local memory; all threads: epilogue, store
//
// For example [100, 64] x [64, 40]: tiles of 64 x 64, two teams of 256 threads, four
// slices. An element of an operand is read once per tile: 2 loads from memory for 64
// multiply-adds, where an item that computes an element by itself does 128.
//
// Results go through local memory so that neighbours write neighbours, and the
// epilogue is written once, for one element.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/packed/Tile.h"
#include "compiler/codegen/schedules/tiled/Slices.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

using tiled::TileShape;

constexpr unsigned lanes = TileShape::columnsPerThread;

/// The columns of each product of `heavy`, where that is known.
std::optional<int64_t> columnsOf(Operation *heavy, hx::SymbolicShapes &shapes) {
  hx::PanelsAttr panels = packed::panelsOf(heavy->getOperand(1));
  hx::Dims dims = shapes.dims(heavy->getOperand(1));
  size_t axis = panels.getConv()         ? 0
                : panels.getTransposed() ? dims.size() - 2
                                         : dims.size() - 1;
  std::optional<int64_t> columns = hx::SymbolTable::constantValue(dims[axis]);
  if (columns && panels.getConv())
    *columns /= panels.getGroups();
  return columns;
}

class TiledEmitter {
public:
  TiledEmitter(ElementEmitter &emitter, packed::Problem &problem,
               packed::Epilogue &epilogue, const TileShape &shape)
      : k(emitter.kernel()), b(k.builder()), loc(k.loc()), emitter(emitter),
        problem(problem), epilogue(epilogue), shape(shape) {}

  void run() {
    KExpr rowTiles = k.exprs().ceilDiv(problem.rows, k.constantExpr(shape.rows()));
    KExpr columnTiles =
        k.exprs().ceilDiv(problem.columns, k.constantExpr(shape.columns()));
    SmallVector<KExpr> space{problem.outer, rowTiles, columnTiles};
    Value number = k.beginTeamItems(k.exprs().product(space), shape.threads());
    SmallVector<Value> at = k.delinearize(number, space);
    firstRow = k.mul(at[1], k.index(shape.rows()));
    firstColumn = k.mul(at[2], k.index(shape.columns()));
    threadRow = k.div(k.thread(), k.index(shape.across));
    threadColumn = k.rem(k.thread(), k.index(shape.across));
    local = k.local(shape.localElements(), problem.sumType);
    packed::Item item(emitter, problem, /*outerIndex=*/at[0], /*panel=*/k.index(0));
    SmallVector<Value> acc = sums(item);
    write(item, acc);
  }

private:
  /// One vector of `lanes` columns for each of the thread's rows.
  SmallVector<Value> sums(const packed::Item &item) {
    unsigned rhsStart = shape.depth * shape.lhsPitch();
    tiled::LhsSlice lhs(item, shape, local, firstRow);
    tiled::RhsSlice rhs(item, shape, local, rhsStart, firstColumn);
    SmallVector<Value> zeros(TileShape::rowsPerThread,
                             packed::zeros(k, problem.sumType, lanes));
    return k.forLoop(k.index(0), k.value(tiled::stepsOf(k, problem)),
                     k.index(shape.depth), zeros, [&](Value step, ValueRange acc) {
                       lhs.fetch(step);
                       rhs.fetch(step);
                       k.barrier();
                       SmallVector<Value> next = sumSlices(rhsStart, acc);
                       k.barrier();
                       return next;
                     });
  }

  SmallVector<Value> sumSlices(unsigned rhsStart, ValueRange init) {
    Value lhsAt = k.mul(threadRow, k.index(TileShape::rowsPerThread));
    Value rhsAt = k.add(k.mul(threadColumn, k.index(lanes)), k.index(rhsStart));
    auto step = [&](Value i, ValueRange acc) {
      Value rows =
          packed::loadScratch(k, local, k.add(lhsAt, k.mul(i, k.index(shape.lhsPitch()))),
                              TileShape::rowsPerThread);
      Value columns = packed::loadScratch(
          k, local, k.add(rhsAt, k.mul(i, k.index(shape.rhsPitch()))), lanes);
      SmallVector<Value> next;
      for (unsigned r = 0; r < TileShape::rowsPerThread; ++r) {
        Value x = vector::ExtractOp::create(b, loc, rows, ArrayRef<int64_t>{r});
        next.push_back(multiplyAdd(k.splat(x, lanes), columns, acc[r]));
      }
      return next;
    };
    return k.forLoop(k.index(0), k.index(shape.depth), k.index(1), init, step);
  }

  Value multiplyAdd(Value x, Value y, Value sum) {
    if (!problem.isInteger)
      return math::FmaOp::create(b, loc, x, y, sum);
    Value product = arith::MulIOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, sum, product);
  }

  /// One row of every thread at a time, side by side as in the product.
  void write(const packed::Item &item, ArrayRef<Value> acc) {
    Value to = k.mul(threadRow, k.index(shape.columns()));
    to = k.add(to, k.mul(threadColumn, k.index(lanes)));
    Value perThread = k.index(TileShape::rowsPerThread);
    k.forLoop(k.index(0), perThread, k.index(1), {}, [&](Value r, ValueRange) {
      for (auto [i, sum] : llvm::enumerate(acc)) {
        Value isRow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, r,
                                            k.index(static_cast<int64_t>(i)));
        k.ifThen(isRow, [&] { packed::storeScratch(k, local, to, sum); });
      }
      k.barrier();
      Value elements = k.index(shape.down * shape.columns());
      k.forLoop(k.thread(), elements, k.index(shape.threads()), {},
                [&](Value element, ValueRange) {
                  writeElement(item, element, r);
                  return SmallVector<Value>();
                });
      k.barrier();
      return SmallVector<Value>();
    });
  }

  void writeElement(const packed::Item &item, Value element, Value r) {
    Value columns = k.index(shape.columns());
    Value row = k.mul(k.div(element, columns), k.index(TileShape::rowsPerThread));
    row = k.add(firstRow, k.add(row, r));
    Value column = k.add(firstColumn, k.rem(element, columns));
    Value isThere = packed::allOf(k, {k.less(row, k.value(problem.rows)),
                                      k.less(column, k.value(problem.columns))});
    k.ifThen(isThere, [&] {
      packed::Row place;
      place.flat = row;
      Value sum = packed::loadScratch(k, local, element, 1);
      epilogue.write(item, place, column, sum, 1);
    });
  }

  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  ElementEmitter &emitter;
  const packed::Problem &problem;
  packed::Epilogue &epilogue;
  const TileShape &shape;
  Value firstRow, firstColumn; ///< of the tile, in the product
  Value threadRow, threadColumn;
  Value local;
};

LogicalResult emitTiled(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  Operation *heavy = heavyOp(emitter.groupOp());
  packed::Problem problem(emitter, heavy);
  problem.sumType = problem.accType; // integers are summed as such
  packed::Epilogue epilogue(emitter, problem, heavy);
  std::optional<TileShape> shape =
      tiled::chooseTile(k.traits().team, columnsOf(heavy, k.shapes()), problem.width);
  if (!shape)
    return failure();
  TiledEmitter(emitter, problem, epilogue, *shape).run();
  return success();
}

/// Multiply-adds of `heavy`, where that is known.
std::optional<int64_t> workOf(Operation *heavy, hx::SymbolicShapes &shapes) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dims factors = shapes.dims(heavy->getResult(0));
  hx::Dims lhs = shapes.dims(heavy->getOperand(0));
  hx::Dims rhs = shapes.dims(heavy->getOperand(1));
  if (packed::panelsOf(heavy->getOperand(1)).getConv())
    factors.append(rhs.begin() + 1, rhs.end());
  else
    factors.push_back(lhs.back());
  return hx::SymbolTable::constantValue(table.product(factors));
}

int64_t groupsOf(Operation *conv) {
  if (auto op = dyn_cast<hx::ConvOp>(conv))
    return op.getGroups();
  return cast<hx::ConvIntegerOp>(conv).getGroups();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  if (std::string reason = packedSchedule.refusal(group, shapes); !reason.empty())
    return reason;
  constexpr int64_t littleWork = 1 << 18, fewColumns = 8, manySteps = INT32_MAX;
  Operation *heavy = heavyOp(group);
  if (isa<hx::MatMulFewBitsOp>(heavy))
    return "weights of few bits";
  hx::PanelsAttr panels = packed::panelsOf(heavy->getOperand(1));
  hx::Dims rhs = shapes.dims(heavy->getOperand(1));
  std::optional<int64_t> columns = columnsOf(heavy, shapes);
  if (computeType(elementType(heavy->getResult(0))).isF64())
    return "of 64 bits";
  if (columns && *columns <= fewColumns)
    return "few columns";
  // The least that a team may have to offer.
  if (!tiled::chooseTile({256, 16384}, columns, panels.getWidth()))
    return "no tile is whole panels";
  if (panels.getConv()) {
    hx::Dim steps = shapes.symbols().product(ArrayRef(rhs).drop_front());
    std::optional<int64_t> number = hx::SymbolTable::constantValue(steps);
    if (!number || *number > manySteps)
      return "many taps";
    if (hx::SymbolTable::constantValue(rhs[1]) == 1 && groupsOf(heavy) > 1)
      return "one channel a group";
  }
  std::optional<int64_t> work = workOf(heavy, shapes);
  return work && *work < littleWork ? "little work" : "";
}

} // namespace

const Schedule tiledSchedule = {"tiled", refusal, emitTiled, 1};

} // namespace hexin::codegen
