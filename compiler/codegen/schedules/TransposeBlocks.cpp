//===- TransposeBlocks.cpp - the last axis changes: squares in registers ----------===//
//
// Where a transpose moves the last axis, either its reads or its writes would go element
// by element through memory. Here L vectors of L elements are read as the operand has
// them, transposed in registers, and written as the result has them:
//
//   [H W, C] -> [C, H W]    16 pixels of 16 channels  ->  16 channels of 16 pixels
//
// log2(L) rounds, each of which swaps blocks off the diagonal: with s = L/2 the quarters
// of the square, then those of its quarters, down to single elements.
//
// An item is a block of 64 x 64. The last squares of an axis overlap those before; an
// axis with fewer than L elements goes element by element.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/MovedAxes.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

constexpr int64_t blockSize = 64, minExtent = 4;

class TransposeBlock {
public:
  TransposeBlock(ElementEmitter &emitter, hx::TransposeOp op, unsigned lanesOfOperand)
      : emitter(emitter), k(emitter.kernel()), op(op), axes(op.getPerm()),
        sizes(emitter.sizes(op.getResult())) {
    for (size_t run = 0; run < axes.runs.size(); ++run)
      extents.push_back(axes.extent(k, sizes, run));
    emitter.provide(op.getResult(),
                    [this](ArrayRef<Value>, unsigned) { return current; });
    lanes = std::min(lanesOfOperand, emitter.lanes());
    for (size_t run : {axes.far, axes.last()})
      if (std::optional<int64_t> extent = k.exprs().constantValue(extents[run]))
        lanes = std::min<unsigned>(lanes, llvm::bit_floor<uint64_t>(*extent));
  }

  void emit() {
    SmallVector<KExpr> space(extents);
    for (size_t run : {axes.far, axes.last()})
      space[run] = k.exprs().ceilDiv(extents[run], k.constantExpr(blockSize));
    at = k.delinearize(k.beginItems(k.exprs().product(space)), space);
    SmallVector<Value> fits;
    for (size_t run : {axes.far, axes.last()}) {
      at[run] = k.mul(at[run], k.index(blockSize));
      fits.push_back(arith::CmpIOp::create(k.builder(), k.loc(),
                                           arith::CmpIPredicate::uge,
                                           k.value(extents[run]), k.index(lanes)));
    }
    auto inSteps = [&](unsigned step, function_ref<void(Value, Value)> body) {
      alongBlock(axes.far, step, [&](Value far) {
        alongBlock(axes.last(), step, [&](Value last) { body(far, last); });
      });
      return SmallVector<Value>();
    };
    Value both = arith::AndIOp::create(k.builder(), k.loc(), fits[0], fits[1]);
    k.ifElse(
        both, {},
        [&] { return inSteps(lanes, [&](Value far, Value last) { square(far, last); }); },
        [&] { return inSteps(1, [&](Value far, Value last) { element(far, last); }); });
  }

private:
  /// The block's places along a run, every `step`-th; the last one as early as it takes
  /// for `step` elements to exist.
  void alongBlock(size_t run, unsigned step, function_ref<void(Value)> body) {
    Value begin = at[run], extent = k.value(extents[run]);
    Value end = k.min(k.add(begin, k.index(blockSize)), extent);
    k.forLoop(begin, end, k.index(step), {}, [&](Value place, ValueRange) {
      body(step == 1 ? place : k.min(place, k.sub(extent, k.index(step))));
      return SmallVector<Value>();
    });
  }

  SmallVector<Value> indexAt(Value far, Value last) {
    SmallVector<Value> places(at);
    places[axes.far] = far;
    places[axes.last()] = last;
    return axes.indexAt(k, sizes, places);
  }

  Value read(Value far, Value last, unsigned count) {
    return emitter.emit(op.getInput(), axes.sourceOf(indexAt(far, last)), count);
  }

  void write(Value transposed, Value far, Value last, unsigned count) {
    current = transposed;
    SmallVector<Value> index = indexAt(far, last), values;
    unsigned numResults = emitter.groupOp().getNumResults();
    for (unsigned result = 0; result < numResults; ++result)
      values.push_back(emitter.emit(emitter.yielded(result), index, count));
    for (unsigned result = 0; result < numResults; ++result)
      emitter.store(result, index, values[result]);
  }

  void element(Value far, Value last) { write(read(far, last, 1), far, last, 1); }

  void square(Value far, Value last) {
    if (lanes == 1)
      return element(far, last);
    SmallVector<Value> vectors;
    for (unsigned i = 0; i < lanes; ++i)
      vectors.push_back(read(far, k.add(last, k.index(i)), lanes));
    for (unsigned size = lanes / 2; size > 0; size /= 2)
      swapBlocks(vectors, size);
    for (unsigned i = 0; i < lanes; ++i)
      write(vectors[i], k.add(far, k.index(i)), last, lanes);
  }

  /// Swaps the two blocks off the diagonal of every square of 2 x 2 blocks of `size`.
  void swapBlocks(MutableArrayRef<Value> vectors, unsigned size) {
    SmallVector<int64_t> upper, lower;
    for (unsigned lane = 0; lane < lanes; ++lane) {
      bool isRight = lane & size;
      upper.push_back(isRight ? lanes + lane - size : lane);
      lower.push_back(isRight ? lanes + lane : lane + size);
    }
    for (unsigned i = 0; i < lanes; ++i) {
      if (i & size)
        continue;
      Value a = vectors[i], b = vectors[i + size];
      OpBuilder &builder = k.builder();
      vectors[i] = vector::ShuffleOp::create(builder, k.loc(), a, b, upper);
      vectors[i + size] = vector::ShuffleOp::create(builder, k.loc(), a, b, lower);
    }
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  hx::TransposeOp op;
  MovedAxes axes;
  SmallVector<KExpr> sizes, extents;
  unsigned lanes;
  SmallVector<Value> at; ///< of each run; of the two last ones, where the block begins
  Value current;         ///< what the transpose's result is, while `write` runs
};

LogicalResult emitBlocks(ElementEmitter &emitter) {
  hx::TransposeOp op = onlyTranspose(emitter.groupOp());
  unsigned lanes = emitter.lanesOf(op.getInput());
  if (!emitter.kernel().traits().longVectors || lanes == 1)
    return mapSchedule.emit(emitter);
  TransposeBlock(emitter, op, lanes).emit();
  return success();
}

/// Vectors run on from one axis of a run to the next, which only operands of the very
/// sizes, or of one element, do too.
bool hasPlainOperands(hx::GroupOp group, hx::TransposeOp transpose,
                      hx::SymbolicShapes &shapes) {
  for (Operation &op : group.getBody().front().without_terminator()) {
    if (&op == transpose || isa<hx::ConstantOp>(op))
      continue;
    hx::Dims dims = shapes.dims(op.getResult(0));
    for (Value operand : op.getOperands()) {
      hx::Dims in = shapes.dims(operand);
      auto one = hx::SymbolTable::constantValue(shapes.symbols().product(in));
      if (in != dims && one != 1)
        return false;
    }
  }
  return true;
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  hx::TransposeOp op = onlyTranspose(group);
  if (!op)
    return notMine;
  MovedAxes axes(op.getPerm());
  if (!axes.movesLast() || computeType(elementType(op.getResult())).isInteger(1))
    return notMine;
  hx::Dims dims = shapes.dims(op.getResult());
  for (Value result : group.getBody().front().getTerminator()->getOperands())
    if (shapes.dims(result) != dims)
      return "results of other sizes";
  for (size_t run : {axes.far, axes.last()})
    if (auto extent = axes.knownExtent(shapes, dims, run); extent && *extent < minExtent)
      return "narrow";
  return hasPlainOperands(group, op, shapes) ? "" : "operands of other sizes";
}

} // namespace

const Schedule transposeSchedule = {"transpose", refusal, emitBlocks,
                                    /*errorConstant=*/4, /*avoidsSplitVectors=*/true};

} // namespace hexin::codegen
