#include "frontends/onnx/ops/microsoft/FewBits.h"
#include "frontends/onnx/Checks.h"

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

/// How far the numbers of a byte are shifted, as [8 / bits] or, `isOuter`, [8 / bits, 1].
static Value shiftsOf(OpBinder &b, int64_t bits, bool isOuter) {
  SmallVector<int32_t> shifts;
  for (int64_t shift = 0; shift < 8; shift += bits)
    shifts.push_back(static_cast<int32_t>(shift));
  SmallVector<int64_t> sizes = {8 / bits};
  if (isOuter)
    sizes.push_back(1);
  auto type = RankedTensorType::get(sizes, b.builder.getI32Type());
  return b.constant(DenseElementsAttr::get(type, ArrayRef<int32_t>(shifts)));
}

static Value shifted(OpBinder &b, Value wide, Value shifts, int64_t bits) {
  return b.binary(BinaryFn::bit_and, b.binary(BinaryFn::shr, wide, shifts),
                  b.scalar(b.builder.getI32Type(), double((1 << bits) - 1)));
}

Value unpackedBits(OpBinder &b, Value bytes, int64_t bits) {
  Type i32 = b.builder.getI32Type();
  if (bits == 8 || b.failed())
    return b.cast(bytes, i32);
  Dims dims = b.dims(bytes);
  Value column =
      b.cast(b.shape.unsqueeze(bytes, {static_cast<int64_t>(dims.size())}), i32);
  Value numbers = shifted(b, column, shiftsOf(b, bits, /*isOuter=*/false), bits);
  dims.back() = b.symbols().mul(dims.back(), b.shape.constant(8 / bits));
  return b.failed() ? Value() : b.shape.reshape(numbers, dims);
}

/// ui8 [..., n] as i32 [..., 8 / bits, n]: first the lowest bits of all bytes. Rows of
/// bytes are read as they lie, which the natural order is not.
static Value unpackedByPlace(OpBinder &b, Value bytes, int64_t bits) {
  Type i32 = b.builder.getI32Type();
  if (b.failed())
    return {};
  Dims dims = b.dims(bytes);
  Value row = b.shape.unsqueeze(bytes, {static_cast<int64_t>(dims.size()) - 1});
  if (bits == 8)
    return b.cast(row, i32);
  dims.insert(dims.end() - 1, b.shape.constant(8 / bits));
  return shifted(b, b.cast(b.shape.broadcastTo(row, dims), i32),
                 shiftsOf(b, bits, /*isOuter=*/true), bits);
}

Value timesBlocks(OpBinder &b, Value x, Value scales, int64_t block) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  int64_t rank = static_cast<int64_t>(dims.size());
  if (HxBuilder::rank(scales) != rank) {
    b.contradiction("the scales have rank " + Twine(HxBuilder::rank(scales)) +
                    ", expected " + Twine(rank) + ": one for each block");
    return {};
  }
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

namespace {

/// x [..., K] padded with zeros to whole blocks.
Value inWholeBlocks(OpBinder &b, Value x, int64_t numColumns, int64_t block) {
  if (b.failed())
    return {};
  int64_t numPadded = llvm::alignTo(numColumns, block), rank = HxBuilder::rank(x);
  auto size = [&](int64_t n) { return b.shape.constant(n); };
  checkRange(b, b.dims(x).back(), numColumns, numColumns,
             "the number of columns of the input");
  if (b.failed() || numPadded == numColumns)
    return x;
  Dims none(rank, size(0)), more = none;
  more.back() = size(numPadded - numColumns);
  return b.pad(hx::PadMode::constant, x, b.shape.build(none), b.shape.build(more),
               b.scalarLike(x, 0));
}

/// The elements of a block of x in the order of unpackedByPlace().
Value orderedByPlace(OpBinder &b, Value x, int64_t numBlocks, int64_t block,
                     int64_t bits) {
  if (bits == 8 || b.failed())
    return x;
  int64_t rank = HxBuilder::rank(x);
  Dims dims = b.dims(x), apart(dims.begin(), dims.end() - 1);
  auto size = [&](int64_t n) { return b.shape.constant(n); };
  apart.append({size(numBlocks), size(block * bits / 8), size(8 / bits)});
  SmallVector<int64_t> perm;
  for (int64_t axis = 0; axis < rank; ++axis)
    perm.push_back(axis);
  perm.append({rank + 1, rank});
  Value turned = b.transpose(b.shape.reshape(x, apart), perm);
  dims.back() = size(numBlocks * block);
  return b.failed() ? Value() : b.shape.reshape(turned, dims);
}

} // namespace

/// One matrix whose blocks lie one after the other: the weights stay in their bytes.
static Value timesPacked(OpBinder &b, Value x, const FewBitWeights &weights, Dim numRows,
                         int64_t numColumns) {
  int64_t numBlocks = llvm::divideCeil(numColumns, weights.block);
  auto bytesOf = [&](int64_t count) { return llvm::divideCeil(count * weights.bits, 8); };
  auto shaped = [&](Value value, int64_t columns) {
    return b.failed() ? Value()
                      : b.shape.reshape(value, {numRows, b.shape.constant(columns)});
  };
  Value bytes = shaped(weights.bytes, bytesOf(numBlocks * weights.block));
  Value scales = shaped(weights.scales, numBlocks);
  Value zero = weights.zeroPoints;
  if (zero && !b.failed())
    zero = shaped(zero, HxBuilder::isFloat(zero) ? numBlocks : bytesOf(numBlocks));
  x = inWholeBlocks(b, x, numColumns, weights.block);
  if (b.failed())
    return {};
  return b.make<hx::MatMulFewBitsOp>(HxBuilder::elementType(x), x, bytes, scales, zero,
                                     weights.bits, weights.block);
}

/// Of several matrices, or with blocks that columns choose: weights in f32, in every run.
static Value timesUnpacked(OpBinder &b, Value x, const FewBitWeights &weights,
                           ArrayRef<Dim> rows, int64_t numColumns) {
  Type f32 = b.builder.getF32Type();
  int64_t numBlocks = llvm::divideCeil(numColumns, weights.block);
  int64_t zeroBytes = llvm::divideCeil(numBlocks * weights.bits, 8);
  int64_t last = static_cast<int64_t>(rows.size());
  auto shaped = [&](Value value, ArrayRef<int64_t> lastSizes) {
    Dims dims(rows.begin(), rows.end());
    for (int64_t size : lastSizes)
      dims.push_back(b.shape.constant(size));
    return b.failed() ? Value() : b.shape.reshape(value, dims);
  };
  Value scales = b.cast(shaped(weights.scales, {numBlocks}), f32);
  Value zero = b.scalar(f32, double(1 << (weights.bits - 1)));
  bool isZeroShared = !weights.zeroPoints;
  if (weights.zeroPoints && !b.failed()) {
    if (HxBuilder::isFloat(weights.zeroPoints)) {
      zero = b.cast(shaped(weights.zeroPoints, {numBlocks}), f32);
    } else {
      zero = unpackedBits(b, shaped(weights.zeroPoints, {zeroBytes}), weights.bits);
      zero = b.cast(
          b.shape.sliceAxis(zero, last, b.shape.constant(0), b.shape.constant(numBlocks)),
          f32);
    }
  }
  int64_t blockBytes = weights.block * weights.bits / 8;
  int64_t numPadded = numBlocks * weights.block;
  Value numbers;
  if (weights.groups && !b.failed()) {
    numbers = b.cast(
        unpackedBits(b, shaped(weights.bytes, {numBlocks * blockBytes}), weights.bits),
        f32);
    Value groups = weights.groups;
    Dim wanted = b.shape.constant(numColumns), none = b.shape.constant(0);
    if (!b.failed() && numPadded != numColumns) {
      numbers = b.shape.sliceAxis(numbers, last, none, wanted);
      groups = b.shape.sliceAxis(groups, 0, none, wanted);
    }
    zero = isZeroShared ? zero : b.gather(zero, groups, last);
    numbers = b.mul(b.sub(numbers, zero), b.gather(scales, groups, last));
  } else {
    // Sizes only change once all is done: what is between is one kernel.
    auto perBlock = [&](Value value) {
      return b.shape.unsqueeze(value, {last + 1, last + 2});
    };
    numbers = b.cast(
        unpackedByPlace(b, shaped(weights.bytes, {numBlocks, blockBytes}), weights.bits),
        f32);
    numbers =
        b.mul(b.sub(numbers, isZeroShared ? zero : perBlock(zero)), perBlock(scales));
    numbers = shaped(numbers, {numPadded});
    x = orderedByPlace(b, inWholeBlocks(b, x, numColumns, weights.block), numBlocks,
                       weights.block, weights.bits);
  }
  return b.matmul(x, numbers, /*transposeLhs=*/false, /*transposeRhs=*/true);
}

Value timesFewBits(OpBinder &b, Value x, const FewBitWeights &weights, ArrayRef<Dim> rows,
                   int64_t numColumns) {
  if (rows.size() == 1 && !weights.groups)
    return timesPacked(b, x, weights, rows[0], numColumns);
  return timesUnpacked(b, x, weights, rows, numColumns);
}

} // namespace hexin::onnx
