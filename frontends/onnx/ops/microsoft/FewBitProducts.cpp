// Products with weights in few bits (domain com.microsoft), in f32.
#include "frontends/onnx/OpBinder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Families.h"
#include "frontends/onnx/ops/Norms.h"
#include "frontends/onnx/ops/microsoft/FewBits.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using hexin::hx::ActivationKind;
using hexin::hx::BinaryFn;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {
namespace {

/// What `product` makes of x [..., K] in f32, plus a bias, in x's type.
Value inWideFloats(OpBinder &b, Value x, Value bias,
                   llvm::function_ref<Value(Value)> product) {
  if (b.failed())
    return {};
  Type type = HxBuilder::elementType(x), f32 = b.builder.getF32Type();
  bool isVector = HxBuilder::rank(x) == 1;
  Value wide = b.cast(x, f32);
  Value y = product(isVector ? b.shape.unsqueeze(wide, {0}) : wide);
  if (isVector && !b.failed())
    y = b.shape.squeeze(y, {0});
  if (bias)
    y = b.add(y, b.cast(bias, f32));
  return b.cast(y, type);
}

/// x [..., K] times the transpose of weights f32 [N, K], plus a bias.
Value timesRows(OpBinder &b, Value x, Value rows, Value bias, bool isTransposed = true) {
  return inWideFloats(b, x, bias, [&](Value wide) {
    return b.matmul(wide, rows, /*transposeLhs=*/false, isTransposed);
  });
}

/// Attribute `name`, a size, as an error if it is none.
int64_t readSize(OpBinder &b, StringRef name) {
  int64_t size = b.intAttr(name, 0);
  if (!b.failed() && (size < 1 || size > INT32_MAX))
    b.error("attribute " + name + " is " + Twine(size) + ", expected at least 1");
  return b.failed() ? 1 : size;
}

/// A value of each bit pattern, as numbers of f32.
Value tableOf(OpBinder &b, ArrayRef<float> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    b.builder.getF32Type());
  return b.constant(DenseElementsAttr::get(type, values));
}

//===----------------------------------------------------------------------===//
// MatMulNBits and what is fused around it
//===----------------------------------------------------------------------===//

struct NBits {
  int64_t numColumns, block, bits;
};

/// K, block_size and bits. accuracy_level is the least that is asked for: f32 is above.
NBits readNBits(OpBinder &b) {
  NBits all{readSize(b, "K"), b.intAttr("block_size", 0), b.intAttr("bits", 4)};
  checkFewBits(b, all.bits, all.block);
  return all;
}

/// A, B, scales, zero_points?, g_idx?, bias?
void importMatMulNBits(OpBinder &b) {
  NBits sizes = readNBits(b);
  int64_t numRows = readSize(b, "N");
  if (b.intAttr("weight_prepacked", 0) != 0)
    return b.unsupported("weight_prepacked: a layout of one vendor's kernels; export the "
                         "plain weights");
  if (b.failed())
    return;
  if (b.has(4) && HxBuilder::rank(b.input(4)) != 1)
    return b.contradiction("g_idx has rank " + Twine(HxBuilder::rank(b.input(4))) +
                           ", expected 1");
  FewBitWeights weights{b.input(1), b.input(2), b.input(3),
                        b.input(4), sizes.bits, sizes.block};
  b.result(0, inWideFloats(b, b.input(0), b.input(5), [&](Value x) {
             return timesFewBits(b, x, weights, {b.shape.constant(numRows)},
                                 sizes.numColumns);
           }));
}

/// A, or A + skip, normalised by norm_scale if there is one. `sum` is A + skip, or null.
Value normalizedInput(OpBinder &b, double epsilon, Value &sum) {
  Value x = b.input(0);
  if (b.has(1)) {
    if (!b.has(2)) {
      b.error("skip is given without norm_scale");
      return {};
    }
    x = sum = b.add(x, b.input(1));
  }
  return b.has(2) ? rmsNorm(b, x, b.input(2), HxBuilder::rank(b.input(0)) - 1, epsilon)
                  : x;
}

/// Bytes, scales and a bias from input `first` on.
Value projected(OpBinder &b, Value x, const NBits &sizes, int64_t numRows,
                unsigned first) {
  for (unsigned i : {first, first + 1})
    if (!b.has(i)) {
      b.error("input #" + Twine(i) + " is missing");
      return {};
    }
  FewBitWeights weights{b.input(first), b.input(first + 1), Value(),
                        Value(),        sizes.bits,         sizes.block};
  return inWideFloats(b, x, b.input(first + 2), [&](Value wide) {
    return timesFewBits(b, wide, weights, {b.shape.constant(numRows)}, sizes.numColumns);
  });
}

/// A, skip?, norm_scale?, gate_B, gate_scales, gate_bias?, up_B, up_scales, up_bias?
void importMatMulNBitsMlp(OpBinder &b) {
  StringRef activation = b.stringAttr("activation", "");
  if (activation != "silu" && activation != "swish")
    return b.unsupported("activation '" + activation + "': expected silu");
  NBits sizes = readNBits(b);
  int64_t numRows = readSize(b, "N");
  Value sum;
  Value x = normalizedInput(b, b.floatAttr("epsilon", 1e-5f), sum);
  Value gate = projected(b, x, sizes, numRows, 3);
  Value up = projected(b, x, sizes, numRows, 6);
  b.result(0, b.mul(b.activation(ActivationKind::swish, gate, 1), up));
  b.result(1, sum);
}

/// A, skip?, norm_scale, q_B, q_scales, q_bias?, k_B, ..., v_B, ...
void importMatMulNBitsQkv(OpBinder &b) {
  NBits sizes = readNBits(b);
  int64_t queryRows = readSize(b, "Nq"), rows = readSize(b, "Nkv");
  Value sum;
  Value x = normalizedInput(b, b.floatAttr("epsilon", 1e-6f), sum);
  b.result(0, projected(b, x, sizes, queryRows, 3));
  b.result(1, projected(b, x, sizes, rows, 6));
  b.result(2, projected(b, x, sizes, rows, 9));
  b.result(3, sum);
}

//===----------------------------------------------------------------------===//
// Other formats
//===----------------------------------------------------------------------===//

/// A, B ui8 [(N * K + 1) / 2], absmax: [N, K] flattened, the first number of a byte in
/// its high bits.
void importMatMulBnb4(OpBinder &b) {
  static const float fp4[16] = {0,
                                0.005208333333f,
                                0.66666667f,
                                1,
                                0.33333333f,
                                0.5f,
                                0.16666667f,
                                0.25f,
                                -0.0f,
                                -0.005208333333f,
                                -0.66666667f,
                                -1,
                                -0.33333333f,
                                -0.5f,
                                -0.16666667f,
                                -0.25f};
  // Quantiles of the normal distribution.
  static const float nf4[16] = {-1,
                                -0.6961928009986877f,
                                -0.5250730514526367f,
                                -0.39491748809814453f,
                                -0.28444138169288635f,
                                -0.18477343022823334f,
                                -0.09105003625154495f,
                                0,
                                0.07958029955625534f,
                                0.16093020141124725f,
                                0.24611230194568634f,
                                0.33791524171829224f,
                                0.44070982933044434f,
                                0.5626170039176941f,
                                0.7229568362236023f,
                                1};
  int64_t numRows = readSize(b, "N"), numColumns = readSize(b, "K");
  int64_t block = b.intAttr("block_size", 0), kind = b.intAttr("quant_type", 0);
  if (!checkFewBits(b, 4, block))
    return;
  if (kind != 0 && kind != 1)
    return b.error("quant_type is " + Twine(kind) + ", expected 0 (FP4) or 1 (NF4)");
  Type i32 = b.builder.getI32Type();
  auto pair = RankedTensorType::get({2}, i32);
  Value shifts = b.constant(DenseElementsAttr::get(pair, ArrayRef<int32_t>{4, 0}));
  Value bytes = b.shape.unsqueeze(b.cast(b.input(1), i32), {1});
  Value codes = b.binary(BinaryFn::bit_and, b.binary(BinaryFn::shr, bytes, shifts),
                         b.scalar(i32, 15));
  if (b.failed())
    return;
  Dim numStored = b.symbols().mul(b.dims(b.input(1))[0], b.shape.constant(2));
  Dim count = b.shape.constant(numRows * numColumns);
  codes = b.shape.reshape(codes, {numStored});
  if (!b.failed() && numStored != count)
    codes = b.shape.sliceAxis(codes, 0, b.shape.constant(0), count);
  Value flat = timesBlocks(b, b.gather(tableOf(b, kind == 0 ? fp4 : nf4), codes, 0),
                           b.cast(b.input(2), b.builder.getF32Type()), block);
  if (b.failed())
    return;
  Value rows =
      b.shape.reshape(flat, {b.shape.constant(numRows), b.shape.constant(numColumns)});
  b.result(0, timesRows(b, b.input(0), rows, Value(), b.intAttr("transB", 1) != 0));
}

/// A, B, B_shape [K, N]: of each column, blocks of a scale (4 bytes of an f32), a zero
/// point (a byte, type 1 only) and numbers of 4 bits: of 32 each, the first half is in
/// the low bits of 16 bytes.
void importMatMulFpQ4(OpBinder &b) {
  int64_t kind = b.intAttr("blk_quant_type", 1);
  SmallVector<int64_t> shape = b.constantInts(2, "B_shape");
  if (b.failed())
    return;
  if (kind < 0 || kind > 2)
    return b.error("blk_quant_type is " + Twine(kind) + ", expected 0 to 2");
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > INT32_MAX ||
      shape[1] > INT32_MAX)
    return b.error("B_shape must be two sizes, [K, N]");
  int64_t block = kind == 2 ? 64 : 32, headerBytes = kind == 1 ? 5 : 4;
  int64_t numBlocks = llvm::divideCeil(shape[0], block);
  Type i32 = b.builder.getI32Type(), f32 = b.builder.getF32Type();
  auto size = [&](int64_t n) { return b.shape.constant(n); };
  Dim columns = size(shape[1]), blocks = size(numBlocks);
  Value blobs =
      b.shape.reshape(b.input(1), {columns, blocks, size(headerBytes + block / 2)});
  auto bytes = [&](int64_t start, int64_t count) {
    return b.shape.sliceAxis(blobs, 2, size(start), size(count));
  };
  auto type = RankedTensorType::get({4}, i32);
  Value places =
      b.constant(DenseElementsAttr::get(type, ArrayRef<int32_t>{0, 8, 16, 24}));
  Value scaleBytes = b.binary(BinaryFn::shl, b.cast(bytes(0, 4), i32), places);
  Value scaleBits = b.reduce(hx::ReduceFn::sum, scaleBytes, {2}, /*keepDims=*/true);
  Value scale = b.failed() ? Value() : b.make<hx::BitcastOp>(f32, scaleBits);
  Value zero = kind == 1 ? b.cast(bytes(4, 1), f32) : b.scalar(f32, 8);
  Value packed = b.shape.reshape(b.cast(bytes(headerBytes, block / 2), i32),
                                 {columns, blocks, size(block / 32), size(1), size(16)});
  auto halves = RankedTensorType::get({2, 1}, i32);
  Value shifts = b.constant(DenseElementsAttr::get(halves, ArrayRef<int32_t>{0, 4}));
  Value numbers = b.binary(BinaryFn::bit_and, b.binary(BinaryFn::shr, packed, shifts),
                           b.scalar(i32, 15));
  Value centred =
      b.sub(b.cast(b.shape.reshape(numbers, {columns, blocks, size(block)}), f32), zero);
  Value rows = b.shape.reshape(b.mul(centred, scale), {columns, size(numBlocks * block)});
  if (!b.failed() && numBlocks * block != shape[0])
    rows = b.shape.sliceAxis(rows, 1, size(0), size(shape[0]));
  b.result(0, timesRows(b, b.input(0), rows, Value()));
}

/// A, B f8 [N, K], b_scale [N, ceil(K / block)], a_scale?, bias?
void importMatMulBlockQuantizedFp8Weight(OpBinder &b) {
  int64_t block = b.intAttr("block_size", 128);
  if (block < 1)
    return b.error("block_size is " + Twine(block) + ", expected at least 1");
  Type f32 = b.builder.getF32Type();
  Value x = b.input(0);
  Type type = HxBuilder::elementType(x);
  if (b.has(3)) { // A in 8 bits too
    Value scale = b.shape.toScalar(b.input(3));
    Value quantized =
        b.cast(b.div(b.cast(x, f32), scale), HxBuilder::elementType(b.input(1)));
    x = b.mul(b.cast(quantized, f32), scale);
  }
  Value rows = timesBlocks(b, b.cast(b.input(1), f32), b.input(2), block);
  Value y = timesRows(b, b.cast(x, f32), rows, b.input(4));
  b.result(0, b.failed() ? Value() : b.cast(y, type));
}

/// What a byte means as f8E4M3FN.
SmallVector<float> e4m3Values() {
  SmallVector<float> values;
  for (unsigned code = 0; code < 256; ++code)
    values.push_back(APFloat(APFloat::Float8E4M3FN(), APInt(8, code)).convertToFloat());
  return values;
}

/// A, B ui8 [N, K / 2], weight_scale ui8 (E4M3) [N, ceil(K / block)], weight_scale_2,
/// input_scale? (without effect on weights alone), bias?
void importMatMulBlockQuantizedFp4Weight(OpBinder &b) {
  static const float e2m1[16] = {0,     0.5f,  1,  1.5f,  2,  3,  4,  6,
                                 -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  int64_t block = b.intAttr("block_size", 16);
  if (block < 1)
    return b.error("block_size is " + Twine(block) + ", expected at least 1");
  Type i32 = b.builder.getI32Type();
  Value values = b.gather(tableOf(b, e2m1), unpackedBits(b, b.input(1), 4), 0);
  Value scales = b.gather(tableOf(b, e4m3Values()), b.cast(b.input(2), i32), 0);
  scales = b.mul(scales, b.shape.toScalar(b.input(3)));
  Value rows = timesBlocks(b, values, scales, block);
  if (b.failed())
    return;
  // The operator's weights are of the activation's type.
  rows = b.cast(b.cast(rows, HxBuilder::elementType(b.input(0))), b.builder.getF32Type());
  b.result(0, timesRows(b, b.input(0), rows, b.input(5)));
}

} // namespace

void registerMicrosoftFewBitProductOps(OpTable &table) {
  table.add(
      "com.microsoft",
      {
          {"MatMulNBits", 1, 3, 6, importMatMulNBits},
          {"MatMulNBitsMlp", 1, 1, 9, importMatMulNBitsMlp},
          {"MatMulNBitsQkv", 1, 1, 12, importMatMulNBitsQkv},
          {"MatMulBnb4", 1, 3, 3, importMatMulBnb4},
          {"MatMulFpQ4", 1, 3, 3, importMatMulFpQ4},
          {"MatMulBlockQuantizedFp8Weight", 1, 3, 5, importMatMulBlockQuantizedFp8Weight},
          {"MatMulBlockQuantizedFp4Weight", 1, 4, 6, importMatMulBlockQuantizedFp4Weight},
      });
}

} // namespace hexin::onnx
