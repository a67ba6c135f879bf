#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/WindowLoops.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

hx::Dim tapsAlong(ElementEmitter &emitter, hx::ConvTransposeOp op, size_t s) {
  return emitter.dims(op.getWeights())[2 + s];
}

/// What is cut off before the output's first element, along spatial axis `s`.
hx::Dim beginPad(ElementEmitter &emitter, hx::ConvTransposeOp op, size_t s,
                 const WindowAxes &axes) {
  hx::SymbolTable &table = emitter.kernel().shapes().symbols();
  hx::Dim pad = table.constant(op.getPads()[s]);
  if (!op.getOutputSize() && op.getPadPolicy() == hx::PadPolicy::explicit_pads)
    return pad;
  // total = stride*(in-1) + outputPadding + extent - out, the larger half first
  // unless same_upper; negative counts as 0.
  hx::Dim inSize = emitter.dims(op.getInput())[axes.spatial(s)];
  hx::Dim outSize = emitter.dims(op.getResult())[axes.spatial(s)];
  hx::Dim one = table.constant(1);
  hx::Dim reach = table.mul(table.constant(op.getDilations()[s]),
                            table.sub(tapsAlong(emitter, op, s), one));
  hx::Dim natural = table.add(
      table.add(table.mul(table.sub(inSize, one), table.constant(op.getStrides()[s])),
                reach),
      table.constant(1 + op.getOutputPadding()[s]));
  hx::Dim total = table.max(table.constant(0), table.sub(natural, outSize));
  hx::Dim half = table.floorDiv(total, table.constant(2));
  return op.getPadPolicy() == hx::PadPolicy::same_upper ? half : table.sub(total, half);
}

/// The input position that stride carries to `offset` (output + pad - tap).
struct Source {
  Value position; ///< in [0, ..) always
  Value exists;   ///< i1: there is one, and it is inside of the input
};

Source sourceOf(KernelBuilder &k, Value offset, Value stride, KExpr inSize) {
  OpBuilder &b = k.builder();
  using P = arith::CmpIPredicate;
  Value nonNegative = arith::CmpIOp::create(b, k.loc(), P::sge, offset, k.index(0));
  Value clamped = k.max(offset, k.index(0));
  Value position = k.div(clamped, stride);
  Value isMultiple =
      arith::CmpIOp::create(b, k.loc(), P::eq, k.mul(position, stride), clamped);
  Value below = k.less(position, k.value(inSize));
  Value exists = arith::AndIOp::create(b, k.loc(), nonNegative, isMultiple);
  return {position, arith::AndIOp::create(b, k.loc(), exists, below)};
}

} // namespace

/// Each output element asks which inputs reach it: for every tap, the input whose
/// window puts that tap here, if there is one.
Value emitElement(ElementEmitter &emitter, hx::ConvTransposeOp op, Index index) {
  KernelBuilder &k = emitter.kernel();
  Type type = computeType(elementType(op.getResult()));
  Value zero = zeroOf(k, type, 1);
  WindowAxes axes(index.size(), op.getLayout());
  SmallVector<KExpr> in = emitter.sizes(op.getInput()),
                     weights = emitter.sizes(op.getWeights());
  Value outPerGroup = k.value(weights[1]);
  Value inPerGroup = k.div(k.value(weights[0]), k.index(op.getGroups()));
  Value outChannel = index[axes.channel];
  Value group = k.div(outChannel, outPerGroup);
  Value outChannelInGroup = k.sub(outChannel, k.mul(group, outPerGroup));
  SmallVector<IndexRange> ranges;
  SmallVector<Value> shifted; // the output's index, pads included
  for (size_t s = 0; s < axes.numSpatial(); ++s) {
    hx::Dim pad = beginPad(emitter, op, s, axes);
    shifted.push_back(k.add(index[axes.spatial(s)], k.value(k.size(pad))));
    ranges.push_back({k.index(0), tapCount(k, tapsAlong(emitter, op, s))});
  }
  ranges.push_back({k.index(0), inPerGroup});

  Value sum = loopNest(k, ranges, {zero}, [&](Index at, ValueRange carried) {
    Value channel = k.add(k.mul(group, inPerGroup), at.back());
    SmallVector<Value> inputAt(axes.rank), weightsAt{channel, outChannelInGroup};
    inputAt[0] = index[0];
    inputAt[axes.channel] = channel;
    Value isInside;
    for (size_t s = 0; s < axes.numSpatial(); ++s) {
      Value stride = k.index(op.getStrides()[s]);
      Value offset = k.sub(shifted[s], k.mul(at[s], k.index(op.getDilations()[s])));
      Source source = sourceOf(k, offset, stride, in[axes.spatial(s)]);
      isInside = isInside ? Value(arith::AndIOp::create(k.builder(), k.loc(), isInside,
                                                        source.exists))
                          : source.exists;
      inputAt[axes.spatial(s)] = source.position;
      weightsAt.push_back(at[s]);
    }
    return k.ifElse(
        isInside, TypeRange{type},
        [&] {
          Value x = emitter.emit(op.getInput(), inputAt, 1);
          Value w = emitter.emit(op.getWeights(), weightsAt, 1);
          return SmallVector<Value>{multiplyAdd(k, x, w, carried[0])};
        },
        [&] { return SmallVector<Value>{carried[0]}; });
  })[0];
  if (!op.getBias())
    return sum;
  return emitBinary(k, hx::BinaryFn::add, sum,
                    emitter.emit(op.getBias(), {outChannel}, 1),
                    elementType(op.getResult()));
}

} // namespace hexin::codegen
