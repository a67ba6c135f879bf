//===- IntegerProducts.cpp - products of dequantised numbers, in integers -----------===//
//
// A quantised model says what its numbers stand for and multiplies that:
//
//   (x - zx) sx  times  (w - zw) sw  =  sx sw  sum (x - zx)(w - zw)
//
// The sum is one of integers, exact, by hx.matmul_integer or hx.conv_integer; one factor
// per output channel then scales it, where before every product was rounded. Only where
// no sum can exceed 31 bits and the scales are finite constants, so that nothing else
// changes.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>

namespace hexin::hx {
#define GEN_PASS_DEF_INTEGERPRODUCTSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// 255 * 255 * 2^15 < 2^31.
constexpr int64_t maxSteps = 1 << 15;

bool isByte(Type type) { return type.isSignlessInteger(8) || type.isUnsignedInteger(8); }

bool hasOneElement(Value value) {
  return tensorTypeOf(value).hasStaticShape() &&
         tensorTypeOf(value).getNumElements() == 1;
}

bool areFinite(Value scales) {
  std::optional<Tensor> tensor = constantTensor(scales);
  if (!tensor || !tensorTypeOf(scales).getElementType().isF32())
    return false;
  auto values = static_cast<const float *>(tensor->data());
  return llvm::all_of(ArrayRef(values, tensorTypeOf(scales).getNumElements()),
                      [](float value) { return std::isfinite(value); });
}

bool areZeros(Value bytes) {
  std::optional<Tensor> tensor = constantTensor(bytes);
  if (!tensor)
    return false;
  auto values = static_cast<const uint8_t *>(tensor->data());
  return llvm::all_of(ArrayRef(values, tensorTypeOf(bytes).getNumElements()),
                      [](uint8_t value) { return value == 0; });
}

/// 8-bit numbers and what they stand for.
struct Quantized {
  Value numbers, scale;
  Value zeroPoint; ///< of one element; null: 0
};

/// What `value` dequantises, with one scale or one for each index of `channelAxis`
/// (-1: one).
std::optional<Quantized> quantizedBy(Value value, int64_t channelAxis) {
  auto op = value.getDefiningOp<DequantizeOp>();
  if (!op || op.getBlock() > 0 || !isByte(tensorTypeOf(op.getInput()).getElementType()) ||
      !tensorTypeOf(value).getElementType().isF32() || !areFinite(op.getScale()))
    return std::nullopt;
  if (!hasOneElement(op.getScale()) && op.getAxis() != channelAxis)
    return std::nullopt;
  Quantized result{op.getInput(), op.getScale(), op.getZeroPoint()};
  if (!result.zeroPoint || areZeros(result.zeroPoint))
    result.zeroPoint = Value();
  else if (!hasOneElement(result.zeroPoint))
    return std::nullopt;
  return result;
}

struct Scaler {
  OpBuilder b;
  Location loc;

  Value multiply(Value x, Value y, RankedTensorType type) {
    return BinaryOp::create(b, loc, type, BinaryFn::mul, x, y);
  }
  /// The sum `integers` with both scales, of `type`. A scale per channel is seen with
  /// `trailing` axes behind it.
  Value scaled(Value integers, const Quantized &x, const Quantized &w, int64_t trailing,
               RankedTensorType type) {
    Value one = reshaped(b, loc, x.scale, {});
    Value scale = w.scale;
    if (hasOneElement(scale)) {
      scale = reshaped(b, loc, scale, {});
    } else if (trailing > 0) {
      SmallVector<int64_t> sizes{tensorTypeOf(scale).getNumElements()};
      sizes.append(trailing, 1);
      scale = reshaped(b, loc, scale, sizes);
    }
    Value both = multiply(scale, one, tensorTypeOf(scale));
    return multiply(CastOp::create(b, loc, type, integers), both, type);
  }
};

bool fits(int64_t steps) { return !ShapedType::isDynamic(steps) && steps <= maxSteps; }

void multiply(MatMulOp op) {
  auto rhsType = tensorTypeOf(op.getRhs());
  int64_t rank = rhsType.getRank();
  int64_t channels = rank == 2 ? (op.getTransposeRhs() ? 0 : 1) : -1;
  auto x = quantizedBy(op.getLhs(), -1);
  auto w = quantizedBy(op.getRhs(), channels);
  if (!x || !w || op.getTransposeLhs() ||
      !fits(tensorTypeOf(op.getLhs()).getShape().back()) ||
      !tensorTypeOf(op.getResult()).getElementType().isF32())
    return;
  Scaler make{OpBuilder(op), op.getLoc()};
  Value rhs = w->numbers;
  if (op.getTransposeRhs()) {
    SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(perm[rank - 1], perm[rank - 2]);
    rhs = transposed(make.b, op.getLoc(), rhs, perm);
  }
  auto type = tensorTypeOf(op.getResult());
  Value sums =
      MatMulIntegerOp::create(make.b, op.getLoc(), type.clone(make.b.getI32Type()),
                              x->numbers, rhs, x->zeroPoint, w->zeroPoint);
  op.replaceAllUsesWith(make.scaled(sums, *x, *w, 0, type));
  op.erase();
}

void multiply(ConvOp op) {
  auto weights = tensorTypeOf(op.getWeights());
  auto x = quantizedBy(op.getInput(), -1);
  auto w = quantizedBy(op.getWeights(), 0);
  if (!x || !w || op.getLayout() != Layout::nchw || !weights.hasStaticShape() ||
      !fits(weights.getNumElements() / std::max<int64_t>(1, weights.getDimSize(0))))
    return;
  // What integers gain is lost where a tap is not whole words of them.
  constexpr int64_t perWord = 4;
  if (weights.getDimSize(1) % perWord != 0)
    return;
  Scaler make{OpBuilder(op), op.getLoc()};
  auto type = tensorTypeOf(op.getResult());
  Value sums = ConvIntegerOp::create(
      make.b, op.getLoc(), type.clone(make.b.getI32Type()), x->numbers, w->numbers,
      x->zeroPoint, w->zeroPoint, op.getGroups(), op.getStrides(), op.getPads(),
      op.getDilations(), op.getPadPolicy(), op.getLayout());
  int64_t trailing = type.getRank() - 2;
  Value result = make.scaled(sums, *x, *w, trailing, type);
  if (op.getBias()) {
    SmallVector<int64_t> sizes{weights.getDimSize(0)};
    sizes.append(trailing, 1);
    Value bias = reshaped(make.b, op.getLoc(), op.getBias(), sizes);
    result = BinaryOp::create(make.b, op.getLoc(), type, BinaryFn::add, result, bias);
  }
  op.replaceAllUsesWith(result);
  op.erase();
}

struct IntegerProductsPass : impl::IntegerProductsPassBase<IntegerProductsPass> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (auto matmul = dyn_cast<MatMulOp>(op))
        multiply(matmul);
      else if (auto conv = dyn_cast<ConvOp>(op))
        multiply(conv);
    });
  }
};

} // namespace
} // namespace hexin::hx
