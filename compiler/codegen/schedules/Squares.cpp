//===- Squares.cpp - a transpose by squares in registers ----------------------------===//
//
// Where a transpose moves the last axis, neighbours of the operand are no neighbours of
// the result. An item owns a block of 64 x 64 of both, in squares of as many elements
// as a vector has lanes:
//
//   [H, W, C] -> [C, H, W]    16 vectors along C of (H W, C) are loaded,
//                             16 vectors along W of (C, H W) stored
//
// Axes that are neighbours in both are one (here H and W). What is left at the ends of an
// axis is moved one by one.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/schedules/Squares.h"

#include "compiler/codegen/schedules/AxisRuns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

// Quarters of squares change places, first the largest.
void transposeSquare(KernelBuilder &k, MutableArrayRef<Value> square) {
  int64_t size = square.size();
  for (int64_t half = size / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < size; ++i) {
      if (i & half)
        continue;
      SmallVector<int64_t> upper, lower;
      for (int64_t lane = 0; lane < size; ++lane) {
        upper.push_back(lane & half ? size + lane - half : lane);
        lower.push_back(lane & half ? size + lane : lane + half);
      }
      Value x = square[i], y = square[i + half];
      square[i] = vector::ShuffleOp::create(k.builder(), k.loc(), x, y, upper);
      square[i + half] = vector::ShuffleOp::create(k.builder(), k.loc(), x, y, lower);
    }
}

namespace {

hx::TransposeOp transposeOf(hx::GroupOp group) {
  return group.getBody()
      .front()
      .getTerminator()
      ->getOperand(0)
      .getDefiningOp<hx::TransposeOp>();
}

class Squares {
public:
  explicit Squares(ElementEmitter &emitter)
      : emitter(emitter), k(emitter.kernel()), op(transposeOf(emitter.groupOp())),
        type(elementType(op.getInput())), runs(runsOf(op.getPerm())),
        far(lastOfOperand(runs, op.getPerm())), last(runs.size() - 1),
        lanes(k.traits().vectorLanes) {
    if (computeType(type).getIntOrFloatBitWidth() > 32)
      lanes /= 2;
  }

  void emit() {
    SmallVector<KExpr> sizes = emitter.sizes(op.getResult()), extents;
    for (const AxisRun &run : runs)
      extents.push_back(
          k.exprs().product(ArrayRef(sizes).slice(run.first, run.end - run.first)));
    SmallVector<KExpr> space(extents);
    for (size_t run : {far, last})
      space[run] = k.exprs().ceilDiv(extents[run], k.constantExpr(block));
    src = emitter.memrefOf(op.getInput());
    dst = emitter.memrefOfResult(0);
    Value item = k.beginItems(k.exprs().product(space));
    at = k.delinearize(item, space);
    setStrides(sizes);
    auto from = [&](size_t run) { return k.mul(at[run], k.index(block)); };
    auto to = [&](size_t run) {
      return k.min(k.add(from(run), k.index(block)), k.value(extents[run]));
    };
    Value farEnd = to(far), lastEnd = to(last);
    forEach(from(far), farEnd, lanes, [&](Value i) {
      forEach(from(last), lastEnd, lanes, [&](Value j) {
        Value iEnd = k.add(i, k.index(lanes)), jEnd = k.add(j, k.index(lanes));
        Value isWhole = arith::AndIOp::create(k.builder(), k.loc(),
                                              k.less(iEnd, k.add(farEnd, k.index(1))),
                                              k.less(jEnd, k.add(lastEnd, k.index(1))));
        auto whole = [&] {
          moveSquare(i, j);
          return SmallVector<Value>();
        };
        auto rest = [&] {
          forEach(i, k.min(iEnd, farEnd), 1, [&](Value i) {
            forEach(j, k.min(jEnd, lastEnd), 1, [&](Value j) {
              k.store(dst, position(dstStrides, i, j),
                      k.load(src, position(srcStrides, i, j), 1, type), type);
            });
          });
          return SmallVector<Value>();
        };
        k.ifElse(isWhole, {}, whole, rest);
      });
    });
  }

private:
  static constexpr int64_t block = 64;

  void forEach(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
    k.forLoop(from, to, k.index(step), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }
  /// From one element of a run to the next, in both.
  void setStrides(ArrayRef<KExpr> sizes) {
    SmallVector<KExpr> ofOperand = emitter.sizes(op.getInput());
    for (const AxisRun &run : runs) {
      size_t axis = op.getPerm()[run.end - 1];
      srcStrides.push_back(
          k.value(k.exprs().product(ArrayRef(ofOperand).drop_front(axis + 1))));
      dstStrides.push_back(k.value(k.exprs().product(sizes.drop_front(run.end))));
    }
  }
  Value position(ArrayRef<Value> strides, Value alongFar, Value alongLast) {
    Value sum = k.index(0);
    for (size_t run = 0; run < runs.size(); ++run) {
      Value i = run == far ? alongFar : run == last ? alongLast : at[run];
      sum = k.add(sum, k.mul(i, strides[run]));
    }
    return sum;
  }
  void moveSquare(Value i, Value j) {
    SmallVector<Value> square;
    for (unsigned l = 0; l < lanes; ++l)
      square.push_back(
          k.load(src, position(srcStrides, i, k.add(j, k.index(l))), lanes, type));
    transposeSquare(k, square);
    for (unsigned l = 0; l < lanes; ++l)
      k.store(dst, position(dstStrides, k.add(i, k.index(l)), j), square[l], type);
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  hx::TransposeOp op;
  Type type;
  SmallVector<AxisRun> runs;
  size_t far, last; ///< the runs that are last in the operand, and in the result
  unsigned lanes;
  SmallVector<Value> at, srcStrides,
      dstStrides; ///< of each run; `at`: far, last in blocks
  Value src, dst;
};

} // namespace

bool takesSquares(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  hx::TransposeOp op = transposeOf(emitter.groupOp());
  if (!op || k.traits().itemPerElement || k.traits().vectorLanes < 4 ||
      !llvm::hasSingleElement(emitter.groupOp().getBody().front().without_terminator()) ||
      !isa<BlockArgument>(op.getInput()) || computeType(elementType(op)).isInteger(1))
    return false;
  SmallVector<AxisRun> runs = runsOf(op.getPerm());
  if (runs.empty())
    return false;
  size_t far = lastOfOperand(runs, op.getPerm());
  if (far == runs.size() - 1)
    return false;
  hx::Dims dims = emitter.dims(op.getResult());
  constexpr int64_t narrow = 16; // than the widest vector: all is left over
  for (const AxisRun &run : {runs[far], runs.back()}) {
    auto size = hx::SymbolTable::constantValue(k.shapes().symbols().product(
        ArrayRef(dims).slice(run.first, run.end - run.first)));
    if (size && *size < narrow)
      return false;
  }
  return true;
}

LogicalResult emitSquares(ElementEmitter &emitter) {
  Squares(emitter).emit();
  return success();
}

} // namespace hexin::codegen
