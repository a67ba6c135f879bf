#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/WindowLoops.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// The window that belongs to one result element.
struct PoolWindow {
  PoolWindow(ElementEmitter &emitter, hx::PoolOp op, Index index);

  /// The input's index at the taps `at`.
  SmallVector<Value> inputIndex(Index at);

  KernelBuilder &k;
  hx::PoolOp op;
  Index index;
  WindowAxes axes;
  SmallVector<KExpr> in;
  SmallVector<Value> starts;
  SmallVector<IndexRange> taps; ///< inside of the input
  Value count;                  ///< what an average divides by
};

/// Taps along one axis that lie inside of input and pads: the overhang that
/// ceil_mode adds does not count.
Value tapsInsidePads(KernelBuilder &k, Value start, Value size, int64_t endPad,
                     int64_t taps, int64_t dilation) {
  Value end = k.add(size, k.index(endPad));
  IndexRange padded =
      clippedTaps(k, k.max(start, k.index(0)), end, k.index(taps), dilation);
  Value before = k.sub(k.max(start, k.index(0)), start);
  Value skipped = k.div(k.add(before, k.index(dilation - 1)), k.index(dilation));
  Value room = k.sub(k.index(taps), skipped);
  return k.add(skipped, k.min(room, padded.upper));
}

PoolWindow::PoolWindow(ElementEmitter &emitter, hx::PoolOp op, Index index)
    : k(emitter.kernel()), op(op), index(index), axes(index.size(), op.getLayout()) {
  hx::Dims pads =
      beginPads(k.shapes(), op.getPads(), op.getPadPolicy(),
                constantDims(k.shapes(), op.getWindow()), op.getStrides(),
                op.getDilations(), axes.spatialOf(emitter.dims(op.getInput())),
                axes.spatialOf(emitter.dims(op.getResult())));
  in = emitter.sizes(op.getInput());
  count = k.index(1);
  for (size_t s = 0; s < axes.numSpatial(); ++s) {
    Value size = k.value(in[axes.spatial(s)]);
    int64_t numTaps = op.getWindow()[s], dilation = op.getDilations()[s];
    Value start = k.sub(k.mul(index[axes.spatial(s)], k.index(op.getStrides()[s])),
                        k.value(k.size(pads[s])));
    starts.push_back(start);
    taps.push_back(clippedTaps(k, start, size, k.index(numTaps), dilation));
    if (op.getFn() == hx::PoolFn::avg)
      count = k.mul(count, k.sub(taps[s].upper, taps[s].lower));
    else if (op.getFn() == hx::PoolFn::avg_include_pad)
      // Pads made for the window hold all of it.
      count = k.mul(count, op.getPadPolicy() == hx::PadPolicy::explicit_pads
                               ? tapsInsidePads(k, start, size,
                                                op.getPads()[axes.numSpatial() + s],
                                                numTaps, dilation)
                               : k.index(numTaps));
  }
}

SmallVector<Value> PoolWindow::inputIndex(Index at) {
  SmallVector<Value> result(axes.rank);
  result[0] = index[0];
  result[axes.channel] = index[axes.channel];
  for (size_t s = 0; s < axes.numSpatial(); ++s)
    result[axes.spatial(s)] =
        k.add(starts[s], k.mul(at[s], k.index(op.getDilations()[s])));
  return result;
}

/// Position of `at` in the flat input, in nchw order whatever the layout.
Value flatPosition(PoolWindow &window, Index at) {
  KernelBuilder &k = window.k;
  const WindowAxes &axes = window.axes;
  Value flat = k.add(k.mul(at[0], k.value(window.in[axes.channel])), at[axes.channel]);
  for (size_t s = 0; s < axes.numSpatial(); ++s)
    flat = k.mul(flat, k.value(window.in[axes.spatial(s)]));
  Value plane = k.index(0);
  for (size_t i = 0; i < axes.numSpatial(); ++i) {
    size_t s = window.op.getStorageOrder() ? axes.numSpatial() - 1 - i : i;
    plane = k.add(k.mul(plane, k.value(window.in[axes.spatial(s)])), at[axes.spatial(s)]);
  }
  return k.add(flat, plane);
}

} // namespace

Value emitElement(ElementEmitter &emitter, hx::PoolOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Type type = computeType(elementType(op.getResult()));
  Type inputType = elementType(op.getInput());
  Value init = zeroOf(k, type, lanes);
  PoolWindow window(emitter, op, index);
  hx::ReduceFn fn = op.getFn() == hx::PoolFn::max ? hx::ReduceFn::max : hx::ReduceFn::sum;
  if (fn == hx::ReduceFn::max)
    init = reduceIdentity(k, fn, inputType, lanes);
  Value folded = loopNest(k, window.taps, {init}, [&](Index at, ValueRange carried) {
    Value x = emitter.emit(op.getInput(), window.inputIndex(at), lanes);
    return SmallVector<Value>{emitReduceStep(k, fn, carried[0], x, inputType)};
  })[0];
  if (op.getFn() == hx::PoolFn::max || op.getFn() == hx::PoolFn::sum)
    return folded;
  Value n = arith::IndexCastOp::create(b, k.loc(), b.getI64Type(), window.count);
  Value divisor = arith::SIToFPOp::create(b, k.loc(), type, n);
  return arith::DivFOp::create(b, k.loc(), folded, k.splat(divisor, lanes));
}

Value emitPoolIndex(ElementEmitter &emitter, hx::PoolOp op, Index index) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Type inputType = elementType(op.getInput());
  PoolWindow window(emitter, op, index);
  Value none = k.index(-1);
  Value lowest = reduceIdentity(k, hx::ReduceFn::max, inputType, 1);
  // The first maximum wins, so the very first tap is always taken.
  SmallVector<Value> best =
      loopNest(k, window.taps, {lowest, none}, [&](Index at, ValueRange carried) {
        SmallVector<Value> inputAt = window.inputIndex(at);
        Value x = emitter.emit(op.getInput(), inputAt, 1);
        Value flat = flatPosition(window, inputAt);
        Value isFirst =
            arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::eq, carried[1], none);
        Value isGreater =
            emitCompare(k, hx::ComparePredicate::lt, carried[0], x, inputType);
        Value takes = arith::OrIOp::create(b, k.loc(), isFirst, isGreater);
        return SmallVector<Value>{
            arith::SelectOp::create(b, k.loc(), takes, x, carried[0]),
            arith::SelectOp::create(b, k.loc(), takes, flat, carried[1])};
      });
  return arith::IndexCastOp::create(b, k.loc(), b.getI64Type(), best[1]);
}

} // namespace hexin::codegen
