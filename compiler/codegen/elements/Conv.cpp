#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/WindowLoops.h"
#include "compiler/codegen/elements/ZeroPoint.h"

#include "compiler/codegen/Scalars.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

using ReadInput = function_ref<Value(Index at)>;
using ReadWeights = function_ref<Value(Index at, Value outChannel)>;

/// sum over taps and the group's input channels of input * weights. `ConvT`: hx.conv
/// or hx.conv_integer.
template <typename ConvT>
Value emitConvolution(ElementEmitter &emitter, ConvT conv, Index index,
                      ReadInput readInput, ReadWeights readWeights) {
  KernelBuilder &k = emitter.kernel();
  Value zero = zeroOf(k, computeType(elementType(conv.getResult())), 1);
  WindowAxes axes(index.size(), conv.getLayout());
  hx::Dims weightDims = emitter.dims(conv.getWeights());
  auto taps = ArrayRef(weightDims).drop_front(2);
  hx::Dims pads =
      beginPads(k.shapes(), conv.getPads(), conv.getPadPolicy(), taps, conv.getStrides(),
                conv.getDilations(), axes.spatialOf(emitter.dims(conv.getInput())),
                axes.spatialOf(emitter.dims(conv.getResult())));
  SmallVector<KExpr> in = emitter.sizes(conv.getInput()),
                     weights = emitter.sizes(conv.getWeights());
  Value channelsPerGroup = k.value(weights[1]);
  Value outPerGroup = k.div(k.value(weights[0]), k.index(conv.getGroups()));
  Value outChannel = index[axes.channel];
  Value firstChannel = k.mul(k.div(outChannel, outPerGroup), channelsPerGroup);

  SmallVector<Value> starts;
  SmallVector<IndexRange> ranges;
  for (size_t s = 0; s < axes.numSpatial(); ++s) {
    Value start = k.sub(k.mul(index[axes.spatial(s)], k.index(conv.getStrides()[s])),
                        k.value(k.size(pads[s])));
    starts.push_back(start);
    ranges.push_back(clippedTaps(k, start, k.value(in[axes.spatial(s)]),
                                 tapCount(k, taps[s]), conv.getDilations()[s]));
  }
  ranges.push_back({k.index(0), channelsPerGroup});
  return loopNest(k, ranges, {zero}, [&](Index at, ValueRange sum) {
    SmallVector<Value> inputAt(axes.rank), weightsAt{outChannel, at.back()};
    inputAt[0] = index[0];
    inputAt[axes.channel] = k.add(firstChannel, at.back());
    for (size_t s = 0; s < axes.numSpatial(); ++s) {
      inputAt[axes.spatial(s)] =
          k.add(starts[s], k.mul(at[s], k.index(conv.getDilations()[s])));
      weightsAt.push_back(at[s]);
    }
    Value x = readInput(inputAt), w = readWeights(weightsAt, outChannel);
    return SmallVector<Value>{multiplyAdd(k, x, w, sum[0])};
  })[0];
}

} // namespace

Value emitElement(ElementEmitter &emitter, hx::ConvOp op, Index index) {
  Value sum = emitConvolution(
      emitter, op, index, [&](Index at) { return emitter.emit(op.getInput(), at, 1); },
      [&](Index at, Value) { return emitter.emit(op.getWeights(), at, 1); });
  if (!op.getBias())
    return sum;
  WindowAxes axes(index.size(), op.getLayout());
  Value bias = emitter.emit(op.getBias(), {index[axes.channel]}, 1);
  return emitBinary(emitter.kernel(), hx::BinaryFn::add, sum, bias,
                    elementType(op.getResult()));
}

Value emitElement(ElementEmitter &emitter, hx::ConvIntegerOp op, Index index) {
  return emitConvolution(
      emitter, op, index,
      [&](Index at) {
        return emitAboveZeroPoint(emitter, op.getInput(), at, op.getInputZeroPoint(),
                                  Value());
      },
      [&](Index at, Value outChannel) {
        return emitAboveZeroPoint(emitter, op.getWeights(), at, op.getWeightsZeroPoint(),
                                  outChannel);
      });
}

} // namespace hexin::codegen
