#include "compiler/codegen/schedules/tiled/Slices.h"

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

//===----------------------------------------------------------------------===//
// Left
//===----------------------------------------------------------------------===//

/// Where a step's element lies, seen from a row.
struct LhsSlice::Tap {
  Value inside; ///< the step is one of the product's
  Value offset; ///< from packed::Row::base
  Value dy, dx; ///< windows: of the step's tap
};

LhsSlice::LhsSlice(const packed::Item &item, const TileShape &shape, Value local,
                   Value firstRow)
    : item(item), shape(shape), k(item.k), local(local),
      hasWindow(item.problem.conv && !item.problem.isPointwise) {
  Value depth = k.index(shape.depth);
  stepInSlice = k.rem(k.thread(), depth);
  rowInSlice = k.div(k.thread(), depth);
  Type index = k.builder().getIndexType();
  auto perFetch = [&] { return k.scratch(shape.lhsFetches(), index); };
  bases = perFetch();
  if (hasWindow && item.problem.hasPads) {
    ys = perFetch();
    xs = perFetch();
  }
  Value lastRow = k.sub(k.value(item.problem.rows), k.index(1));
  Value first = k.add(firstRow, rowInSlice);
  repeat(k, shape.lhsFetches(), [&](Value which) {
    Value number = k.add(first, k.mul(which, k.index(shape.threads() / shape.depth)));
    packed::Row row = item.rowAt(k.min(number, lastRow));
    storeScratch(k, bases, which, row.base);
    if (ys) {
      storeScratch(k, ys, which, row.y);
      storeScratch(k, xs, which, row.x);
    }
  });
}

Value LhsSlice::load(const Tap &tap, Value which) {
  OpBuilder &b = k.builder();
  Value inside = tap.inside;
  if (ys) {
    auto isWithin = [&](Value from, Value d, KExpr size) {
      return packed::isInside(k, k.add(loadScratch(k, from, which, 1), d), k.value(size));
    };
    Value y = isWithin(ys, tap.dy, item.problem.inSizes[1]);
    Value x = isWithin(xs, tap.dx, item.problem.inSizes[2]);
    inside = arith::AndIOp::create(b, k.loc(), inside,
                                   arith::AndIOp::create(b, k.loc(), y, x).getResult());
  }
  Value base = loadScratch(k, bases, which, 1);
  return loadOrZero(k, inside, item.problem.sumType,
                    [&] { return item.loadLhs(k.add(base, tap.offset), 1); });
}

void LhsSlice::fetch(Value step) {
  const packed::Problem &problem = item.problem;
  Tap tap;
  tap.offset = k.add(step, stepInSlice);
  tap.inside = k.less(tap.offset, k.value(stepsOf(k, problem)));
  if (hasWindow) {
    // Fewer than 2^31 steps (Tiled.cpp): 64-bit division is slow on most devices.
    OpBuilder &b = k.builder();
    auto narrow = [&](Value x) -> Value {
      return arith::IndexCastOp::create(b, k.loc(), b.getI32Type(), x);
    };
    Value channels = narrow(k.value(problem.depth));
    Value number =
        arith::DivUIOp::create(b, k.loc(), narrow(tap.offset), channels).getResult();
    number = arith::IndexCastOp::create(b, k.loc(), b.getIndexType(), number);
    Value channel = k.sub(tap.offset, k.mul(number, k.value(problem.depth)));
    Value tapColumns = k.index(problem.taps[1]);
    tap.dy = k.mul(k.div(number, tapColumns), k.index(problem.conv->dilations[0]));
    tap.dx = k.mul(k.rem(number, tapColumns), k.index(problem.conv->dilations[1]));
    Value pixels = k.add(k.mul(tap.dy, k.value(problem.inSizes[2])), tap.dx);
    tap.offset = k.add(k.mul(pixels, k.value(problem.channels)), channel);
  }
  Value at = k.add(k.mul(stepInSlice, k.index(shape.lhsPitch())), rowInSlice);
  repeat(k, shape.lhsFetches(), [&](Value which) {
    Value row = k.mul(which, k.index(shape.threads() / shape.depth));
    Value element = load(tap, which);
    storeScratch(k, local, k.add(at, row), element);
  });
}

//===----------------------------------------------------------------------===//
// Right
//===----------------------------------------------------------------------===//

void RhsSlice::fetch(Value step) {
  KernelBuilder &k = item.k;
  const packed::Problem &problem = item.problem;
  int64_t width = problem.width;
  KExpr steps = stepsOf(k, problem);
  Value panels = k.value(k.exprs().ceilDiv(problem.columns, k.constantExpr(width)));
  Value panelSize = k.value(k.exprs().mul(steps, k.constantExpr(width)));
  Value firstPanel = k.div(firstColumn, k.index(width));
  repeat(k, shape.rhsFetches(), [&](Value which) {
    Value element = k.add(k.thread(), k.mul(which, k.index(shape.threads())));
    Value row = k.div(element, k.index(width)); // of all panels, one below the other
    Value column = k.rem(element, k.index(width));
    Value panel = k.div(row, k.index(shape.depth));
    Value stepInSlice = k.rem(row, k.index(shape.depth));
    Value number = k.add(firstPanel, panel), at = k.add(step, stepInSlice);
    Value inside = packed::allOf(k, {k.less(number, panels), k.less(at, k.value(steps))});
    Value loaded = loadOrZero(k, inside, problem.sumType, [&] {
      Value position = k.add(item.panelBase, k.mul(number, panelSize));
      position = k.add(position, k.add(k.mul(at, k.index(width)), column));
      return item.loadPanel(position, 1);
    });
    Value to = k.add(k.mul(panel, k.index(width)), column);
    to = k.add(to, k.mul(stepInSlice, k.index(shape.rhsPitch())));
    storeScratch(k, local, k.add(to, k.index(start)), loaded);
  });
}

} // namespace hexin::codegen::tiled
