//===- NarrowWeights.cpp - products with 8-bit weights that a scale makes floats ----===//
//
//   x [..., M, K]  times  cast(w) * s  or  dequantize(w, s),  w i8 [K, N], s one or per
//   column
//
// becomes hx.matmul_few_bits, which reads the bytes: weights of floats would be four
// times as large, and were made in every run. There each block of the depth has a scale,
// so that of a column is said once more for every block.
//
// With `quantise-inputs` it becomes a product of integers, exact, of x in 8 bits too, by
// a scale of each row that is found when it runs:
//
//   s = max |x| / 127 of the row,  q = round(x / s)     x w is off by at most
//   (q times bytes) * s * scale                         s / 2 of the sum of its |w|
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>

namespace hexin::hx {
#define GEN_PASS_DEF_NARROWWEIGHTSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// [K, N], or [N, K].
struct ScaledBytes {
  Value bytes;
  SmallVector<float> scales; ///< of N columns, or one
  bool isTransposed = false;

  int64_t sizeOf(bool ofDepth) const {
    return tensorTypeOf(bytes).getDimSize(ofDepth == isTransposed ? 1 : 0);
  }
  int64_t depth() const { return sizeOf(true); }
  int64_t columns() const { return sizeOf(false); }
};

std::optional<SmallVector<float>> floatsOf(Value value) {
  std::optional<Tensor> tensor = constantTensor(value);
  if (!tensor || !tensorTypeOf(value).getElementType().isF32())
    return std::nullopt;
  auto data = static_cast<const float *>(tensor->data());
  return SmallVector<float>(data, data + tensor->numElements());
}

/// Whether `scales` has an element for each index of a matrix' axis `axis`, or one.
bool isAlong(Value scales, int64_t axis, int64_t size) {
  auto type = tensorTypeOf(scales);
  if (!type.hasStaticShape() || type.getRank() > 2)
    return false;
  if (type.getNumElements() == 1)
    return true;
  int64_t own = type.getRank() - (2 - axis);
  return own >= 0 && type.getNumElements() == size && type.getDimSize(own) == size;
}

std::optional<ScaledBytes> scaledBytes(Value weights, bool isTransposed) {
  ScaledBytes result;
  result.isTransposed = isTransposed;
  int64_t axis = isTransposed ? 0 : 1;
  Value scales;
  if (auto dequantize = weights.getDefiningOp<DequantizeOp>()) {
    if (dequantize.getBlock() > 0 || dequantize.getZeroPoint())
      return std::nullopt;
    result.bytes = dequantize.getInput();
    scales = dequantize.getScale();
    bool isOne = tensorTypeOf(scales).getRank() == 0;
    if (!isOne && static_cast<int64_t>(dequantize.getAxis()) != axis)
      return std::nullopt;
  } else if (auto product = weights.getDefiningOp<BinaryOp>();
             product && product.getFn() == BinaryFn::mul) {
    auto cast = product.getLhs().getDefiningOp<CastOp>();
    scales = product.getRhs();
    if (!cast) {
      cast = product.getRhs().getDefiningOp<CastOp>();
      scales = product.getLhs();
    }
    if (!cast)
      return std::nullopt;
    result.bytes = cast.getInput();
  } else {
    return std::nullopt;
  }
  auto type = tensorTypeOf(result.bytes);
  if (type.getRank() != 2 || !type.getElementType().isSignlessInteger(8) ||
      !tensorTypeOf(weights).getElementType().isF32() ||
      !isConstantLike({result.bytes, scales}))
    return std::nullopt;
  bool isPerAxis = weights.getDefiningOp<DequantizeOp>() != nullptr;
  if (!isPerAxis && !isAlong(scales, axis, result.columns()))
    return std::nullopt;
  std::optional<SmallVector<float>> values = floatsOf(scales);
  if (!values)
    return std::nullopt;
  result.scales = std::move(*values);
  return result;
}

/// The largest block that matmul_few_bits takes; 0: none.
int64_t blockOf(int64_t depth) {
  constexpr int64_t least = 16;
  int64_t block = depth & -depth;
  return block >= least ? block : 0;
}

/// 255 * 128 * 2^15 < 2^31: no sum wraps around.
constexpr int64_t maxSteps = 1 << 15;

/// x in 8 bits: unsigned, as words want their left side, with the same zero point for
/// all.
class Quantizer {
public:
  explicit Quantizer(MatMulOp op)
      : b(op), loc(op.getLoc()), x(op.getLhs()), type(tensorTypeOf(x)) {
    SmallVector<int64_t> sizes(type.getShape());
    sizes.back() = 1;
    rowType = type.clone(sizes);
    Value size = UnaryOp::create(b, loc, type, UnaryFn::abs, x);
    Value most = ReduceOp::create(b, loc, rowType, ReduceFn::max, size,
                                  b.getDenseI64ArrayAttr({type.getRank() - 1}), true);
    // Rows of zeros, and of what is next to it, have a scale that divides.
    range = binary(BinaryFn::max, most, number(0x1p-100f), rowType);
  }

  static constexpr int64_t most = 127, zero = 128;

  Value numbers() {
    Value perUnit = binary(BinaryFn::div, number(most), range, rowType);
    Value scaled = binary(BinaryFn::mul, x, perUnit, type);
    Value whole = UnaryOp::create(b, loc, type, UnaryFn::round_even, scaled);
    Value shifted = binary(BinaryFn::add, whole, number(zero), type);
    return CastOp::create(b, loc, type.clone(b.getIntegerType(8, false)), shifted);
  }
  Value zeroPoint() {
    auto scalar = RankedTensorType::get({}, b.getIntegerType(8, /*isSigned=*/false));
    return ConstantOp::create(b, loc, DenseElementsAttr::get(scalar, APInt(8, zero)));
  }
  Value scaled(Value sums, Value scales, RankedTensorType resultType) {
    Value perRow = binary(BinaryFn::mul, range, number(1.0f / most), rowType);
    Value result = CastOp::create(b, loc, resultType, sums);
    result = binary(BinaryFn::mul, result, perRow, resultType);
    return binary(BinaryFn::mul, result, scales, resultType);
  }

  OpBuilder b;
  Location loc;

private:
  Value number(float value) {
    auto scalar = RankedTensorType::get({}, b.getF32Type());
    return ConstantOp::create(b, loc, DenseElementsAttr::get(scalar, value));
  }
  Value binary(BinaryFn fn, Value lhs, Value rhs, RankedTensorType resultType) {
    return BinaryOp::create(b, loc, resultType, fn, lhs, rhs);
  }

  Value x;
  RankedTensorType type, rowType;
  Value range; ///< what 127 stands for, of each row
};

class Rewriter {
public:
  Rewriter(WeightStore *store, bool quantisesInputs)
      : store(store), quantisesInputs(quantisesInputs) {}

  void rewrite(MatMulOp op) {
    if (op.getTransposeLhs() || !tensorTypeOf(op.getLhs()).getElementType().isF32() ||
        !tensorTypeOf(op.getResult()).getElementType().isF32() ||
        tensorTypeOf(op.getRhs()).getRank() != 2)
      return;
    std::optional<ScaledBytes> weights = scaledBytes(op.getRhs(), op.getTransposeRhs());
    if (!weights)
      return;
    if (quantisesInputs && weights->depth() > 0 && weights->depth() <= maxSteps)
      return quantise(op, *weights);
    if (blockOf(weights->depth()) == 0)
      return;
    OpBuilder b(op);
    Value scales = scalesFor(b, op, *weights);
    if (!scales)
      return;
    Value result = MatMulFewBitsOp::create(
        b, op.getLoc(), op.getType(), op.getLhs(), weights->bytes, scales, Value(),
        /*bits=*/8, blockOf(weights->depth()), /*depthFirst=*/!op.getTransposeRhs());
    op.replaceAllUsesWith(result);
    op.erase();
  }

private:
  void quantise(MatMulOp op, const ScaledBytes &weights) {
    Quantizer make(op);
    auto type = tensorTypeOf(op.getResult());
    Value bytes = weights.bytes;
    if (weights.isTransposed)
      bytes = transposed(make.b, op.getLoc(), bytes, {1, 0});
    auto count = static_cast<int64_t>(weights.scales.size());
    auto ofScales = RankedTensorType::get({count}, make.b.getF32Type());
    Value scales = ConstantOp::create(
        make.b, op.getLoc(),
        DenseElementsAttr::get(ofScales, ArrayRef<float>(weights.scales)));
    Value sums =
        MatMulIntegerOp::create(make.b, op.getLoc(), type.clone(make.b.getI32Type()),
                                make.numbers(), bytes, make.zeroPoint(), Value());
    op.replaceAllUsesWith(make.scaled(sums, scales, type));
    op.erase();
  }

  Value scalesFor(OpBuilder &b, MatMulOp op, const ScaledBytes &weights) {
    int64_t columns = weights.columns();
    int64_t blocks = weights.depth() / blockOf(weights.depth());
    auto scales = Tensor::allocate(DType::f32, std::array{columns, blocks});
    if (!scales.ok())
      return {};
    auto to = static_cast<float *>(scales->data());
    for (int64_t n = 0; n < columns; ++n)
      std::fill_n(to + n * blocks, blocks,
                  weights.scales[weights.scales.size() == 1 ? 0 : n]);
    return materialiseConstant(b, op.getLoc(), *scales, store);
  }

  WeightStore *store;
  bool quantisesInputs;
};

struct NarrowWeightsPass : impl::NarrowWeightsPassBase<NarrowWeightsPass> {
  using NarrowWeightsPassBase::NarrowWeightsPassBase;

  void runOnOperation() override {
    Rewriter rewriter(WeightStore::of(getOperation()), quantiseInputs);
    getOperation().walk([&](MatMulOp op) { rewriter.rewrite(op); });
  }
};

} // namespace
} // namespace hexin::hx
