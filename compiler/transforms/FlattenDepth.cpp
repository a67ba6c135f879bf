//===- FlattenDepth.cpp - convolutions over three axes as ones over two --------===//
//
// What a window sees at one depth after the other become channels, which lie last:
//
//   x [N, D, H, W, C], kernel [M, C, kd, kh, kw]
//     for dz in kd: slice of x, [N, Do, H, W, C], that starts at dz and steps by the
//     stride side by side: [N * Do, H, W, kd * C];  conv with [M, kd * C, kh, kw]
//
// It costs kd copies of the input, a small part of the products, and gives every schedule
// of 2-D convolutions, for every target. Nothing is copied where kd is 1.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_FLATTENDEPTHPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

bool isFlattened(ConvOp op) {
  auto input = tensorTypeOf(op.getInput());
  return input.getRank() == 5 && op.getLayout() == Layout::nchw && op.getGroups() == 1 &&
         op.getPadPolicy() == PadPolicy::explicit_pads && !input.isDynamicDim(1) &&
         !input.isDynamicDim(2) && !tensorTypeOf(op.getResult()).isDynamicDim(2) &&
         tensorTypeOf(op.getWeights()).hasStaticShape() &&
         isa<FloatType>(input.getElementType());
}

class Flattener : InferredBuilder {
public:
  Flattener(ConvOp op, SymbolicShapes &shapes)
      : InferredBuilder(op, shapes), op(op),
        type(tensorTypeOf(op.getInput()).getElementType()),
        kernel(tensorTypeOf(op.getWeights()).getShape()),
        depth(tensorTypeOf(op.getResult()).getDimSize(2)) {}

  LogicalResult run() {
    Value input =
        make<TransposeOp>(type, op.getInput(), ArrayRef<int64_t>{0, 2, 3, 4, 1});
    Value sizes = make<ShapeOfOp>(i64, input);
    Value batch = binary(BinaryFn::mul, sizeAt(sizes, 0), ints({depth}));
    Value flatSizes = joined(
        {batch, sizeAt(sizes, 2), sizeAt(sizes, 3), ints({kernel[2] * kernel[1]})});
    Value flat = make<ReshapeOp>(type, sideBySide(input, sizes), flatSizes);
    Value weights =
        make<TransposeOp>(type, op.getWeights(), ArrayRef<int64_t>{0, 2, 1, 3, 4});
    weights = make<ReshapeOp>(
        type, weights, ints({kernel[0], kernel[2] * kernel[1], kernel[3], kernel[4]}));
    ArrayRef<int64_t> pads = op.getPads();
    Value conv = make<ConvOp>(
        type, flat, weights, op.getBias(), int64_t(1), op.getStrides().drop_front(),
        ArrayRef<int64_t>{pads[1], pads[2], pads[4], pads[5]},
        op.getDilations().drop_front(), PadPolicy::explicit_pads, Layout::nhwc);
    Value outSizes = make<ShapeOfOp>(i64, conv);
    Value deep =
        make<ReshapeOp>(type, conv,
                        joined({sizeAt(sizes, 0), ints({depth}), sizeAt(outSizes, 1),
                                sizeAt(outSizes, 2), ints({kernel[0]})}));
    Value result = make<TransposeOp>(type, deep, ArrayRef<int64_t>{0, 4, 1, 2, 3});
    if (!result)
      return failure();
    result.setType(op.getType());
    op.getResult().replaceAllUsesWith(result);
    return success();
  }

private:
  /// [N, Do, H, W, kd * C]
  Value sideBySide(Value input, Value sizes) {
    int64_t before = op.getPads()[0], after = op.getPads()[3];
    if (before > 0 || after > 0) {
      Value zero = ConstantOp::create(
          b, loc,
          DenseElementsAttr::get(RankedTensorType::get({}, type), b.getZeroAttr(type)));
      input = make<PadOp>(type, input, ints({0, before, 0, 0, 0}),
                          ints({0, after, 0, 0, 0}), zero, PadMode::constant);
    }
    Value ofSlice = joined({sizeAt(sizes, 0), ints({depth}), sizeAt(sizes, 2),
                            sizeAt(sizes, 3), sizeAt(sizes, 4)});
    SmallVector<Value> slices;
    for (int64_t dz = 0; dz < kernel[2]; ++dz)
      slices.push_back(
          make<SliceOp>(type, input, ints({0, dz * op.getDilations()[0], 0, 0, 0}),
                        ofSlice, ArrayRef<int64_t>{1, op.getStrides()[0], 1, 1, 1}));
    return slices.size() == 1 ? slices[0]
                              : make<ConcatOp>(type, ValueRange(slices), int64_t(4));
  }

  Value sizeAt(Value sizes, int64_t axis) {
    return make<SliceOp>(i64, sizes, ints({axis}), ints({1}), ArrayRef<int64_t>{1});
  }
  Value joined(ArrayRef<Value> sizes) {
    return make<ConcatOp>(i64, ValueRange(sizes), int64_t(0));
  }
  Value binary(BinaryFn fn, Value x, Value y) { return make<BinaryOp>(i64, fn, x, y); }

  ConvOp op;
  Type type;
  ArrayRef<int64_t> kernel; ///< [M, C, kd, kh, kw]
  int64_t depth;            ///< of the result
};

struct FlattenDepthPass : impl::FlattenDepthPassBase<FlattenDepthPass> {
  void runOnOperation() override {
    if (failed(rewriteInferred<ConvOp, Flattener>(getOperation(), isFlattened)))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
