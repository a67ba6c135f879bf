//===- ConvTransposeToConv.cpp - upsampling convolutions, phase by phase ---===//
//
// Output o of a transposed convolution of stride s reads the taps k with
// (o + pad - k) mod s = 0: with q = (o + pad) / s and the phase r = (o + pad) mod s,
//
//   y[o] = sum over j: x[q - j] * w[r + s*j],        j = 0 .. J-1, J = ceil(taps / s)
//
// which is an ordinary convolution of J taps for each phase. All phases are output
// channels of one convolution, [N, Qh, Qw, sh*sw*M]; laid side by side they are the
// output and what the pads cut off.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_CONVTRANSPOSETOCONVPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// Taps of zero that fill up the phases, at most this many times the real ones.
constexpr double maxFillRatio = 2.5;

struct Axis {
  int64_t taps, stride, begin, end, outputPadding;
  int64_t phaseTaps() const { return (taps + stride - 1) / stride; }
  int64_t filledTaps() const { return phaseTaps() * stride; }
};

Axis axisOf(ConvTransposeOp op, unsigned axis) {
  ArrayRef<int64_t> taps = tensorTypeOf(op.getWeights()).getShape().drop_front(2);
  return {taps[axis], op.getStrides()[axis], op.getPads()[axis], op.getPads()[2 + axis],
          op.getOutputPadding()[axis]};
}

bool matches(ConvTransposeOp op) {
  auto weights = tensorTypeOf(op.getWeights());
  if (op.getLayout() != Layout::nhwc || weights.getRank() != 4 ||
      !weights.hasStaticShape() || !isConstantLike(op.getWeights()) ||
      op.getGroups() != 1 || op.getOutputSize() ||
      op.getPadPolicy() != PadPolicy::explicit_pads ||
      llvm::any_of(op.getDilations(), [](int64_t dilation) { return dilation != 1; }) ||
      !isa<FloatType>(weights.getElementType()))
    return false;
  double fill = 1;
  for (unsigned i = 0; i < 2; ++i) {
    Axis axis = axisOf(op, i);
    if (axis.taps < 1 || axis.begin < 0 || axis.end < 0)
      return false;
    fill *= static_cast<double>(axis.filledTaps()) / static_cast<double>(axis.taps);
    // The phases must reach as far as the output does.
    if (axis.filledTaps() - axis.taps - axis.outputPadding + axis.end < 0)
      return false;
  }
  return fill <= maxFillRatio;
}

class Rewriter : InferredBuilder {
public:
  Rewriter(ConvTransposeOp op, SymbolicShapes &shapes)
      : InferredBuilder(op, shapes), op(op),
        type(tensorTypeOf(op.getInput()).getElementType()), h(axisOf(op, 0)),
        w(axisOf(op, 1)), channels(tensorTypeOf(op.getWeights()).getDimSize(1)) {}

  LogicalResult run() {
    Value weights = phaseWeights(), bias = phaseBias();
    Value phases = make<ConvOp>(
        type, op.getInput(), weights, bias, int64_t(1), ArrayRef<int64_t>{1, 1},
        ArrayRef<int64_t>{h.phaseTaps() - 1, w.phaseTaps() - 1, h.phaseTaps() - 1,
                          w.phaseTaps() - 1},
        ArrayRef<int64_t>{1, 1}, PadPolicy::explicit_pads, Layout::nhwc);
    Value result = sideBySide(phases);
    result = make<SliceOp>(type, result, ints({0, h.begin, w.begin, 0}), outputSizes(),
                           ArrayRef<int64_t>{1, 1, 1, 1});
    if (!result)
      return failure();
    op.getResult().replaceAllUsesWith(result);
    return success();
  }

private:
  /// [C, M, kh, kw] -> [sh*sw*M, C, Jh, Jw], the taps of each phase from last to first.
  Value phaseWeights() {
    auto shape = tensorTypeOf(op.getWeights()).getShape();
    int64_t c = shape[0], jh = h.phaseTaps(), jw = w.phaseTaps();
    Value value = op.getWeights();
    SmallVector<int64_t> fill{0, 0, h.filledTaps() - h.taps, w.filledTaps() - w.taps};
    if (fill[2] + fill[3] > 0) {
      Value zero =
          ConstantOp::create(b, op.getLoc(),
                             DenseElementsAttr::get(RankedTensorType::get({}, type),
                                                    b.getFloatAttr(type, 0)));
      value = make<PadOp>(type, value, ints({0, 0, 0, 0}), ints(fill), zero,
                          PadMode::constant);
    }
    SmallVector<int64_t> split{c, channels, jh, h.stride, jw, w.stride};
    value = make<ReshapeOp>(type, value, ints(split));
    value = make<SliceOp>(type, value, ints({0, 0, jh - 1, 0, jw - 1, 0}), ints(split),
                          ArrayRef<int64_t>{1, 1, -1, 1, -1, 1});
    value = make<TransposeOp>(type, value, ArrayRef<int64_t>{3, 5, 1, 0, 2, 4});
    return make<ReshapeOp>(type, value,
                           ints({h.stride * w.stride * channels, c, jh, jw}));
  }

  /// [M] -> [sh*sw*M], the same for each phase.
  Value phaseBias() {
    if (!op.getBias())
      return {};
    int64_t phases = h.stride * w.stride;
    Value value = make<BroadcastToOp>(type, op.getBias(), ints({phases, channels}));
    return make<ReshapeOp>(type, value, ints({phases * channels}));
  }

  /// [N, Qh, Qw, sh*sw*M] -> [N, Qh*sh, Qw*sw, M].
  Value sideBySide(Value phases) {
    Value outer = make<SliceOp>(i64, make<ShapeOfOp>(i64, phases), ints({0}), ints({3}),
                                ArrayRef<int64_t>{1});
    Value value = make<ReshapeOp>(type, phases,
                                  concat(outer, ints({h.stride, w.stride, channels})));
    value = make<TransposeOp>(type, value, ArrayRef<int64_t>{0, 1, 3, 2, 4, 5});
    Value whole =
        make<BinaryOp>(i64, BinaryFn::mul, outer, ints({1, h.stride, w.stride}));
    return make<ReshapeOp>(type, value, concat(whole, ints({channels})));
  }

  /// stride * (in - 1) + outputPadding + taps - pads, and the channels.
  Value outputSizes() {
    auto rest = [](const Axis &axis) {
      return axis.taps - axis.stride + axis.outputPadding - axis.begin - axis.end;
    };
    Value sizes = make<ShapeOfOp>(i64, op.getInput());
    sizes = make<BinaryOp>(i64, BinaryFn::mul, sizes, ints({1, h.stride, w.stride, 0}));
    return make<BinaryOp>(i64, BinaryFn::add, sizes,
                          ints({0, rest(h), rest(w), channels}));
  }

  Value concat(Value x, Value y) {
    SmallVector<Value> parts{x, y};
    return hasFailed ? Value() : make<ConcatOp>(i64, ValueRange(parts), int64_t(0));
  }

  ConvTransposeOp op;
  Type type;
  Axis h, w;
  int64_t channels;
};

struct ConvTransposeToConvPass
    : impl::ConvTransposeToConvPassBase<ConvTransposeToConvPass> {
  void runOnOperation() override {
    if (failed(rewriteInferred<ConvTransposeOp, Rewriter>(getOperation(), matches)))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
