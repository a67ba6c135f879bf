#include "frontends/onnx/ops/microsoft/FewBits.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

bool checkFewBits(OpBinder &b, int64_t bits, int64_t block) {
  if (!b.failed() && bits != 2 && bits != 4 && bits != 8)
    b.unsupported("bits is " + Twine(bits) + ", expected 2, 4 or 8");
  if (!b.failed() && (block < 16 || block > INT32_MAX || !llvm::isPowerOf2_64(block)))
    b.error("block_size is " + Twine(block) + ", expected a power of two from 16 on");
  return !b.failed();
}

Value unpackedBits(OpBinder &b, Value bytes, int64_t bits) {
  Type i32 = b.builder.getI32Type();
  Value wide = b.cast(bytes, i32);
  if (bits == 8 || b.failed())
    return wide;
  Dims dims = b.dims(bytes);
  int64_t perByte = 8 / bits;
  SmallVector<int32_t> shifts;
  for (int64_t i = 0; i < perByte; ++i)
    shifts.push_back(static_cast<int32_t>(i * bits));
  auto type = RankedTensorType::get({perByte}, i32);
  Value amounts = b.constant(DenseElementsAttr::get(type, ArrayRef<int32_t>(shifts)));
  Value column = b.shape.unsqueeze(wide, {static_cast<int64_t>(dims.size())});
  Value numbers = b.binary(BinaryFn::bit_and, b.binary(BinaryFn::shr, column, amounts),
                           b.scalar(i32, double((1 << bits) - 1)));
  dims.back() = b.symbols().mul(dims.back(), b.shape.constant(perByte));
  return b.shape.reshape(numbers, dims);
}

Value timesBlocks(OpBinder &b, Value x, Value scales, int64_t block) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  int64_t rank = static_cast<int64_t>(dims.size());
  Dim size = b.shape.constant(block);
  auto columns = hx::SymbolTable::constantValue(dims.back());
  if (columns && *columns % block == 0) {
    Dims blocks = dims;
    blocks.back() = b.shape.constant(*columns / block);
    blocks.push_back(size);
    Value scaled = b.mul(b.shape.reshape(x, blocks), b.shape.unsqueeze(scales, {rank}));
    return b.failed() ? Value() : b.shape.reshape(scaled, dims);
  }
  Type i64 = b.builder.getI64Type();
  Value position = b.shape.iota({dims.back()}, 0, i64);
  Value of = b.div(position, b.scalar(i64, double(block)));
  return b.mul(x, b.gather(scales, of, HxBuilder::rank(scales) - 1));
}

Value dequantizedRows(OpBinder &b, const FewBitWeights &weights, ArrayRef<Dim> rows,
                      int64_t numColumns) {
  Type f32 = b.builder.getF32Type();
  int64_t numBlocks = llvm::divideCeil(numColumns, weights.block);
  auto shaped = [&](Value x, int64_t lastSize) {
    Dims dims(rows.begin(), rows.end());
    dims.push_back(b.shape.constant(lastSize));
    return b.failed() ? Value() : b.shape.reshape(x, dims);
  };
  int64_t last = static_cast<int64_t>(rows.size());
  Value bytes = shaped(weights.bytes, numBlocks * weights.block * weights.bits / 8);
  Value numbers = b.cast(unpackedBits(b, bytes, weights.bits), f32);
  Value scales = b.cast(shaped(weights.scales, numBlocks), f32);
  Value zero = b.scalar(f32, double(1 << (weights.bits - 1)));
  bool isZeroShared = !weights.zeroPoints;
  if (weights.zeroPoints && !b.failed()) {
    if (HxBuilder::isFloat(weights.zeroPoints)) {
      zero = b.cast(shaped(weights.zeroPoints, numBlocks), f32);
    } else {
      zero = unpackedBits(
          b, shaped(weights.zeroPoints, llvm::divideCeil(numBlocks * weights.bits, 8)),
          weights.bits);
      zero = b.cast(
          b.shape.sliceAxis(zero, last, b.shape.constant(0), b.shape.constant(numBlocks)),
          f32);
    }
  }
  if (b.failed())
    return {};

  int64_t numPadded = numBlocks * weights.block;
  Dim wanted = b.shape.constant(numColumns), none = b.shape.constant(0);
  if (weights.groups) {
    Dim given = b.dims(weights.groups)[0];
    if (given == wanted && numPadded != numColumns)
      numbers = b.shape.sliceAxis(numbers, last, none, wanted);
    scales = b.gather(scales, weights.groups, last);
    zero = isZeroShared ? zero : b.gather(zero, weights.groups, last);
    numbers = b.mul(b.sub(numbers, zero), scales);
  } else {
    Dims blocked(rows.begin(), rows.end()), whole = blocked;
    blocked.push_back(b.shape.constant(numBlocks));
    blocked.push_back(b.shape.constant(weights.block));
    whole.push_back(b.shape.constant(numPadded));
    zero = isZeroShared ? zero : b.shape.unsqueeze(zero, {last + 1});
    Value centred = b.sub(b.shape.reshape(numbers, blocked), zero);
    Value scaled = b.mul(centred, b.shape.unsqueeze(scales, {last + 1}));
    numbers = b.failed() ? Value() : b.shape.reshape(scaled, whole);
  }
  if (b.failed() || b.dims(numbers)[last] == wanted)
    return numbers;
  return b.shape.sliceAxis(numbers, last, none, wanted);
}

} // namespace hexin::onnx
